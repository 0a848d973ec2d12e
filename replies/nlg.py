"""The one place where replies are finished.

Rasa calls the generator for every `utter_*` and for every `utter_message(response=...)`, on every
channel and in the shell, so no reply leaves without its disclaimer. Configured in `endpoints.yml`.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

#: What the metadata of a reply holds when the response came without any, as `utter_*` in rules do.
EMPTY: Dict[str, Any] = {
    "outcome": "smalltalk", "topic": None, "question": None, "conditions": [], "terms": [], "answer": "",
    "comparison": [], "facts": [], "sources": [], "reviewed": None, "checked": True,
}  # fmt: skip


def source_line(source: Mapping[str, Any]) -> str:
    """Title, publisher, year and bare address."""
    named = [source["title"], source["publisher"], str(source["year"] or "no date")]
    return f"{', '.join(named)}, {source['url']}"


def comparison_lines(rows: List[Mapping[str, str]]) -> List[str]:
    """The rows of a comparison as lines of plain text."""
    return [f"{row['aspect']}. MS: {row['MS']}. ALS: {row['ALS']}." for row in rows]


def plain_text(metadata: Mapping[str, Any]) -> str:
    """A whole reply as plain text: answer, comparison, sources, review date, disclaimer.

    One newline between paragraphs: Rasa's channels split a text at blank lines into several messages.
    """
    lines = [metadata["answer"], *comparison_lines(metadata["comparison"])]
    if metadata["sources"]:
        lines.append("Sources:")
        lines += [f"- {source_line(source)}" for source in metadata["sources"]]
    if metadata["reviewed"]:
        unchecked = "" if metadata["checked"] else "; not every source has been read again yet"
        lines.append(f"Facts last looked at: {metadata['reviewed']}{unchecked}.")
    lines.append(metadata["disclaimer"])
    return re.sub(r"\n\s*\n", "\n", "\n".join(lines)).strip()


class DisclaimerNLG(TemplatedNaturalLanguageGenerator):
    """Rasa's templated responses, each finished with the domain's `utter_disclaimer`.

    Where a clinician has signed all that is said (`signed` in the metadata), with `utter_disclaimer_signed`.
    Rasa makes it with an empty domain and sets `responses` once the model is loaded.
    """

    def __init__(self, endpoint_config: Any, domain: Domain) -> None:
        super().__init__(domain.responses)

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> Optional[Dict[str, Any]]:
        """The finished message: `text`, perhaps `buttons`, and `metadata` as the contract has it."""
        metadata: Dict[str, Any] = kwargs.get("metadata") or {}
        message = await super().generate(utter_action, tracker, output_channel, **{"answer": "", **metadata, **kwargs})
        if message is None:
            return None
        # The caller lays its own arguments over the result, so its dictionary is completed in place.
        for key, value in {**EMPTY, **(message.get("metadata") or {})}.items():
            metadata.setdefault(key, value)
        metadata["answer"] = metadata["answer"] or message.get("text") or ""
        disclaimer = "utter_disclaimer_signed" if metadata.get("signed") else "utter_disclaimer"
        metadata["disclaimer"] = self.responses[disclaimer][0]["text"]
        message["text"] = plain_text(metadata)
        message["metadata"] = metadata
        return message
