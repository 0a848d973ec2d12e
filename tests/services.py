"""Redis and PostgreSQL for tests: real servers on loopback, each on a port and with files of its own.

    with redis_server(tmp_path) as redis:
        redis.url           # redis://127.0.0.1:40123/0
        redis.stop()        # and later, on the same port with the same files:
        redis.start()

They are stopped by process id, whatever runs on the machine besides. `bin/setup-tests` installs them.
"""

from __future__ import annotations

import glob
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis as redis_py

#: PostgreSQL refuses to run as root; Debian's package makes this user.
UNPRIVILEGED = "postgres"


def _ports() -> Iterator[int]:
    """Ports of this worker alone, below those a system hands to clients: no two tests meet at one."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    width = 20000 // workers
    for count in itertools.count(os.getpid() * 97):
        yield 12000 + worker * width + count % width


_PORTS = _ports()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nothing listens at just now, and that no other test is given."""
    return next(port for port in _PORTS if _is_free(port))


class Service:
    """A server process that a test may stop, kill, freeze and start again.

    Args:
        command: what to run; the port is free when the service is made and stays its own.
        folder: where its files and its log are.
        url: how a setting of the assistant names it.
        answers: raises OSError, or the client's own error, while it takes no connections yet.
        user: whom it runs as, when tests run as root.
    """

    start_seconds = 30.0

    def __init__(
        self, command: list[str], folder: Path, port: int, url: str, answers: Callable[[], None], user: str | None
    ) -> None:
        self.folder, self.port, self.url = folder, port, url
        self._command, self._answers, self._user = command, answers, user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it is not running"
        return self._process.pid

    def start(self) -> None:
        """Start it, with the files it had, and wait until it answers."""
        assert self._process is None, "it runs already"
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **as_user(self._user),
            )
        until = time.monotonic() + self.start_seconds
        while True:
            try:
                self._answers()
                return
            except (OSError, redis_py.RedisError, psycopg2.Error):
                if self._process.poll() is not None or time.monotonic() > until:
                    self.kill()
                    pytest.fail(f"{self._command[0]} did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as an operator would; what it holds on disk stays. Nothing happens when it does not run."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop it with no chance to put anything away."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It keeps its connections and takes new ones, but answers nothing until `thaw`."""
        for process in self._all():
            process.suspend()

    def thaw(self) -> None:
        for process in self._all():
            # One that was ending when it was stopped is gone as soon as another runs.
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _all(self) -> list[psutil.Process]:
        server = psutil.Process(self.pid)
        return [server, *server.children(recursive=True)]

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            everything = self._all()
        except psutil.NoSuchProcess:
            everything = []
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        for process in everything[1:]:
            if how == signal.SIGKILL and process.is_running():
                process.kill()
        psutil.wait_procs(everything[1:], 10)
        self._process = None


class Outage:
    """A way for a server to be away: `killed`, or `frozen`, which takes connections and never answers."""

    WAYS = ("killed", "frozen")

    def __init__(self, server: Service, way: str) -> None:
        self.server, self.way = server, way

    def begin(self) -> None:
        (self.server.freeze if self.way == "frozen" else self.server.kill)()

    def end(self) -> None:
        (self.server.thaw if self.way == "frozen" else self.server.start)()


def as_user(user: str | None) -> dict[str, object]:
    """For `subprocess`: run as somebody else, which only root can and need."""
    return {"user": user, "group": user, "extra_groups": []} if user and os.geteuid() == 0 else {}


class Redis(Service):
    """A Redis that keeps nothing on disk, as `docs/settings.md` wants it."""

    @property
    def client(self) -> redis_py.Redis[bytes]:
        return redis_py.Redis.from_url(self.url, socket_timeout=5)

    def held(self) -> bytes:
        """Everything it would write to disk: a dump without compression, and what is compressed in it."""
        client = self.client
        client.config_set("rdbcompression", "no")
        client.save()
        strings = [client.get(key) for key in client.scan_iter() if client.type(key) == b"string"]
        packed = [zlib.decompress(value) for value in strings if value and value[:1] == b"\x78"]
        return b"\n".join([(self.folder / "dump.rdb").read_bytes(), *packed])


class Postgres(Service):
    """A PostgreSQL cluster with one database, `assistant`."""

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a statement, in a transaction of its own."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


@contextmanager
def redis_server(folder: Path, tls: Path | None = None) -> Iterator[Redis]:
    """A running Redis with its files in a folder of its own below `folder`.

    Args:
        tls: where `server.crt`, `server.key` and `ca.crt` are, for a Redis that speaks TLS only, at `localhost`.
    """
    program = shutil.which("redis-server") or pytest.fail("redis-server is missing: run bin/setup-tests")
    place = Path(tempfile.mkdtemp(prefix="redis-", dir=folder))
    port = free_port()
    command = [program, "--bind", "127.0.0.1", "--port", "0" if tls else str(port), "--dir", str(place)]
    command += ["--save", "", "--appendonly", "no"]
    url = f"redis://127.0.0.1:{port}/0"
    if tls:
        command += ["--tls-port", str(port), "--tls-cert-file", f"{tls}/server.crt", "--tls-auth-clients", "no"]
        command += ["--tls-key-file", f"{tls}/server.key", "--tls-ca-cert-file", f"{tls}/ca.crt"]
        url = f"rediss://localhost:{port}/0?ssl_ca_certs={tls}/ca.crt"

    def answers() -> None:
        redis_py.Redis.from_url(url, socket_timeout=1).ping()

    server = Redis(command, place, port, url, answers, None)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def postgres_server(folder: Path) -> Iterator[Postgres]:
    """A running PostgreSQL with its log below `folder`; as root, with its data where another user may write."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found:
        pytest.fail("PostgreSQL is missing: run bin/setup-tests")
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    # The folders that pytest makes are open to nobody but their owner.
    place = Path(tempfile.mkdtemp(prefix="postgres-", dir=None if user else folder))
    port = free_port()
    url = f"postgresql://assistant@127.0.0.1:{port}/assistant"
    first = url.rpartition("/")[0] + "/postgres"  # the database that there is from the start
    try:
        if user:
            shutil.chown(place, user, user)
        made = subprocess.run(
            [
                *(f"{found[-1]}/initdb", "-D", f"{place}/data", "-U", "assistant", "--auth=trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            **as_user(user),  # type: ignore[call-overload]
        )
        assert made.returncode == 0, made.stderr
        command = [f"{found[-1]}/postgres", "-D", f"{place}/data", "-p", str(port), "-c", "fsync=off"]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]

        def answers() -> None:
            psycopg2.connect(first, connect_timeout=2).close()

        server = Postgres(command, place, port, url, answers, user)
        server.start()
        try:
            connection = psycopg2.connect(first)
            connection.autocommit = True
            connection.cursor().execute("create database assistant")
            connection.close()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of the module's own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL of the module's own."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server
