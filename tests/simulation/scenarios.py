"""What is dropped, into what kind of Bigin, by whom: the fixed part of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from itertools import product
from typing import Any

ROWS_PER_PART = 2
TAKEN = "taken@example.com"
SCARCE = ((6, 1_020), (12, 3_570), (20, 3_570))  # versions, and credits a day: out for three days
CLERKS = ("again", "goes", "mends", "sheet", "all")
OWN_NAME, OWN_FILE = "own name", "incoming/own/rows.csv"
UNDOERS = ("again", "file", "both", "meanwhile")
NOT_UNDONE = (
    "forced",
    "put_back",
    "remapped",
    "mended_remapped",
)  # in Bigin twice, or by a later content


class Mode(StrEnum):
    """How rows get into Bigin."""

    INSERT = "insert"  # nothing unique: a row sent twice is two records
    UPSERT = "upsert"
    INSERT_FIND_BY = "insert_find_by"


class Callbacks(StrEnum):
    """What becomes of callbacks where no fault decides otherwise."""

    NORMAL = "normal"
    EARLY = "early"  # while the create call still waits for its answer
    LOST = "lost"
    NO_ID = "no_id"


class Twin(StrEnum):
    """What is dropped besides the first drop."""

    NONE = "none"
    SAME = "same"  # the same content under the same key, a moment later
    CHANGED = "changed"  # other rows under the same key
    OTHER = "other"  # other rows under another key
    MENDED = "mended"  # the same rows and one more, under the same key
    PUT_BACK = "put_back"  # other rows with the same keys, and then the first content once more
    VERSIONS = "versions"  # many of one key, each with rows of its own, some with a key in common
    FORCED = "forced"  # the same again, after the mapping was told that the first may be repeated
    REMAPPED = "remapped"  # the same again, after a column was taken out of the mapping
    MENDED_REMAPPED = "mended_remapped"  # the same and one row more, after that


WITH_FEWER_COLUMNS = (Twin.REMAPPED, Twin.MENDED_REMAPPED)
TWINS = tuple(twin for twin in Twin if twin not in WITH_FEWER_COLUMNS)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    The fixed part of a run.

    Attributes:
        parts: Of the first drop.
        job_seconds: How long Bigin works on a job.
        mapping_after: Seconds after the drop at which its mapping is there; None: never.
        removed_after: Seconds after the drop at which somebody deletes it.
        refused_row: Bigin refuses one row, for a duplicate.
        same_keys: Rows of different parts share a key, so the parts run one after another.
        credits: Bigin's daily budget.
        person: What a person does about holds: "" waits for ever; see `people`.
        forged: Somebody posts callbacks with wrong signatures.
        probes: Bigin tries the callback's address before it answers a create.
        corrected_after: Seconds after the drop at which a wrong mapping is corrected; None: the
            mapping is right from the beginning.
        trouble_hours: How long faults may strike.
        dry_run: The mapping asks for a check only.
        clerk: What people do who hear of rows that are not in; see `people`.
        count: How many versions `Twin.VERSIONS` are.
        outage: The AWS service that is away for ten minutes: "files", "ledger", "queue" or
            "secrets".
        outage_after: Seconds after which it goes away.
        parts_gone_after: Seconds after which somebody removes all that lies under `parts/`.
        restored_after: Seconds after which the table is restored from a backup, for which the
            functions stand still.
        backup_before: How many seconds old that backup is.
        other_release: What another release has written when the drop is a moment old, and this one
            cannot read for twenty minutes: "import", "part" or "lock".
        undone_after: Seconds after which somebody takes an import back that is closed by then.
        undoer: What people drop then: the same file "again" (or "meanwhile", while it is undone),
            the "file" of the rows that were undone, "both"; "": nothing.
        undone_rows: What becomes of one that somebody in Bigin has changed: it is to "stay", to
            "go" all the same, or is changed "late", after it was shown; "": nobody changes any.
    """

    mode: Mode = Mode.INSERT
    parts: int = 1
    twin: Twin = Twin.NONE
    callbacks: Callbacks = Callbacks.NORMAL
    job_seconds: int = 40
    mapping_after: int | None = -60
    removed_after: int | None = None
    refused_row: bool = False
    same_keys: bool = False
    credits: int = 51_250
    person: str = ""
    forged: bool = False
    probes: bool = False
    corrected_after: int | None = None
    trouble_hours: int = 2
    dry_run: bool = False
    clerk: str = ""
    count: int = 4
    outage: str = ""
    outage_after: int = 8
    parts_gone_after: int | None = None
    restored_after: int | None = None
    backup_before: int = 5
    other_release: str = ""
    undone_after: int | None = None
    undoer: str = ""
    undone_rows: str = ""

    @property
    def is_odd(self) -> bool:
        """Return whether what the functions rely on is not as they left it."""
        gone = (self.parts_gone_after, self.restored_after)
        return any(each is not None for each in gone) or bool(self.other_release)

    @property
    def has_versions(self) -> bool:
        """Return whether one key is dropped more than once."""
        return self.versions > 1

    @property
    def comes_again(self) -> bool:
        """Return whether a row is in more than one drop."""
        again = (Twin.SAME, Twin.FORCED, Twin.PUT_BACK, Twin.MENDED, *WITH_FEWER_COLUMNS)
        return bool(self.clerk or self.undoer) or self.twin in again

    @property
    def versions(self) -> int:
        """How often the first key is dropped."""
        return self._usual_versions + (self.undoer not in ("", "file"))

    @property
    def _usual_versions(self) -> int:
        if self.clerk:
            return 6
        if self.twin is Twin.VERSIONS:
            return self.count
        if self.twin is Twin.PUT_BACK:
            return 3
        return 1 if self.twin in (Twin.NONE, Twin.OTHER) else 2

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Scenario:
        kinds: dict[str, type[StrEnum]] = {"mode": Mode, "twin": Twin, "callbacks": Callbacks}
        named: dict[str, Any] = dict(values)
        named |= {name: kind(values[name]) for name, kind in kinds.items() if name in values}
        return cls(**named)

    def as_json(self) -> dict[str, Any]:
        """Return what is not as usual."""
        usual = asdict(Scenario())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class Drop:
    """
    A CSV that somebody drops.

    Attributes:
        text: As it is dropped; b"": with nothing but the *rows*.
    """

    key: str
    rows: tuple[tuple[str, str], ...]  # surname, e-mail
    text: bytes = b""

    @property
    def body(self) -> bytes:
        if self.text:
            return self.text
        lines = ("Surname,E-mail", *(f"{surname},{email}" for surname, email in self.rows))
        return "".join(f"{line}\n" for line in lines).encode()


