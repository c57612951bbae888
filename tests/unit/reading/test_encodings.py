"""Drops in other encodings than UTF-8: read as stated, never guessed, or refused in words."""

from __future__ import annotations

import codecs

import pytest

from bigin_import.errors import DropRejectedError
from tests.unit.reading.drops import opened, sentences, split_drop

ENCODED = {
    # name: (the drop, character_encoding of the mapping, what is sent, encoding reported)
    "UTF-16 with BOM": ("a,b\né,2\n".encode("utf-16"), None, "é,2\n", "utf-16-le"),
    "UTF-16 big endian with BOM": (
        b"\xfe\xff" + "a,b\né,2\n".encode("utf-16-be"),
        None,
        "é,2\n",
        "utf-16-be",
    ),
    "UTF-16 with tabs, Excel's Unicode text": (
        "a\tb\r\né\t2\r\n".encode("utf-16"),
        None,
        "é,2\n",
        "utf-16-le",
    ),
    "UTF-16 without BOM, as the mapping says": (
        "a,b\né,2\n".encode("utf-16-le"),
        "utf-16-le",
        "é,2\n",
        "utf-16-le",
    ),
    "UTF-16 big endian without BOM, as the mapping says": (
        "a,b\né,2\n".encode("utf-16-be"),
        "utf-16-be",
        "é,2\n",
        "utf-16-be",
    ),
    "Chinese in UTF-16, which looks like ASCII, as the mapping says": (
        "a,b\n漢字,2\n".encode("utf-16-be") + "漢字".encode("utf-16-be") * 90,
        "utf-16-be",
        "漢字,2\n" + "漢字" * 90 + ",\n",
        "utf-16-be",
    ),
    "UTF-16 without BOM, its name spelt in another way": (
        "a,b\n1,2\n".encode("utf-16-be"),
        "UTF_16BE",
        "1,2\n",
        "UTF_16BE",
    ),
    "UTF-16 with BOM, as the mapping says": (
        "a,b\né,2\n".encode("utf-16"),
        "utf-16",
        "é,2\n",
        "utf-16-le",
    ),
    "UTF-8 although the mapping says UTF-16": ("a,b\né,2\n".encode(), "utf-16", "é,2\n", "utf-8"),
    "windows-1252, as the mapping says": (
        "a,b\nJosé Núñez,€\n".encode("cp1252"),
        "windows-1252",
        "José Núñez,€\n",
        "windows-1252",
    ),
    "cp850, as the mapping says": (
        "a,b\nMüller,2\n".encode("cp850"),
        "cp850",
        "Müller,2\n",
        "cp850",
    ),
    "macroman, as the mapping says": (
        "a,b\nMüller,2\n".encode("mac-roman"),
        "macroman",
        "Müller,2\n",
        "macroman",
    ),
    "shift-jis, as the mapping says": (
        "a,b\n表示,2\n".encode("shift-jis"),
        "shift-jis",
        "表示,2\n",
        "shift-jis",
    ),
    "UTF-8 although the mapping says otherwise": (
        "a,b\nJosé,2\n".encode(),
        "windows-1252",
        "José,2\n",
        "utf-8",
    ),
    "ASCII whatever the mapping says": (b"a,b\n1,2\n", "windows-1252", "1,2\n", "utf-8"),
}


@pytest.mark.parametrize(
    ("drop", "stated", "sent", "encoding"), ENCODED.values(), ids=ENCODED.keys()
)
def test_an_encoding_is_read_and_never_guessed(
    drop: bytes, stated: str | None, sent: str, encoding: str
) -> None:
    outcome = split_drop(drop, encoding=stated)

    assert outcome.sent == sent
    assert outcome.dialect.encoding == encoding


def test_cells_in_an_unknown_encoding_are_shown_as_each_encoding_reads_them() -> None:
    with pytest.raises(DropRejectedError) as rejected:
        opened("name,city\nJosé Núñez,Köln\n".encode("cp1252"))

    (problem,) = rejected.value.problems
    assert problem.cells == (
        "windows-1252: José Núñez · Köln",
        "cp850: JosÚ N·±ez · K÷ln",
        "macroman: JosÈ N˙Òez · Kˆln",
        "cp1250: José Núńez · Köln",
    )


