"""What is asked of every request before anything acts on it, and what every response says to browsers.

For the assistant and the action server. nginx in front asks and says the same, and more; this is for who runs it
without, and for what Sanic 21.12 by itself lets through.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Optional, Sequence

from sanic import Sanic
from sanic.exceptions import InvalidUsage, RequestTimeout, SanicException, ServiceUnavailable
from sanic.http import Stage
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse, empty
from sanic.server import HttpProtocol

#: A request that was not there as a whole, and answered, by then is given up.
REQUEST_SECONDS = 10.0
#: For a client to take a response in, a file of the chat page perhaps over a bad line.
READ_SECONDS = 60.0
#: As web/index.html has it, and what only a header can say.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors {}"
)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_PAGE = re.compile(r"/chat/(?:.*\.html)?")
_FILE = re.compile(r"/chat/.*\.(?:js|css|svg|png|ico)")


class TimedProtocol(HttpProtocol):  # type: ignore[misc]
    """Sanic's, with a limit to the whole of a request: Sanic itself begins to count anew with every byte."""

    __slots__ = ("_began",)

    def connection_made(self, transport: Any) -> None:
        self._http = None  # type: ignore[assignment]  # Sanic sets it later; data may come before
        super().connection_made(transport)
        self._began = self.loop.time()
        self.loop.call_later(1.0, self._look)

    def data_received(self, data: bytes) -> None:
        if self._http is None or (self._http.stage is Stage.IDLE and not self.recv_buffer):
            self._began = self.loop.time()
        super().data_received(data)

    def _look(self) -> None:
        """Once a second: has the request under way taken too long?"""
        if self._task is None or self.transport is None or self.transport.is_closing():
            return
        stage = self._http.stage if self._http else Stage.IDLE
        limit = READ_SECONDS if stage is Stage.RESPONSE else self.app.config.REQUEST_SECONDS
        idle = stage is Stage.IDLE and not self.recv_buffer
        if idle or self.loop.time() - self._began <= limit:
            self.loop.call_later(min(1.0, limit / 2), self._look)
            return
        if self._http:
            late = RequestTimeout("Request Timeout") if stage is Stage.REQUEST else ServiceUnavailable("Timeout")
            self._http.exception = late
        self._task.cancel()
        self.loop.call_later(1.0, self.transport.abort)


async def require_plain_length(request: Request, **_: Any) -> None:
    """Refuse a body whose length is not said in one plain way, or that is packed.

    Sanic 21.12 never comes back from reading a negative `Content-Length`, and then answers nobody else either; it takes
    any other oddity for a fault of its own, or for what a proxy in front may understand otherwise. rasa_sdk unpacks
    what is said to be packed, however large it gets.

    Raises:
        InvalidUsage: which becomes a 400; a 415 for a packed body.
    """
    lengths, codings = (request.headers.getall(name, []) for name in ("content-length", "transfer-encoding"))
    if len(lengths) + len(codings) > 1 or not all(map(_LENGTH.fullmatch, lengths)) or codings not in ([], ["chunked"]):
        raise InvalidUsage("Bad Request")
    if request.headers.get("content-encoding") is not None:
        raise SanicException("Unsupported Media Type", 415)


def limit(app: Sanic, most_bytes: int) -> None:
    """Limits for every request to an application: its size, its time, and how its length is said."""
    app.config.REQUEST_MAX_SIZE = most_bytes
    app.config.REQUEST_SECONDS = REQUEST_SECONDS
    # The one for the head of a request, the other for its body and what becomes of it; both since the last byte.
    app.config.REQUEST_TIMEOUT = app.config.RESPONSE_TIMEOUT = int(REQUEST_SECONDS)
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.signal("http.lifecycle.request")(require_plain_length)


def headers_for(path: str) -> Dict[str, str]:
    """What a browser is told about the response at a path, as deploy/nginx has it."""
    page, file, framed = bool(_PAGE.fullmatch(path)), bool(_FILE.fullmatch(path)), path == "/chat/frame.html"
    policy = PAGE_POLICY.format("*" if framed else "'none'")
    return {
        "Content-Security-Policy": policy if page else "default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        **({} if framed else {"X-Frame-Options": "DENY"}),
        # The widget's files are anybody's: parts of it are loaded as modules, which browsers ask leave for.
        **({"Access-Control-Allow-Origin": "*"} if file else {}),
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Resource-Policy": "cross-origin" if file else "same-origin",
        "Cache-Control": "no-cache" if page else "public, max-age=300" if file else "no-store",
    }


def speak_to_browsers(app: Sanic, origins: Sequence[str]) -> None:
    """Headers of every response, and answers to pages of `origins` that ask whether they may use the assistant."""
    allowed = app.ctx.web_origins = tuple(origins)

    @app.middleware("request")
    async def may_it(request: Request) -> Optional[HTTPResponse]:
        asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        return empty(200) if asks else None

    @app.middleware("response")
    async def told(request: Request, response: BaseHTTPResponse) -> None:
        for name, value in headers_for(request.path).items():
            response.headers.setdefault(name, value)
        if allowed:
            response.headers["Vary"] = "Origin"
        origin = request.headers.get("origin")
        if origin in allowed and "Access-Control-Allow-Origin" not in response.headers:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "POST"
                response.headers["Access-Control-Allow-Headers"] = "content-type"
                response.headers["Access-Control-Max-Age"] = "600"
