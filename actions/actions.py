"""The custom actions Rasa runs. Everything they say comes from the plain Python beside them."""

import asyncio
import logging
import os
from functools import lru_cache
from typing import Any, Dict, List, Optional

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import dialogue
from actions.question import Context, Message
from actions.reply import Reply
from facts.build import DEFAULT_URL
from facts.store import FactStore, Snapshot, StoreUnavailable

logger = logging.getLogger(__name__)

CONTEXT_SLOT = "context"


@lru_cache(maxsize=1)
def fact_store() -> FactStore:
    """The store at `FACT_STORE_URL`, the embedded one by default."""
    return FactStore(os.environ.get("FACT_STORE_URL", "").strip() or DEFAULT_URL)


async def current_facts() -> Snapshot:
    """The records to answer from. A server that has to be asked keeps nobody else waiting.

    Raises:
        StoreUnavailable: when the store cannot be read.
    """
    store = fact_store()
    return store.snapshot() if store.at_hand else await asyncio.to_thread(store.snapshot)


def facts_version() -> Optional[str]:
    """The version of the facts; None while they cannot be read."""
    try:
        return fact_store().snapshot().version
    except StoreUnavailable:
        return None


def utter(dispatcher: CollectingDispatcher, reply: Reply, metadata: Dict[str, Any]) -> None:
    """Hand a reply over to the generator, which adds the disclaimer."""
    dispatcher.utter_message(
        response="utter_reply",
        metadata=metadata,
        buttons=[{"title": b.title, "payload": b.payload} for b in reply.buttons],
    )


class ActionAnswer(Action):
    """Answers every message: one way through for all intents."""

    def name(self) -> str:
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]
    ) -> List[Dict[str, Any]]:
        context = Context.from_slot(tracker.get_slot(CONTEXT_SLOT))
        message = Message.from_rasa(tracker.latest_message)
        try:
            facts = await current_facts()
            reply, context = dialogue.respond(message, context, facts)
            metadata = reply.metadata(facts)
        except StoreUnavailable as error:
            logger.error("The fact store cannot be read (%s).", error)
            reply = dialogue.apology()
        except Exception as error:  # noqa: BLE001 - a person gets an apology, whatever went wrong
            # The message of an exception may hold what the person wrote: only its type is logged.
            logger.error("No reply could be made (%s).", type(error).__name__)
            reply = dialogue.apology()
        if reply.outcome.value == "error":
            metadata = {"outcome": "error", "answer": reply.answer}
        utter(dispatcher, reply, metadata)
        return [SlotSet(CONTEXT_SLOT, context.to_slot())]
