"""
Files that businesses really have, and what becomes of each.

Three tables: files that are read, with the CSV that is sent; files of which some rows are left
out, with the row numbers and reasons; files that are rejected, with the sentence a person reads.
Unless a case says otherwise all columns are mapped.
"""

from __future__ import annotations

import codecs
import gzip

import pytest

from bigin_import.domain.plan import PlannedColumn
from bigin_import.errors import DropRejectedError
from bigin_import.object_keys import DROP_ENDINGS
from tests.unit.reading.drops import columns, opened, plan_of, sentences, split_drop

BOM = "\ufeff"
LONG = "x" * 200_000

READ = {
    # name: (the drop, what is sent below the header)
    "csv-spectrum simple": ("a,b,c\n1,2,3\n", "1,2,3\n"),
    "csv-spectrum simple_crlf": ("a,b,c\r\n1,2,3\r\n", "1,2,3\n"),
    "csv-spectrum comma_in_quotes": (
        'first,last,address\nJohn,Doe,"120 any st., Anytown, WW"\n',
        'John,Doe,"120 any st., Anytown, WW"\n',
    ),
    "csv-spectrum empty": ('a,b,c\n1,"",""\n2,3,4\n', "1,,\n2,3,4\n"),
    "csv-spectrum empty, CRLF": ('a,b,c\r\n1,"",""\r\n2,3,4\r\n', "1,,\n2,3,4\n"),
    "csv-spectrum escaped_quotes": ('a,b\n1,"ha ""ha"" ha"\n', '1,"ha ""ha"" ha"\n'),
    "csv-spectrum json": (
        'key,val\n1,"{""type"": ""Point"", ""c"": [1.0, 2.0]}"\n',
        '1,"{""type"": ""Point"", ""c"": [1.0, 2.0]}"\n',
    ),
    "csv-spectrum location_coordinates": (
        'nr,name\n1,"37.7, -122.4"\n',
        '1,"37.7, -122.4"\n',
    ),
    "csv-spectrum newlines": (
        'a,b\n"Once upon \na time",5\n7,8\n',
        '"Once upon \na time",5\n7,8\n',
    ),
    "csv-spectrum newlines, CRLF stay CRLF in cells": (
        'a,b\r\n"Once\r\na time",5\r\n',
        '"Once\r\na time",5\n',
    ),
    "csv-spectrum quotes_and_newlines": (
        'a,b\n1,"ha \n""ha"" \nha"\n',
        '1,"ha \n""ha"" \nha"\n',
    ),
    "csv-spectrum utf8": ("a,b,c\n4,5,ʤ\n", "4,5,ʤ\n"),
    "BOM before the header": (BOM + "a,b\n1,2\n", "1,2\n"),
    "BOM before a quoted header": (BOM + '"a","b"\n1,2\n', "1,2\n"),
    "BOM mid-file, where files were joined": (f"a,b\n1,2\n{BOM}3,4\n", "1,2\n3,4\n"),
    "semicolons": ("a;b\n1;2\n", "1,2\n"),
    "semicolons and decimal commas": ("a;b\nx;1,50\n", 'x,"1,50"\n'),
    "tabs": ("a\tb\n1\t2\n", "1,2\n"),
    "pipes": ("a|b\n1|2\n", "1,2\n"),
    "colons": ("a:b\n1:2\n", "1,2\n"),
    "sep=; line": ("sep=;\na;b\n1;2\n", "1,2\n"),
    "SEP=, line with CRLF": ("SEP=,\r\na,b\r\n1,2\r\n", "1,2\n"),
    "quoted sep line with a tab": ('"sep=\t"\na\tb\n1\t2\n', "1,2\n"),
    "SEP=; line with CR alone": ("SEP=;\ra,b;c\r1,5;2\r", '"1,5",2\n'),
    "sep=, line above a single column with semicolons": ("sep=,\nTags\na;b\n1;2\n", "a;b\n1;2\n"),
    "CR alone": ("a,b\r1,2\r3,4\r", "1,2\n3,4\n"),
    "LF, CRLF and CR mixed": ("a,b\n1,2\r\n3,4\r5,6\n", "1,2\n3,4\n5,6\n"),
    "no line end after the last row": ("a,b\n1,2", "1,2\n"),
    "blank lines everywhere": ("\n\na,b\n\n1,2\n\n\n3,4\n\n\n", "1,2\n3,4\n"),
    "200,000 blank lines above the header": ("\r\n" * 200_000 + "a,b\n1,2\n", "1,2\n"),
    "blank lines with spaces above an indented header": (" \n \t\n  a,b\n1,2\n", "1,2\n"),
    "rows of nothing but delimiters": ("a,b\n,\n1,2\n,\n , \n", "1,2\n"),
    "rows of nothing but NBSP": ("a,b\n\u00a0,\u00a0\n1,2\n", "1,2\n"),
    "missing trailing cells": ("a,b,c\n1\n1,2\n", "1,,\n1,2,\n"),
    "surplus empty cells": ("a,b\n1,2,,\n1,2, \n", "1,2\n1,2\n"),
    "trailing delimiter on every line, header too": ("a,b,\n1,2,\n", "1,2,\n"),
    "trailing delimiter below the header, commas in cells": (
        "Name;Ort\nMüller, Karl;Ulm;\nMeier, Eva;Bonn;\n",
        '"Müller, Karl",Ulm\n"Meier, Eva",Bonn\n',
    ),
    "trailing tab below the header, decimal commas": (
        "Name\tPreis\nA\t1,50\t\nB\t2,50\t\n",
        'A,"1,50"\nB,"2,50"\n',
    ),
    "trailing delimiter in the header only": ("a;b;\n1,5;2\n3,5;4\n", '"1,5",2,\n"3,5",4,\n'),
    "an answer that is JSON": (
        'a,b\n"{""ImportId"":1}",2\n',
        '"{""ImportId"":1}",2\n',
    ),
    "an empty header with data below": ("a,,c\n1,2,3\n", "1,2,3\n"),
    "space after the delimiter": ("a, b\n1, 2\n", "1, 2\n"),
    "space before an opening quote": ('a, b\n"x", "y, z"\n', 'x,"y, z"\n'),
    "space before one opening quote strips no other cell": (
        'a, b\n"x", "y, z"\n  v, w\n',
        'x,"y, z"\n  v, w\n',
    ),
    "space before an opening quote, far below": (
        "a,b\n" + "1,2\n" * 100_000 + 'x, "y, z"\nv, "w"\n u, t\n',
        "1,2\n" * 100_000 + 'x,"y, z"\nv,w\n u, t\n',
    ),
    "stray quote inside a cell": ('a,b\n5" pipe,2\n', '"5"" pipe",2\n'),
    "spaces after a closing quote": ('a,b\n"x" ,2\n', "x,2\n"),
    "single quotes are no quotes": ("a,b\n'x','y'\n", "'x','y'\n"),
    "a quoted cell that ends in a backslash": ('a,b\n"C:\\dir\\",2\n', "C:\\dir\\,2\n"),
    "everything quoted": ('"a","b"\n"1","2"\n', "1,2\n"),
    "single column": ("mail\nx@y.de\nz@y.de\n", "x@y.de\nz@y.de\n"),
    "single column with a blank line": ("mail\nx@y.de\n\nz@y.de\n", "x@y.de\nz@y.de\n"),
    "single column whose only cell needs quotes": ('note\n"a, b"\n', '"a, b"\n'),
    "header with ; inside of quotes": ('"a; b","c"\n1,2\n', "1,2\n"),
    "header and cells with one comma each in a semicolon file": (
        "Name;Straße, Ort\nMüller;Hauptstr. 1, Berlin\n",
        'Müller,"Hauptstr. 1, Berlin"\n',
    ),
    "header with a comma, cells with decimal commas, in a semicolon file": (
        "Preis, netto;Menge\n1,50;2\n2,50;3\n",
        '"1,50",2\n"2,50",3\n',
    ),
    "single column with a colon in its header": ("Note: internal\nx\ny\n", "x\ny\n"),
    "single column with a colon in some cells": ("Note: internal\nx\ny: z\nv\n", "x\ny: z\nv\n"),
    "single column with a pipe in its header": ("Name|Alias\nx\ny\n", "x\ny\n"),
    "single column with a semicolon in its header": ("Name; first\nx\ny\n", "x\ny\n"),
    "single column with commas in all cells": ("Name\nx, y\nz, v\n", '"x, y"\n"z, v"\n'),
    "single column of tags": ("Tags\nred;blue\ngreen;red\n", "red;blue\ngreen;red\n"),
    "header with spaces behind commas and colons in a comma file": (
        "Time (hh:mm), Note\n12:30, x\n13:30, y\n",
        "12:30, x\n13:30, y\n",
    ),
    "pandas' frame of one column": (",Name\n0,x\n1,y\n", "0,x\n1,y\n"),
    "header with years": ("Region,2023,2024\nNorth,1,2\nSouth,3,4\n", "North,1,2\nSouth,3,4\n"),
    "header with an unquoted comma in a semicolon file": ("Name, first;Mail\nA;B\n", "A,B\n"),
    "header with a colon in a comma file": ("Time (hh:mm),Note\n12:30,x\n", "12:30,x\n"),
    "header with pipes in a comma file": ("a|b,c\n1,2\n3,4\n", "1,2\n3,4\n"),
    "cells with colons only, in a comma file": ("at,on\n1:2,3:4\n", "1:2,3:4\n"),
    "U+2028 in a cell is no line end": ("a,b\nx\u2028y,2\n", "x\u2028y,2\n"),
    "U+0085 in a cell is no line end": ("a,b\nx\u0085y,2\n", "x\u0085y,2\n"),
    "vertical tab and form feed are no line ends": ("a,b\nx\x0by,z\x0c\n", "x\x0by,z\x0c\n"),
    "group separators are no line ends": ("a,b\nx\x1cy,\x1dz\x1e\n", "x\x1cy,\x1dz\x1e\n"),
    "Ctrl-Z on its own line at the end": ("a,b\n1,2\r\n\x1a", "1,2\n"),
    "Ctrl-Z right behind the last cell": ("a,b\n1,2\x1a", "1,2\n"),
    "NFD accents stay what they are": ("a,b\nJose\u0301,2\n", "Jose\u0301,2\n"),
    "NBSP inside a cell": ("a,b\nx\u00a0y,2\n", "x\u00a0y,2\n"),
    "zero-width space in an e-mail": ("a,b\nx\u200b@y.de,2\n", "x\u200b@y.de,2\n"),
    "double-encoded text is valid UTF-8": ("a,b\nJosÃ©,2\n", "JosÃ©,2\n"),
    '="00123" is the text 00123': ('a,b\n="00123",2\n', "00123,2\n"),
    "an exporter's apostrophe": ("a,b\n'00123,2\n", "00123,2\n"),
    "an apostrophe of a name": ("a,b\n'47 Brand,2\n", "'47 Brand,2\n"),
    "leading zeros": ("a,b\n00123,2\n", "00123,2\n"),
    "1.11E+17 in a column of text": ("a,b\nx,1.11E+17\n", "x,1.11E+17\n"),
    "#N/A and NULL are words": ("a,b\n#N/A,NULL\n", "#N/A,NULL\n"),
    "TRUE and WAHR are words": ("a,b\nTRUE,WAHR\n", "TRUE,WAHR\n"),
    "multi-select with semicolons": ("a,b\nx;y,2\n", "x;y,2\n"),
    "multi-select with commas": ('a,b\n"x,y",2\n', '"x,y",2\n'),
    "formulas are cells": ("a,b\n=1+1,@x\n", "=1+1,@x\n"),
    "a cell longer than csv's 131,072": (f"a,b\n{LONG},2\n", f"{LONG},2\n"),
    "emoji and CJK": ("a,b\n🙂,漢字\n", "🙂,漢字\n"),
    "a lone carriage return in quotes": ('a,b\n"x\ry",2\n', '"x\ry",2\n'),
    "our own result columns are cut out": (
        "bigin__Row,bigin__Status,a,b\n2,skipped,1,2\n",
        "1,2\n",
    ),
    "our own columns in another case": ("BIGIN__ID,a,b\n,1,2\n", "1,2\n"),
}


