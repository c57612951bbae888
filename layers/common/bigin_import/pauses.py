"""When an import that cannot go on now is looked at again. Pure."""

from __future__ import annotations

from bigin_import.part_sender import Pause

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
