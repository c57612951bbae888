"""Why an import cannot go on now, and when it is looked at again. Pure."""

from __future__ import annotations

from enum import StrEnum


class Pause(StrEnum):
    """Why sending stopped before every part had its job."""

    BUSY = "Bigin has no credits or no capacity left for now"
    UNREACHABLE = "Bigin could not be reached"
    ACCESS = "Zoho does not let us in"
    UNKNOWN = "Bigin did not answer whether it made a job"
    REFUSED = "Bigin refused the mapping"
    NO_TIME = "the time of this invocation is used up"
    IN_ORDER = "an earlier part with the same keys is still under way"
    HELD = "a person must decide about an earlier part with the same keys"
    CONTRADICTION = "what Bigin has is not what was sent"


MINUTE_SECONDS = 60
# Credits are counted over a rolling day, so a sooner look finds none either.
_MINUTES = {
    Pause.BUSY: (15, 30, 60),
    Pause.UNREACHABLE: (1, 2, 5, 10, 30),
    Pause.ACCESS: (15,),
    Pause.UNKNOWN: (5,),
    Pause.IN_ORDER: (5,),
    Pause.NO_TIME: (0,),
}


def pause_seconds(pause: Pause, earlier: int) -> int:
    """Return how long to wait when the same thing has been waited for *earlier* times."""
    minutes = _MINUTES[pause]
    return minutes[min(earlier, len(minutes) - 1)] * MINUTE_SECONDS
