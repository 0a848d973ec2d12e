"""The set-up guides name what the code asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from channels.slack import SlackInput
from channels.telegram import TelegramInput

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("channel", "guide"), [(SlackInput, "slack.md"), (TelegramInput, "telegram.md")])
def test_the_guide_names_every_variable_and_the_address(channel, guide):
    text = (DOCS / guide).read_text()
    credentials = {}
    for value in ["xoxb-1", "a" * 20] if channel is SlackInput else ["1:a", "https://x.org", "a" * 20]:
        with pytest.raises(ValueError, match=f"docs/{guide}") as caught:
            channel.from_credentials(credentials)
        (variable,) = re.findall(r"environment variable (\w+)", str(caught.value))
        assert f"export {variable}=" in text
        (key,) = re.findall(r"(\w+): \$\{" + variable, text)
        credentials[key] = value
    assert channel.from_credentials(credentials)
    assert f"/webhooks/{channel.name()}/webhook" in text
    assert f"channels.{channel.__module__.split('.')[-1]}.{channel.__name__}:" in text


def test_slacks_manifest_asks_for_what_is_used_and_no_more():
    block = re.search(r"```yaml\n(   display_information.*?)```", (DOCS / "slack.md").read_text(), re.DOTALL)
    manifest = YAML(typ="safe").load("\n".join(line[3:] for line in block.group(1).splitlines()))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {"app_mentions:read", "im:history", "chat:write"}
    settings = manifest["settings"]
    assert set(settings["event_subscriptions"]["bot_events"]) == {"app_mention", "message.im"}
    assert settings["interactivity"]["request_url"] == settings["event_subscriptions"]["request_url"]
    assert not settings["socket_mode_enabled"]
    assert not settings["token_rotation_enabled"]
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
