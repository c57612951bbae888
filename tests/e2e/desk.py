"""What a person does with the deployed application: drop files, read results and notices."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from bigin_import import identity, object_keys
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.ledger import update
from tests.e2e.waiting import PATIENCE_SECONDS, until
from tests.local_stack import LocalStack

# In every cell that the tests drop, so that the last test can look for it in the logs.
PLANTED = "Plantagenet"
CONTACTS: dict[str, object] = {
    "module": "Contacts",
    "operation": "insert",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}


class Message(NamedTuple):
    """A notice as its readers get it."""

    subject: str
    body: str


def as_json(value: Mapping[str, object]) -> bytes:
    return json.dumps(dict(value), indent=2).encode()


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def read_csv(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@dataclass(frozen=True, slots=True)
class Desk:
    """
    One test's own folder under `incoming/`, and a view of what comes of the drops in it.

    Attributes:
        name: Of the folder; also in every e-mail address, so that records tell their test.
    """

    stack: LocalStack
    s3: Any
    ledger: DynamoLedger
    name: str

    def emails(self, count: int = 3, *, first: int = 1) -> list[str]:
        return [f"{PLANTED}{n}@{self.name}.example" for n in range(first, first + count)]

    def contacts(self, count: int = 3, *, first: int = 1) -> bytes:
        """Return a CSV of good contacts with those `emails`."""
        rows = [
            [email, f"{PLANTED} {n}"] for n, email in enumerate(self.emails(count, first=first))
        ]
        return as_csv([["E-mail", "Surname"], *rows])

    def drop(
        self, name: str, body: bytes, mapping: Mapping[str, object] | bytes | None = None
    ) -> ObjectVersion:
        """Put a file in the folder, after its mapping if one is given."""
        if mapping is not None:
            text = mapping if isinstance(mapping, bytes) else as_json(mapping)
            self.put(f"{object_keys.result_name(name)}.mapping.json", text)
        return self.put(name, body)

    def put(self, name: str, body: bytes) -> ObjectVersion:
        return self.put_at(f"{object_keys.INCOMING}{self.name}/{name}", body)

    def put_at(self, key: str, body: bytes) -> ObjectVersion:
        put = self.s3.put_object(Bucket=self.stack.bucket, Key=key, Body=body)
        return ObjectVersion(self.stack.bucket, key, put["VersionId"])

    def stored(self, key: str) -> bytes:
        """Return what the bucket has at *key*."""
        body: bytes = self.s3.get_object(Bucket=self.stack.bucket, Key=key)["Body"].read()
        return body

    def import_of(self, source: ObjectVersion, take: int = 1) -> Import | None:
        return self.ledger.load(Import.at(identity.import_id_of(source, take)))

    def parts_of(self, source: ObjectVersion) -> tuple[Part, ...]:
        return self.ledger.load_parts(identity.import_id_of(source))

    def closed(
        self, source: ObjectVersion, *, take: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> Import:
        """Wait until an import is closed and its people are told."""

        def look() -> Import | None:
            record = self.import_of(source, take)
            return record if record and record.noticed_at else None

        return until(look, what=f"{source.key} is closed", seconds=seconds)

    def reached(
        self, source: ObjectVersion, condition: Callable[[Import], bool], *, what: str
    ) -> Import:
        """Wait until *condition* holds for an import."""

        def look() -> Import | None:
            record = self.import_of(source)
            return record if record and condition(record) else None

        return until(look, what=f"{source.key} {what}")

    def held(self, source: ObjectVersion) -> Import:
        """
        Wait until an import is on hold, and nobody is at it any more.

        People may be told of a held part a moment before, while the import is still being left.
        """

        def is_held(seen: Import) -> bool:
            is_on_hold = seen.state is ImportState.ON_HOLD
            return is_on_hold and seen.reminded_at is not None and seen.lease_until == 0

        return self.reached(source, is_held, what="is held")

    def part_reached(self, source: ObjectVersion, *states: PartState, number: int = 1) -> Part:
        """Wait until a part is in one of *states*; name those too that it may soon be in."""

        def look() -> Part | None:
            part = self.ledger.load(Part.at(identity.import_id_of(source), number))
            return part if part and part.state in states else None

        return until(look, what=f"part {number} of {source.key} is {' or '.join(states)}")

    def facts(self, record: Import) -> dict[str, Any]:
        """Return `import.json` of a closed import."""
        facts: dict[str, Any] = json.loads(self.result(record, "import.json"))
        return facts

    def result(self, record: Import, name: str) -> bytes:
        """Return a result file; *name* as in `failed.csv`, without the name of the drop."""
        stem = object_keys.result_name(record.source.key)
        full = name if name in ("import.json", "report.html") else f"{stem}.{name}"
        return self.stored(f"{record.results}{full}")

    def notices(self, import_id: str) -> list[Message]:
        """Return what was published about an import so far."""
        return [
            Message(notice["Subject"], notice["Message"])
            for notice in self.stack.inbox.notices()
            if notice.get("MessageAttributes", {}).get("import_id", {}).get("Value") == import_id
        ]

    def notice(self, record: Import) -> Message:
        """Return the one notice about an import, once it has arrived; it may come twice."""
        what = f"a notice about {record.source.key}"
        (notice,) = set(until(lambda: self.notices(record.import_id), what=what))
        return notice

    def make_due(self, source: ObjectVersion) -> None:
        """
        Let an import and its parts be due now, and its lease be over.

        No person would do this: it stands for the minutes and hours that a test cannot wait.
        Functions may write the same records at the same time, so it goes the way they go.
        """
        self._let_be_due(source, at=self.now())

    def leave_alone(self, source: ObjectVersion) -> None:
        """Keep the tick from an import and its parts for an hour; no person would do this."""
        self._let_be_due(source, at=self.now() + 3600)

    def _let_be_due(self, source: ObjectVersion, *, at: int) -> None:
        def import_due(seen: Import) -> Import | None:
            lease_until = min(seen.lease_until, at)
            return replace(seen, due_at=at, lease_until=lease_until) if seen.open else None

        def part_due(seen: Part) -> Part | None:
            return replace(seen, due_at=at) if seen.open else None

        record, _ = update(self.ledger, Import.at(identity.import_id_of(source)), import_due)
        if record is None:
            raise LookupError(f"{source.key} is not in the ledger")
        for part in self.parts_of(source):
            update(self.ledger, part.address, part_due)

    def now(self) -> int:
        """Return the time as the functions read it: they run on this machine."""
        return int(time.time())
