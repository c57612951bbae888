"""Problems in number and length: what is kept of them can always be read back and told."""

from __future__ import annotations

import json

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.object_keys import pinned_mapping
from bigin_import.stored_plan import read_problems, write_problems
from tests.fakes.harness import MAPPING, Harness
from tests.fakes.memory_files import MemoryFiles

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def kept(*problems: Problem) -> tuple[Problem, ...]:
    files = MemoryFiles()
    write_problems(files, "a" * 26, problems)
    return read_problems(files, "a" * 26)


def test_a_problem_is_kept_as_it_is() -> None:
    problem = Problem("m.json, line 1", "what", "remedy", cells=("cp850: ä",))

    assert kept(problem) == (problem,)


def test_of_more_than_200_problems_the_first_are_kept_and_the_others_counted() -> None:
    problems = tuple(Problem("m.json", f"problem {number}") for number in range(1500))

    *first, last = kept(*problems)

    assert tuple(first) == problems[:200]
    assert str(last) == (
        "And so on: 1,300 more problems were found. "
        "Correct these first; what is then still wrong is told again"
    )


def test_exactly_200_problems_are_all_kept() -> None:
    problems = tuple(Problem("m.json", f"problem {number}") for number in range(200))

    assert kept(*problems) == problems


def test_a_sentence_as_long_as_a_novel_is_cut() -> None:
    (problem,) = kept(Problem("w" * 1_001, "h" * 100_000, "r" * 1_000))

    assert problem == Problem("w" * 999 + "…", "h" * 999 + "…", "r" * 1_000)


def test_a_wide_drop_with_a_wrong_mapping_is_rejected_and_told() -> None:
    harness = Harness()
    columns = {f"Wrong {number} " + "x" * 1_500: f"Field_{number}" for number in range(180)}
    headers = ",".join(f"Header {number} " + "y" * 150 for number in range(400))
    harness.drop(SIDECAR, {**MAPPING, "columns": columns})

    source = harness.drop(CSV, f"{headers}\n{',' * 399}\n".encode())
    harness.settle()

    assert harness.import_of(source).state is ImportState.REJECTED
    assert len(harness.notices.published) == 1


def test_a_mapping_whose_pin_is_larger_than_what_people_may_drop_is_read_back() -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (Field("Code", "Code", "text"),)
    values = {f"k{number}": f"v{number}" for number in range(10_000, 64_000)}
    entries = [
        {"column": "E-mail", "api_name": "Email"},
        {"column": "Surname", "api_name": "Last_Name"},
        {"column": "Code", "api_name": "Code", "values": values},
    ]
    mapping = {"module": "Contacts", "operation": "insert", "field_mappings": entries}
    text = json.dumps(mapping, separators=(",", ":")).encode()
    harness.drop(SIDECAR, text)

    source = harness.drop(CSV, b"E-mail,Surname,Code\nada@example.com,Lovelace,k12345\n")

    assert harness.import_of(source).state is ImportState.SENT
    record = harness.import_of(source)
    key, *_ = pinned_mapping(record.import_id, record.mapping_sha256 or "")
    pin = harness.files.find_newest(key)
    assert pin is not None
    assert len(text) < 1_000_000 < pin.size
    assert harness.bigin.records() == [["ada@example.com", "Lovelace", "v12345"]]
