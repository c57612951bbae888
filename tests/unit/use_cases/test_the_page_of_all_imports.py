"""`results/index.html`: what it shows, when it is written, and that names on it are only names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import, Totals
from bigin_import.domain.locks import Overview
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.object_keys import OVERVIEW, overview_of_month
from bigin_import.report.page import Line, Page, render_overview
from bigin_import.settling.write_overview import OverviewWriter, find_open, forget_pages
from tests.fakes.harness import MAPPING, ROWS, Harness

DAY = 24 * 3600
NOVEMBER_28 = 1_795_824_000  # 2026, 00:00 UTC


def page_of(*records: Import) -> str:
    return render_overview(Page(title="All", lines=list(map(Line, records)), written_at=0))


def closed(number: int, at: int, *, key: str = "incoming/a.csv", **others: object) -> Import:
    record = Import(
        import_id=f"{number:026}",
        source=ObjectVersion("bucket", key, f"v{number}"),
        state=ImportState.COMPLETED,
        received_at=at,
        closed_at=at,
        results=f"results/{key.removeprefix('incoming/')}/{number}/",
        counts=Counts(added=2),
        totals=Totals(rows=2, blank=0, invalid=0, parts=1, content_sha256=""),
        module="Contacts",
        operation="insert",
    )
    return replace(record, **others)  # type: ignore[arg-type]


class Pages:
    """A ledger with imports, and the writer at some time."""

    def __init__(self, now: int = NOVEMBER_28, most_lines: int = 1_000) -> None:
        self.harness = Harness()
        self.harness.clock.advance(now - self.harness.clock.now())
        self.writer = OverviewWriter(
            ledger=self.harness.ledger,
            files=self.harness.files,
            clock=self.harness.clock,
            keep_seconds=90 * DAY,
            most_lines=most_lines,
        )

    def have(self, *records: Import) -> None:
        for record in records:
            self.harness.ledger.restore(replace(record, version=1))

    def write(self, *, seconds_later: int = 0) -> bool:
        """Return whether the first page was written."""
        self.harness.clock.advance(seconds_later)
        before = self.harness.files.find_newest(OVERVIEW)
        self.writer.write_if_changed(find_open(self.harness.ledger))
        return self.harness.files.find_newest(OVERVIEW) != before

    def read(self, key: str = OVERVIEW) -> str:
        return self.harness.files.read(key).decode()

    @property
    def months(self) -> tuple[str, ...]:
        stored = self.harness.ledger.load(Overview.at())
        assert stored is not None
        return stored.months


def undo_of(record: Import, *, deleted: int, state: UndoState = UndoState.DONE) -> Undo:
    return Undo(
        import_id=record.import_id,
        state=state,
        sha256="",
        rows=2,
        added=2,
        changed=0,
        updated=0,
        changed_too=False,
        changed_since=0,
        credits=2,
        families=(),
        shown_at=0,
        confirmed_at=None if state is UndoState.SHOWN else 1,
        deleted=deleted,
        version=1,
    )


def test_the_tick_shows_what_is_open_then_what_became_of_it() -> None:
    world = Harness()
    source = world.drop("incoming/new/people.csv", ROWS)
    world.tick()
    assert "waits for a mapping" in world.files.read(OVERVIEW).decode()
    world.drop("incoming/new/people.mapping.json", MAPPING)
    world.settle()
    world.tick()  # which closes it
    world.tick()
    page = world.files.read(OVERVIEW).decode()
    record = world.import_of(source)
    assert record.state is ImportState.COMPLETED
    assert "2 added" in page
    assert "500 credits" in page
    assert "people.csv</a>" in page
    assert "in new" in page
    link = f"{record.results}report.html".removeprefix("results/")
    assert f'href="./{link}"' in page
    assert world.files.find_newest(f"results/{link}")


def test_it_is_written_when_it_has_changed_and_once_more_a_minute_later() -> None:
    pages = Pages()
    assert pages.write()
    assert not pages.write(seconds_later=30)
    assert pages.write(seconds_later=30)
    assert not pages.write(seconds_later=60)
    pages.have(closed(1, NOVEMBER_28 + 100))
    assert pages.write(seconds_later=1)
    assert "a.csv" in pages.read()


def test_what_waits_for_a_person_stands_on_top_with_the_command() -> None:
    pages = Pages()
    open_import = replace(closed(1, NOVEMBER_28), state=ImportState.SENDING, closed_at=None)
    held = replace(open_import, import_id=f"{2:026}", state=ImportState.ON_HOLD)
    pages.have(open_import, held, replace(open_import, import_id=f"{3:026}", pause="BUSY"))
    pages.write()
    page = pages.read()
    assert f"bigin-drop decide {held.import_id}" in page
    assert page.index(f'id="{2:026}"') < page.index(f'id="{3:026}"') < page.index(f'id="{1:026}"')
    assert "no credits or no capacity" in page
    assert "1 of them needs a decision" in page


def test_a_held_part_stands_there_as_a_held_import_does() -> None:
    pages = Pages()
    waiting = replace(closed(1, 0), state=ImportState.SENT, closed_at=None, reminded_at=1)
    pages.have(waiting)
    pages.write()
    assert f"bigin-drop decide {waiting.import_id}" in pages.read()


def test_only_the_last_thousand_are_on_the_first_page() -> None:
    pages = Pages(most_lines=3)
    pages.have(*(closed(number, NOVEMBER_28 - number) for number in range(5)))
    pages.write()
    page = pages.read()
    assert [f'id="{number:026}"' in page for number in range(5)] == [True, True, True, False, False]
    assert "more imports than this page shows" in page
    assert pages.months == ("2026-11",)
    assert all(
        f'id="{number:026}"' in pages.read(overview_of_month("2026-11")) for number in range(5)
    )
    assert 'href="./2026-11.html"' in page


def test_a_month_gets_its_page_when_it_is_over_and_keeps_it_when_its_imports_expire() -> None:
    pages = Pages()
    pages.have(closed(1, NOVEMBER_28))
    pages.write()
    assert not pages.months
    assert pages.write(seconds_later=4 * DAY)  # December; the last closed is none of it
    assert pages.months == ("2026-11",)
    november = pages.read(overview_of_month("2026-11"))
    assert "a.csv" in november
    pages.harness.ledger.restore_table({})
    pages.harness.ledger.save(Overview(months=("2026-11",)))
    pages.write(seconds_later=40 * DAY)
    assert pages.read(overview_of_month("2026-11")) == november
    assert 'href="./2026-11.html"' in pages.read()


def test_imports_of_months_before_are_found_too() -> None:
    pages = Pages(now=NOVEMBER_28 + 40 * DAY)  # in January
    pages.have(closed(1, NOVEMBER_28), closed(2, NOVEMBER_28 - 60 * DAY))
    pages.write()
    assert f'id="{1:026}"' in pages.read()
    assert f'id="{2:026}"' not in pages.read()  # expired, though the table has not removed it yet


def test_a_tick_leaves_the_page_to_another_that_writes_it() -> None:
    pages = Pages()
    now = pages.harness.clock.now()
    pages.harness.ledger.save(Overview(leased_until=now + 60))
    assert not pages.write()
    assert pages.write(seconds_later=60)


def test_a_forgotten_import_has_no_name_on_any_page() -> None:
    pages = Pages()
    record = closed(1, NOVEMBER_28, key="incoming/secret/ada.csv")
    pages.have(record)
    pages.write()
    pages.write(seconds_later=4 * DAY)
    assert "ada.csv" in pages.read()
    assert "ada.csv" in pages.read(overview_of_month("2026-11"))
    forgotten = replace(record, source=replace(record.source, key=""), results=None)
    ledger = pages.harness.ledger
    forget_pages(ledger, ["2026-11"])
    assert pages.write(seconds_later=1)  # the index does not know of it yet
    ledger.restore(forgotten)
    assert pages.write(seconds_later=60)
    assert "ada" not in pages.read()
    assert "ada" not in pages.read(overview_of_month("2026-11"))
    assert "(forgotten)" in pages.read()
    assert not pages.write(seconds_later=60)


@pytest.mark.parametrize(
    ("state", "deleted", "words"),
    [
        (UndoState.DONE, 2, "imported, undone: 2 records deleted, all that it added"),
        (UndoState.DONE, 1, "imported, undone in part: 1 of 2 records deleted"),
        (UndoState.DONE, 0, "imported, undone in part: 0 of 2 records deleted"),
        (UndoState.RUNNING, 1, "imported, being undone: 1 of 2 records deleted"),
    ],
)
def test_both_pages_say_how_far_an_import_is_undone(
    state: UndoState, deleted: int, words: str
) -> None:
    pages = Pages(most_lines=1)
    undone, other = closed(1, NOVEMBER_28), closed(2, NOVEMBER_28 - 1)
    pages.have(undone, other)
    pages.harness.ledger.restore(undo_of(undone, deleted=deleted, state=state))
    pages.write()
    assert f"<b>{words}</b>" in pages.read()
    month = pages.read(overview_of_month("2026-11"))
    assert f"<b>{words}</b>" in month
    assert "<b>imported</b>" in month
    assert month.count('<li class="undone"') == 1
    assert "Undone (1)" in month


def test_what_was_only_shown_is_not_called_undone() -> None:
    pages = Pages()
    record = closed(1, NOVEMBER_28)
    pages.have(record)
    pages.harness.ledger.restore(undo_of(record, deleted=0, state=UndoState.SHOWN))
    pages.write()
    assert "<b>imported</b>" in pages.read()


@pytest.mark.parametrize(
    ("key", "link"),
    [
        ("incoming/plain.csv", "./plain.csv/1/report.html"),
        ("incoming/a b&c.csv", "./a%20b%26c.csv/1/report.html"),
        ("incoming/Año #1?.csv", "./A%C3%B1o%20%231%3F.csv/1/report.html"),
        ("incoming/javascript:x.csv", "./javascript%3Ax.csv/1/report.html"),
        ('incoming/"><b>.csv', "./%22%3E%3Cb%3E.csv/1/report.html"),
        ("incoming/../../etc.csv", ""),
        ("incoming/./x.csv", ""),
    ],
)
def test_links_stay_below_results(key: str, link: str) -> None:
    assert Line(closed(1, 0, key=key)).report == link


def test_names_are_only_names() -> None:
    page = page_of(closed(1, 0, key='incoming/<i>/"<script>alert(1)</script>&.csv'))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<i>" not in page


@pytest.mark.parametrize("state", list(ImportState))
def test_every_state_has_words(state: ImportState) -> None:
    line = Line(replace(closed(1, 0), state=state))
    assert line.state
    assert f'class="{line.kind}"' in page_of(line.record)


def test_a_correction_leads_to_what_it_corrects() -> None:
    root = closed(1, 0)
    page = page_of(closed(2, 0, root=root.import_id), root)
    assert f'href="#{root.import_id}"' in page
    assert 'href="#' not in page_of(closed(2, 0, root=root.import_id))
