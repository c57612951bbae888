"""The same content again: not sent where it is in Bigin, sent where it was in once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bigin_import import object_keys
from bigin_import.deduplication import claims
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Field
from bigin_import.domain.locks import ContentClaim, ModuleHistory
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginRefusedError
from tests.fakes.fake_bigin import CONTACT_FIELDS
from tests.fakes.harness import MAPPING, ROWS, Harness

KEY, SIDECAR = "incoming/contacts.csv", "incoming/mapping.json"
UPSERT: Mapping[str, object] = {
    "module": "Contacts",
    "operation": "upsert",
    "find_by": "Email",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}
UPDATE = {**UPSERT, "operation": "update"}
HEADER = b"E-mail,Surname,First\n"
A, B = HEADER + b"ada@example.com,Byron,A\n", HEADER + b"ada@example.com,Lovelace,A\n"
OTHER = HEADER + b"alan@example.com,Turing,A\n"
DONE, SAME = ImportState.COMPLETED, ImportState.UNCHANGED


class Desk:
    """A deployment with one mapping for all files."""

    def __init__(self, mapping: Mapping[str, object] = UPSERT) -> None:
        self.harness = Harness()
        self.harness.drop(SIDECAR, mapping)

    def drop(self, body: bytes, key: str = KEY) -> ImportState:
        return self.dropped(body, key).state

    def dropped(self, body: bytes, key: str = KEY) -> Import:
        source = self.harness.drop(key, body)
        self.harness.settle()
        self.harness.tick(minutes=3)
        return self.harness.import_of(source)

    @property
    def sent(self) -> list[str]:
        """Surnames in the order in which Bigin got them."""
        return [row[1] for row in self.harness.bigin.records()]


@pytest.mark.parametrize("mapping", [UPSERT, UPDATE])
@pytest.mark.parametrize("keys", [[KEY] * 3, [KEY, "incoming/other.csv", KEY]])
def test_old_contents_that_are_put_back_are_in_bigin_in_the_end(
    mapping: Mapping[str, object], keys: list[str]
) -> None:
    desk = Desk(mapping)

    states = [desk.drop(body, key) for body, key in zip((A, B, A), keys, strict=True)]

    assert states == [DONE, DONE, DONE]
    assert desk.sent == ["Byron", "Lovelace", "Byron"]


def test_contents_that_were_put_back_are_unchanged_from_then_on() -> None:
    desk = Desk()

    states = [desk.drop(body) for body in (A, B, A, A, B, B)]

    assert states == [DONE, DONE, DONE, SAME, DONE, SAME]


def test_an_old_mapping_that_is_put_back_counts_in_the_end() -> None:
    desk = Desk()
    swapped = {**UPSERT, "columns": {"E-mail": "Email", "First": "Last_Name"}}
    states = []
    for mapping in (UPSERT, swapped, UPSERT):
        desk.harness.drop(SIDECAR, mapping)
        states.append(desk.drop(A))

    assert states == [DONE, DONE, DONE]
    assert desk.sent == ["Byron", "A", "Byron"]


def test_nightly_files_with_different_customers_stay_unchanged_beside_each_other() -> None:
    desk = Desk()
    nights = [(A, KEY), (OTHER, "incoming/other.csv")] * 3

    states = [desk.drop(body, key) for body, key in nights]

    assert states == [DONE, DONE, SAME, SAME, SAME, SAME]


def test_keys_are_shared_whatever_their_case_and_the_spaces_around_them() -> None:
    desk = Desk()

    states = [desk.drop(body) for body in (A, B.replace(b"ada@", b" ADA@"), A)]

    assert states == [DONE, DONE, DONE]


def test_an_import_that_found_its_records_by_another_field_may_have_changed_them() -> None:
    desk = Desk()
    by_name = {**UPSERT, "find_by": "Last_Name"}

    assert desk.drop(A) is DONE
    desk.harness.drop("incoming/other.mapping.json", by_name)
    assert desk.drop(OTHER, "incoming/other.csv") is DONE
    assert desk.drop(A) is DONE


def test_a_refused_import_has_changed_nothing() -> None:
    desk = Desk()
    refusal = BiginRefusedError(code="X", message="no", resolution="", concerns_mapping=True)

    first = desk.drop(A)
    desk.harness.bigin.fail("create_job", refusal)
    refused = desk.drop(B)

    assert (first, refused) == (DONE, ImportState.FAILED)
    assert desk.drop(A) is SAME


def test_an_import_that_went_on_for_longer_may_have_had_the_last_word() -> None:
    desk = Desk()
    desk.harness.bigin.runs = False
    desk.harness.drop("incoming/slow.csv", A)
    desk.harness.bigin.runs = True
    assert desk.drop(B) is DONE

    assert desk.drop(B) is DONE


def test_what_is_not_known_any_more_counts_as_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOST_REMEMBERED", 2)
    desk = Desk()
    for number, body in enumerate((A, OTHER, OTHER.replace(b"alan", b"grace"))):
        assert desk.drop(body, f"incoming/{number}.csv") is DONE

    assert desk.drop(OTHER, "incoming/1.csv") is SAME
    assert desk.drop(A, "incoming/0.csv") is DONE
    history = desk.harness.ledger.load(ModuleHistory.at("Contacts"))
    assert history is not None
    assert (len(history.sent), history.forgot) == (2, True)


def test_lost_hashes_of_keys_count_as_shared() -> None:
    desk = Desk()
    assert desk.drop(A) is DONE
    other = desk.dropped(OTHER, "incoming/other.csv")
    del desk.harness.files.versions[object_keys.keys_file(other.results or "")]

    assert desk.drop(A) is DONE


@pytest.mark.parametrize(
    ("again", "key"),
    [
        (b"\xef\xbb\xbf" + ROWS, KEY),
        (ROWS.replace(b"\n", b"\r\n"), KEY),
        (ROWS.replace(b"ada@", b'"ada@').replace(b".com,L", b'.com ",L'), KEY),
        (ROWS.replace(b",", b";"), KEY),
        (b"X,E-mail,Surname\n1,ada@example.com,Lovelace\n2,alan@example.com,Turing\n", KEY),
        (b"Surname,E-mail\nLovelace,ada@example.com\nTuring,alan@example.com\n", KEY),
    ],
    ids=["byte order mark", "line ends", "quotes, spaces", "delimiter", "other columns", "moved"],
)
def test_the_same_rows_in_other_bytes_are_not_added_again(again: bytes, key: str) -> None:
    desk = Desk(MAPPING)
    first = desk.dropped(ROWS)

    second = desk.dropped(again, key)

    assert (second.state, second.winner) == (SAME, first.import_id)
    assert desk.sent == ["Lovelace", "Turing"]


def test_line_ends_within_a_cell_are_the_same_whatever_wrote_them() -> None:
    desk = Desk(MAPPING)
    assert desk.drop(b'E-mail,Surname\na@example.com,"Love\nlace"\n') is DONE

    assert desk.drop(b'E-mail,Surname\r\na@example.com,"Love\r\nlace"\r\n') is SAME


@pytest.mark.parametrize(
    "again",
    [
        b"E-mail,Surname\nalan@example.com,Turing\nada@example.com,Lovelace\n",
        ROWS.replace(b"Turing", b"turing"),
        ROWS + b"grace@example.com,Hopper\n",
    ],
    ids=["order", "case", "more rows"],
)
def test_other_rows_are_other_content(again: bytes) -> None:
    desk = Desk(UPSERT)
    assert desk.drop(ROWS) is DONE

    assert desk.drop(again) is DONE


def test_metadata_that_cannot_be_had_make_no_other_content() -> None:
    desk = Desk(MAPPING)
    assert desk.drop(ROWS) is DONE
    desk.harness.clock.advance(24 * 3600)
    desk.harness.bigin.module_fields["Contacts"] = (
        Field("Email", "Email", "text", length=5_000),
        Field("Last_Name", "Last Name", "text", length=200),
    )

    assert desk.drop(ROWS) is SAME


FILE = (
    b"E-mail,Surname,Born,Sum\n"
    b'ada@example.com,Lovelace,10.12.1815,"1.000,5"\n'
    b"alan@example.com,Turing,23.06.1912,2\n"
)
TWO = {"E-mail": "Email", "Surname": "Last_Name"}
RULED = [
    {"column": "E-mail", "api_name": "Email"},
    {
        "column": "Surname",
        "api_name": "Last_Name",
        "values": {"b": "2", "a": "1"},
        "default_value": "?",
    },
    {"column": "Born", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
    {"column": "Sum", "api_name": "Revenue", "decimal": ",", "thousands": "."},
]
COUNTED = [{"index": 0, "api_name": "Email"}, {"index": 1, "api_name": "Last_Name"}]
# Never to be changed: a claim that is named anew lets in twice what was imported before. By the
# bytes of the drop; by what its cells say; and with the organisation.
PINNED = [
    (
        {"module": "Contacts", "operation": "insert", "columns": TWO},
        "zwbkslesfw5sdwnr5ebt3k7dsv",
        "pt45k6bvwmpolq372yvgteb36w",
        "ozmajorywp5dfzkkzjged5u3nj",
    ),
    (
        {
            "module": "Contacts",
            "operation": "upsert",
            "find_by": "Email",
            "field_mappings": RULED,
        },
        "kqgmxssmj2onzoyvy4vfr5ubw3",
        "43vfijdhappzd6w2eboxh25hed",
        "6hvulsarfbrboygw457bqwhcf7",
    ),
    (
        {
            "module": "Contacts",
            "operation": "update",
            "find_by": "Email",
            "ignore_empty": False,
            "field_mappings": COUNTED,
        },
        "oepqs5fgqlvx5inmpkx6tkxein",
        "5mo4o7bdq4vdqqqtt7myjlxu2p",
        "6gwrlc6abvz25jukmaizvozpki",
    ),
    (
        {
            "module": "Contacts",
            "operation": "insert",
            "columns": TWO,
            "force": "w46wzyzdinw4wqsr35b4c7amli",
        },
        "4te323cwyjtsi5uc56khaisgqa",
        "sc2mofs2nh2v5t6wn7tgq5asw6",
        "esdf6c4imuwyd5f5vnmtypxnhc",
    ),
]


UNFORCED = "ozmajorywp5dfzkkzjged5u3nj"  # `force` is in the name no more


@pytest.mark.parametrize("release", [0, 1, 2])
@pytest.mark.parametrize(("mapping", "first", "second", "now"), PINNED)
def test_claims_are_named_as_ever(
    mapping: Mapping[str, object], first: str, second: str, now: str, release: int
) -> None:
    desk = Desk(mapping)
    desk.harness.bigin.module_fields["Contacts"] = (
        *CONTACT_FIELDS,
        Field("Date_of_Birth", "Date of Birth", "date"),
        Field("Revenue", "Revenue", "currency"),
    )
    earlier = Import(
        import_id="e" * 26,
        source=desk.harness.files.put("incoming/earlier.csv", b""),
        state=ImportState.COMPLETED,
        received_at=0,
    )
    desk.harness.ledger.restore(earlier)
    name = (first, second, now)[release]
    desk.harness.ledger.restore(ContentClaim(digest=name, import_id=earlier.import_id, version=1))

    record = desk.dropped(FILE)

    assert (record.state, record.winner) == (SAME, earlier.import_id)
    claim = desk.harness.ledger.load(ContentClaim.at(UNFORCED if "force" in mapping else now))
    assert claim is not None
    assert claim.import_id == earlier.import_id


def test_a_version_whose_event_is_late_does_not_write_over_what_was_put_back() -> None:
    desk = Desk()
    assert desk.drop(A) is DONE
    late = desk.harness.files.put(KEY, B)
    assert desk.drop(A) is SAME

    desk.harness.importer.receive(late)
    desk.harness.tick(minutes=3)

    assert desk.harness.import_of(late).state is ImportState.SUPERSEDED
    assert desk.sent == ["Byron"]
