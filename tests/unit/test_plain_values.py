"""What we store is as pydantic stored it in the release before, and is read as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bigin_import.domain.drop import Notice, ObjectVersion, Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Field
from bigin_import.domain.locks import Family, FileHistory, KeyLock, ModuleHistory, SharedToken
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import Plan
from bigin_import.domain.undo import Undo
from bigin_import.importing.send_part import CreateMark
from bigin_import.plain_values import Stored, UnreadableValueError, plain

OF_THE_LEDGER = (Import, Part, Undo, KeyLock, Family, ModuleHistory, FileHistory, SharedToken)
KINDS: tuple[Any, ...] = (
    *OF_THE_LEDGER,
    *(Plan, CreateMark, Notice, tuple[Problem, ...], tuple[Field, ...]),
)
st.register_type_strategy(float, st.floats(0, 1))


def values_of(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # a class, or tuple[X, ...]
    return st.from_type(kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_is_stored_as_the_release_before_stored_it(kind: Any) -> None:  # noqa: ANN401
    before = TypeAdapter(kind)

    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    @given(values_of(kind))
    def check(value: Any) -> None:  # noqa: ANN401
        stored, text = Stored[Any](kind), before.dump_json(value)
        assert stored.as_json(value) == text
        assert stored.read_json(text) == value
        if kind in OF_THE_LEDGER:
            less = before.dump_python(value, mode="json", exclude_none=True)
            assert plain(value, without_none=True) == less
            assert stored.read(less) == value

    check()


SOURCE = {"bucket": "b", "key": "k", "version_id": "v", "size": 7}
OBJECTS = Stored[ObjectVersion](ObjectVersion)


def test_numbers_of_dynamodb_are_whole_numbers() -> None:
    assert type(OBJECTS.read(SOURCE | {"size": Decimal(7)}).size) is int


@pytest.mark.parametrize(
    "wrong",
    [
        *({"size": wrong} for wrong in ("7", True, 7.5, None, [7])),
        *({"key": wrong} for wrong in (7, None, b"k", ["k"])),
    ],
)
def test_a_value_of_another_type_is_not_read_and_not_shown(wrong: dict[str, object]) -> None:
    with pytest.raises(UnreadableValueError) as caught:
        OBJECTS.read(SOURCE | wrong)

    ((name, value),) = wrong.items()
    assert str(caught.value).startswith(f"ObjectVersion.{name}: not ")
    assert repr(value) not in str(caught.value)


@pytest.mark.parametrize("missing", ["bucket", "key", "version_id"])
def test_what_has_no_default_must_be_there(missing: str) -> None:
    with pytest.raises(UnreadableValueError, match="a whole ObjectVersion"):
        OBJECTS.read({name: value for name, value in SOURCE.items() if name != missing})


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '"text"', "[" * 100_000, b"\xff"])
def test_what_is_no_such_json_is_not_read(text: str | bytes) -> None:
    with pytest.raises(UnreadableValueError):
        OBJECTS.read_json(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (tuple[tuple[str, str], ...], [["a"]]),
        (tuple[tuple[str, str], ...], [["a", "b", "c"]]),
        (tuple[str, ...], "ab"),
        (tuple[str, ...], {"a": 1}),
    ],
)
def test_a_list_has_as_many_as_it_must(kind: Any, value: object) -> None:  # noqa: ANN401
    with pytest.raises(UnreadableValueError):
        Stored[Any](kind).read(value)


def test_a_state_of_another_release_is_not_read() -> None:
    with pytest.raises(UnreadableValueError, match=r"^Undo\.state: not one of UndoState$"):
        Stored[Undo](Undo).read(
            dict.fromkeys(("import_id", "sha256"), "x")
            | dict.fromkeys(("rows", "added", "changed", "updated", "changed_since"), 0)
            | dict.fromkeys(("credits", "shown_at"), 0)
            | {"changed_too": False, "families": [], "state": "ARCHIVED"}
        )
