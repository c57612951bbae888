"""What every answer of the server has in common: refusals, unknown URLs, the request log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.faults import FaultName
from tests.bigin_twin.server_state import Server

ADMIN_PREFIX = "/_twin/"
LOGGED_HEADERS = ("Content-Type", "Content-Length", "Feature", "X-CRM-ORG", "User-Agent")
#: Most seconds that a call waits for a hung answer before the connection is closed.
LONGEST_HANG_SECONDS = 600


class NoAnswerError(ConnectionAbortedError):
    """Ends a request without a byte of answer: the server takes it for a lost connection."""


def install(app: Flask, server: Server) -> None:
    """Give *app* its answers to refusals and its request log."""
    # A NoAnswerError must reach the server below Flask, which then closes the connection.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.register_error_handler(RefusedError, _refusal)
    app.register_error_handler(
        MethodNotAllowed, lambda _: _refusal(RefusedError("INVALID_REQUEST_METHOD"))
    )
    app.register_error_handler(NotFound, lambda _: _refusal(RefusedError("INVALID_URL_PATTERN")))
    app.before_request(_note_start(server))
    app.after_request(_show_credits(server))
    app.after_request(_delay_answer(server))
    app.teardown_request(_log_request(server))


def _refusal(refusal: RefusedError) -> Response:
    response = jsonify(refusal.body)
    response.status_code = refusal.status
    wait = (refusal.body.get("details") or {}).get("retry_after")
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def _note_start(server: Server) -> Any:  # noqa: ANN401 - Flask's own callback types
    def note_start() -> None:
        g.started = server.clock()
        g.status = None

    return note_start


def _show_credits(server: Server) -> Any:  # noqa: ANN401
    """Show what is left once half of the day's credits are used, as the API does."""

    def show_credits(response: Response) -> Response:
        g.status = response.status_code
        if not request.path.startswith(ADMIN_PREFIX):
            with server.bigin() as bigin:
                budget = bigin.settings.daily_credits
                spent = bigin.credits.spent(server.clock())
            if spent * 2 >= budget:
                response.headers["X-API-CREDITS-REMAINING"] = str(budget - spent)
        return response

    return show_credits


def _delay_answer(server: Server) -> Any:  # noqa: ANN401
    """Let interim answers come first, or the answer late or when told, as faults order it."""

    def delay_answer(response: Response) -> Response:
        if request.path.startswith(ADMIN_PREFIX):
            return response
        with server.bigin() as bigin:
            now = server.clock()
            early = bigin.faults.take(FaultName.INTERIM_ANSWERS, now, path=request.path)
            late = bigin.faults.take(FaultName.LATE_ANSWER, now, path=request.path)
        if early is not None:
            status = HTTPStatus(early.status or HTTPStatus.EARLY_HINTS)
            interim = f"HTTP/1.1 {status.value} {status.phrase}\r\n\r\n".encode()
            # Below werkzeug, which has not begun to answer yet.
            request.environ["werkzeug.socket"].sendall(interim * early.count)
        server.wait(sum(fault.seconds for fault in (early, late) if fault is not None))
        path = request.path
        server.wait_while(lambda bigin: bigin.faults.stands(FaultName.HELD_ANSWER, path=path))
        return response

    return delay_answer


def _log_request(server: Server) -> Any:  # noqa: ANN401
    def log_request(error: BaseException | None) -> None:
        if request.path.startswith(ADMIN_PREFIX):
            return
        server.requests.append(
            {
                "at": g.started,
                "seconds": round(server.clock() - g.started, 3),
                "method": request.method,
                "path": request.path,
                "status": g.status,
                "authorization": request.headers.get("Authorization", "").partition(" ")[0],
                "headers": {k: request.headers[k] for k in LOGGED_HEADERS if k in request.headers},
                **g.get("logged", {}),
            }
        )

    return log_request
