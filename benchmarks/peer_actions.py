"""What the peer's action server runs: our actions, with each topic that a stock classifier finds read as its overview.

Our own pipeline ranks questions; a stock one knows intents only, and without a question nothing would be answered.
"""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import actions
from facts.schema import TOPICS


class PeerAnswer(actions.ActionAnswer):
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]
    ) -> List[Dict[str, Any]]:
        ranking = tracker.latest_message.get("intent_ranking") or []
        tracker.latest_message["question_ranking"] = [
            {**intent, "name": f"{intent['name']}/overview"} for intent in ranking if intent["name"] in TOPICS
        ]
        return await super().run(dispatcher, tracker, domain)
