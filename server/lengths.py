"""How long the body of a request is, checked before Sanic acts on it. For the assistant and the action server."""

from __future__ import annotations

import re
from typing import Any

from sanic.exceptions import InvalidUsage
from sanic.request import Request

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


async def require_plain_length(request: Request, **_: Any) -> None:
    """Refuse a body whose length is not said in one plain way.

    Sanic 21.12 never comes back from reading a negative `Content-Length`, and then answers nobody else either;
    it takes any other oddity for a fault of its own, or for what a proxy in front may understand otherwise.

    Raises:
        InvalidUsage: which becomes a 400.
    """
    lengths, codings = (request.headers.getall(name, []) for name in ("content-length", "transfer-encoding"))
    if len(lengths) + len(codings) > 1 or not all(map(_LENGTH.fullmatch, lengths)) or codings not in ([], ["chunked"]):
        raise InvalidUsage("Bad Request")
