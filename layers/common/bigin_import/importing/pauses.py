"""Why an import cannot go on now, and when it is looked at again. Pure."""

from __future__ import annotations

from enum import StrEnum

from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    OtherOrganisationError,
    TokenBusyError,
)


class Pause(StrEnum):
    """Why sending stopped before every part had its job."""

    BUSY = "Bigin has no credits or no capacity left for now"
    NO_TOKEN = "Zoho gives no access token for some minutes"  # noqa: S105  # a reason, no secret
    UNREACHABLE = "Bigin could not be reached"
    AWS = "AWS does not do what it is asked for"
    RELEASE = "the table has an item of another release that this one cannot read"
    ACCESS = "Zoho does not let us in"
    ORGANISATION = "the Zoho secret is for another organisation than this import"
    UNKNOWN = "Bigin did not answer whether it made a job"
    REFUSED = "Bigin refused the mapping"
    NO_TIME = "the time of this invocation is used up"
    IN_ORDER = "an earlier part with the same keys is still under way"
    TURN = "another version of the file is under way"
    HELD_FILE = "a person must decide about an earlier import of the same rows"
    HELD = "a person must decide about an earlier part with the same keys"
    CONTRADICTION = "what Bigin has is not what was sent"


MINUTE_SECONDS = 60
LOOK_AGAIN_SECONDS = 60
LATER_AFTER = 20  # who has waited for an hour is looked at every three minutes
LONGEST_LOOK_SECONDS = 900
# The back-off: minutes before the first look, the second, and so on. Credits are counted over a
# rolling day, so a sooner look finds none either.
_MINUTES = {
    Pause.BUSY: (15, 30, 60),
    Pause.NO_TOKEN: (5, 10),
    Pause.UNREACHABLE: (1, 2, 5, 10, 30),
    Pause.AWS: (1, 2, 4),
    Pause.RELEASE: (5, 15, 60),
    Pause.ACCESS: (15,),
    Pause.ORGANISATION: (1, 15),
    Pause.UNKNOWN: (5,),
    Pause.IN_ORDER: (5,),
    Pause.TURN: (1, 2, 5, 10, 15),
    Pause.HELD_FILE: (1, 2, 5, 10, 15),
    Pause.NO_TIME: (0,),
}


def pause_after(exc: BiginError) -> Pause:
    """Return what to wait for after *exc*, which says that nothing was done."""
    match exc:
        case TokenBusyError():
            return Pause.NO_TOKEN
        case BiginBusyError():
            return Pause.BUSY
        case BiginAccessError():
            return Pause.ACCESS
        case OtherOrganisationError():
            return Pause.ORGANISATION
        case _:
            return Pause.UNREACHABLE


def pause_seconds(pause: Pause, earlier: int) -> int:
    """Return how long to wait when the same thing has been waited for *earlier* times."""
    minutes = _MINUTES[pause]
    return minutes[min(earlier, len(minutes) - 1)] * MINUTE_SECONDS


def look_again_seconds(waited: int, *, left: int = LONGEST_LOOK_SECONDS) -> int:
    """
    Return the pause before the next look for a mapping, or a turn.

    An event tells of a mapping at once; the longer none has come, the less often we look.

    Args:
        left: Seconds until the waiting ends.
    """
    return max(LOOK_AGAIN_SECONDS, min(waited // LATER_AFTER, LONGEST_LOOK_SECONDS, left))
