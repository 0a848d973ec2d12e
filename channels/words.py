"""What people write to us, and the few sentences that a channel says by itself."""

from __future__ import annotations

import re

from actions import dialogue
from actions.question import from_payload

#: Longest message that is answered, in every channel.
MOST_CHARACTERS = 2_000

#: Closes what a channel says by itself, where nobody hands it the domain's.
DISCLAIMER = "General information, not medical advice. Ask a doctor about your own situation."
URGENT = "If this is urgent, ask a doctor or call your emergency number (112, 911 or 999)."
APOLOGY = f"I am sorry, something went wrong and I could not answer. Please ask again in a minute. {URGENT}"
#: For who asked to be forgotten and was told so, when it then failed.
NOT_FORGOTTEN = "I am sorry, I could not delete our conversation just now. Please ask me again in a minute."
TEXT_ONLY = "I am sorry, I can only read text. Please write your question. A word or two is enough."
TOO_LONG = (
    f"I am sorry, that message is too long for me. Please use fewer than {MOST_CHARACTERS:,} characters. {URGENT}"
)
TOO_FAST = (
    "I am sorry, that is more messages than I can read at once. Please write again in {seconds} seconds. " + URGENT
)

#: What starts a message that Rasa would take for control input (`/restart`, `/intent{...}`).
_UNSEEN = r"\s\u200b-\u200f\u2060-\u2064\ufeff"
_CONTROL_PREFIX = re.compile(rf"^[{_UNSEEN}]*[/\uff0f][{_UNSEEN}/\uff0f]*")
#: What only a button says, or a program in its place. Whatever else begins with a slash somebody typed.
_PAYLOAD = re.compile(r"/\w+(?:@[\d.]*)?(?:\{.*)?", re.DOTALL)
#: Has the actions say that a button cannot be used.
UNKNOWN_BUTTON = "/unclear"


def typed(text: str) -> str:
    """What a person typed, as text that Rasa reads as text.

    Leading slashes go: only buttons carry control input such as `/restart`. So do characters that no database or
    tokenizer takes (NUL, half of a surrogate pair).
    """
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return _CONTROL_PREFIX.sub("", text).strip()


def pressed(payload: str) -> str:
    """What Rasa is told when a button was pressed: old, forged or ours.

    The names of our own topics and small talk pass, with the questions and terms of ours taken out and written anew.
    Anything else, such as `/restart`, is a button that is politely not known; none is ever read as a sentence.
    """
    question = from_payload(payload)
    if question is not None:
        return question.payload()
    return payload if payload[1:] in dialogue.INTENTS else UNKNOWN_BUTTON


def asked(text: str) -> str:
    """What Rasa is told when a text came that may be a press or words, as over REST."""
    return pressed(text.strip()) if _PAYLOAD.fullmatch(text.strip()) else typed(text) or "?"
