"""Hypothesis strategies for records: every field takes every value of its type."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from enum import EnumType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from bigin_import.domain.locks import Record

RECORD_KINDS: tuple[type[Record], ...] = get_args(Record.__value__)


def records() -> st.SearchStrategy[Record]:
    """Return records of every kind that are not stored yet."""
    kinds = (_instances(kind, version=st.just(0)) for kind in RECORD_KINDS)
    return st.one_of(*kinds).filter(lambda record: record.address.pk != "")


def _instances(kind: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = {name: _values(hint) for name, hint in get_type_hints(kind).items()}
    return st.builds(kind, **fields | given)


def _values(hint: object) -> st.SearchStrategy[Any]:
    if isinstance(hint, types.UnionType):
        return st.one_of(*(_values(choice) for choice in get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(_values(get_args(hint)[0]), max_size=3).map(tuple)
    if isinstance(hint, EnumType):
        return st.sampled_from(list(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        return _instances(hint)
    return _PLAIN[hint]


_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    types.NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(0, 2**53),
    str: st.text(max_size=30),
}
