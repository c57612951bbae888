"""Rows that are broken, shifted or no records at all, each beside an ordinary file that passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.plan import Dialect, Plan
from bigin_import.errors import DropRejectedError
from bigin_import.reading.table import Options
from tests.unit.reading.drops import (
    columns,
    opened,
    plan_of,
    read_again,
    sentences,
    split_drop,
)

PEOPLE = "".join(f"Person {n},{n} Main St,Paris,750{n:02}\n" for n in range(1, 6))
SALES = "Region,Deals,Amount\nNorth,2,100.50\nSouth,3,250.00\nWest,1,49.50\n"
FILL = Options(fills=True)

LEFT_OUT = {
    # name: (the drop, what is sent of it, rows left out)
    "the footer of a report": (
        "Name,Street,City,Zip\n"
        + PEOPLE
        + "\n\nMonthly report\n\nCopyright (c) 2026 Example\nConfidential\n",
        PEOPLE,
        [9, 11, 12],
    ),
    "a footer below a line of nothing but commas": (
        "Name,Street,City,Zip\n" + PEOPLE + ',,,\n"Confidential, do not copy",,,\n',
        PEOPLE,
        [8],
    ),
    "sums of their columns": (SALES + "Total,6,400.00\n", SALES.partition("\n")[2], [5]),
    "sums with thousands marks and decimal commas": (
        "Kunde;Ort;Umsatz\nA;X;1.000,50\nB;Y;2.000,25\nSumme;;3.000,75\n",
        'A,X,"1.000,50"\nB,Y,"2.000,25"\n',
        [4],
    ),
    "sums with a currency": (
        "Name,City,Amount\nA,X,$10.00\nB,Y,$5.25\nGrand Total,,$15.25\n",
        "A,X,$10.00\nB,Y,$5.25\n",
        [4],
    ),
    "a count of rows in the words": (
        "Name,City,Amount\nA,X,1\nB,Y,2\nGrand Totals (2 records),,3\n\nConfidential\n",
        "A,X,1\nB,Y,2\n",
        [4, 6],
    ),
    "counts of their columns": (
        "Name,City,Mail\nA,X,a@x.de\nB,Y,b@x.de\nTotal,2,2\n",
        "A,X,a@x.de\nB,Y,b@x.de\n",
        [4],
    ),
    "sums behind an empty first cell": (
        "Mail,Name,Sum\na@x.de,A,10\nb@x.de,B,20\n,Total,30\n",
        "a@x.de,A,10\nb@x.de,B,20\n",
        [4],
    ),
    "a line of dashes below the header": ("Name,City\n----,-----\nA,X\n", "A,X\n", [2]),
    "the rule of a table in Markdown": ("|Name|City|\n|:---|---:|\n|A|X|\n", ",A,X,\n", [2]),
    "such a rule without bars around it": ("Name|City\n:---|---:\nA|X\n", "A,X\n", [2]),
    "the rule of psql": ("Name | City\n-----+-----\nA | X\n", "A , X\n", [2]),
    "a rule of equals signs": ("Name,City\n====,====\nA,X\n", "A,X\n", [2]),
    "the header again": ("a,b\n1,2\na,b\n3,4\n", "1,2\n3,4\n", [3]),
    "the header again in other letter case": (
        "Name,Mail\n1,2\nNAME, mail\n3,4\n",
        "1,2\n3,4\n",
        [3],
    ),
    "the header again behind spaces": ("Name,Mail\n1,2\n Name , mail\n3,4\n", "1,2\n3,4\n", [3]),
}


@pytest.mark.parametrize(("drop", "sent", "rows"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_proven_to_be_no_record_is_left_out_and_named(
    drop: str, sent: str, rows: list[int]
) -> None:
    outcome = split_drop(drop.encode())

    assert outcome.sent == sent
    assert sorted(outcome.left_out) == rows
    assert outcome.result.invalid == 0
    assert outcome.result.warnings == ()
    again = read_again(drop.encode(), options=outcome.options)
    assert [row.row for row in again if row.is_left_out] == rows


WORDS_FOR_TOTAL = (
    "TOTAL GENERAL", "Totales", "Totaux", "Totals", "Sub-total", "Report Total", "Total Result",
    "Somma", "Soma", "Summa", "Suma", "Eindtotaal", "Totaal", "Totalt", "Gesamtergebnis",
    "Zwischensumme", "Insgesamt", "Yhteensä", "Razem", "Ogółem", "Celkem", "Összesen", "Toplam",
    "Genel Toplam", "Ukupno", "Skupaj", "Итого", "ВСЕГО", "Разом", "Σύνολο", "Σ", "合計", "总计",
    "總計", "합계", "**", "Άθροισμα", "Totali", "Suma total", "Totalsumma", "Sum total",
    "Toplamlar", "I alt", "Celkový součet", "Сумма", "Сума", "Загальний підсумок",
    "Γενικό άθροισμα", "총합계", "Total for all regions",
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS_FOR_TOTAL)
def test_a_total_is_one_in_whatever_language(word: str) -> None:
    rows = "A,X,10\nB,Y,20\n" * 300

    assert split_drop(f"Name,City,Sum\n{rows}{word},,9000\n".encode()).left_out.keys() == {602}
    assert split_drop(f"Name,City,Sum\n{rows}{word},,9001\n".encode()).left_out == {}


SENT = {
    # name: (the drop, how many rows are sent, words of the warning; "" if there is none)
    "a company called Total": (SALES + "Total,7,10.00\n", 4, "Row 5 is called a total"),
    "a company called Total in the middle": (
        "Name,City,Sum\nTotal,X,5\nB,Y,6\n",
        2,
        "Row 2 is called a total",
    ),
    "one row and its copy": ("Name,City,Sum\nA,,5\nTotal,,5\n", 2, "Row 3 is called a total"),
    "a last contact with a name only": (
        "Name,Street,City,Zip\n" + PEOPLE + "Bob,,,\n",
        6,
        "Row 7, at the end of the file and filled in one cell only",
    ),
    "a name only in another column": (
        "Id,Name,City\n1,A,X\n2,B,Y\n,Bob,\n",
        3,
        "Row 4, at the end",
    ),
    "an empty cell before a name": ("Sum,Name\n1,A\n2,B\n,Bob\n", 3, ""),
    "an average": ("Name,City,Sum\nA,X,10\nB,Y,30\nAverage,,20\n", 3, "The last row, 4, looks"),
    "a count in another column": (
        "Id,Name,Sum\n1,A,10\n2,B,30\n,Anzahl:,7\n",
        3,
        "The last row, 4, looks",
    ),
    "the least and the most": (
        "Name,City,Sum\nA,X,10\nB,Y,30\nMinimum,,10\nMaximum,,30\n",
        4,
        "The last row, 5, looks",
    ),
    "a balance": ("Name,City,Sum\nA,X,10\nB,Y,30\nSaldo,,-40\n", 3, "The last row, 4, looks"),
    "a company called Balance": ("Name,City,Sum\nA,X,10\nB,Y,30\nBalance,Rome,20\n", 3, ""),
    "somebody called Max": ("Name,City,Phone\nA,X,x\nMax,,030123\n", 2, ""),
    "a company that is all for something": ("Name,City,Sum\nTotalfor Ltd,X,5\nB,Y,6\n", 2, ""),
    "a company called Count": ("Name,City,Sum\nA,X,10\nB,Y,30\nCount,Rome,20\n", 3, ""),
    "totals of groups": (
        "Name,City,Sum\nA,X,1\nTotal,,1\nB,Y,2\nTotal,,2\nC,Z,3\n",
        5,
        "Rows 3, 5 are called totals, but the numbers above do not prove it: they were taken",
    ),
    "names only above, too": ("Name,Street,City\nA,,\nB,x,y\n\nC,,\n", 3, ""),
    "a full row below": (
        "Name,Street,City\nA,x,y\n\nNote,,\nB,x,y\n",
        3,
        "",
    ),
    "two columns": ("Name,City\nA,X\n\nB,\n", 2, "Row 4, at the end"),
    "one column": ("Name\nA\n\nB\n", 2, ""),
    "dashes in two cells of three": ("Name,City,Sum\n--,--,5\nB,Y,6\n", 2, "say --"),
    "dashes and nothing else": ("Name,City,Sum\n--,,\nB,Y,6\n", 2, "say --"),
    "dashes in some cells": ("Name,City\n--,Paris\nB,Y\n", 2, "say --"),
    "a word that begins like a total": ("Name,City,Sum\nTotally Ltd,X,5\nB,Y,6\n", 2, ""),
    "a row whose first cell is the header's": ("Name,City\nname,Paris\nB,Y\n", 2, ""),
}


@pytest.mark.parametrize(("drop", "count", "warning"), SENT.values(), ids=SENT.keys())
def test_what_is_not_proven_is_sent_and_told(drop: str, count: int, warning: str) -> None:
    outcome = split_drop(drop.encode())

    assert sum(part.rows for part in outcome.result.parts) == count
    assert outcome.left_out == {}
    assert [words for words in outcome.result.warnings if warning in words] or not warning
    assert bool(outcome.result.warnings) == bool(warning)


def test_a_footer_is_found_when_rows_come_in_many_batches() -> None:
    rows = "".join(f"{n},x,y\n" for n in range(1_999))

    outcome = split_drop(f"a,b,c\n{rows}\nFooter\n".encode())

    assert outcome.sent == rows
    assert outcome.left_out.keys() == {2_002}


def test_a_lonely_row_in_any_batch_above_makes_no_footer() -> None:
    rows = "1,x,y\n" * 700 + "2,,\n" + "3,x,y\n" * 700

    outcome = split_drop(f"a,b,c\n{rows}\nFooter\n".encode())

    assert outcome.left_out == {}
    assert outcome.result.parts[0].rows == 1_402


def test_nothing_but_a_footer_is_no_row() -> None:
    with pytest.raises(DropRejectedError, match="a header and no row below it"):
        split_drop(b"a,b,c\n\nNo records found,,\n")


FIVE = "Name,Street,City,Zip,Note\n"
SHIFTED = "Ada,1 Main St, Apt 2,Paris,75001,\n"


@pytest.mark.parametrize(
    ("drop", "rows"),
    [
        (FIVE + "Bob,2 Main St,Paris,75002,x\n" + SHIFTED, [3]),
        (FIVE + SHIFTED + "Bob,2 Main St,Paris,75002,x\n", [2]),
        (FIVE + "Bob,2 Main St,Paris,75002,x\n" * 150 + SHIFTED, [152]),
    ],
)
def test_a_shifted_row_is_not_sent(drop: str, rows: list[int]) -> None:
    outcome = split_drop(drop.encode())

    assert list(outcome.invalid) == rows
    assert '"ragged_rows": "fill"' in outcome.invalid[rows[0]]
    assert split_drop(drop.encode(), options=FILL).invalid == {}


def test_a_delimiter_at_the_end_of_all_of_the_first_rows_is_a_habit() -> None:
    outcome = split_drop(("a,b\n" + "1,2,\n" * 120 + "1,2\n").encode())

    assert outcome.sent == "1,2\n" * 121
    assert outcome.result.warnings == ()


BROKEN = {
    # name: (the drop, rows that are not sent)
    "a line break without quotes": (
        "Name,Street,City,Zip\n" + PEOPLE + "Ada,1 Main\nSt,Paris,75001\n",
        [7, 8],
    ),
    "a lone CR in an LF file": (
        "Name,Street,City,Zip\n" + PEOPLE + "Ada,1 Main\rSt,Paris,75001\n" + PEOPLE,
        [7, 8],
    ),
    "with a blank line in it": (
        "Name,Street,City,Zip\n" + PEOPLE + "Ada,1 Main\n\nSt,Paris,75001\n" + PEOPLE,
        [7, 9],
    ),
    "several": (
        "Name,Street,City,Zip\n"
        + PEOPLE
        + "Ada,1 Main\nSt,Paris,75001\n"
        + PEOPLE
        + "Bob,2 Main\nSt,Paris,75001\n",
        [7, 8, 14, 15],
    ),
    "across the end of the first hundred": (
        "Name,Street,City,Zip\n" + PEOPLE * 19 + "A,1,P,7\n" * 4 + "Ada,1 Main\nSt,Paris,75001\n",
        [101, 102],
    ),
    "far below": ("a,b,c\n" + "1,2,3\n" * 1_998 + "1,2\n2,3\n", [2_000, 2_001]),
}


@pytest.mark.parametrize(("drop", "rows"), BROKEN.values(), ids=BROKEN.keys())
def test_two_halves_of_a_row_are_not_sent(drop: str, rows: list[int]) -> None:
    outcome = split_drop(drop.encode())

    assert list(outcome.invalid) == rows
    assert all('"ragged_rows": "fill"' in why for why in outcome.invalid.values())
    assert split_drop(drop.encode(), options=FILL).invalid == {}


def test_a_drop_of_two_halves_and_nothing_else_is_rejected_with_the_line_to_write() -> None:
    drop = b"Name,Street,City,Zip\nAda,1 Main\nSt,Paris,75001\n"

    with pytest.raises(DropRejectedError, match="2 of 2 rows cannot be sent") as rejected:
        split_drop(drop)

    assert '"ragged_rows": "fill"' in sentences(rejected.value)


@pytest.mark.parametrize(
    ("drop", "warns"),
    [
        ("a,b,c\n" + "1,2\n" * 20, False),  # all rows leave the last cell out
        ("a,b,c\n1\n1,2\n1,2,3\n1,2\n2,3\n", False),  # most rows do
        ("a,b,c\n" + "1,2,3\n" * 20 + "1,2\n", True),
        ("a,b,c\n" + "1,2,3\n" * 20 + "1,2\n" + "1,2,3\n" + "2,3\n", True),
    ],
)
def test_short_rows_that_are_no_halves_are_filled(drop: str, warns: bool) -> None:
    outcome = split_drop(drop.encode())

    assert outcome.invalid == {}
    assert any("cells are missing" in words for words in outcome.result.warnings) == warns
    assert split_drop(drop.encode(), options=FILL).result.warnings == ()


QUESTIONS = [f"Question {at}: {'how much do you agree ' * 15}" for at in range(300)]


@pytest.mark.parametrize("line_end", ["", "\nand why?"])
def test_a_header_of_many_long_questions_is_read_whole(line_end: str) -> None:
    header = ",".join(f'"{question}{line_end}"' for question in QUESTIONS)
    row = ",".join(map(str, range(300)))

    outcome = split_drop(f"{header}\n{(row + chr(10)) * 3}".encode())

    assert len(header) > 100_000
    assert outcome.csvs[0].endswith(f"\n{row}\n{row}\n{row}\n".encode())
    assert outcome.result.rows == 3
    assert len(opened(f"{header}\n{row}\n".encode()).header) == 300


@pytest.mark.parametrize("header", ['"Name" of it,Mail', 'Name,"Mail" address'])
def test_a_quoted_header_with_text_behind_is_refused_as_a_row_is(header: str) -> None:
    with pytest.raises(DropRejectedError) as rejected:
        opened(f"{header}\nAda,a@x.de\n".encode())

    assert "row 1: the header row cannot be used: it has text behind a closing quote" in sentences(
        rejected.value
    )


@pytest.mark.parametrize("header", ['"Name" ,Mail', '"Name (""full"")",Mail', 'Name 5",Mail'])
def test_other_quotes_in_a_header_are_read(header: str) -> None:
    assert split_drop(f"{header}\nAda,a@x.de\n".encode()).sent == "Ada,a@x.de\n"


@pytest.mark.parametrize("line", ['="Name",="Mail"', '"=""Name""", "=""Mail"""'])
def test_headers_that_are_formulas_for_texts_are_restored_and_told(line: str) -> None:
    outcome = split_drop(f'{line}\n="Ada",="a@x.de"\n{line}\nBob,b@x.de\n'.encode())

    assert [column.header for column in outcome.result.columns] == ["Name", "Mail"]
    assert outcome.sent == "Ada,a@x.de\nBob,b@x.de\n"
    assert outcome.left_out.keys() == {3}
    assert 'headers are formulas for texts (="Name")' in outcome.result.notes[0]