@pytest.mark.parametrize(("drop", "sent"), READ.values(), ids=READ.keys())
def test_a_drop_is_read_as_a_person_reads_it(drop: str, sent: str) -> None:
    outcome = split_drop(drop.encode(), max_rows=1_000_000)

    assert outcome.sent == sent
    assert outcome.invalid == {}


LEFT_OUT = {
    # name: (the drop, what is sent, row -> reason)
    "a row with too many cells": (
        b"a,b\n1,2\n1,2,3\n",
        "1,2\n",
        {3: "it has 3 cells, the header has 2"},
    ),
    "decimal commas in an unquoted comma file": (
        b"name,price\nx,1,50\ny,2\n",
        "y,2\n",
        {2: "it has 3 cells, the header has 2"},
    ),
    "the header repeated mid-file": (
        b"a,b\n1,2\na,b\n3,4\n",
        "1,2\n3,4\n",
        {},
    ),
    "the header repeated with its BOM": (
        f"{BOM}a,b\n1,2\n{BOM}a,b\n3,4\n".encode(),
        "1,2\n3,4\n",
        {},
    ),
    "a NUL byte": (b"a,b\n1,2\nx\0,2\n", "1,2\n", {3: "it holds a NUL byte"}),
    "one broken byte in a UTF-8 file": (
        "a,b\né,1\n".encode() + b"x,\xff\n",
        "é,1\n",
        {3: "it holds bytes that the file's encoding does not have"},
    ),
    "windows-1252 rows pasted into a UTF-8 file": (
        "a,b\né,1\n".encode() + "ü,2\n".encode("cp1252") + "ö,3\n".encode(),
        "é,1\nö,3\n",
        {3: "it holds bytes that the file's encoding does not have"},
    ),
    "rows are numbered as in a spreadsheet": (
        b'\na,b\n\n"x\ny\nz",2\n\n1,2,3\n',
        '"x\ny\nz",2\n',
        {6: "it has 3 cells, the header has 2"},
    ),
    "rows below a sep line, which spreadsheets hide": (
        b"sep=,\na,b\n1,2\n1,2,3\n",
        "1,2\n",
        {3: "it has 3 cells, the header has 2"},
    ),
    "text after a closing quote": (
        b'a,b\n1,2\n"Big" Company,2\n',
        "1,2\n",
        {3: 'it has text behind a closing quote; quotes in a text are written twice ("")'},
    ),
    "an undefined byte of windows-1252": (
        "a,b\né,1\n".encode("cp1252") + b"x,\x81\n",
        "é,1\n",
        {3: "it holds bytes that the file's encoding does not have"},
    ),
    "half a character at the end of a UTF-16 file": (
        "a,b\n1,2\n3,4\n".encode("utf-16")[:-1],
        "1,2\n",
        {3: "it holds bytes that the file's encoding does not have"},
    ),
}


