"""To add a chat service is one file: a toy one, through all that a real one gets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import channels
from channels import words
from channels.service import ChatService
from channels.slack import SlackInput
from channels.telegram import TelegramInput
from server.settings import SettingError
from tests.channels.outcomes import reply
from tests.channels.running_channel import Assistant, serving, until

ROOT = Path(__file__).parents[2]

TOY = '''
"""A toy."""

from typing import Any

from sanic import response

from channels.service import ChatService, Setting, read_object
from channels.turns import Output
from replies.contract import Content

SENT = []


class ToyOutput(Output):
    async def deliver(self, recipient_id: str, content: Content) -> bool:
        SENT.append((recipient_id, content.text))
        return True


class ToyInput(ChatService):
    SETTINGS = (Setting("secret", "SECRET", "The toy's secret"), Setting("colour", "COLOUR"))

    def __init__(self, secret: str, colour: str = "red", **more: Any) -> None:
        super().__init__(**more)
        self.secret, self.colour = secret, colour

    async def receive(self, request: Any) -> Any:
        told = read_object(request.body)
        who = f"toy:{told['who']}"
        message = self.message(told.get("text", ""), ToyOutput(), who)
        if "press" in told:
            self.press(message, who, told["press"])
        else:
            self.answer(message, who)
        return response.empty(200)
'''


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A file beside the others, for as long as a test runs."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    known = dict(channels.services())
    monkeypatch.setattr(channels, "services", lambda: {**known, **channels._services_in(tmp_path)})
    yield
    sys.modules.pop("channels.toy", None)


async def test_a_toy_is_switched_on_answers_apologises_and_hears_a_cry_for_help(toy: Any) -> None:
    from server.app import input_channels

    (channel,) = (c for c in input_channels({"TOY_SECRET": "s3cret"}) if c.name() == "toy")
    sent = sys.modules["channels.toy"].SENT  # type: ignore[attr-defined]
    assert (channel.secret, channel.colour, channel.url_prefix()) == ("s3cret", "red", "toy")  # type: ignore[attr-defined]
    assistant = Assistant(lambda m: ValueError() if m.text == "break" else reply("answered", f"You said {m.text}"))
    async with serving(channel, assistant) as client:
        assert (await client.get("/")).json() == {"status": "ok"}
        for told in (
            {"who": 1, "text": "hi"},
            {"who": 2, "press": "/cure"},
            {"who": 3, "text": "break"},
            {"who": 4, "text": "I want to die " * 300},
            {"who": 5, "text": "long " * 800},
        ):
            assert (await client.post("/webhook", json=told)).status_code == 200
        await until(lambda: len(sent) == 5)
    texts = dict(sent)
    assert texts["toy:1"].startswith("You said hi")
    assert texts["toy:2"].startswith("You said /cure")
    assert texts["toy:3"].startswith(words.APOLOGY)
    assert "988" in texts["toy:4"]
    assert texts["toy:5"].startswith(words.TOO_LONG)


def test_a_missing_setting_of_a_toy_is_named(toy: Any) -> None:
    from server.app import input_channels

    with pytest.raises(SettingError, match=r"TOY_SECRET; docs/toy\.md"):
        input_channels({"TOY_COLOUR": "blue"})
    assert [c.name() for c in input_channels({"TOY": "on"})] == ["rest"]


def test_every_service_has_its_metrics_its_settings_and_its_guide() -> None:
    from server import metrics

    assert set(channels.services()) == {"slack", "telegram"}
    settings = (ROOT / "docs" / "settings.md").read_text()
    services: list[type[ChatService]] = [SlackInput, TelegramInput]
    for service in services:
        assert service.name() in metrics.CHANNELS
        assert metrics.place(f"channels.{service.name()}") == service.name()
        guide = (ROOT / service.guide()).read_text()
        for setting in service.SETTINGS:
            variable = f"{service.name().upper()}_{setting.variable}"
            assert variable in settings
            assert variable in guide or not setting.what
