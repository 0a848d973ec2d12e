"""HTTP by hand, so that it can be wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

REST = b"/webhooks/rest/webhook"
HELLO = b'{"sender":"someone","message":"hello"}'


@dataclass
class Answer:
    """The first response to what was sent. `status` is 0 when the connection was closed without any."""

    status: int
    kind: str
    body: bytes
    #: Everything that came, further responses included.
    all: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(address: str, seconds: float = 10.0) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds)


def request(
    body: bytes = HELLO,
    path: bytes = REST,
    method: bytes = b"POST",
    headers: Sequence[bytes] = (),
    length: bool = True,
    close: bool = True,
) -> bytes:
    """A request as bytes. `length`: with the length of its body, rightly said."""
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", *headers]
    if not any(header.lower().startswith(b"content-type") for header in headers):
        lines.append(b"Content-Type: application/json")
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def send(address: str, content: bytes, seconds: float = 10.0) -> Answer:
    """Send bytes and read until the server closes the connection.

    Raises:
        TimeoutError: when it does not.
    """
    got = b""
    with connect(address, seconds) as connection:
        try:
            connection.sendall(content)
            while part := connection.recv(65536):
                got += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # it was closed before all was sent; what came until then counts
    return read(got)


def read(got: bytes) -> Answer:
    """The first response in what came."""
    head, _, rest = got.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100"):
        head, _, rest = rest.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    named = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = rest[: int(named["content-length"])] if "content-length" in named else rest
    return Answer(int(first.split()[1]) if first else 0, named.get("content-type", ""), body, got)
