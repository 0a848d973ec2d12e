"""The one place where replies are finished.

Rasa calls the generator for every `utter_*` and for every `utter_message(response=...)`, on every
channel and in the shell, so no reply leaves without its disclaimer. Configured in `endpoints.yml`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Optional

from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from replies.contract import Content


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
        said = {**(message.get("metadata") or {}), **metadata, "disclaimer": None}
        content = Content.from_message({**message, "metadata": said})
        signed = "_signed" if content.signed else ""
        content = replace(content, disclaimer=self.responses[f"utter_disclaimer{signed}"][0]["text"])
        # The caller lays its own arguments over the result, so its dictionary is completed in place.
        metadata.clear()
        metadata.update(content.to_dict())
        message.update(text=content.text, metadata=metadata)
        return message
