"""Keys of the bucket, made and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_import import object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.importing.rejections import no_mapping
from bigin_import.object_keys import KeyKind
from bigin_import.row_results.result_files import ResultFile
from tests.fakes.harness import MAPPING, ROWS, Harness

S3_MAX_KEY_BYTES = 1_024
IMPORT_ID = "k3v7q2mzt5ab9cdefgh1jklmn4"
NAMES = (*(f"{file}.csv" for file in ResultFile), "mapping.suggested.json")
LONG_STEM = "ü" * ((object_keys.MAX_KEY_BYTES - len("incoming/.csv")) // 2)


@st.composite
def accepted_keys(draw: st.DrawFn) -> str:
    """Keys of every length up to the longest that is taken, by folders, by name or by both."""
    character = draw(st.sampled_from(["a", "ü", "客", "😀"]))
    folders = draw(st.integers(0, 60))
    ending = draw(st.sampled_from([".csv", ".CSV.gz"]))
    start = object_keys.INCOMING + f"{character}/" * folders
    room = object_keys.MAX_KEY_BYTES - len((start + ending).encode())
    most = max(1, room // len(character.encode()))
    return start + character * draw(st.integers(1, most)) + ending


@given(accepted_keys())
def test_every_result_of_every_accepted_key_has_a_key_that_s3_takes(key: str) -> None:
    assert object_keys.kind_of(key) is KeyKind.DROP

    prefix = object_keys.results_prefix(ObjectVersion("b", key, "v"), IMPORT_ID, 1_772_439_300)

    keys = [f"{prefix}{object_keys.result_name(key)}.{name}" for name in NAMES]
    assert max(len(each.encode()) for each in keys) <= S3_MAX_KEY_BYTES
    assert object_keys.stem(key).startswith(object_keys.result_name(key))


def test_a_drop_with_the_longest_name_is_imported_and_every_key_that_is_written_fits() -> None:
    harness = Harness()
    key = f"incoming/{LONG_STEM}.csv"
    harness.drop("incoming/mapping.json", MAPPING)

    harness.drop(key, ROWS)
    harness.tick(minutes=2)

    written = [each for each in harness.files.versions if each.startswith("results/")]
    assert any(each.endswith(".success.csv") for each in written)
    assert max(len(each.encode()) for each in written) <= S3_MAX_KEY_BYTES


@pytest.mark.parametrize("stem", ["contacts", LONG_STEM])
def test_people_are_told_the_whole_name_of_the_mapping(stem: str) -> None:
    assert f"Drop {stem}.mapping.json beside it" in no_mapping(f"incoming/{stem}.csv", 60).remedy


@pytest.mark.parametrize("name", ["Contacts-{}.csv", "Contacts-{}", "Deals-{}.zip", "a/{}.csv"])
def test_a_file_of_bigins_says_whose_part_it_is_about(name: str) -> None:
    entry = object_keys.entry_name("k3v7q2mzt5ab7cdefgh2jklmn4", 7).removesuffix(".csv")

    found = object_keys.part_of_entry(name.format(entry))

    assert found == ("k3v7q2mzt5ab7cdefgh2jklmn4", 7)


@pytest.mark.parametrize(
    "name",
    ["Deals-bulkwrite.csv", "111111000000541958.csv", "Contacts-x.csv", "k3v7q2m-0007.csv", ""],
)
def test_a_file_that_bigin_named_otherwise_says_nothing(name: str) -> None:
    assert object_keys.part_of_entry(name) is None