def test_no_sentence_and_no_repr_of_a_rejection_holds_a_cell() -> None:
    with pytest.raises(DropRejectedError) as rejected:
        opened("name\nJosé\n".encode("cp1252"))

    assert "Jos" not in sentences(rejected.value)
    assert "Jos" not in repr(rejected.value.problems)


def test_a_header_in_another_encoding_is_taken_up_again_with_a_corrected_mapping() -> None:
    with pytest.raises(DropRejectedError, match="the header row holds bytes") as rejected:
        opened(codecs.BOM_UTF8 + b"a\xff,b\n1,2\n")

    assert rejected.value.concerns_mapping


UNREADABLE = {
    # name: (the drop, character_encoding of the mapping, parts of the sentence)
    "UTF-16 without BOM, its byte order not stated": (
        "a,b\né,2\n".encode("utf-16-le"),
        "UTF-16",
        ["no byte order mark", '"utf-16-le"', '"utf-16-be"'],
    ),
    "the same in Chinese, with hardly a NUL byte": (
        ("名,字\n" + "漢字" * 90 + "," + "漢字" * 90 + "\n").encode("utf-16-be"),
        "UTF-16",
        ["no byte order mark", '"utf-16-le"', '"utf-16-be"'],
    ),
    "windows-1252 called UTF-16": (
        "a,b\nJosé,2\n".encode("cp1252"),
        "utf-16",
        ["the file is not UTF-8", '"character_encoding": "windows-1252"'],
    ),
    "windows-1252 called UTF-8 with a BOM": (
        "a,b\nJosé,2\n".encode("cp1252"),
        "utf-8-sig",
        ["the file is not UTF-8", '"character_encoding": "windows-1252"'],
    ),
    "windows-1252 called ASCII": ("a\né\n".encode("cp1252"), "ascii", ["the file is not UTF-8"]),
    "UTF-32 with BOM": ("a\né\n".encode("utf-32"), None, ["the file is in UTF-32"]),
    "UTF-32 big endian with BOM": (
        codecs.BOM_UTF32_BE + "a\né\n".encode("utf-32-be"),
        None,
        ["the file is in UTF-32", 'save it as "CSV UTF-8"'],
    ),
    "UTF-32, as the mapping says": (
        "a\né\n".encode("utf-32-le"),
        "UTF32",
        ["'UTF32' is not supported: it writes ASCII in its own way", 'as "CSV UTF-8"'],
    ),
    "EBCDIC": ("a,b\né,2\n".encode("cp037"), "cp037", ["'cp037' is not supported"]),
    "UTF-16 of which nobody told": (
        "a,b\n1,2\n".encode("utf-16-be"),
        None,
        ["UTF-16 without a byte order mark", '"utf-16-le" or "utf-16-be"'],
    ),
    "a misspelt name": (b"a\n1\n", "windows-12520", ["encoding 'windows-12520' is not known"]),
    "a codec of no text": (b"a\n1\n", "base64", ["character_encoding 'base64' is not known"]),
    "a codec that reads nothing": (b"a\n1\n", "undefined", ["'undefined' is not known"]),
    "a codec that reads no damage": (b"a\n1\n", "idna", ["'idna' is not supported"]),
    "two words": (b"a\n1\n", "latin 99", ["character_encoding 'latin 99' is not known"]),
}


@pytest.mark.parametrize(("drop", "stated", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_encoding_that_does_not_explain_the_file_is_refused_until_the_mapping_is_corrected(
    drop: bytes, stated: str | None, said: list[str]
) -> None:
    with pytest.raises(DropRejectedError) as rejected:
        split_drop(drop, encoding=stated)

    assert rejected.value.concerns_mapping
    for words in said:
        assert words in sentences(rejected.value)


@pytest.mark.parametrize(
    ("drop", "stated", "is_warned_of"),
    [
        ("a,b\nJosé,€5\n".encode("cp1252"), "iso-8859-1", True),
        ("a,b\nJosé,5\n".encode("cp1252"), "iso-8859-1", False),
        ("a,b\nJosé,€5\n".encode("cp1252"), "windows-1252", False),
        ("a,b\nJosé,\x805\n".encode(), "iso-8859-1", False),
    ],
)
def test_control_characters_that_a_stated_encoding_makes_are_warned_of(
    drop: bytes, stated: str, is_warned_of: bool
) -> None:
    warnings = split_drop(drop, encoding=stated).result.warnings

    assert [words.partition(",")[0] for words in warnings] == (
        ["Read as iso-8859-1"] if is_warned_of else []
    )
