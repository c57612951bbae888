"""How the fates of one part are kept between its collection and the writing of the files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from io import BytesIO, TextIOWrapper

from bigin_import.models import RowFate, RowStatus
from bigin_import.tabular.listing import LONGEST_CELL

_EITHER = "either"


def write_fates(fates: Iterable[RowFate]) -> bytes:
    """Return *fates* as a gzipped CSV without a header; the same fates give the same bytes."""
    packed = BytesIO()
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as archive,
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        csv.writer(text).writerows(
            (fate.status, fate.record_id, fate.error, _EITHER if fate.either else "")
            for fate in fates
        )
    return packed.getvalue()


def read_fates(body: bytes) -> Iterator[RowFate]:
    """Yield what `write_fates` wrote."""
    csv.field_size_limit(LONGEST_CELL)
    with gzip.open(BytesIO(body), "rt", encoding="utf-8", newline="") as text:
        for status, record_id, error, either in csv.reader(text):
            yield RowFate(RowStatus(status), record_id, error, either=either == _EITHER)
