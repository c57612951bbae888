"""
The Bigin port of a process, over the twin's pure model: the real wire format, the real meaning
of answers and the real shared token; only the network between is simulated.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO
from zipfile import ZipFile

from bigin_import.bigin import wire
from bigin_import.bigin.answers import Answer, read, read_from_file_host
from bigin_import.domain.job_request import Field, Job, JobRequest
from bigin_import.domain.locks import FreshToken
from bigin_import.errors import (
    BiginAccessError,
    BiginOutcomeUnknownError,
    BiginUnreachableError,
    TokenBusyError,
)
from bigin_import.ports import AccessTokens, ChangedRecord
from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.callbacks import BodyKind, callback_post
from tests.bigin_twin.catalogue import Catalogue, load_catalogue
from tests.bigin_twin.faults import Fault, FaultName
from tests.bigin_twin.jobs import Job as TwinJob
from tests.bigin_twin.model import Bigin
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.tokens import Client
from tests.bigin_twin.uploads import UploadCall
from tests.simulation.scenarios import Callbacks, Scenario
from tests.simulation.world import World

SAFE = ("unreachable", "no_answer", "busy", "access")
CREATE = (*SAFE, "request_lost", "answer_lost", "effect_late", "killed_in_flight", "server_error",
          "refused", "refused_mapping")  # fmt: skip
REFUSALS = {"refused": "FILE_NOT_SUPPORTED", "refused_mapping": "MANDATORY_FIELDS_NOT_MAPPED"}
CALLBACKS = ("callback_lost", "callback_early", "callback_twice", "callback_no_id", "callback_late",
             "callback_wrong_id")  # fmt: skip
FAULTS_OF_JOBS = {
    "job_failed": FaultName.JOB_FAILED,
    "rows_unprocessed": FaultName.ROWS_UNPROCESSED,
    "job_stuck": FaultName.JOB_STUCK,
}
JOB_ENDS = (*FAULTS_OF_JOBS, "job_slow")
CREATE_TIMEOUT_SECONDS = 120.0
EFFECT_LATE_SECONDS = 240.0  # 120 s after the sender's own time-out
# Of a sender that died; ours waits for 300 s after the end that Lambda sets to it.
EFFECT_OF_DEAD_SECONDS = 420.0
SLOW_SECONDS = 3 * 3600
PARALLEL_CALLS = 5
TAKEN = {"Last_Name": "was here before", "Email": "taken@example.com"}

type Post = Callable[[str, bytes, str], object]


@cache
def catalogue() -> Catalogue:
    """Return the twin's metadata; no run changes it, for none maps a picklist."""
    return load_catalogue()


@cache
def settings(job_seconds: int, budget: int) -> Settings:
    return Settings(
        job_seconds=job_seconds,
        daily_credits=budget,
        callback_when="never",  # callbacks are ours to plan
        parallel_calls=PARALLEL_CALLS,
    )


