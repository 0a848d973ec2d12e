"""Settings, all from the environment; `docs/settings.md` lists them."""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple

from redis.connection import parse_url
from sqlalchemy.exc import SQLAlchemyError

from stores.database import address_of

ROOT = Path(__file__).parent.parent
VERSION = (ROOT / "VERSION").read_text(encoding="utf8").strip()
_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
QUESTION_LOG = ("off", "rows", "text")
LOG_LEVELS = ("warning", "debug", "info", "error")


class SettingError(Exception):
    """A setting cannot be used; the text says which and what to do."""


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise SettingError(f"{name}={text!r}: give a whole number from {least} to {most}")
    return int(text)


def _choice(env: Mapping[str, str], name: str, allowed: Tuple[str, ...]) -> str:
    """One of some words, in any case; the first when it is not set."""
    word = env.get(name, "").strip().lower() or allowed[0]
    if word not in allowed:
        raise SettingError(f"{name}={env[name]!r}: give one of {', '.join(allowed)}")
    return word


def is_redis(url: str) -> bool:
    """Whether a URL is that of a Redis."""
    return url.startswith(("redis://", "rediss://"))


def _url(env: Mapping[str, str], name: str, default: str, redis: bool = False) -> str:
    """A database's URL, or that of a Redis. The value is not repeated in an error: it may hold a password."""
    url = env.get(name, "").strip() or default
    if redis and is_redis(url):
        try:
            parse_url(url)
        except ValueError as error:
            raise SettingError(f"{name} is no URL such as redis://127.0.0.1:6379/0") from error
    else:
        try:
            address_of(url).get_dialect()
        except (SQLAlchemyError, ImportError) as error:
            what = "no URL of a Redis or of a database" if redis else "no URL of a database"
            raise SettingError(
                f"{name} is {what} such as sqlite:////data/it.sqlite or postgresql://me@127.0.0.1/it"
            ) from error
    return url


@dataclass(frozen=True)
class Settings:
    """What an operator can choose."""

    host: str = "127.0.0.1"
    port: int = 5005
    #: Address of a separate action server, e.g. http://127.0.0.1:5055/webhook; in-process when None.
    action_endpoint: Optional[str] = None
    #: Websites whose pages may use the assistant.
    web_origins: Tuple[str, ...] = ()
    model: Path = ROOT / "models"
    #: Where conversations are kept, and for how long after their last message.
    conversations_url: str = "sqlite:///" + str(ROOT / ".build" / "conversations.sqlite")
    retention_days: int = 1
    #: How many messages a minute one person may send; 0 for as many as come.
    messages_per_minute: int = 20
    #: Where votes on replies are kept, and the log of questions: none, a row for each turn, or with the words too.
    feedback_url: str = "sqlite:///" + str(ROOT / ".build" / "feedback.sqlite")
    question_log: str = "off"
    #: As `logging` has it.
    log_level: int = logging.WARNING

    @property
    def locks_url(self) -> Optional[str]:
        """The Redis in which several assistants know of each other; each knows only itself when None."""
        return self.conversations_url if is_redis(self.conversations_url) else None

    @classmethod
    def from_environment(cls, env: Optional[Mapping[str, str]] = None, port: int = 5005) -> Settings:
        """Read and check the environment.

        Args:
            port: where to listen unless `PORT` says.

        Raises:
            SettingError: naming the variable and what it may hold.
        """
        env = os.environ if env is None else env
        endpoint = env.get("ACTION_ENDPOINT", "").strip() or None
        if endpoint and not endpoint.startswith(("http://", "https://")):
            # Its value is not repeated: it may hold a password.
            raise SettingError("ACTION_ENDPOINT is no address such as http://127.0.0.1:5055/webhook")
        origins = [o.strip().rstrip("/").lower() for o in env.get("WEB_ORIGINS", "").split(",") if o.strip()]
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise SettingError(
                    f"WEB_ORIGINS: {origin!r} is not an origin such as https://www.example.org or http://localhost:8000;"
                    " each website is named in full, without * and path"
                )
        return cls(
            host=env.get("HOST", "").strip() or cls.host,
            port=_number(env, "PORT", port, 1, 65535),
            action_endpoint=endpoint,
            web_origins=tuple(origins),
            model=Path(env.get("MODEL", "") or cls.model),
            conversations_url=_url(env, "CONVERSATIONS_URL", cls.conversations_url, redis=True),
            feedback_url=_url(env, "FEEDBACK_URL", cls.feedback_url),
            messages_per_minute=_number(env, "MESSAGES_PER_MINUTE", cls.messages_per_minute, 0, 10_000),
            retention_days=_number(env, "RETENTION_DAYS", cls.retention_days, 1, 365),
            question_log=_choice(env, "QUESTION_LOG", QUESTION_LOG),
            log_level=logging.getLevelName(_choice(env, "LOG_LEVEL", LOG_LEVELS).upper()),
        )


def require_free_port(settings: Settings) -> None:
    """Fail early, and by name, when the port is taken.

    Raises:
        SettingError: when something listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingError(f"HOST={settings.host!r} is no address of this machine.") from error
            raise SettingError(
                f"Port {settings.port} on {settings.host} is taken: "
                f"stop what runs there, or choose another with PORT={settings.port % 65535 + 1}."
            ) from error
