"""The HTTP face: Zoho's token endpoint, its file hosts and Bigin's API in one app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Flask, Response, g, jsonify, request

from tests.bigin_twin import admin, answering
from tests.bigin_twin.answering import NoAnswerError
from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.deliveries import Deliveries
from tests.bigin_twin.faults import Fault, FaultName
from tests.bigin_twin.model import Bigin
from tests.bigin_twin.server_state import Server
from tests.bigin_twin.uploads import UploadCall

BULK_SCOPES = ("ZohoBigin.bulk.CREATE", "ZohoBigin.bulk.ALL")
FIELD_SCOPES = ("ZohoBigin.settings.fields.READ", "ZohoBigin.settings.ALL")
MODULE_SCOPES = ("ZohoBigin.settings.modules.READ", "ZohoBigin.settings.ALL")
ORG_SCOPES = ("ZohoBigin.org.READ", "ZohoBigin.org.ALL")
FILE_SCOPES = ("ZohoFiles.files.ALL",)


def create_app(server: Server, deliveries: Deliveries) -> Flask:
    """Return the app; *deliveries* posts what is due before a create is answered."""
    app = Flask("bigin_twin")
    answering.install(app, server)
    app.register_blueprint(_api(server, deliveries))
    app.register_blueprint(admin.blueprint(server))
    return app


def _api(server: Server, deliveries: Deliveries) -> Blueprint:
    api = Blueprint("bigin", __name__)
    calls = Calls(server, deliveries)
    api.post("/oauth/v2/token")(calls.token)
    api.post("/bigin/v2/upload")(calls.upload)
    api.post("/bigin/bulk/v2/write")(calls.create)
    api.get("/bigin/bulk/v2/write/<job_id>")(calls.job)
    api.get("/bigin/v2/<zgid>/bulk-write/<job_id>/<name>.zip")(calls.result)
    api.get("/bigin/v2/settings/fields")(calls.fields)
    api.get("/bigin/v2/settings/modules")(calls.modules)
    api.get("/bigin/v2/org")(calls.org)
    api.get("/bigin/v2/<module>")(calls.records)
    api.get("/bigin/v2/<module>/<record_id>")(calls.record)
    api.get("/bigin/v2/<module>/deleted")(calls.deleted_records)
    api.delete("/bigin/v2/<module>")(calls.delete_records)
    return api


class Calls:
    """The endpoints."""

    def __init__(self, server: Server, deliveries: Deliveries) -> None:
        self._server = server
        self._deliveries = deliveries

    def token(self) -> Response:
        """Exchange the refresh token; the documentation prefers a form, a query works too."""
        with self._server.bigin() as bigin:
            host = request.host.partition(":")[0]
            return jsonify(bigin.refresh(request.values.to_dict(), self._server.clock(), host=host))

    def upload(self) -> Response:
        with self._file_host(), self._call(FILE_SCOPES, "upload_seconds", cost=0):
            sent = request.files.get("file")
            content = sent.read() if sent else None
            g.logged = {"upload_bytes": len(content or b""), "file_name": sent and sent.filename}
            call = UploadCall(
                feature=request.headers.get("feature"),
                org=request.headers.get("X-CRM-ORG"),
                name=sent.filename if sent else None,
                archive=content,
            )
            with self._server.bigin() as bigin:
                zgid = bigin.zgid_of(request.headers.get("Authorization"))
                return jsonify(bigin.upload(call, self._server.clock(), zgid=zgid))

    def create(self) -> tuple[Response, int]:
        with self._call(BULK_SCOPES, "create_seconds", cost=0):
            body = _json_body()
            g.logged = {"json": body}
            self._hang_up(FaultName.CREATE_TIMEOUT_BEFORE_EFFECT)
            self._probe(body)
            with self._server.bigin() as bigin:
                now = self._server.clock()
                zgid = bigin.zgid_of(request.headers.get("Authorization"))
                answer = bigin.create_job(body, now, zgid=zgid)
                early = bigin.settings.callback_when == "before_answer"
                due = bigin.callbacks_due(now) if early else []
            self._deliveries.deliver(due)
            self._hang_up(FaultName.CREATE_TIMEOUT_AFTER_EFFECT)
            return jsonify(answer), 201

    def job(self, job_id: str) -> Response:
        with self._call(BULK_SCOPES), self._server.bigin() as bigin:
            now = self._server.clock()
            mixed_up = bigin.mixed_up(FaultName.FOREIGN_JOB, job_id, now)
            zgid = bigin.zgid_of(request.headers.get("Authorization"))
            return jsonify(bigin.job_details(mixed_up, now, zgid=zgid))

    def result(self, zgid: str, job_id: str, name: str) -> Response:
        with self._file_host(), self._call(), self._server.bigin() as bigin:
            if name != job_id or zgid != bigin.zgid_of(request.headers.get("Authorization")):
                raise RefusedError("INVALID_URL_PATTERN")
            archive = bigin.result(zgid, job_id, self._server.clock())
            named = f'attachment; filename="{job_id}.zip"'  # Zoho's SDK stops without it
            return Response(
                archive,
                content_type="application/zip",
                headers={"Content-Disposition": named},
            )

    def fields(self) -> Response:
        with self._call(FIELD_SCOPES), self._server.bigin() as bigin:
            if (name := request.args.get("module")) is None:
                raise RefusedError("REQUIRED_PARAM_MISSING", details={"param": "module"})
            return jsonify({"fields": bigin.module(name).field_metadata})

    def modules(self) -> Response:
        with self._call(MODULE_SCOPES), self._server.bigin() as bigin:
            return jsonify({"modules": [m.metadata for m in bigin.catalogue.modules.values()]})

    def org(self) -> Response:
        with self._call(ORG_SCOPES), self._server.bigin() as bigin:
            zgid = bigin.zgid_of(request.headers.get("Authorization"))
            return jsonify({"org": [bigin.org(zgid)]})

    def records(self, module: str) -> Response:
        with self._call(), self._server.bigin() as bigin:
            now = self._server.clock()
            found = bigin.module_for(module, "READ", now)
            return _listed(bigin.record_calls.list(found, request.args, now))

    def record(self, module: str, record_id: str) -> Response:
        with self._call(), self._server.bigin() as bigin:
            found = bigin.module_for(module, "READ", self._server.clock())
            return _listed(bigin.record_calls.get(found, record_id))

    def deleted_records(self, module: str) -> Response:
        with self._call(), self._server.bigin() as bigin:
            found = bigin.module_for(module, "READ", self._server.clock())
            return _listed(bigin.record_calls.list_deleted(found, request.args))

    def delete_records(self, module: str) -> tuple[Response, int]:
        with self._call():
            g.logged = {"ids": request.args.get("ids", "").split(",")}
            g.logged["wf_trigger"] = request.args.get("wf_trigger")
            self._hang_up(FaultName.DELETE_TIMEOUT_BEFORE_EFFECT)
            with self._server.bigin() as bigin:
                now = self._server.clock()
                found = bigin.module_for(module, "DELETE", now)
                answer, status = bigin.record_calls.delete(found, request.args, now)
            self._hang_up(FaultName.DELETE_TIMEOUT_AFTER_EFFECT)
            return jsonify(answer), status

    @contextmanager
    def _call(
        self, scopes: tuple[str, ...] = (), latency: str = "call_seconds", *, cost: int = 1
    ) -> Iterator[None]:
        """Let a call in, hold one of the parallel places, take as long as it takes."""
        with self._server.bigin() as bigin:
            now = self._server.clock()
            authorization = request.headers.get("Authorization")
            bigin.admit(authorization, now, path=request.path, any_of=scopes)
            bigin.charge(cost, now)
            seconds = getattr(bigin.settings, latency)
            bigin.calls.enter(at_most=bigin.settings.parallel_calls)
        try:
            self._server.wait(seconds)
            yield
        finally:
            self._leave(bigin)

    def _leave(self, bigin: Bigin) -> None:
        with self._server.bigin():
            bigin.calls.leave()

    @contextmanager
    def _file_host(self) -> Iterator[None]:
        """Answer a bad token as the gateway in front of the file hosts does."""
        try:
            yield
        except RefusedError as refusal:
            if refusal.code in ("INVALID_TOKEN", "AUTHENTICATION_FAILURE"):
                refusal.body = {"ERROR_CODE": 401, "ERROR_MESSAGE": "Unauthorized request"}
            raise

    def _hang_up(self, name: FaultName) -> None:
        """If *name* stands: let the caller wait, then close the connection or answer 5xx."""
        with self._server.bigin() as bigin:
            fault = bigin.faults.take(name, self._server.clock(), path=request.path)
        if fault is None:
            return
        self._server.wait(min(fault.seconds, answering.LONGEST_HANG_SECONDS))
        raise _no_answer(fault)

    def _probe(self, body: object) -> None:
        """Try the callback URL, if Bigin is to do so before it makes a job."""
        with self._server.bigin() as bigin:
            if not bigin.settings.probe_callback:
                return
            callback = bigin.check_create(body).request.callback
        if callback is None:
            return
        status = self._deliveries.post(callback.url, b"", "application/json")
        if status is None or status >= 300:
            raise RefusedError("INVALID_CALLBACK_URL")


def _listed(answer: dict[str, Any] | None) -> Response:
    """Answer a list or a record; where there is none, 204 without a body."""
    return Response(status=204) if answer is None else jsonify(answer)


def _no_answer(fault: Fault) -> Exception:
    if fault.status is not None:
        return RefusedError(fault.code or "INTERNAL_ERROR", fault.message, status=fault.status)
    return NoAnswerError(fault.name)


def _json_body() -> Any:  # noqa: ANN401 - whatever JSON was sent
    """Read the body as JSON whatever its content type: the documented curl call sets none."""
    try:
        return json.loads(request.get_data())
    except ValueError as exc:
        raise RefusedError("INVALID_REQUEST") from exc
