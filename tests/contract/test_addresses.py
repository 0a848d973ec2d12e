"""Health, version and page of a running assistant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from facts.store import Snapshot

ROOT = Path(__file__).parent.parent.parent


def get(assistant: Any, path: str) -> requests.Response:
    return requests.get(f"{assistant.address}{path}", timeout=30)


def test_it_is_alive(assistant: Any) -> None:
    assert get(assistant, "/health/live").status_code == 200
    assert get(assistant, "/health/live").json() == {"status": "ok"}


def test_it_is_ready_when_what_it_needs_is_there(assistant: Any) -> None:
    assert get(assistant, "/health/ready").status_code == 200
    assert get(assistant, "/health/ready").json() == {
        "status": "ok",
        "model": True,
        "facts": True,
        "conversations": True,
    }


def test_it_tells_which_version_model_and_facts_it_runs(assistant: Any, facts: Snapshot) -> None:
    told = get(assistant, "/version").json()
    assert told["version"] == (ROOT / "VERSION").read_text("utf8").strip()
    assert (ROOT / "models" / told["model"]).is_file()
    assert told["facts"] == facts.version


def test_the_chat_page_is_served_with_what_it_needs(assistant: Any) -> None:
    page = get(assistant, "/chat")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<ms-als-chat" in page.text
    needed = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)
    assert len(needed) >= 2
    for name in needed:
        served = requests.get(urljoin(page.url, name), timeout=30)
        assert served.status_code == 200, name
        assert served.content == (ROOT / "web" / Path(name).name).read_bytes()


def test_whoever_comes_to_the_door_is_shown_to_the_chat_page(assistant: Any) -> None:
    assert "<ms-als-chat" in get(assistant, "/").text


@pytest.mark.parametrize(
    "path",
    [
        "/chat/../VERSION",
        "/chat/%2e%2e/VERSION",
        "/chat/..%2fdomain.yml",
        "/chat/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/conversations/x/tracker",
        "/model",
        "/domain",
        "/status",
        "/config.yml",
    ],
)
def test_nothing_else_is_served(path: str, assistant: Any) -> None:
    request = requests.Request("GET", assistant.address + path).prepare()
    request.url = assistant.address + path  # as written, not tidied up
    with requests.Session() as session:
        assert session.send(request, timeout=30).status_code == 404


def test_an_unknown_address_is_json_404(assistant: Any) -> None:
    response = get(assistant, "/nowhere")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("application/json")