@pytest.mark.parametrize(("drop", "sent", "reasons"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_row_that_cannot_be_sent_is_named_and_the_others_go(
    drop: bytes, sent: str, reasons: dict[int, str]
) -> None:
    outcome = split_drop(drop, encoding="windows-1252")

    assert outcome.sent == sent
    assert outcome.invalid == reasons


HTML = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"

REJECTED = {
    # name: (the drop, its name, parts of the sentences)
    "an empty file": (b"", "x.csv", ["x.csv: the file is empty. Export the data again"]),
    "nothing but blank lines": (b"\n\r\n \n", "x.csv", ["the file is empty"]),
    "nothing but a BOM": (BOM.encode(), "x.csv", ["the file is empty"]),
    "a header only": (b"a,b\n", "x.csv", ["there is a header and no row below it"]),
    "a header and blank rows": (b"a,b\n,\n\n,\n", "x.csv", ["no row below it"]),
    "a workbook": (b"PK\x03\x04....", "x.csv", ["an Excel workbook", "name it .xlsx"]),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.csv", ["old Excel workbook"]),
    "an error page": (HTML, "x.csv", ["this is a web page, perhaps an error page"]),
    "an HTML table named .csv": (b"\n <table><tr><td>", "x.csv", ["an HTML table"]),
    "XML": (b"<?xml version='1.0'?><Error/>", "x.csv", ["an XML file, not a CSV"]),
    "JSON": (b'{"error": "denied"}', "x.csv", ["this is JSON, not a CSV"]),
    "a PDF": (b"%PDF-1.7", "x.csv", ["a PDF document"]),
    "gzip without its name": (gzip.compress(b"a\n1\n"), "x.csv", ["Name it .csv.gz"]),
    "no gzip in spite of its name": (b"a,b\n1,2\n", "x.csv.gz", ["not a whole gzip file"]),
    "gzip that was cut off": (gzip.compress(b"a\n1\n")[:-9], "x.csv.gz", ["not a whole gzip"]),
    "binary data": (bytes(range(256)) + bytes(100), "x.csv", ["full of NUL bytes"]),
    "UTF-16 without BOM": (
        "a,b\n1,2\n".encode("utf-16-le"),
        "x.csv",
        ["UTF-16 without a byte order mark", '"character_encoding": "utf-16-le"'],
    ),
    "windows-1252 of which nobody told": (
        "a,b\nJosé,2\n".encode("cp1252"),
        "x.csv",
        ["the file is not UTF-8", '"character_encoding": "windows-1252"'],
    ),
    "nothing but delimiters at the beginning": (
        b",,\n" * 50_000 + b"a,b,c\n1,2,3\n",
        "x.csv",
        ["its first 100,000 characters are nothing but empty cells", "Delete the empty rows"],
    ),
    "a quote that swallows rows and is closed by the next one": (
        b'a,b\n1,"x\n2,y\n3,"z"\n4,w\n',
        "x.csv",
        ["x.csv, row 2: a quote that opens in this row closes in the text 2 lines below"],
    ),
    "a quote that swallows the file": (
        b'a,b\n1,2\n3,"4\n5,6\n7,8\n',
        "x.csv",
        ["x.csv, row 3: a quote in this row is never closed", "Close the quote"],
    ),
    "a quote in the header that swallows the file": (
        b'a,"b\n1,2\n3,4\n',
        "x.csv",
        ["row 1: a quote in this row is never closed"],
    ),
    "a file that ends inside of a cell": (b'a,b\n1,2\n3,"4', "x.csv", ["whether the file is cut"]),
    "quotes escaped with backslashes": (
        b'a,b\n"she said \\"hi\\" twice",2\n',
        "x.csv",
        ["escaped with a backslash", 'doubled quotes ("")'],
    ),
    "a header with bytes of another encoding": (
        codecs.BOM_UTF8 + b"a\xff,b\n1,2\n",
        "x.csv",
        ["x.csv, row 1: the header row holds bytes", 'correct "character_encoding"'],
    ),
    "a long header that swallows rows": (
        b'a,"b\n' + b"1,2\n" * 1_000,
        "x.csv",
        ["row 1: a header is longer than 2,000 characters", "Close the quote"],
    ),
    "a survey with its questions and the ids of its columns": (
        b'Q1,Q2\nName?,"Your\nmail?"\n"{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"\nA,B\n',
        "x.csv",
        ["x.csv, row 3: it holds ids of columns (ImportId)", "Delete rows 2 to 3"],
    ),
    "a survey with the ids of its columns": (
        b'Q1,Q2\n"{""ImportId"":""QID1""}",\nA,B\n',
        "x.csv",
        ["x.csv, row 2: it holds ids of columns (ImportId)", "Delete row 2"],
    ),
    "a title above the header": (
        b"Customers\na,b,c\n1,2,3\n4,5,6\n",
        "x.csv",
        ["x.csv, row 1: the first row is not the header", "begin in row 2", "above row 2"],
    ),
    "a title with a colon above the header": (
        b"Generated on: 2024-01-05\n\na,b,c\n1,2,3\n4,5,6\n",
        "x.csv",
        ["Delete the lines above row 3"],
    ),
    "a title of two cells above the header": (
        b"Generated on,2024-01-05\nName,City,Mail\nA,Ulm,a@x.de\n",
        "x.csv",
        ["the first row is not the header", "Delete the lines above row 2", "such as sep=;"],
    ),
    "a title of two cells, padded": (
        b"Generated on,2024-01-05,\nName,City,Mail\nA,Ulm,a@x.de\nB,,\n",
        "x.csv",
        ["Delete the lines above row 2"],
    ),
    "two titles above a blank line": (
        b"Report;;\nErstellt am;01.02.2024;\n\na;b;c\n1;2;3\n4;5;6\n",
        "x.csv",
        ["x.csv, row 1: the first row is not the header", "Delete the lines above row 4"],
    ),
    "blank lines above a title": (
        b"\n" * 100_001 + b"Customers\n\na,b,c\nx,y,z\n",
        "x.csv",
        ["row 100002: the first row is not the header", "Delete the lines above row 100004"],
    ),
    "a title above a single column": (
        b"Customers\n\nmail\nx@y.de\nz@y.de\n",
        "x.csv",
        ["Delete the lines above row 3"],
    ),
    "a title padded by the spreadsheet": (
        b"Customers,,\na,b,c\n1,2,3\n",
        "x.csv",
        ["Delete the lines above row 2"],
    ),
    "more bad rows than allowed": (
        b"a,b\n1,2\n1,2,3\n1,2,3,4\n",
        "x.csv",
        [
            "x.csv: 2 of 3 rows cannot be sent; up to 1% are left out, more stop the drop",
            "x.csv, row 3: it has 3 cells, the header has 2",
            "x.csv, row 4: it has 4 cells, the header has 2",
        ],
    ),
    "nothing but bad rows": (
        b"a,b\n1,2,3\n",
        "x.csv",
        ["1 of 1 rows cannot be sent. Correct them, or what in the mapping refuses them"],
    ),
}


@pytest.mark.parametrize(("drop", "name", "said"), REJECTED.values(), ids=REJECTED.keys())
def test_a_rejected_drop_says_what_is_wrong_and_what_to_do(
    drop: bytes, name: str, said: list[str]
) -> None:
    with pytest.raises(DropRejectedError) as rejected:
        split_drop(drop, plan_of(*columns("a", "b")), name=name)

    for words in said:
        assert words in sentences(rejected.value)


@pytest.mark.parametrize(("share", "bad"), [(0.29, 29), (0.07, 7), (0.57, 57), (0.01, 1), (0, 0)])
def test_exactly_the_allowed_share_of_bad_rows_is_left_out(share: float, bad: int) -> None:
    plan = plan_of(*columns("a", "b"), max_invalid_share=share)
    drop = b"a,b\n" + b"1,2\n" * (100 - bad) + b"1,2,3\n" * bad

    assert split_drop(drop, plan).result.invalid == bad
    with pytest.raises(DropRejectedError, match=f"{bad + 1} of 101 rows cannot be sent; up to"):
        split_drop(drop + b"1,2,3\n", plan)


def test_a_totals_row_has_no_key_and_is_left_out() -> None:
    plan = plan_of(*columns("Mail", "Sum"), key=0, max_invalid_share=1.0)

    outcome = split_drop(b"Mail,Sum\na@x.de,1\nb@x.de,2\n,3\n", plan)

    assert outcome.sent == "a@x.de,1\nb@x.de,2\n"
    assert outcome.invalid == {4: 'its key, column "Mail", is empty'}


def test_ids_that_a_spreadsheet_rounded_reject_the_drop() -> None:
    plan = plan_of(PlannedColumn(0, "Record id", "id"), *columns("Record id", "Name")[1:])

    with pytest.raises(DropRejectedError, match="they were rounded"):
        split_drop(b"Record id,Name\n5725767000000091000,x\n5725767000000092000,y\n", plan)


@pytest.mark.parametrize("ending", [each for each in DROP_ENDINGS if each != ".csv"])
def test_a_drop_is_read_as_what_its_ending_says(ending: str) -> None:
    """A new ending that nothing reads would be taken for that of a CSV."""
    with pytest.raises(DropRejectedError):
        opened(b"E-mail,Surname\nada@example.com,Lovelace\n", name=f"contacts{ending}")
