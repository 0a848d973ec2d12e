"""The assistant scaled out, as docs/deploy.md has it, in plain processes on loopback:

    people -> nginx -> two assistants -> balancer -> two action servers
                           |                             |
                       Redis (conversations, locks)                                PostgreSQL (votes, log of questions)

    with topology(folder) as running:
        running.address                  # what the public reaches
        running.assistants[0].kill()     # and later, as whatever supervises it would:
        running.assistants[0].start()

The two action servers are behind one address: an nginx of its own (`BALANCER`), the way a Kubernetes service would be.
All is stopped by process id. Tests and `benchmarks.load` use it.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from facts.build import build
from tests.deploy.real_nginx import Nginx, nginx_program
from tests.services import Postgres, Redis, Service, postgres_server, redis_server

ROOT = Path(__file__).parent.parent
#: Settings of whoever runs this that would change what is started.
_SETTINGS = ("ACTION_ENDPOINT", "WEB_ORIGINS", "MODEL", "HOST", "RETENTION_DAYS", "LOG_LEVEL", "QUESTION_LOG")
#: Everybody comes from loopback, so who somebody is is read from a header and all limits of nginx stay as they are.
PEOPLE = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"

#: Reading facts changes nothing, so unlike a message a call may be made again at the other action server.
BALANCER = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_max_body_size 8m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream actions {{
        least_conn;
        {servers}
        keepalive 16;
        keepalive_timeout 4s;
    }}
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_connect_timeout 500ms;
        proxy_read_timeout 6s;
        proxy_next_upstream error timeout non_idempotent;
        proxy_next_upstream_timeout 6s;
        location / {{ proxy_pass http://actions; }}
    }}
}}
"""


class Program(Service):
    """A process of ours, or in front of ours, that can be stopped, killed, frozen and started again.

    On a busy machine a model takes long to load.

    Args:
        name: of its folder for logs, below `folder`.
        ready: address that answers 200 as soon as the program can be used.
        environment: what it has beside our own environment.
    """

    start_seconds = 300.0

    def __init__(
        self, name: str, folder: Path, command: list[str], port: int, ready: str, environment: dict[str, str]
    ) -> None:
        place = folder / name
        place.mkdir(exist_ok=True)
        unset = [argument for setting in _SETTINGS for argument in ("-u", setting)]
        given = {"PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", **environment}
        # `env` becomes the command, so the process id is the program's own.
        full = ["env", *unset, *(f"{key}={value}" for key, value in given.items()), *command]

        def answers() -> None:
            requests.get(ready, timeout=5).raise_for_status()

        super().__init__(full, place, port, f"http://127.0.0.1:{port}", answers, None)
        self.name = name

    @property
    def address(self) -> str:
        return self.url

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf8", "replace")

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None


def lasting_port() -> int:
    """A port that is free and stays so: Linux gives none below 32768 to connections, and there will be many."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def server(name: str, folder: Path, *mode: str, **environment: str) -> Program:
    """`python -m server`, on a port of its own; not started yet."""
    port = lasting_port()
    return Program(
        name,
        folder,
        [sys.executable, "-W", "ignore", "-m", "server", *mode],
        port,
        f"http://127.0.0.1:{port}/health" + ("" if "actions" in mode else "/ready"),
        {"PORT": str(port), **environment},
    )


def balancer(folder: Path, behind: list[Program]) -> Program:
    """An nginx that spreads calls over action servers; not started yet."""
    port, place = lasting_port(), folder / "balancer"
    place.mkdir()
    servers = " ".join(f"server 127.0.0.1:{one.port} max_fails=2 fail_timeout=2s;" for one in behind)
    configuration = place / "nginx.conf"
    configuration.write_text(BALANCER.format(folder=place, servers=servers, port=port), "utf8")
    user = "user root;" if os.geteuid() == 0 else ""
    command = [nginx_program(), "-p", str(place), "-c", str(configuration), "-g", f"daemon off; {user}"]
    return Program("balancer", folder, command, port, f"http://127.0.0.1:{port}/health", {})


@dataclass
class Topology:
    """What runs. Assistants and action servers are interchangeable."""

    redis: Redis
    postgres: Postgres
    actions: list[Program]
    balancer: Program
    assistants: list[Program]
    nginx: Nginx

    @property
    def address(self) -> str:
        """Where people talk to it."""
        return f"http://127.0.0.1:{self.nginx.port}"

    def repair(self) -> None:
        """Start whatever does not run, so that one test's damage is not the next one's."""
        for program in (*self.actions, *self.assistants):
            if not program.runs:
                program.kill()
                program.start()

    def memory(self) -> dict[str, int]:
        """Bytes (PSS: what processes share counts once), by kind of process."""
        assert self.nginx.process is not None
        roots = {
            "assistants": [one.pid for one in self.assistants],
            "action servers": [one.pid for one in self.actions],
            "nginx": [self.nginx.process.pid, self.balancer.pid],
            "Redis": [self.redis.pid],
            "PostgreSQL": [self.postgres.pid],
        }
        return {kind: sum(pss(pid) for pid in pids) for kind, pids in roots.items()}


def pss(pid: int) -> int:
    """Bytes of a process and all it started."""
    root = psutil.Process(pid)
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


@contextmanager
def topology(folder: Path, assistants: int = 2, **more: str) -> Iterator[Topology]:
    """All of it, running.

    Args:
        folder: where logs go.
        assistants: how many.
        more: further settings of the assistants.
    """
    with ExitStack() as stack:
        for name in ("redis", "nginx"):
            (folder / name).mkdir()
        redis = stack.enter_context(redis_server(folder / "redis"))
        postgres = stack.enter_context(postgres_server(folder))
        facts = folder / "facts.json"
        assert build(facts) == []
        shared = {"FACTS_FILE": str(facts)}
        actions = [server(f"actions-{i}", folder, "actions", **shared) for i in range(2)]
        spread = balancer(folder, actions)
        people = [
            server(
                f"assistant-{i}",
                folder,
                **shared,
                ACTION_ENDPOINT=f"{spread.address}/webhook",
                CONVERSATIONS_URL=redis.url,
                FEEDBACK_URL=postgres.url,
                QUESTION_LOG="rows",
                MESSAGES_PER_MINUTE="0",
                **more,
            )
            for i in range(assistants)
        ]
        for program in (*actions, spread, *people):
            stack.callback(program.kill)
        start_together([*actions])
        spread.start()
        start_together(people)
        upstreams = " ".join(f"server 127.0.0.1:{one.port} max_fails=5 fail_timeout=5s;" for one in people)
        nginx = Nginx(folder / "nginx", NGINX_UPSTREAMS=upstreams, NGINX_REAL_IP=PEOPLE)
        stack.callback(nginx.stop)
        nginx.start()
        yield Topology(redis, postgres, actions, spread, people, nginx)


def start_together(programs: list[Program]) -> None:
    with ThreadPoolExecutor(len(programs)) as pool:
        for started in [pool.submit(one.start) for one in programs]:
            started.result()
