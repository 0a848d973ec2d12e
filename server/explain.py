"""Why a message got its reply: `make explain Q="..."` prints the way it took."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")

from rasa.core.channels.channel import UserMessage  # noqa: E402

from actions import dialogue  # noqa: E402
from actions.actions import CONTEXT_SLOT, fact_store  # noqa: E402
from actions.question import Context, Message  # noqa: E402
from facts.store import Snapshot  # noqa: E402

ROOT = Path(__file__).parent.parent


def steps(parsed: Dict[str, Any], context: Context, facts: Snapshot) -> List[str]:
    """The way of a parsed message, a line per step."""
    message = Message.from_rasa(parsed)
    reply, _, decision = dialogue.respond(message, context, facts)
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
        f"behind     {context.asked}: {_ranked(message.following)}" if message.following else "behind     nothing",
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


def nearest(text: str, most: int = 3) -> List[str]:
    """The examples of the training data nearest to a text, with file and line."""
    import numpy as np

    from nlu.sentence_encoder import shared_encoder

    lines = [
        (f"{file.relative_to(ROOT)}:{number}", line.strip()[2:])
        for file in [ROOT / "data" / "nlu.yml", *sorted((ROOT / "data" / "nlu").glob("*.yml"))]
        for number, line in enumerate(file.read_text(encoding="utf8").splitlines(), 1)
        if line.startswith("      - ")
    ]
    # Sharing a word first: all of them would take minutes to encode.
    words = set(re.findall(r"\w{4,}", text.lower()))
    shared = sorted(lines, key=lambda found: -len(words & set(re.findall(r"\w{4,}", found[1].lower()))))[:800]
    vectors = shared_encoder().encode_all([text.lower(), *(line.lower() for _, line in shared)])
    order = np.argsort(-(vectors[1:] @ vectors[0]))[:most]
    return [f"near       {shared[i][0]}: {shared[i][1]}" for i in order]


async def explain(text: str, after: str = "") -> List[str]:
    """The way of a message, read behind another one."""
    from rasa.core.agent import load_agent
    from rasa.shared.core.events import SlotSet
    from rasa.shared.core.trackers import DialogueStateTracker

    from server import logs
    from server.app import model_file
    from server.settings import Settings

    logs.configure()
    agent = await load_agent(str(model_file(Settings.from_environment())))
    assert agent.processor is not None
    assert agent.domain is not None
    facts = fact_store().snapshot()
    context = Context()
    if after:
        _, context, _ = dialogue.respond(Message.from_rasa(await agent.parse_message(after)), context, facts)
    tracker = DialogueStateTracker.from_events(
        "explain", [SlotSet(CONTEXT_SLOT, context.to_slot())], agent.domain.slots, domain=agent.domain
    )
    parsed = await agent.processor.parse_message(UserMessage(text), tracker)
    return [*steps(parsed, context, facts), *nearest(text)]


def main() -> int:
    from server.settings import SettingError

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--after", default="", help="a message before it")
    parser.add_argument("text", nargs="?", default="")
    arguments = parser.parse_args()
    if not arguments.text.strip():
        print('Ask something: make explain Q="how is MS diagnosed"', file=sys.stderr)
        return 2
    try:
        print("\n".join(asyncio.run(explain(arguments.text, arguments.after))))
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