def fixed_scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of the complete search."""
    for mode, parts, twin, callbacks in product(Mode, (1, 3), (Twin.NONE, Twin.SAME), Callbacks):
        yield Scenario(mode=mode, parts=parts, twin=twin, callbacks=callbacks)
    for mode, person in product(Mode, ("careful", "weary")):
        yield Scenario(mode=mode, probes=True, person=person)
    yield Scenario(mode=Mode.UPSERT, parts=3, same_keys=True, person="careful")
    yield Scenario(corrected_after=1)
    yield Scenario(twin=Twin.FORCED)
    yield Scenario(parts=3, job_seconds=5)
    for outage, after in product(("files", "ledger", "queue", "secrets"), (2, 8, 45)):
        yield Scenario(outage=outage, outage_after=after)
    yield Scenario(outage="ledger", outage_after=10)  # after a create, before its job is recorded
    yield from odd_scenarios()
    yield Scenario(dry_run=True)
    yield Scenario(twin=Twin.MENDED)
    yield Scenario(mode=Mode.UPSERT, twin=Twin.PUT_BACK)
    yield Scenario(twin=Twin.VERSIONS, count=3)
    yield Scenario(mode=Mode.UPSERT, twin=Twin.VERSIONS, count=3, person="careful")
    yield Scenario(twin=Twin.VERSIONS, count=2, mapping_after=30)
    yield Scenario(parts=3, refused_row=True, clerk="all")
    yield Scenario(parts=3, undone_after=600, undoer="both", undone_rows="late")


def odd_scenarios() -> Iterator[Scenario]:
    """Yield those in which what the functions rely on is not as they left it."""
    yield Scenario(twin=Twin.OTHER, credits=520, parts_gone_after=600)
    yield Scenario(parts=3, parts_gone_after=30)
    yield Scenario(mode=Mode.UPSERT, parts=3, same_keys=True, parts_gone_after=60)
    for mode, before in product((Mode.INSERT, Mode.UPSERT), (40, 57, 59)):
        yield Scenario(mode=mode, restored_after=60, backup_before=before, person="careful")
    for kind in ("import", "part", "lock"):
        yield Scenario(other_release=kind)


def random_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed: the usual ways more often than the odd ones."""

    def one_of[T](what: str, *choices: T) -> T:
        digest = blake2b(f"{seed}/{what}".encode(), digest_size=4).digest()
        return choices[int.from_bytes(digest) % len(choices)]

    if one_of("odd", *[False] * 7, True):
        return replace(
            one_of("which", *odd_scenarios()),
            callbacks=one_of("callbacks", *Callbacks),
            job_seconds=one_of("job", 5, 40, 40, 600),
            person=one_of("person", "", "careful", "weary"),
        )
    mode = one_of("mode", *Mode)
    twin = one_of("twin", *TWINS)
    credits_ = one_of("credits", *[51_250] * 15, 1_020)
    clerk = one_of("clerk", "", *CLERKS) if twin is Twin.NONE else ""
    mapping_after = one_of("mapping", *[-60] * 8, 2, 400, 3000, None)
    corrected_after = one_of("corrected", *[None] * 7, 1, 400)
    drawn = Scenario(
        mode=mode,
        parts=one_of("parts", 1, 2, 3),
        twin=twin,
        callbacks=one_of("callbacks", Callbacks.NORMAL, Callbacks.NORMAL, *Callbacks),
        job_seconds=one_of("job", 5, 40, 40, 40, 600, 3600),
        mapping_after=mapping_after,
        removed_after=one_of("removed", None, None, None, None, None, 3, 30, 120),
        refused_row=bool(clerk) or one_of("refused", False, False, True),
        same_keys=mode is Mode.UPSERT and one_of("same keys", False, False, True),
        credits=credits_,
        person=one_of("person", "", "careful", "careful", "careless", "twice", "early", "weary"),
        forged=one_of("forged", False, True),
        probes=one_of("probes", False, False, True),
        corrected_after=corrected_after if mapping_after == -60 else None,
        trouble_hours=one_of("trouble", *[2] * 9, 72),
        dry_run=one_of("dry run", *[False] * 24, True),
        clerk=clerk,
        # Two jobs a day, and the run ends after sixteen.
        count=one_of("count", 2, 3, 4, 4, 6, 20) if credits_ > 50_000 else 4,
        outage=one_of("outage", *[""] * 12, "files", "ledger", "queue", "secrets"),
        outage_after=one_of("outage after", 2, 5, 8, 20, 45, 60, 300),
    )
    is_plain = mode is Mode.INSERT and corrected_after is None
    if twin is Twin.SAME and is_plain and one_of("remapped", False, True):
        drawn = replace(drawn, twin=Twin.REMAPPED)
    if twin is Twin.MENDED and is_plain and one_of("mended, remapped", False, False, True):
        drawn = replace(drawn, twin=Twin.MENDED_REMAPPED)
    if clerk == "goes" and one_of("adds", False, True):
        drawn = replace(drawn, clerk="adds")
    if clerk == "mends" and is_plain and one_of("own name", False, True):
        drawn = replace(drawn, clerk=OWN_NAME)
    # A run of these takes up to fifty times as long as another.
    scarce = one_of("scarce", *[None] * 449, *SCARCE)
    if scarce is not None:
        return _with_scarce_credits(drawn, *scarce)
    is_in_twice = drawn.twin in NOT_UNDONE or drawn.clerk == OWN_NAME
    may_be_undone = mode is Mode.INSERT and not is_in_twice and not drawn.dry_run
    if not may_be_undone or one_of("undone", *[True] * 7, False):
        return drawn
    undone_after = one_of("undone after", 200, 900, 3600, 4 * 3600)
    return replace(
        drawn,
        undone_after=undone_after,
        undoer=one_of("undoer", "", *UNDOERS, "meanwhile"),
        undone_rows=one_of("undone rows", "", "", "stay", "go", "late"),
        trouble_hours=max(drawn.trouble_hours, 2 + undone_after // 3600),
    )


def _with_scarce_credits(scenario: Scenario, count: int, credits_: int) -> Scenario:
    """Return *scenario* with many versions of one key, for whose jobs Bigin has no credits."""
    versions = replace(scenario, twin=Twin.VERSIONS, count=count, credits=credits_)
    return replace(versions, parts=1, clerk="")


def mapping_text(
    scenario: Scenario, *, wrong: bool = False, force: str = "", fewer: bool = False
) -> bytes:
    columns = {"Surname": "Last_Name", "E-Mail address" if wrong else "E-mail": "Email"}
    if fewer:
        columns = {"Surname": "Last_Name"}
    mapping: dict[str, Any] = {"module": "Contacts", "operation": "insert", "columns": columns}
    if scenario.mode is not Mode.INSERT:
        mapping |= {"find_by": "Email"}
    if scenario.mode is Mode.UPSERT:
        mapping |= {"operation": "upsert"}
    if scenario.dry_run:
        mapping |= {"dry_run": True}
    if force:
        mapping |= {"force": force}
    return json.dumps(mapping).encode()


def drops(scenario: Scenario) -> tuple[Drop, ...]:
    """Return the drops of a scenario in the order of their versions."""
    if scenario.twin is Twin.VERSIONS:
        return tuple(_version(n, scenario) for n in range(1, scenario.count + 1))
    first = Drop("incoming/first.csv", _rows("first", scenario))
    return first, *_further(first, scenario)


def _further(first: Drop, scenario: Scenario) -> tuple[Drop, ...]:
    match scenario.twin:
        case Twin.SAME | Twin.FORCED | Twin.REMAPPED:
            return (first,)
        case Twin.MENDED | Twin.MENDED_REMAPPED:
            return (Drop(first.key, (*first.rows, ("mended", _mended_email(scenario)))),)
        case Twin.PUT_BACK:
            other = tuple((f"other {surname}", email) for surname, email in first.rows)
            return Drop(first.key, other), first
        case Twin.CHANGED:
            return (Drop(first.key, _rows("changed", scenario)),)
        case Twin.OTHER:
            return (Drop("incoming/other.csv", _rows("other", scenario)),)
        case _:
            return ()


def _version(n: int, scenario: Scenario) -> Drop:
    rows = _rows(f"version-{n}", scenario)
    if scenario.mode is Mode.UPSERT:
        rows = (*rows, (f"version-{n} of all", "all@example.com"))
    return Drop("incoming/first.csv", rows)


def fixed(row: tuple[str, str]) -> tuple[str, str]:
    """
    Return a row as a person corrects it if Bigin refuses it.

    Without an address Bigin would take it twice.
    """
    surname, email = row
    return (surname, "" if email == TAKEN else email)


def _mended_email(scenario: Scenario) -> str:
    return "" if scenario.mode is Mode.INSERT else "mended@example.com"


def _rows(name: str, scenario: Scenario) -> tuple[tuple[str, str], ...]:
    count = max(1, scenario.parts * ROWS_PER_PART - 1)
    words = "{n:04}" if scenario.clerk == "sheet" else "{name} {n}"
    return tuple(
        (words.format(name=name, n=n), _email(name, n, count, scenario))
        for n in range(1, count + 1)
    )


def _email(name: str, n: int, count: int, scenario: Scenario) -> str:
    if scenario.refused_row and n <= (2 if scenario.clerk and scenario.mode is Mode.INSERT else 1):
        return TAKEN
    if scenario.mode is Mode.INSERT:
        return ""
    # Of a job that Bigin ends early the second row is not in: see `Clerk`.
    shared = scenario.same_keys and n in (2 if scenario.clerk == "again" else 1, count)
    return f"{name}-{1 if shared else n}@example.com"
