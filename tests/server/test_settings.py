"""Settings come from the environment, and one that can't be used is named."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path

import pytest

import channels
from server.settings import ROOT, SettingError, Settings


def test_without_any_setting_it_runs_on_this_machine_only() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.action_endpoint) == ("127.0.0.1", 5005, None)
    assert settings.conversations_url.startswith("sqlite:///")
    assert settings.web_origins == ()
    assert (settings.locks_url, settings.question_log) == (None, "off")
    assert settings.messages_per_minute == 20


def test_settings_are_read_and_tidied() -> None:
    settings = Settings.from_environment(
        {
            "HOST": " 0.0.0.0 ",
            "PORT": " 8080 ",
            "ACTION_ENDPOINT": "http://127.0.0.1:5055/webhook",
            "WEB_ORIGINS": "https://www.example.org/, http://localhost:8000,",
            "MODEL": "/tmp/models",
            "CONVERSATIONS_URL": "sqlite:////tmp/c.sqlite",
            "RETENTION_DAYS": "7",
            "FEEDBACK_URL": " postgres://me@db.example.org/votes ",
            "QUESTION_LOG": " Text ",
            "LOG_LEVEL": "DEBUG",
            "MESSAGES_PER_MINUTE": "0",
        }
    )
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert settings.action_endpoint == "http://127.0.0.1:5055/webhook"
    assert settings.web_origins == ("https://www.example.org", "http://localhost:8000")
    assert settings.model == Path("/tmp/models")
    assert settings.conversations_url == "sqlite:////tmp/c.sqlite"
    assert settings.retention_days == 7
    assert settings.feedback_url == "postgres://me@db.example.org/votes"
    assert (settings.question_log, settings.log_level) == ("text", logging.DEBUG)
    assert settings.messages_per_minute == 0


def test_what_assistants_share_is_where_their_conversations_are_when_that_is_redis() -> None:
    assert Settings.from_environment({"CONVERSATIONS_URL": "redis://127.0.0.1/3"}).locks_url == "redis://127.0.0.1/3"
    assert Settings.from_environment({"CONVERSATIONS_URL": "postgresql://me@127.0.0.1/it"}).locks_url is None


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ("HOST", "PORT", "ACTION_ENDPOINT", "WEB_ORIGINS", "MODEL", "CONVERSATIONS_URL", "RETENTION_DAYS")
    names += ("FEEDBACK_URL", "QUESTION_LOG", "MESSAGES_PER_MINUTE")
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "web"),
        ("PORT", "0"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "50.5"),
        ("PORT", "²"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "forever"),
        ("RETENTION_DAYS", "366"),
        ("ACTION_ENDPOINT", "localhost:5055"),
        ("WEB_ORIGINS", "https://a.example, b.example"),
        ("WEB_ORIGINS", "https://*.example.net"),
        ("WEB_ORIGINS", "*"),
        ("WEB_ORIGINS", "https://a.example/path"),
        ("WEB_ORIGINS", "https://a?.example"),
        ("WEB_ORIGINS", "https://[::1]:8000"),
        ("WEB_ORIGINS", "https://me@a.example"),
        ("WEB_ORIGINS", r"https://a\.example"),
        ("CONVERSATIONS_URL", "here"),
        ("CONVERSATIONS_URL", "redis://127.0.0.1:port/0"),
        ("CONVERSATIONS_URL", "mongodb://127.0.0.1/it"),
        ("FEEDBACK_URL", "redis://127.0.0.1/0"),
        ("QUESTION_LOG", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("MESSAGES_PER_MINUTE", "-1"),
        ("MESSAGES_PER_MINUTE", "many"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({name: value})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > len(name) + len(value) + 10  # it says what to give instead


@pytest.mark.parametrize("name", ["CONVERSATIONS_URL", "FEEDBACK_URL"])
def test_a_password_is_not_repeated(name: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({name: "mongodb://me:zqxsecret@127.0.0.1/it"})
    assert "zqxsecret" not in str(caught.value)


def test_the_address_of_the_actions_is_not_repeated() -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({"ACTION_ENDPOINT": "ftp://me:zqxsecret@127.0.0.1/webhook"})
    assert "zqxsecret" not in str(caught.value)


def test_every_variable_that_the_code_reads_is_documented_and_no_other() -> None:
    code = "".join(
        file.read_text("utf8")
        for room in ("actions", "facts", "server", "stores")
        for file in (ROOT / room).glob("*.py")
    )
    read = set(re.findall(r'(?:environ\.get\(|env\.get\(|env, )"([A-Z_]+)"', code))
    assert len(read) <= 12
    for name, kind in channels.services().items():
        service = getattr(importlib.import_module(f"channels.{name}"), kind)
        read |= {f"{name.upper()}_{setting.variable}" for setting in service.SETTINGS}
    text = (ROOT / "docs" / "settings.md").read_text("utf8")
    listed = {
        name for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", text, re.MULTILINE) for name in re.findall("[A-Z_]+", row)
    }
    assert read == listed - {"PYTHON"}
