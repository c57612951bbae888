"""A drop becomes parts: their limits, their bytes, their keys, and the same walk again."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from dataclasses import replace

import pytest

from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.reading.decoding import DropBytes
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.reading.table import Options
from bigin_import.splitting.splitter import KeyLog
from tests.unit.reading.drops import (
    columns,
    opened,
    plan_of,
    read_again,
    sentences,
    split_drop,
)

PEOPLE = b"Mail,Name\n" + b"".join(b"p%d@x.de,Name %d\n" % (n, n) for n in range(1_000))


def rows_of(csv_bytes: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_bytes.decode(), newline="")))


def test_a_part_has_our_header_mapped_columns_only_and_the_plans_order() -> None:
    mail = PlannedColumn(2, "E-mail", "Email")
    name = PlannedColumn(0, "Name", "Last_Name")

    outcome = split_drop("Name;Secret;E-mail\nÅsa;1234;a@x.se\n".encode(), plan_of(mail, name))

    assert outcome.csvs == ["Email,Last_Name\na@x.se,Åsa\n".encode()]


def test_one_column_may_feed_several_fields() -> None:
    plan = plan_of(PlannedColumn(0, "Name", "Last_Name"), PlannedColumn(0, "Name", "Nick"))

    assert split_drop(b"Name\nAda\n", plan).sent == "Ada,Ada\n"


@pytest.mark.parametrize("max_rows", [1, 7, 499, 500, 501, 999, 1_000, 1_001])
def test_no_part_has_more_rows_than_allowed_and_none_is_lost(max_rows: int) -> None:
    outcome = split_drop(PEOPLE, max_rows=max_rows)

    counts = [part.rows for part in outcome.result.parts]
    assert counts[:-1] == [max_rows] * (len(counts) - 1)
    assert 0 < counts[-1] <= max_rows
    assert [row for part in outcome.csvs for row in rows_of(part)[1:]] == rows_of(PEOPLE)[1:]


@pytest.mark.parametrize("max_bytes", [40, 1_000, 12_345, len(PEOPLE) - 1, len(PEOPLE)])
def test_no_part_is_larger_than_allowed_and_each_is_as_full_as_it_can_be(max_bytes: int) -> None:
    outcome = split_drop(PEOPLE, max_bytes=max_bytes)

    sizes = [len(part) for part in outcome.csvs]
    assert sizes == [part.csv_bytes for part in outcome.result.parts]
    assert max(sizes) <= max_bytes
    first_lines = [part.splitlines(keepends=True)[1] for part in outcome.csvs[1:]]
    for size, next_line in zip(sizes, first_lines, strict=False):
        assert size + len(next_line) > max_bytes
    assert [row for part in outcome.csvs for row in rows_of(part)[1:]] == rows_of(PEOPLE)[1:]


def test_the_same_drop_makes_the_same_bytes_and_they_are_hashed() -> None:
    first, second = split_drop(PEOPLE, max_rows=300), split_drop(PEOPLE, max_rows=300)

    assert first.archives == second.archives
    hashes = [hashlib.sha256(archive).hexdigest() for archive in first.archives]
    assert hashes == [part.sha256 for part in first.result.parts]


def test_parts_name_their_rows_as_a_spreadsheet_shows_them() -> None:
    outcome = split_drop(b"a,b\n1,1\n\n2,2\n3,3,3\n4,4\n5,5\n", max_rows=2)

    assert [(part.first_row, part.last_row) for part in outcome.result.parts] == [(2, 4), (6, 7)]


def test_blank_padded_and_trimmed_rows_are_counted() -> None:
    fills = Options(fills=True)
    result = split_drop(b"a,b\n\n1\n,\n1,2,\n1,2\n1,2,3\n", options=fills).result

    assert (result.rows, result.blank, result.padded, result.trimmed, result.invalid) == (
        4,
        2,
        1,
        1,
        1,
    )


def test_a_million_blank_lines_are_counted_and_nothing_else() -> None:
    outcome = split_drop(b"a,b\n1,2\n" + b"\n" * 1_000_000 + b"3,4\n")

    assert outcome.result.blank == 1_000_000
    assert outcome.result.parts[0].last_row == 1_000_003
    assert outcome.sent == "1,2\n3,4\n"


def test_the_content_hash_is_of_the_stored_bytes_of_the_whole_drop() -> None:
    packed = gzip.compress(PEOPLE, mtime=0)

    assert split_drop(PEOPLE).result.content_sha256 == hashlib.sha256(PEOPLE).hexdigest()
    zipped = split_drop(packed, name="people.CSV.GZ")
    assert zipped.result.content_sha256 == hashlib.sha256(packed).hexdigest()
    assert zipped.csvs == split_drop(PEOPLE).csvs


def test_gzip_in_several_members_is_read_whole() -> None:
    packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")

    assert split_drop(packed, name="x.csv.gz").sent == "1,2\n3,4\n"


def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    bomb = io.BytesIO(gzip.compress(bytes(5_000_000)))

    with pytest.raises(DropRejectedError, match="unpacks to more than 1,000,000 bytes"):
        list(DropBytes(bomb, name="bomb.csv.gz", max_unpacked=1_000_000))


def test_a_record_over_the_size_of_a_part_is_left_out() -> None:
    large = b"x" * 24_000_000
    outcome = split_drop(b"a,b\n1,2\n" + large + b",2\n3,4\n")

    assert outcome.sent == "1,2\n3,4\n"
    assert outcome.invalid == {3: "it is longer than 23,999,996 bytes"}


def test_a_record_that_just_fits_has_a_part_of_its_own() -> None:
    fitting = b"x" * (24_000_000 - len("a,b\n") - len(",2\n"))

    outcome = split_drop(b"a,b\n1,2\n" + fitting + b",2\n3,4\n")

    assert [part.rows for part in outcome.result.parts] == [1, 1, 1]
    assert outcome.result.parts[1].csv_bytes == 24_000_000


def test_a_cell_that_no_table_has_is_taken_for_an_open_quote() -> None:
    with pytest.raises(DropRejectedError, match="row 3: a quote in this row is never closed"):
        split_drop(b'a,b\n1,2\n"' + b"x\n" * 17_000_000)


def test_hundreds_of_columns_with_few_mapped_are_fine() -> None:
    headers = [f"c{n}" for n in range(700)]
    drop = ",".join(headers) + "\n" + ",".join(str(n) for n in range(700)) + "\n"

    outcome = split_drop(drop.encode(), plan_of(PlannedColumn(650, "c650", "Last_Name")))

    assert outcome.csvs == [b"Last_Name\n650\n"]


def test_damage_in_columns_that_are_not_sent_is_no_matter() -> None:
    plan = plan_of(PlannedColumn(0, "a", "Last_Name"))

    outcome = split_drop("a,b\né,1\n".encode() + b"x,\xff\0\n", plan)

    assert outcome.sent == "é\nx\n"


# Keys

KEYED = plan_of(*columns("Mail", "Name"), key=0, max_invalid_share=1.0)


def test_a_row_without_its_key_is_left_out_as_totals_rows_are() -> None:
    outcome = split_drop(b"Mail,Name\na@x,A\n,Total: 1\n \xc2\xa0,B\n", KEYED)

    assert outcome.sent == "a@x,A\n"
    reason = 'its key, column "Mail", is empty'
    assert outcome.invalid == {3: reason, 4: reason}
    assert outcome.result.empty_keys == 2


def test_rows_without_their_key_go_if_the_mapping_says_so() -> None:
    outcome = split_drop(b"Mail,Name\na@x,A\n,B\n,C\n", replace(KEYED, empty_key="send"))

    assert outcome.sent == "a@x,A\n,B\n,C\n"
    (part,) = outcome.result.parts
    assert part.empty_keys
    assert not part.repeated_keys
    assert outcome.result.empty_keys == 2
    assert outcome.result.repeated_keys == 0


def test_a_key_alone_in_its_row_is_quoted_if_it_is_empty() -> None:
    plan = plan_of(*columns("Mail", "Name")[:1], key=0, empty_key="send")

    assert split_drop(b"Mail,Name\na@x,A\n,B\n", plan).sent == 'a@x\n""\n'


def test_keys_compare_trimmed_and_case_folded() -> None:
    drop = "Mail,Name\nSTRASSE@x,1\nb@x,2\n straße@X ,3\nB@x,4\nc@x,5\n".encode()

    outcome = split_drop(drop, KEYED)

    assert outcome.result.repeated_keys == 2
    assert outcome.result.repeated_key_rows == (2, 3, 4, 5)
    assert outcome.result.parts[0].repeated_keys
    assert not outcome.result.repeated_keys_across_parts


def test_a_key_in_two_parts_is_seen() -> None:
    drop = b"Mail,Name\na,1\nb,2\nc,3\nA,4\n"

    result = split_drop(drop, KEYED, max_rows=2).result

    assert result.repeated_keys_across_parts
    assert [part.repeated_keys for part in result.parts] == [False, False]
    assert result.repeated_key_rows == (2, 5)


def test_a_key_twice_within_a_part_and_once_more_in_another_counts_twice() -> None:
    result = split_drop(b"Mail,Name\na,1\na,2\na,3\nb,4\n", KEYED, max_rows=2).result

    assert result.repeated_keys == 2
    assert [part.repeated_keys for part in result.parts] == [True, False]
    assert result.repeated_keys_across_parts


def test_repeated_keys_reject_the_drop_if_the_mapping_says_so() -> None:
    plan = replace(KEYED, duplicate_keys="reject")

    with pytest.raises(DropRejectedError) as rejected:
        split_drop(b"Mail,Name\na,1\nb,2\nA,3\n", plan)

    assert sentences(rejected.value) == (
        'contacts.csv, column "Mail": 1 rows have the key of an earlier row; see row 2, 4. '
        'Remove them, or write "duplicate_keys": "send" in the mapping'
    )


def test_keys_without_repetition_pass_where_repetition_is_refused() -> None:
    plan = replace(KEYED, duplicate_keys="reject")

    assert split_drop(b"Mail,Name\na,1\nb,2\n", plan, max_rows=1).result.repeated_keys == 0


def test_repeated_keys_are_found_among_many_that_no_longer_fit_into_memory() -> None:
    with KeyLog() as keys:
        for part in range(40):
            keys.add((f"key {part} {n}" for n in range(25_000)), range(25_000))
            keys.add([f"KEY {part // 2} 7"], [99_999])
            keys.end_part()
        repeated = keys.repeated()

    assert repeated.count == 40
    assert repeated.across_parts
    assert set(repeated.rows) == {7, 99_999}


# The same walk again

WILD = (
    b'a;b;c\n1;2;3\n\n"x\ny";2\n1;2;3;\n1;2;3;4\na;b;c\n;;;\n;2;3\n\0;1;2\n'
    b"\xc3\xa9;\xff;1\n"
    b"z;31.12.2024;3"
)


def wild_plan() -> ColumnPlan:
    return plan_of(*columns("a", "b", "c"), key=0, max_invalid_share=1.0)


def test_the_second_walk_agrees_with_the_first_about_every_row() -> None:
    outcome = split_drop(WILD, wild_plan(), max_rows=2)

    rows = read_again(WILD, wild_plan(), options=outcome.options)

    sent = [row for part in outcome.csvs for row in rows_of(part)[1:]]
    assert [list(row.cells) for row in rows if row.reason is None] == sent
    assert {
        row.row: row.reason for row in rows if row.reason and not row.is_left_out
    } == outcome.invalid
    assert {row.row: row.reason for row in rows if row.is_left_out} == outcome.left_out
    assert len(rows) == outcome.result.rows
    assert len(outcome.invalid) == 5


def test_the_second_walk_leaves_cells_untouched_whatever_is_sent() -> None:
    rule = ValueRule(values=(("1", "one"), ("3", "three")))
    plan = plan_of(PlannedColumn(1, "b", "Last_Name", rule=rule), max_invalid_share=1.0)

    rows = read_again(b"bigin__Row,a,b\n9, x ,1\n,2,3,4\n", plan)

    assert [tuple(row.cells) for row in rows] == [(" x ", "1"), ("2", "3", "4")]
    assert rows[1].reason == "it has 3 cells, the header has 2"


def test_a_result_file_names_its_parent_and_the_rows_there() -> None:
    parent = "a" * 26
    table = opened(f"bigin__Row,bigin__Import,a\n7,{parent},x\n\n,,y\n9,{parent},z\n".encode())

    assert table.find_parent() == parent
    assert table.header == ("a",)
    (batch,) = table.batches()
    assert list(batch.numbers) == [2, 4, 5]
    assert batch.parents == {
        2: ParentRow(7, import_id=parent),
        5: ParentRow(9, import_id=parent),
    }


def test_a_drop_without_our_columns_is_no_result_file() -> None:
    table = opened(b"a\nx\n")

    assert not table.is_result_file
    assert table.find_parent() is None


def test_the_first_rows_are_at_hand_before_the_drop_is_read() -> None:
    table = opened(b"a,b\n1,2\n\n3\n4,5")

    assert table.first_rows == [["1", "2"], ["3"], ["4", "5"]]
    assert [batch.rows for batch in table.batches()] == [[["1", "2"], ["3", ""], ["4", "5"]]]


def test_an_archive_has_one_entry_under_the_given_name() -> None:
    (archive,) = split_drop(b"a,b\n1,2\n").archives

    opened_zip = zipfile.ZipFile(io.BytesIO(archive))
    (entry,) = opened_zip.infolist()
    assert entry.filename == "part-1.csv"
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert opened_zip.testzip() is None
