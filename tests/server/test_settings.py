"""Settings come from the environment, and one that can't be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.settings import SettingError, Settings


def test_without_any_setting_it_runs_on_this_machine_only() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.action_endpoint) == ("127.0.0.1", 5005, None)
    assert settings.conversations_url.startswith("sqlite:///")
    assert settings.web_origins == ()


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
        }
    )
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert settings.action_endpoint == "http://127.0.0.1:5055/webhook"
    assert settings.web_origins == ("https://www.example.org", "http://localhost:8000")
    assert settings.model == Path("/tmp/models")
    assert settings.conversations_url == "sqlite:////tmp/c.sqlite"
    assert settings.retention_days == 7


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ("HOST", "PORT", "ACTION_ENDPOINT", "WEB_ORIGINS", "MODEL", "CONVERSATIONS_URL", "RETENTION_DAYS")
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
        ("CONVERSATIONS_URL", "here"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({name: value})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > len(name) + len(value) + 10  # it says what to give instead
