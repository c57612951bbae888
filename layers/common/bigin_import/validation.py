"""Reading what was stored: what does not fit is named by its place, and never shown."""

from __future__ import annotations

from typing import Any, TypeAliasType

from pydantic import ConfigDict, TypeAdapter

NO_INPUT = ConfigDict(hide_input_in_errors=True)


def hiding_adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401  # a class, or tuple[X, ...]
    """
    Return an adapter whose errors show no value: it may be a token, or a cell of a drop.

    The alias is what makes pydantic take the configuration: of a dataclass itself it takes none,
    and the dataclass's own does not reach its errors (pydantic 2.14).
    """
    alias: Any = TypeAliasType("Stored", kind)
    return TypeAdapter(alias, config=NO_INPUT)