def test_other_headers_with_such_signs_stay() -> None:
    assert opened(b'=Name,"=""Mail"" 2",x\n1,2,3\n').header == ("=Name", '="Mail" 2', "x")


@pytest.mark.parametrize("codec", ["cp1252", "latin-1", "mac_roman", "cp850", "cp1251"])
def test_text_that_was_decoded_twice_is_restored_and_told(codec: str) -> None:
    once = "\ufeffName,Ort\nMüller,Zürich\nÁron,5 €\n".encode()
    twice = once.decode(codec, "replace").encode()
    if "\ufffd" in once.decode(codec, "replace"):  # Á in windows-1252 is a byte that it lacks
        once = "\ufeffName,Ort\nMüller,Zürich\n".encode()
        twice = once.decode(codec).encode()

    outcome = split_drop(twice)

    assert outcome.sent == once.decode().partition("\n")[2]
    assert "decoded twice" in outcome.result.notes[0]
    assert outcome.result.warnings == ()
    first = next(iter(read_again(twice, options=outcome.options)))
    assert first.cells == ["Müller", "Zürich"]


def test_a_mark_that_was_decoded_twice_goes_where_the_rest_is_ascii() -> None:
    assert opened("ï»¿Name,Mail\nAda,x\n".encode()).header == ("Name", "Mail")


