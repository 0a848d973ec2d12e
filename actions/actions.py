"""The custom actions Rasa runs. Everything they say comes from the plain Python beside them."""

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import dialogue
from actions.question import Context, Message
from actions.reply import Reply
from facts.build import DEFAULT_FILE
from facts.store import FactStore, StoreUnavailable

logger = logging.getLogger(__name__)

CONTEXT_SLOT = "context"


@lru_cache(maxsize=1)
def fact_store() -> FactStore:
    """The store in `FACTS_FILE`, the one that `make facts` builds by default."""
    return FactStore(Path(os.environ.get("FACTS_FILE", "").strip() or DEFAULT_FILE))


async def check_facts() -> None:
    """For health checks.

    Raises:
        StoreUnavailable: when there are no facts to answer from.
    """
    fact_store().snapshot()


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
            facts = fact_store().snapshot()
            reply, context, decision = dialogue.respond(message, context, facts)
            # Why it was this reply is for the question log; the channels take it out.
            metadata = {**reply.metadata(facts), "reason": decision.reason}
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
