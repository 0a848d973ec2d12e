"""Settings, all from the environment; `docs/settings.md` lists them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Tuple

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).parent.parent


class SettingError(Exception):
    """A setting cannot be used; the text says which and what to do."""


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise SettingError(f"{name}={text!r}: give a whole number from {least} to {most}")
    return int(text)


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
    #: Where votes on replies are kept.
    feedback_url: str = "sqlite:///" + str(ROOT / ".build" / "feedback.sqlite")

    @classmethod
    def from_environment(cls, env: Optional[Mapping[str, str]] = None) -> Settings:
        """Read and check the environment.

        Raises:
            SettingError: naming the variable and what it may hold.
        """
        env = os.environ if env is None else env
        endpoint = env.get("ACTION_ENDPOINT", "").strip() or None
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise SettingError(f"ACTION_ENDPOINT={endpoint!r}: give an address such as http://127.0.0.1:5055/webhook")
        origins: List[str] = [o.strip().rstrip("/") for o in env.get("WEB_ORIGINS", "").split(",") if o.strip()]
        for origin in origins:
            if not origin.startswith(("http://", "https://")):
                raise SettingError(f"WEB_ORIGINS: {origin!r} is not an origin such as https://www.example.org")
        for name in ("CONVERSATIONS_URL", "FEEDBACK_URL", "FACT_STORE_URL"):
            try:
                make_url(env.get(name, "").strip() or "sqlite://")
            except ArgumentError as error:
                raise SettingError(
                    f"{name}={env[name]!r} is no SQLAlchemy URL such as sqlite:////data/it.sqlite"
                ) from error
        return cls(
            host=env.get("HOST", "").strip() or cls.host,
            port=_number(env, "PORT", cls.port, 1, 65535),
            action_endpoint=endpoint,
            web_origins=tuple(origins),
            model=Path(env.get("MODEL", "") or cls.model),
            conversations_url=env.get("CONVERSATIONS_URL", "").strip() or cls.conversations_url,
            feedback_url=env.get("FEEDBACK_URL", "").strip() or cls.feedback_url,
            retention_days=_number(env, "RETENTION_DAYS", cls.retention_days, 1, 365),
        )
