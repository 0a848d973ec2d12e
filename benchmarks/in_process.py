"""The product without channels and servers: the model reads a message, `actions/` answers it, in this process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Dict

from rasa.core.agent import load_agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from actions import dialogue
from actions.actions import CONTEXT_SLOT, fact_store
from actions.question import Context, Message
from server.app import model_file
from server.settings import Settings


class InProcess:
    """The assistant with the newest model; what was talked about is kept for each sender.

    >>> InProcess().ask("someone", "how is ms diagnosed")["metadata"]["question"]
    'diagnosis/overview'
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        agent = self._loop.run_until_complete(load_agent(str(model_file(Settings.from_environment()))))
        assert agent.processor is not None
        assert agent.domain is not None
        self._processor, self._slots = agent.processor, agent.domain.slots
        self._facts = fact_store().snapshot()
        self._talks: Dict[str, Context] = defaultdict(Context)

    def ask(self, sender: str, text: str) -> Dict[str, Any]:
        """The reply as the REST channel gives it, without its last lines (sources, review date, disclaimer)."""
        context = self._talks[sender]
        slot = SlotSet(CONTEXT_SLOT, context.to_slot())
        tracker = DialogueStateTracker.from_events(sender, [slot], self._slots)
        parsed = self._loop.run_until_complete(self._processor.parse_message(UserMessage(text), tracker))
        reply, self._talks[sender], _ = dialogue.respond(Message.from_rasa(parsed), context, self._facts)
        buttons = [{"title": b.title, "payload": b.payload} for b in reply.buttons]
        return {"text": reply.answer, "buttons": buttons, "metadata": reply.metadata(self._facts)}
