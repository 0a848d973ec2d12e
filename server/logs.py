"""Logs as JSON lines on standard error, in which no text of a person can stand.

Rasa and other libraries put messages of users into log lines, exceptions and warnings. What they log
is therefore written without its text: which line of code logged, at what level, and the type of the
exception. Our own modules never log what someone wrote.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import warnings
from typing import Any

import structlog

#: Packages whose messages are written out.
OURS = ("actions", "channels", "facts", "nlu", "replies", "server", "stores")
#: Where their code is: a logger's name alone says little, libraries log with loggers that they are handed.
_OUR_CODE = tuple(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), name, "") for name in OURS)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.split(".")[0] in OURS and record.pathname.startswith(_OUR_CODE):
            line["message"] = record.getMessage()
        else:
            line["at"] = f"{record.module}.{record.funcName}:{record.lineno}"
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


def _only_the_event(logger: Any, method: str, event: Any) -> dict[str, Any]:
    """Drop every value a structlog call was given: they hold messages of users."""
    return {"event": "structured"}


def _in_a_thread(failed: threading.ExceptHookArgs) -> None:
    """Python would print the whole exception, and what somebody wrote with it."""
    logging.getLogger("server").error("A thread ended (%s).", failed.exc_type.__name__)


def _nowhere(failed: Any) -> None:
    """The same, for exceptions that nobody can catch, as in `__del__`."""
    logging.getLogger("server").error("Something could not be raised (%s).", failed.exc_type.__name__)


def configure(level: int = logging.WARNING, *more: logging.Handler) -> None:
    """Send all logging through the formatter; call it again after a library has set up its own.

    Args:
        level: of libraries. Our own modules log from level info on at least.
        more: what else is to see every record.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler, *more]
    root.setLevel(level)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(min(logging.INFO, level) if name.split(".")[0] in OURS else level)
    warnings.simplefilter("ignore")
    threading.excepthook = _in_a_thread
    sys.unraisablehook = _nowhere
    structlog.configure(
        processors=[_only_the_event, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
