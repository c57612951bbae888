"""
Bigin as far as bulk write shows it: pure and synchronous.

Every call names the time, `now` in seconds since the epoch; it may not run backwards. There is
no thread, no clock and no randomness here but the generator given at the start, so that a server
and a simulation can both stand on it. Refusals are raised as `RefusedError`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from tests.bigin_twin.answers import RefusedError, success
from tests.bigin_twin.callbacks import CallbackPost, callback_post
from tests.bigin_twin.catalogue import Catalogue, Module, load_catalogue
from tests.bigin_twin.create_request import parse_request
from tests.bigin_twin.csv_file import read_csv
from tests.bigin_twin.faults import Fault, FaultName, Faults
from tests.bigin_twin.jobs import Job, job_details
from tests.bigin_twin.limits import Credits, ParallelCalls
from tests.bigin_twin.mappings import columns_of
from tests.bigin_twin.record_calls import RecordCalls
from tests.bigin_twin.records import Tables
from tests.bigin_twin.runs import Order, Runs
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.tokens import Client, Tokens
from tests.bigin_twin.uploads import UploadCall, Uploads

OTHER_ZGID = "20358250"


class Bigin:
    """
    One Bigin organisation; and another one, whose refresh token is another.

    Calls with a token of the other see its id and none of the first one's files and jobs, and the
    other way round; the admin endpoints show the records of the first.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        settings: Settings | None = None,
        catalogue: Catalogue | None = None,
        client: Client | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.catalogue = catalogue or load_catalogue()
        self.tokens = Tokens(client or Client(), rng)
        self.faults = Faults()
        self.credits = Credits()
        self.calls = ParallelCalls()
        self.tables = Tables(self.catalogue.modules)
        self.record_calls = RecordCalls(self.catalogue, self.tables)
        self._other_tables = Tables(self.catalogue.modules)
        self.uploads = Uploads()
        self._runs = Runs(self.catalogue, self._tables_of, self.faults, rng)

    @property
    def jobs(self) -> dict[str, Job]:
        return self._runs.jobs

    # Access

    def refresh(self, form: Mapping[str, str], now: float, *, host: str = "") -> dict[str, Any]:
        """Answer a refresh call that came to *host*."""
        if self.settings.token_host not in ("", host):
            raise RefusedError("invalid_client", status=200, body={"error": "invalid_client"})
        if fault := self.faults.take(FaultName.TOKEN_REFUSED, now):
            error = fault.code or "invalid_code"
            raise RefusedError(error, status=fault.status or 200, body={"error": error})
        self.tokens.missing = self.settings.missing_scopes
        answer = self.tokens.refresh(form, now, seconds=self.settings.token_seconds)
        return answer | {"api_domain": self.settings.public_url}

    def admit(
        self, authorization: str | None, now: float, *, path: str, any_of: tuple[str, ...] = ()
    ) -> None:
        """Check what every call must pass: standing faults, the token, its scope."""
        if fault := self.faults.take(FaultName.SERVER_ERROR, now, path=path):
            raise _ordered(fault, "INTERNAL_ERROR")
        if fault := self.faults.take(FaultName.BUSY, now, path=path):
            raise RefusedError("TOO_MANY_REQUESTS", details=_wait(fault))
        self.tokens.missing = self.settings.missing_scopes
        self.tokens.check(authorization, now)
        if any_of:
            self.tokens.check_scope(any_of)

    def zgid_of(self, authorization: str | None) -> str:
        """Return the organisation that the token of a call is for."""
        return OTHER_ZGID if self.tokens.is_of_other(authorization) else self.catalogue.zgid

    def org(self, zgid: str) -> dict[str, Any]:
        """Return an organisation as Bigin describes it."""
        return self.catalogue.org | {"zgid": zgid}

    def charge(self, cost: int, now: float) -> None:
        """Take credits; refuse with TOO_MANY_REQUESTS if the day's budget is spent."""
        self.credits.check(cost, now, budget=self.settings.daily_credits)
        self.credits.spend(cost, now)

    # Bulk write

    def upload(self, call: UploadCall, now: float, *, zgid: str = "") -> dict[str, Any]:
        """Keep a zip and return the answer with its `file_id`; *zgid*: of the call's token."""
        if fault := self.faults.take(FaultName.UPLOAD_REFUSED, now):
            raise _ordered(fault, "INTERNAL_ERROR")
        self.charge(1, now)
        zgid = zgid or self.catalogue.zgid
        return self.uploads.store(call, now, zgid=zgid, errors=self.settings.upload_errors)

    def create_job(self, body: object, now: float, *, zgid: str = "") -> dict[str, Any]:
        """Make a bulk write job and return the answer. Credits go only for a job that is made."""
        self.advance(now)
        if fault := self.faults.take(FaultName.CREATE_REFUSED, now):
            raise _ordered(fault, "INTERNAL_ERROR")
        cost = self.settings.create_credits
        self.credits.check(cost, now, budget=self.settings.daily_credits)
        order = self.check_create(body)
        if self.uploads[order.request.file_id].zgid != (zgid or self.catalogue.zgid):
            raise RefusedError("INVALID_FILE_ID")
        self.credits.spend(cost, now)
        self.uploads[order.request.file_id].uses += 1
        job = self._runs.start(order, now, self.settings)
        user = self.catalogue.users[0]
        created_by = {"id": user["id"], "name": user["name"]}
        return success("SUCCESS", "success", {"id": job.id, "created_by": created_by})

    def check_create(self, body: object) -> Order:
        """Check a create body wholly, with no effect; its module's scope included."""
        request = parse_request(body, allow_http_callback=self.settings.allow_http_callback)
        module = self.catalogue.module(request.module)
        self.tokens.check_scope(module_scopes(module.name, "CREATE"))
        upload = self.uploads[request.file_id]
        if upload.uses and self.settings.single_use_files:
            raise RefusedError("ALREADY_USED")
        source = read_csv(upload.archive, request.character_encoding)
        columns = columns_of(request, module, source.header, self.settings)
        return Order(request, source, columns)

    def job_details(self, job_id: str, now: float, *, zgid: str = "") -> dict[str, Any]:
        """Answer Get Job Details; RESOURCE_NOT_FOUND for an unknown job, or another *zgid*'s."""
        self.advance(now)
        job = self.jobs.get(job_id)
        if job is None or now < job.exists_at or zgid not in ("", self.owner(job_id)):
            raise RefusedError("RESOURCE_NOT_FOUND")
        return job_details(
            job,
            now,
            module_id=self.module(job.request.module).metadata["id"],
            user=self.catalogue.users[0],
            url=self._result_url(job_id),
            settings=self.settings,
        )

    def _tables_of(self, job: Job) -> Tables:
        """Return the records that a job writes: its organisation's."""
        is_other = self.owner(job.id) == OTHER_ZGID
        return self._other_tables if is_other else self.tables

    def owner(self, job_id: str) -> str:
        """Return the organisation of a job."""
        return self.uploads[self.jobs[job_id].request.file_id].zgid

    def mixed_up(self, name: FaultName, job_id: str, now: float) -> str:
        """Return the job whose answer is given: another one's, if the fault *name* stands."""
        self.advance(now)
        others = [other.id for other in self.jobs.values() if other.result_available(now)]
        others = [other for other in others if other != job_id]
        return others[-1] if others and self.faults.take(name, now) else job_id

    def result(self, zgid: str, job_id: str, now: float) -> bytes:
        """Return a result zip, or refuse as the file host refuses a dead link."""
        self.advance(now)
        dead = self.faults.take(FaultName.RESULT_DEAD_LINK, now)
        job = self.jobs.get(job_id)
        is_there = job is not None and job.result_available(now) and zgid == self.owner(job_id)
        if dead or not is_there:
            body = {"info": "Forbidden", "x-info": "Link not valid"}
            raise RefusedError("Forbidden", status=403, body=body)
        mixed_up = self.mixed_up(FaultName.FOREIGN_ROWS, job_id, now)
        return self.jobs[mixed_up].archive or b""

    # Metadata

    def module(self, name: str) -> Module:
        """Return a module for the metadata calls; INVALID_MODULE if there is none."""
        if name not in self.catalogue.modules:
            raise RefusedError("INVALID_MODULE")
        return self.catalogue.modules[name]

    # Records

    def module_for(self, name: str, right: str, now: float) -> Module:
        """Return a module for a call about its records, all jobs ended whose time has come."""
        self.advance(now)
        module = self.module(name)
        self.tokens.check_scope(module_scopes(module.name, right))
        return module

    # Time

    def advance(self, now: float) -> None:
        """Let every job end whose time has come."""
        self._runs.advance(now, self.settings)

    def callbacks_due(self, now: float) -> list[CallbackPost]:
        """Take the callbacks that are to be posted now."""
        self.advance(now)
        return [self._callback_post(job_id, now) for job_id in self._runs.callbacks.take(now)]

    def next_event(self) -> float | None:
        """Return when something happens next without a call: a job's end or a callback."""
        moments = (self._runs.next_end(), self._runs.callbacks.next_due())
        return min((moment for moment in moments if moment is not None), default=None)

    def _callback_post(self, job_id: str, now: float) -> CallbackPost:
        callback = self.jobs[job_id].request.callback
        if callback is None:
            raise LookupError(f"job {job_id} has no callback")
        return callback_post(
            callback.url, self.job_details(job_id, now), self.settings.callback_body
        )

    def _result_url(self, job_id: str) -> str:
        path = f"/bigin/v2/{self.owner(job_id)}/bulk-write/{job_id}/{job_id}.zip"
        return path if self.settings.download_url == "relative" else self.settings.public_url + path


def _ordered(fault: Fault, default_code: str) -> RefusedError:
    """Return the refusal that a fault orders."""
    code = fault.code or default_code
    return RefusedError(code, fault.message, status=fault.status, details=_wait(fault))


def _wait(fault: Fault) -> dict[str, int | str]:
    return {} if fault.retry_after is None else {"retry_after": fault.retry_after}


def module_scopes(module: str, right: str) -> tuple[str, ...]:
    """Return the scopes that give a right to *module*; scopes call Pipelines "deals"."""
    names = ("Pipelines", "deals") if module == "Pipelines" else (module,)
    each = (f"ZohoBigin.modules.{name}.{one}" for name in names for one in ("ALL", right))
    return ("ZohoBigin.modules.ALL", *each)
