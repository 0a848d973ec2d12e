"""The action server of our own: `python -m server actions`.

`rasa_sdk`'s application with the same actions as inside the assistant, and with metrics and our logs. It knows nothing
of Rasa itself, so it starts at once and takes little memory. `rasa run actions` works as well, without those.
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

from actions.actions import facts_version
from server import guard, metrics
from server.settings import VERSION

logger = logging.getLogger(__name__)

#: A call holds a conversation's last events with all that Rasa understood of the last message: some dozen kilobytes.
MAX_BODY_BYTES = 1_048_576


def create_app() -> Sanic:
    """The application, ready for `app.run`."""
    app: Sanic = rasa_sdk.endpoint.create_app("actions", cors_origins="")
    guard.limit(app, MAX_BODY_BYTES)
    # rasa_sdk's sends the whole call back, and a 500 for an unknown address.
    app.error_handler.add(Exception, _problem)
    metrics.describe(VERSION, lambda: "", facts_version)
    app.blueprint(metrics.blueprint())

    @app.on_request
    async def begin(request: Request) -> None:
        request.ctx.began = perf_counter()

    @app.on_response
    async def end(request: Request, answer: HTTPResponse) -> Any:
        if request.path == "/webhook" and hasattr(request.ctx, "began"):
            metrics.stage("action", perf_counter() - request.ctx.began)
        # rasa_sdk's own refusals repeat what was asked for.
        return response.json({"error": "refused"}, answer.status) if answer.status in (400, 404) else None

    return app


def _problem(request: Request, error: Exception) -> HTTPResponse:
    status = error.status_code if isinstance(error, SanicException) else 500
    if status >= 500:
        # The message of an exception may hold what somebody wrote: only its type is logged.
        logger.error("A call failed (%s).", type(error).__name__)
    return response.json({"error": type(error).__name__}, status)
