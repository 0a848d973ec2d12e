"""Assistants as processes: started, asked over REST, weighed, and stopped with all they started."""

from __future__ import annotations

import http.client
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

import psutil

if TYPE_CHECKING:
    from rasa.shared.nlu.training_data.training_data import TrainingData

ROOT = Path(__file__).parent.parent
START_SECONDS = 300.0
STOP_SECONDS = 10.0
#: Settings of whoever runs a benchmark that would change what is measured.
_SETTINGS = (
    *("ACTION_ENDPOINT", "WEB_ORIGINS", "MODEL", "PORT", "HOST", "CONVERSATIONS_URL"),
    *("RETENTION_DAYS", "MESSAGES_PER_MINUTE", "FEEDBACK_URL"),
)

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "NO_COLOR": "1",
}


def environment(**more: str) -> Dict[str, str]:
    """This process's environment without settings of the assistant, quiet, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if k not in _SETTINGS}
    return {**kept, **QUIET, "PYTHONPATH": str(ROOT), **more}


def python(*arguments: object) -> List[str]:
    return [sys.executable, "-m", *map(str, arguments)]


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def training_data() -> TrainingData:
    """All examples in `data/`, as Rasa reads them for a training."""
    from rasa.shared.importers.rasa import RasaFileImporter

    return RasaFileImporter(training_data_paths=[str(ROOT / "data")]).get_nlu_data()


def prepare() -> None:
    """Only what a benchmark says itself is shown, and SIGTERM stops what was started, as Ctrl-C does."""
    import sanic  # noqa: F401 - turns warnings on when imported; turned off below

    from server import logs

    os.environ.update(QUIET)
    logs.configure(logging.ERROR)

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)


class Failed(Exception):
    """What was started ended, or gave no answer; the text says all there is to say."""


class Processes:
    """Commands that run side by side, each in a process group of its own.

    >>> with Processes(Path("sleep.log")) as running:
    ...     running.start(["sleep", "60"])
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._output: Optional[IO[bytes]] = None
        self._started: List[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self._log.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._output:
            self._output.close()

    def start(self, command: Sequence[str], env: Mapping[str, str], cwd: Path = ROOT) -> None:
        self._started.append(
            subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        )

    def finish(self) -> None:
        """Wait until every command has ended.

        Raises:
            Failed: when one failed.
        """
        for process in self._started:
            if process.wait():
                raise self.failure(f"ended with {process.returncode}")

    def require_alive(self) -> None:
        """Raises Failed when a command has ended."""
        for process in self._started:
            if process.poll() is not None:
                raise self.failure(f"ended with {process.returncode}")

    def failure(self, what: str) -> Failed:
        lines = self._log.read_text(encoding="utf8", errors="replace").splitlines()[-15:]
        return Failed("\n".join([f"{self._log.stem} {what}. The end of its log:", *lines]))

    def memory(self) -> int:
        """Bytes of all processes; memory they share counts once (PSS)."""
        return sum(process.memory_full_info().pss for process in self._running())

    def processor_seconds(self) -> float:
        """Time of processor cores that all processes have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._running())

    def _running(self) -> List[psutil.Process]:
        """What was started, and what that started."""
        started = [psutil.Process(process.pid) for process in self._started if process.poll() is None]
        return [*started, *(child for process in started for child in process.children(recursive=True))]

    def stop(self) -> None:
        """Ask every group to end, then end those that have not."""
        for kind, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            for process in self._started:
                try:
                    os.killpg(process.pid, kind)
                except ProcessLookupError:
                    continue
            for process in self._started:
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue


class Client:
    """One person at the REST channel, over a connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, sender: str, message: str) -> List[Dict[str, Any]]:
        """The messages of the reply, as Rasa's REST channel returns them.

        Raises:
            OSError, HTTPException: when the assistant does not answer, or not with a reply.
        """
        body = json.dumps({"sender": sender, "message": message})
        try:
            status, content = self._post(body)
        except (http.client.BadStatusLine, ConnectionResetError, BrokenPipeError):
            # The server has closed a connection that was idle for some seconds.
            self._connection.close()
            status, content = self._post(body)
        if status != 200:
            raise http.client.HTTPException(f"status {status}")
        return list(json.loads(content))

    def _post(self, body: str) -> Tuple[int, bytes]:
        self._connection.request("POST", "/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, response.read()

    def reply(self, sender: str, message: str) -> Dict[str, Any]:
        """The first message of the reply; empty when nothing was said."""
        return next(iter(self.ask(sender, message)), {})


class Assistant(Processes):
    """A running assistant at `port`, the product or the peer; subclasses say how it starts.

    Entering starts it and waits for its first answer, which took `start_seconds`.
    """

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.port = free_port()
        self.start_seconds = 0.0

    def launch(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Assistant:
        super().__enter__()
        try:
            began = time.perf_counter()
            self.launch()
            self._await_answer(began + START_SECONDS)
            self.start_seconds = time.perf_counter() - began
        except BaseException:
            self.__exit__()
            raise
        return self

    def client(self) -> Client:
        return Client(self.port)

    def _await_answer(self, until: float) -> None:
        while time.perf_counter() < until:
            self.require_alive()
            try:
                reply = self.client().reply("start", "What is MS?")
                # An apology is no answer: the peer gives it until its action server is up.
                if reply.get("text") and reply.get("metadata", {}).get("outcome") != "error":
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.05)
        raise self.failure(f"gave no answer in {START_SECONDS:.0f} seconds")


class Product(Assistant):
    """The assistant as `python -m server` starts it, with conversations and votes of its own.

    Args:
        folder: where its conversations, its votes and its log go.
        models: the folder of its model.
        module: what is started instead of `server`.
        more: further settings.
    """

    def __init__(self, folder: Path, models: Path, module: str = "server", **more: str) -> None:
        super().__init__(folder / "product.log")
        self._folder, self._models, self._module, self._more = folder, models, module, more

    def launch(self) -> None:
        env = environment(
            PORT=str(self.port),
            MODEL=str(self._models),
            CONVERSATIONS_URL=f"sqlite:///{self._folder}/conversations.sqlite",
            FEEDBACK_URL=f"sqlite:///{self._folder}/feedback.sqlite",
            MESSAGES_PER_MINUTE="0",
            **self._more,
        )
        self.start(python(self._module), env)


@dataclass(frozen=True)
class Training:
    """What a training took: time passed, and time of processor cores (the same on a busy machine)."""

    seconds: float
    processor_seconds: float


def train(project: Path, models: Path, *more: str, **settings: str) -> Training:
    """`rasa train` in a project's folder, its log beside the folder of models.

    Raises:
        Failed: when it failed.
    """
    data = ("--data", "data", "--domain", "domain.yml", "--config", "config.yml")
    began, used = time.perf_counter(), _processor_seconds_of_ended()
    with Processes(models.with_suffix(".log")) as running:
        running.start(python("rasa", "train", *data, "--out", models, *more), environment(**settings), project)
        running.finish()
    return Training(time.perf_counter() - began, _processor_seconds_of_ended() - used)


def _processor_seconds_of_ended() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