def test_bytes_that_windows_1252_lacks_are_restored_as_programs_keep_them() -> None:
    twice = "ï»¿Name,Ort\nÃ\u0081ron,x\n".encode()

    assert split_drop(twice).sent == "Áron,x\n"


def test_half_of_a_file_that_was_decoded_twice_is_rejected_with_the_remedy() -> None:
    with pytest.raises(DropRejectedError, match="decoded twice, but not all of its text"):
        split_drop("ï»¿Name,Ort\nMÃ¼ller,Zürich\n".encode())


def test_text_that_only_looks_decoded_twice_stays_without_the_mark() -> None:
    assert split_drop("Name,Ort\nMÃ¼ller,x\n".encode()).sent == "MÃ¼ller,x\n"


def test_without_a_header_the_first_row_is_a_record() -> None:
    drop, options = b"Ada,a@x.de\nBob,b@x.de\n", Options(has_header=False)

    outcome = split_drop(drop, options=options)

    assert outcome.sent == "Ada,a@x.de\nBob,b@x.de\n"
    assert [row.row for row in read_again(drop, options=outcome.options)] == [1, 2]
    assert opened(b"\n\nAda,a@x.de\n", options=options).first_rows == [["Ada", "a@x.de"]]


def test_a_result_file_has_a_header_also_where_its_original_had_none() -> None:
    drop = b"bigin__Row,column 1\n1,Ada\n"

    assert opened(drop, options=Options(has_header=False)).header == ("column 1",)


def test_a_drop_of_a_plan_from_before_is_read_again_as_it_was_then() -> None:
    """Plans of the release before say nothing of rows left out, of shapes, or of restored text."""
    dialect = Dialect(encoding="utf-8", delimiter=",")
    plan = Plan(
        columns=plan_of(*columns("a", "b", "c"), max_invalid_share=1.0),
        cut=replace(split_drop(b"a,b,c\n1,2,3\n").result, left_out=()),
        dialect=dialect,
        header=("a", "b", "c"),
    )
    drop = b"a,b,c\n1,2,3,\na,b,c\n4,5\n6,7\n\nFooter\n"

    rows = read_again(drop, plan.columns, options=Options.of_plan(plan))

    assert [row.row for row in rows if row.reason is None] == [2, 4, 5, 7]
    assert [(row.row, row.reason) for row in rows if row.reason] == [
        (3, "it repeats the header row")
    ]
    assert not any(row.is_left_out for row in rows)
