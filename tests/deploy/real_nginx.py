"""A real nginx with our configuration, and stand-ins for the assistants behind it. Loopback only."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]
NGINX = ROOT / "deploy" / "nginx"
ASK = "/webhooks/rest/webhook"


def nginx_program() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        pytest.fail("nginx is missing: run bin/setup-tests")
    return found


def render(*options: str, **variables: str) -> str:
    """What `deploy/nginx/render` prints."""
    done = subprocess.run(
        [str(NGINX / "render"), *options], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Received:
    """A request as it reached a stand-in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StandIn:
    """An assistant that answers everything alike and remembers what it was asked."""

    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65_536

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.received.append(Received(self.command, self.path, dict(self.headers), body))
                if outer.answer:
                    outer.answer(self)
                else:
                    reply(self, 200, b'[{"recipient_id": "u", "text": "an answer"}]')

            do_GET = do_HEAD = do_POST = do_OPTIONS = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:  # connections are broken on purpose
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def line(self) -> str:
        return f"server 127.0.0.1:{self.port} max_fails=5 fail_timeout=5s;"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response_only(status)
    headers = {"Content_Type": "application/json", **headers}
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json"), self.headers["Content-Type"]
        return json.loads(self.body)


class Nginx:
    """nginx over a configuration rendered with `variables`, in a folder of its own.

    Args:
        change: what to do to the rendered text first.
        options: of the renderer.
    """

    def __init__(
        self, folder: Path, change: Callable[[str], str] = str, options: Sequence[str] = (), **variables: str
    ) -> None:
        self.folder, self.port, self.health_port = folder, free_port(), free_port()
        self.access_log, self.error_log = folder / "access.log", folder / "error.log"
        settings = {
            "NGINX_LISTEN": f"127.0.0.1:{self.port}",
            "NGINX_HEALTH_LISTEN": f"127.0.0.1:{self.health_port}",
            "NGINX_RUN_DIR": str(folder),
            "NGINX_ACCESS_LOG": str(self.access_log),
            "NGINX_ERROR_LOG": str(self.error_log),
            **variables,
        }
        self.text = change(render(*options, **settings))
        self.file = folder / "nginx.conf"
        self.file.write_text(self.text, "utf8")
        self.process: subprocess.Popen[bytes] | None = None

    def _command(self, *more: str) -> list[str]:
        # Folders of tests are open to their owner alone.
        user = "user root;" if os.geteuid() == 0 else ""
        return [nginx_program(), "-p", str(self.folder), "-c", str(self.file), "-g", f"daemon off; {user}", *more]

    def check(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`."""
        return subprocess.run(self._command("-t"), capture_output=True, text=True, check=False)

    def start(self) -> Nginx:
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(self._command(), stdout=output, stderr=subprocess.STDOUT)
        for _ in range(200):
            if self.process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.health_port)) == 0:
                        return self
            time.sleep(0.02)
        self.stop()
        pytest.fail(f"nginx did not start:\n{(self.folder / 'output').read_text()}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def send(self, method: str, target: str, body: Any = None, port: int | None = None, **headers: str) -> Answer:
        """A request whose target goes out as written."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=15)
        with closing(connection):
            begin = time.monotonic()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=named)
            response = connection.getresponse()
            data = response.read()
            return Answer(response.status, response.headers, data, time.monotonic() - begin)

    def ask(self, **headers: str) -> Answer:
        return self.send("POST", ASK, b'{"sender": "u", "message": "what is ms"}', **headers)

    def raw(self, data: bytes, wait: float = 5.0) -> bytes:
        """Bytes as they are; what came back until the connection was closed or `wait` was over."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            try:
                connection.sendall(data)
                while part := connection.recv(65_536):
                    received += part
            except (TimeoutError, ConnectionError):
                pass
        return received


def seconds(text: str) -> float:
    """A time as nginx writes it."""
    match = re.fullmatch(r"(\d+)(ms|s|m)?", text)
    assert match, text
    return int(match[1]) * {"ms": 0.001, "m": 60.0}.get(match[2], 1.0)


def size(text: str) -> int:
    """A size as nginx writes it."""
    return int(text.rstrip("km")) * {"k": 1024, "m": 1024**2}.get(text[-1], 1)
