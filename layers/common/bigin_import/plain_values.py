"""
Records of ours as plain values, those of JSON and of the ledger, and back.

pydantic reads people's mappings, with all that may be wrong in them. What we wrote ourselves has
few types, and a function that needs no mapping starts without pydantic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

type _Reader = Callable[[object, str], Any]
"""Returns a value of its kind for a plain one; the text says where that stands."""


class UnreadableValueError(ValueError):
    """
    Something else lies there than we write: another release's, or none of ours.

    Says where, and shows no value: it may be a token, or a cell of a drop.
    """

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where}: not {expected}")


class Stored[T]:
    """
    How values of *kind* are stored.

    A kind is text, a whole number, a float, a truth, an enumeration of texts, a tuple, a data
    class of kinds, or one of them or None. Fields that a data class has not are passed over.
    """

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  # a class, or tuple[X, ...]
        self._kind = kind

    def read(self, value: object) -> T:
        """
        Return what *value* stands for.

        Raises:
            UnreadableValueError: It is not of this kind.
        """
        read: T = _reader(self._kind)(value, self._kind.__name__)
        return read

    def read_json(self, text: str | bytes) -> T:
        """
        Return what *text*, of JSON, stands for.

        Raises:
            UnreadableValueError: It is no JSON, or not of this kind.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise UnreadableValueError(self._kind.__name__, "JSON") from exc
        return self.read(value)

    def as_json(self, value: T, *, indent: int | None = None) -> bytes:
        separators = (",", ":") if indent is None else None
        text = json.dumps(plain(value), ensure_ascii=False, separators=separators, indent=indent)
        return text.encode()


def plain(value: Any, *, without_none: bool = False) -> Any:  # noqa: ANN401  # values nest
    """Return *value* as JSON has it; *without_none* if fields that are None are left out."""
    inner = partial(plain, without_none=without_none)
    if is_dataclass(value):
        named = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: inner(field) for name, field in named if not (without_none and field is None)}
    if isinstance(value, tuple):
        return [inner(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


@cache
def _reader(kind: Any) -> _Reader:  # noqa: ANN401  # as Stored
    """Return what reads *kind*; made once for each kind, when it is first asked for."""
    origin, arms = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (known,) = (each for each in arms if each is not NoneType)
        return partial(_optional, _reader(known))
    if origin is tuple:
        return _tuple_reader(arms)
    if is_dataclass(kind) and isinstance(kind, type):
        return _record_reader(kind)
    if issubclass(kind, StrEnum):
        return partial(_word, kind)
    return partial(_scalar, kind)


def _optional(read: _Reader, value: object, where: str) -> Any:  # noqa: ANN401  # as read
    return None if value is None else read(value, where)


def _tuple_reader(arms: tuple[Any, ...]) -> _Reader:
    if arms[-1] is Ellipsis:
        return partial(_many, _reader(arms[0]))
    return partial(_exactly, tuple(map(_reader, arms)))


def _many(read: _Reader, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise UnreadableValueError(where, "a list")
    return tuple([read(each, f"{where}[{at}]") for at, each in enumerate(value)])


def _exactly(readers: tuple[_Reader, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) != len(readers):
        raise UnreadableValueError(where, f"a list of {len(readers)}")
    return tuple([read(each, where) for read, each in zip(readers, value, strict=True)])


def _record_reader(kind: type[Any]) -> _Reader:
    hints = get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}
    needed = frozenset(
        each.name
        for each in fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    )

    def read(value: object, where: str) -> Any:  # noqa: ANN401  # of kind
        if not isinstance(value, Mapping) or not needed <= value.keys():
            raise UnreadableValueError(where, f"a whole {kind.__name__}")
        known = readers.keys() & value.keys()
        return kind(**{name: readers[name](value[name], f"{where}.{name}") for name in known})

    return read


def _word(kind: type[StrEnum], value: object, where: str) -> StrEnum:
    if isinstance(value, str) and value in kind:
        return kind(value)
    raise UnreadableValueError(where, f"one of {kind.__name__}")


def _scalar(kind: type[Any], value: object, where: str) -> Any:  # noqa: ANN401  # of kind
    """Return *value*; DynamoDB's numbers come as Decimal, and 1.0 may be written as 1."""
    if type(value) is kind:
        return value
    if kind is int and isinstance(value, float | Decimal) and value % 1 == 0:
        return int(value)
    if kind is float and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    raise UnreadableValueError(where, kind.__name__)
