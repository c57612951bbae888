"""`/_twin/`: look inside, change behaviour, order faults. No part of Bigin."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import ValidationError

from tests.bigin_twin.faults import Fault
from tests.bigin_twin.model import Bigin
from tests.bigin_twin.server_state import Server


def blueprint(server: Server) -> Blueprint:
    """Return the admin endpoints."""
    admin = Blueprint("admin", __name__, url_prefix="/_twin")
    calls = Admin(server)
    admin.get("/health")(calls.health)
    admin.get("/records")(calls.records)
    admin.post("/records")(calls.change_record)
    admin.get("/jobs")(calls.jobs)
    admin.get("/requests")(calls.requests)
    admin.get("/callbacks")(calls.callbacks)
    admin.get("/settings")(calls.settings)
    admin.post("/settings")(calls.change_settings)
    admin.get("/faults")(calls.faults)
    admin.post("/faults")(calls.add_fault)
    admin.delete("/faults")(calls.clear_faults)
    admin.post("/revoke-tokens")(calls.revoke_tokens)
    admin.post("/reset")(calls.reset)
    admin.register_error_handler(ValidationError, _invalid)
    return admin


class Admin:
    """The admin endpoints; each answers JSON."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def health(self) -> Response:
        with self._server.bigin() as bigin:
            return jsonify(
                status="ok",
                jobs=len(bigin.jobs),
                credits_spent=bigin.credits.spent(self._server.clock()),
                parallel_calls=bigin.calls.now_open,
                most_parallel_calls=bigin.calls.most_open,
            )

    def records(self) -> Response:
        """Show the records of `?module=`, those with `?<field>=<value>` only if given."""
        wanted = {name: value for name, value in request.args.items() if name != "module"}
        with self._server.bigin() as bigin:
            bigin.advance(self._server.clock())
            module = bigin.module(request.args.get("module", "Contacts")).name
            records = [r.as_json() for r in bigin.tables[module].records.values()]
        chosen = [r for r in records if all(str(r.get(k)) == v for k, v in wanted.items())]
        return jsonify(module=module, count=len(chosen), records=chosen)

    def change_record(self) -> Response:
        """Change a record as a person does: `{"module": …, "id": …, "values": {…}}`."""
        order = request.get_json()
        with self._server.bigin() as bigin:
            now = self._server.clock()
            bigin.advance(now)
            module = bigin.module(order.get("module", "Contacts"))
            changed = bigin.record_calls.change(module, order["id"], order.get("values", {}), now)
            return jsonify(changed.as_json())

    def jobs(self) -> Response:
        now = self._server.clock()
        with self._server.bigin() as bigin:
            bigin.advance(now)
            return jsonify(jobs=[_job(bigin, job_id, now) for job_id in bigin.jobs])

    def requests(self) -> Response:
        return jsonify(requests=list(self._server.requests))

    def callbacks(self) -> Response:
        return jsonify(callbacks=list(self._server.callbacks))

    def settings(self) -> Response:
        with self._server.bigin() as bigin:
            return jsonify(bigin.settings.model_dump())

    def change_settings(self) -> Response:
        """Change some settings; jobs that exist keep their timetable."""
        with self._server.bigin() as bigin:
            bigin.settings = bigin.settings.changed(request.get_json())
            return jsonify(bigin.settings.model_dump())

    def faults(self) -> Response:
        with self._server.bigin() as bigin:
            return jsonify(faults=[fault.model_dump() for fault in bigin.faults.standing()])

    def add_fault(self) -> Response:
        """Order a fault; `for_seconds` may be given in place of `until`."""
        order: dict[str, Any] = dict(request.get_json())
        if "for_seconds" in order:
            order["until"] = self._server.clock() + float(order.pop("for_seconds"))
            order.setdefault("times", None)
        with self._server.bigin() as bigin:
            bigin.faults.add(Fault.model_validate(order))
        return self.faults()

    def clear_faults(self) -> Response:
        with self._server.bigin() as bigin:
            bigin.faults.clear()
        return self.faults()

    def revoke_tokens(self) -> Response:
        with self._server.bigin() as bigin:
            bigin.tokens.revoke_all()
        return jsonify(status="ok")

    def reset(self) -> Response:
        """Forget records, jobs, tokens, faults and logs; settings stay."""
        self._server.reset()
        return jsonify(status="ok")


def _job(bigin: Bigin, job_id: str, now: float) -> dict[str, Any]:
    job = bigin.jobs[job_id]
    return {
        "id": job.id,
        "zgid": bigin.owner(job_id),
        "status": job.status(now),
        "module": job.request.module,
        "operation": job.request.operation,
        "file_id": job.request.file_id,
        "file_name": job.file_name,
        "created_at": job.exists_at,
        "ends_at": job.ends_at,
        **job.counts(),
    }


def _invalid(error: ValidationError) -> tuple[Response, int]:
    return jsonify(status="error", problems=error.errors(include_url=False)), 400
