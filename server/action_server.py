"""The action server of our own: `python -m server actions`.

`rasa_sdk`'s application with the same actions as inside the assistant, and with health, metrics and our logs. It knows
nothing of Rasa itself, so it starts at once and takes little memory. `rasa run actions` works as well, without those.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

import rasa_sdk.endpoint
from sanic import Sanic, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from actions.actions import check_facts, facts_version
from facts.store import StoreUnavailable
from server import metrics
from server.lengths import require_plain_length
from server.settings import VERSION

logger = logging.getLogger(__name__)

PORT = 5055
#: A call holds a conversation's last events with all that Rasa understood of them: some hundred kilobytes.
MAX_BODY_BYTES = 4_194_304


def create_app() -> Sanic:
    """The application, ready for `app.run`."""
    app: Sanic = rasa_sdk.endpoint.create_app("actions", cors_origins="")
    app.config.REQUEST_MAX_SIZE = MAX_BODY_BYTES
    app.config.FALLBACK_ERROR_FORMAT = "json"
    # rasa_sdk's sends the whole call back, and a 500 for an unknown address.
    app.error_handler.add(Exception, _problem)
    app.signal("http.lifecycle.request")(require_plain_length)
    _add_health(app)
    _add_metrics(app)
    return app


def _problem(request: Request, error: Exception) -> HTTPResponse:
    status = error.status_code if isinstance(error, SanicException) else 500
    if status >= 500:
        # The message of an exception may hold what somebody wrote: only its type is logged.
        logger.error("A call failed (%s).", type(error).__name__)
    return response.json({"error": type(error).__name__}, status)


def _add_health(app: Sanic) -> None:
    @app.route("/health/live", methods=["GET"])
    async def live(request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.route("/health/ready", methods=["GET"])
    async def ready(request: Request) -> HTTPResponse:
        try:
            await check_facts()
        except StoreUnavailable:
            return response.json({"facts": False}, 503)
        return response.json({"facts": True})


def _add_metrics(app: Sanic) -> None:
    metrics.describe(VERSION, lambda: "", facts_version)
    app.blueprint(metrics.blueprint())

    @app.on_request
    async def begin(request: Request) -> None:
        request.ctx.began = perf_counter()

    @app.on_response
    async def end(request: Request, _: Any) -> None:
        if request.path == "/webhook" and hasattr(request.ctx, "began"):
            metrics.stage("action", perf_counter() - request.ctx.began)