class BiginServer:
    """
    Bigin, and the way of its callbacks to us.

    Attributes:
        gets: When each job was asked for.
        refreshes: When access tokens were asked for.
        on_their_way: Callback URLs of creates that left and may still take effect.
        creating: Hears the callback URL of each create that is about to leave.
        deleting: Hears of each call that deletes records, before it does.
    """

    def __init__(self, world: World, scenario: Scenario, post: Post) -> None:
        self.world = world
        self.scenario = scenario
        self.model = Bigin(
            random.Random(world.faults.seed),
            settings=settings(scenario.job_seconds, scenario.credits),
            catalogue=catalogue(),
        )
        self.gets: dict[str, list[float]] = {}
        self.refreshes: list[float] = []
        self.on_their_way: set[str] = set()
        self.creating: Callable[[str], object] = lambda url: None
        self.deleting: Callable[[Sequence[str]], object] = lambda ids: None
        self._post = post
        if scenario.refused_row:
            self.model.tables["Contacts"].add(dict(TAKEN), "")

    def answer(self, call: Callable[[], dict[str, Any]]) -> Answer:
        try:
            return Answer(200, call())
        except RefusedError as refusal:
            return Answer(refusal.status, refusal.body)

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a job, and plan how it will be reported."""
        faults = self.world.faults
        ending, number = faults.strike("bigin job ends", JOB_ENDS)
        if ending in FAULTS_OF_JOBS:
            after_rows = 0 if number < 1 / 2 else 1
            self.model.faults.add(Fault(name=FAULTS_OF_JOBS[ending], after_rows=after_rows))
        seconds = SLOW_SECONDS if ending == "job_slow" else self.scenario.job_seconds
        self.model.settings = settings(seconds, self.scenario.credits)
        try:
            answer = self.model.create_job(body, self.world.now)
        finally:
            self.model.faults.clear()
        self._plan_callbacks(str(answer["details"]["id"]))
        return answer

    def probe(self, url: str) -> None:
        """Try whether the address of a callback takes a POST, as Zoho may do at a create."""
        self.world.after(0, lambda: self._post(url, b"", ""))

    def _plan_callbacks(self, job_id: str) -> None:
        job = self.model.jobs[job_id]
        kind, number = self.world.faults.strike("bigin callback", CALLBACKS)
        usual = self.scenario.callbacks
        if kind == "callback_early" or usual is Callbacks.EARLY:
            self.world.after(0, lambda: self._report(job_id, "json"))
        if kind == "callback_lost" or usual is Callbacks.LOST or job.ends_at is None:
            return
        no_id = kind == "callback_no_id" or usual is Callbacks.NO_ID
        body: BodyKind = "no_id" if no_id else "json"
        late = 4 * 3600 * number if kind == "callback_late" else 1
        if kind == "callback_wrong_id":
            self.world.after(0, lambda: self._report(job_id, "json", of=self.another(job_id)))
        for again in range(2 if kind == "callback_twice" else 1):
            self.world.at(job.ends_at + late + again, lambda: self._report(job_id, body))

    def another(self, job_id: str) -> str:
        """Return a job that is not *job_id*, if there is one."""
        return next((other for other in self.model.jobs if other != job_id), job_id)

    def anothers_results(self, job_id: str) -> str:
        """
        Return a job of another part that has ended, if there is one: with the same rows first.

        They are told apart by the file that Bigin names them after. Of a second job of the same
        part both the file's name and the rows are the same, and nothing else is in a result zip:
        nobody could notice, so that is left out.
        """
        own = self.model.jobs[job_id]
        others = [
            other
            for other, job in self.model.jobs.items()
            if job.archive is not None and job.file_name != own.file_name
        ]
        alike = [other for other in others if _names_in(self.model.jobs[other]) & _names_in(own)]
        return next(iter(alike or others), job_id)

    def _report(self, job_id: str, kind: BodyKind, *, of: str = "") -> None:
        """POST to the address of a job; the body may speak of another."""
        job = self.model.jobs[job_id]
        assert job.request.callback is not None
        details = self.model.job_details(of or job_id, self.world.now)
        post = callback_post(job.request.callback.url, details, kind)
        self._post(post.url, post.body, post.content_type)


def _names_in(job: TwinJob) -> set[str]:
    """Return the surnames in the results of a job."""
    if job.archive is None:
        return set()
    with ZipFile(io.BytesIO(job.archive)) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    return {row["Last_Name"] for row in csv.DictReader(io.StringIO(text, newline=""))}


class ZohoTokens:
    """The ports Accounts and ZohoSecret of a process; nobody stores another secret."""

    def __init__(self, server: BiginServer) -> None:
        self._server = server

    def read_version(self) -> str:
        return "the only one"

    def refresh(self) -> FreshToken:
        world = self._server.world
        kind = world.point("zoho.refresh before", ("unreachable", "access"), longest=1)
        if kind == "unreachable":
            raise BiginUnreachableError("token: no connection")
        if kind == "access":
            raise BiginAccessError("token refused", code="invalid_code", resolution="mend it")
        form = {"grant_type": "refresh_token"} | _credentials()
        self._server.refreshes.append(world.now)
        answer = self._server.answer(lambda: self._server.model.refresh(form, world.now))
        world.point("zoho.refresh after")
        if answer.body is None or "access_token" not in answer.body:
            raise TokenBusyError("too many refreshes")
        return FreshToken(str(answer.body["access_token"]), int(str(answer.body["expires_in"])))


def _credentials() -> dict[str, str]:
    client = Client()
    return {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "refresh_token": client.refresh_token,
    }


class SimulatedBigin:
    """The Bigin port of one process."""

    def __init__(self, server: BiginServer, tokens: AccessTokens) -> None:
        self._server = server
        self._world = server.world
        self._model = server.model
        self._tokens = tokens
        self._zgid = ""

    def upload(self, archive: bytes, *, name: str, zgid: str) -> str:
        call = UploadCall("bulk-write", zgid, name, archive)
        answer = self._send_repeatable(
            "upload", lambda: self._model.upload(call, self._world.now), 3, ("refused",)
        )
        return wire.file_id(read_from_file_host(answer, "upload")) or ""

    def create_job(self, request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        body = wire.create_body(request, file_id=file_id, callback_url=callback_url)
        answer = self._send_authorized("create", lambda: self._create(body))
        return wire.job_id(read(answer, "create")) or ""

    def get_job(self, job_id: str) -> Job:
        self._server.gets.setdefault(job_id, []).append(self._world.now)
        about = job_id

        def mix_up() -> None:
            nonlocal about
            about = self._server.another(job_id)

        answer = self._send_repeatable(
            "job",
            lambda: self._model.job_details(about, self._world.now),
            1,
            ("refused", "foreign"),
            mix_up,
        )
        job = wire.job(read(answer, "job"), asked=job_id)
        assert job is not None
        return verified(job, job_id)

    @contextmanager
    def download_result(self, url: str) -> Iterator[BinaryIO]:
        *_, zgid, _, job_id, _ = url.split("/")
        archive, about = b"", job_id

        def mix_up() -> None:
            nonlocal about
            about = self._server.anothers_results(job_id)

        def fetch() -> dict[str, Any]:
            nonlocal archive
            archive = self._model.result(zgid, about, self._world.now)
            return {}

        kinds = ("link_dead", "unreadable", "foreign")
        answer = self._send_repeatable("download", fetch, 2, kinds, mix_up)
        read_from_file_host(answer, "download")
        yield io.BytesIO(archive)

    def get_fields(self, module: str) -> tuple[Field, ...]:
        answer = self._send_repeatable(
            "fields", lambda: {"fields": self._model.module(module).field_metadata}, 1
        )
        return wire.fields(read(answer, "fields")) or ()

    def get_zgid(self) -> str:
        if not self._zgid:  # as the client, which asks once for each token
            answer = self._send_repeatable("zgid", lambda: {"org": [self._model.catalogue.org]}, 1)
            self._zgid = wire.zgid(read(answer, "zgid")) or ""
        return self._zgid

    def get_time_zone(self) -> str:
        answer = self._send_repeatable("zone", lambda: {"org": [self._model.catalogue.org]}, 1)
        return wire.time_zone(read(answer, "zone"))

    def delete_records(self, module: str, ids: Sequence[str], *, zgid: str) -> dict[str, str]:
        assert zgid == self._model.catalogue.zgid
        found, params = self._model.module(module), {"ids": ",".join(ids), "wf_trigger": "false"}

        def delete() -> dict[str, Any]:
            self._server.deleting(ids)
            return self._model.record_calls.delete(found, params, self._world.now)[0]

        kinds = ("answer_lost", "answer_cut")
        codes = wire.codes_by_id(read(self._send_repeatable("delete", delete, 1, kinds), "delete"))
        return {each: code for each, code in codes.items() if each in ids}

    def list_deleted_ids(self, module: str, ids_of_interest: Collection[str]) -> set[str]:
        found, calls = self._model.module(module), self._model.record_calls
        answer = self._send_repeatable(
            "deleted", lambda: calls.list_deleted(found, {"type": "all"}) or {"data": []}, 1
        )
        entries = wire.listed(read(answer, "deleted")) or []
        return set(ids_of_interest) & {wire.record_id(entry) for entry in entries}

    def list_changed_since(self, module: str, since: datetime) -> Iterator[ChangedRecord]:
        found, calls = self._model.module(module), self._model.record_calls
        params = {"fields": "id,Modified_Time", "sort_by": "Modified_Time"}
        answer = self._send_repeatable(
            "changed",
            lambda: calls.list(found, params, self._world.now) or {"data": []},
            1,
            ("refused",),
        )
        for entry in wire.listed(read(answer, "changed")) or []:
            record = wire.changed_record(entry)
            if record is not None and record.modified_time >= since:
                yield record

    def get_modified_time(self, module: str, record_id: str) -> datetime | None:
        found, calls = self._model.module(module), self._model.record_calls
        answer = self._send_repeatable("record", lambda: calls.get(found, record_id) or {}, 1)
        entries = wire.listed(read(answer, "record")) or []
        records = [each for each in map(wire.changed_record, entries) if each is not None]
        return records[0].modified_time if records else None

    def _send_authorized(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Make *call* under the shared token, once more if Bigin refused it."""
        token = self._tokens.get_token()
        answer = self._admitted(name, token) or call()
        if answer.token_refused:
            answer = self._admitted(name, self._tokens.renew_token(token)) or call()
        return answer

    def _admitted(self, name: str, token: str) -> Answer | None:
        """Return Bigin's refusal of *token*, if it refuses it."""

        def admit() -> dict[str, Any]:
            self._model.admit(f"Zoho-oauthtoken {token}", self._world.now, path=name)
            return {}

        answer = self._server.answer(admit)
        return None if answer.is_success else answer

    def _send_repeatable(
        self,
        name: str,
        effect: Callable[[], dict[str, Any]],
        longest: float,
        kinds: tuple[str, ...] = (),
        mix_up: Callable[[], None] = lambda: None,
    ) -> Answer:
        def call() -> Answer:
            kind = self._world.point(f"bigin.{name} before", SAFE + kinds, longest=longest)
            if kind == "foreign":
                mix_up()
            if kind == "link_dead":
                return Answer(403, {"info": "Forbidden", "x-info": "Link not valid"})
            answer = self._refusal(kind) or self._in_place(effect, longest)
            if kind == "answer_lost":
                raise BiginOutcomeUnknownError(f"{name}: no readable answer")
            if kind == "answer_cut" and (told := wire.listed(answer.body or {})):
                answer = replace(answer, body={"data": told[:1]})
            self._world.point(f"bigin.{name} after")
            return answer

        return self._send_authorized(name, call)

    def _in_place(self, effect: Callable[[], dict[str, Any]], longest: float) -> Answer:
        """Hold one of Bigin's places for parallel calls while it answers."""
        calls = self._model.calls
        try:
            calls.enter(at_most=PARALLEL_CALLS)
        except RefusedError as refusal:
            return Answer(refusal.status, refusal.body)
        try:
            self._world.pause(longest * self._world.faults.number(f"{self._world.now}"))
            return self._server.answer(effect)
        finally:
            calls.leave()

    def _refusal(self, kind: str) -> Answer | None:
        match kind:
            case "unreachable":
                raise BiginUnreachableError("no connection")
            case "no_answer":
                self._world.pause(30)
                raise BiginOutcomeUnknownError("no readable answer")
            case "busy":
                return Answer(429, {"code": "TOO_MANY_REQUESTS", "status": "error"})
            case "access":
                return Answer(401, {"code": "OAUTH_SCOPE_MISMATCH", "status": "error"})
            case "refused" | "refused_mapping":
                return Answer(400, {"code": REFUSALS[kind], "message": "no", "status": "error"})
            case "unreadable":
                return Answer(200, None)
            case _:
                return None

    def _create(self, body: dict[str, Any]) -> Answer:
        self._server.creating(body["callback"]["url"])
        if self._server.scenario.probes:
            self._server.probe(body["callback"]["url"])
        kind = self._world.point("bigin.create before", CREATE, longest=2)
        refused = None if kind == "no_answer" else self._refusal(kind)
        if refused is not None:
            return refused
        if kind in ("request_lost", "no_answer", "server_error"):
            self._world.pause(0 if kind == "server_error" else CREATE_TIMEOUT_SECONDS)
            raise BiginOutcomeUnknownError("create: no readable answer")
        if kind in ("effect_late", "killed_in_flight"):
            longest = EFFECT_LATE_SECONDS if kind == "effect_late" else EFFECT_OF_DEAD_SECONDS
            self._arrive_late(body, longest)
            if kind == "killed_in_flight":
                self._world.die()
            self._world.pause(CREATE_TIMEOUT_SECONDS)
            raise BiginOutcomeUnknownError("create: no readable answer")
        answer = self._in_place(lambda: self._server.create(body), 10)
        if kind == "answer_lost":
            self._world.pause(CREATE_TIMEOUT_SECONDS)
            raise BiginOutcomeUnknownError("create: no readable answer")
        self._world.point("bigin.create after")
        return answer

    def _arrive_late(self, body: dict[str, Any], longest: float) -> None:
        late = longest * self._world.faults.number(f"late/{self._world.now}")
        url = body["callback"]["url"]
        self._server.on_their_way.add(url)

        def arrive() -> None:
            self._server.on_their_way.discard(url)
            self._server.answer(lambda: self._server.create(body))

        self._world.after(late, arrive)


def verified(job: Job, job_id: str) -> Job:
    """Return *job* if the answer is about the job that was asked for, as the client does."""
    if job.job_id != job_id:
        raise BiginOutcomeUnknownError("the answer is about another job")
    return job
