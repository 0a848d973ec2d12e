"""Why a message got its reply: `make explain Q="..."` prints the way it took."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def steps(parsed: Dict[str, Any]) -> List[str]:
    """The way of a parsed message, a line per step."""
    from actions import dialogue
    from actions.actions import fact_store
    from actions.question import Context, Message

    facts = fact_store().snapshot()
    message = Message.from_rasa(parsed)
    reply, _, decision = dialogue.respond(message, Context(), facts)
    metadata = reply.metadata(facts)
    terms = [
        f"{e['entity']} {e['value']} ({parsed['text'][e['start'] : e['end']]})"
        for e in parsed["entities"]
        if "start" in e
    ]
    return [
        f"message    {parsed['text']}",
        f"terms      {', '.join(terms) or 'none'}",
        f"intents    {_ranked(message.intents)}",
        f"questions  {_ranked(message.questions)}",
        f"alarm      {message.alarm or 'none'}",
        f"decided    {decision.say}: {decision.reason}",
        f"question   {metadata['question'] or metadata['topic']}, about {' and '.join(metadata['conditions']) or None}",
        f"facts      {', '.join(metadata['facts']) or 'none'}",
        f"outcome    {metadata['outcome']}",
        f"answer     {metadata['answer']}",
        f"buttons    {', '.join(b.title for b in reply.buttons) or 'none'}",
    ]


def _ranked(measured: Sequence[Tuple[str, float]]) -> str:
    return ", ".join(f"{name} {confidence:.2f}" for name, confidence in measured[:5]) or "none"


async def parse(texts: List[str]) -> List[Dict[str, Any]]:
    """What the trained model understands of each text."""
    from rasa.core.agent import load_agent

    from server import logs
    from server.app import model_file
    from server.settings import Settings

    logs.configure()
    agent = await load_agent(str(model_file(Settings.from_environment())))
    return [await agent.parse_message(text) for text in texts]


def main() -> int:
    from server.settings import SettingError

    texts = sys.argv[1:]
    if not texts or not texts[0].strip():
        print('Ask something: make explain Q="how is MS diagnosed"', file=sys.stderr)
        return 2
    try:
        for parsed in asyncio.run(parse(texts)):
            print("\n".join(steps(parsed)), end="\n\n")
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
