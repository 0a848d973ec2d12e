"""What every address takes that web pages call: JSON alone, and from pages of our own alone."""

from __future__ import annotations

from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from sanic.exceptions import InvalidUsage, PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, json

#: A question is a few hundred bytes. What the server reads at all is more: Slack sends whole replies back.
MAX_BODY_BYTES = 32_768
#: What Sanic raises for a body that it could not or would not read.
UNREADABLE = (InvalidUsage, PayloadTooLarge)


class BadRequest(Exception):
    """What is wrong with a request: a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def refused(code: str, message: str, status: int = 400, headers: Optional[Dict[str, str]] = None) -> HTTPResponse:
    """A refusal as all addresses have it."""
    return json({"error": {"code": code, "message": message}}, status, headers=headers)


async def say_unreadable(request: Request, error: SanicException) -> HTTPResponse:
    """As JSON, whatever else a client says it accepts."""
    if isinstance(error, PayloadTooLarge):
        return refused("too_large", "The body is too large.", error.status_code)
    return refused("bad_request", "The body does not come as HTTP has it.", error.status_code)


def read_json(request: Request) -> Any:
    """The JSON body of a request.

    A browser lets any website send any other type here unasked; this one it asks for first, and is refused.

    Raises:
        BadRequest: when it is none, or comes from a page of somebody else.
        PayloadTooLarge: which becomes a 413.
    """
    if not is_own_page(request):
        raise BadRequest("foreign_origin", "Pages of this website may not use the assistant.", 403)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise BadRequest("not_json", 'Send JSON, with "Content-Type: application/json".', 415)
    if len(request.body) > MAX_BODY_BYTES:
        raise PayloadTooLarge("Payload Too Large")
    try:
        return request.json
    except (InvalidUsage, ValueError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("not_json", "The body is not JSON.") from error


def is_own_page(request: Request) -> bool:
    """Whether no page asks, or one of ours: of this address, or of `WEB_ORIGINS`."""
    origin = request.headers.get("origin")
    if origin is None or request.headers.get("sec-fetch-site") == "same-origin":
        return True
    try:
        own = urlsplit(origin).netloc
    except ValueError:
        return False
    allowed = getattr(request.app.ctx, "web_origins", ())
    return origin in allowed or bool(own and own == request.headers.get("host"))


def address_of(request: Request) -> str:
    """Who asks, for counting: as the proxy in front says, which writes the header anew."""
    return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or request.ip
