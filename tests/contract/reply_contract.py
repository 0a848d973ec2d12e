"""What every reply over REST must look like, whatever it says."""

from __future__ import annotations

import datetime
from typing import Any

from replies.contract import INTERNAL, OPTIONAL, Content, Outcome

OUTCOMES = {outcome.value for outcome in Outcome}
KEYS = set(Content().to_dict())


def keep_to_contract(reply: dict[str, Any]) -> dict[str, Any]:
    """Check keys, types and the parts of the text of a reply; returns its metadata."""
    assert set(reply) <= {"recipient_id", "text", "buttons", "metadata", "forget"}
    assert isinstance(reply["recipient_id"], str)
    metadata: dict[str, Any] = reply["metadata"]
    assert set(metadata) - (set(OPTIONAL) - set(INTERNAL)) == KEYS
    assert metadata["outcome"] in OUTCOMES
    assert metadata["topic"] is None or isinstance(metadata["topic"], str)
    assert metadata["conditions"] in ([], ["MS"], ["ALS"], ["MS", "ALS"])
    assert all(isinstance(one, str) for key in ("terms", "facts") for one in metadata[key])
    assert isinstance(metadata["checked"], bool)
    for row in metadata["comparison"]:
        assert set(row) == {"aspect", "MS", "ALS"}
        assert all(isinstance(cell, str) and cell for cell in row.values())
    for source in metadata["sources"]:
        assert set(source) == {"title", "publisher", "url", "year"}
        assert all(isinstance(source[key], str) and source[key] for key in ("title", "publisher", "url"))
        assert source["year"] is None or isinstance(source["year"], int)
    if metadata["reviewed"] is not None:
        datetime.date.fromisoformat(metadata["reviewed"])
    if "topics" in metadata:
        assert metadata["topics"][0] == metadata["topic"]
        assert len(metadata["topics"]) > 1
    for button in reply.get("buttons", []):
        assert set(button) == {"title", "payload"}
        assert all(isinstance(value, str) and value for value in button.values())
    assert len(reply.get("buttons", [])) <= 5
    _text_is_whole(reply["text"], metadata)
    return metadata


def _text_is_whole(text: str, metadata: dict[str, Any]) -> None:
    """Answer, rows, sources, review date and disclaimer, in this order and in one piece."""
    assert metadata["answer"]
    assert metadata["disclaimer"]
    parts = [metadata["answer"]]
    parts += [row[key] for row in metadata["comparison"] for key in ("aspect", "MS", "ALS")]
    parts += [source[key] for source in metadata["sources"] for key in ("title", "publisher", "url")]
    if metadata["reviewed"]:
        parts.append(metadata["reviewed"])
    assert [part for part in parts if part not in text] == []
    assert text.startswith(metadata["answer"])
    assert text.endswith(metadata["disclaimer"])
    assert text.count(metadata["disclaimer"]) == 1
    assert "\n\n" not in text
