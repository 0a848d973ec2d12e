"""A program in a terminal of its own: what it shows, and the keys that a person presses."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
UP, DOWN, ENTER, CTRL_C, CTRL_D = "\x1b[A", "\x1b[B", "\r", "\x03", "\x04"
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][0-9A-B]|[=>78])|\r|\x07")


class Terminal:
    """Runs `python ARGUMENTS` in a pseudo-terminal; standard error goes to a file, or would stand in between.

    Args:
        arguments: for Python.
        log: where its standard error goes.
        columns: width of the terminal.
        environment: variables on top of this process's own.
    """

    def __init__(self, arguments: list[str], log: Path, columns: int = 100, **environment: str) -> None:
        self.raw = ""
        self._read_to = 0
        self._code: int | None = None
        # Otherwise the program asks the terminal where its cursor is, and waits for it to say so.
        settings = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONPATH": str(ROOT), **environment}
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.execve(sys.executable, [sys.executable, "-W", "ignore", *arguments], {**inherited, **settings})
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._screen, 65536)
            except OSError:  # the program has ended
                return
            if not content:
                return
            self.raw += content.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """Everything shown so far, without colours and movements of the cursor."""
        return _CONTROL.sub("", self.raw)

    def until(self, pattern: str, seconds: float = 60.0) -> str:
        """What has been shown since the last call, once `pattern` is found in it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            new = self.shown[self._read_to :]
            time.sleep(0.1)
            # A prompt is drawn in several steps.
            if re.search(pattern, new) and new == self.shown[self._read_to :]:
                self._read_to += len(new)
                return new
        raise AssertionError(f"{pattern!r} is not shown, but: {self.shown[self._read_to :]!r}")

    def press(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def ended(self, seconds: float = 30.0) -> int:
        """The code with which the program ends, once it has."""
        end = time.monotonic() + seconds
        while self._code is None and time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        if self._code is None:
            raise AssertionError(f"still running: {self.shown[-500:]!r}")
        return self._code

    def close(self) -> None:
        """Ends the program if it still runs."""
        if self._code is None:
            os.kill(self.pid, 15)
            try:
                self.ended(10)
            except AssertionError:
                os.kill(self.pid, 9)
                self.ended(10)
        os.close(self._screen)
