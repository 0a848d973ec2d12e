"""People who go on talking while something breaks, and a count of how they were answered."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import requests

from tests.contract.reply_contract import keep_to_contract

#: A question on MS, and its topic. "and for ALS?" after it can only be answered by who remembers it.
QUESTIONS = (
    ("what causes ms", "cause"),
    ("how is ms diagnosed", "diagnosis"),
    ("is there a cure for ms", "cure"),
    ("what are the symptoms of ms", "symptoms"),
)
#: What "and for ALS?" gets from who remembers nothing.
BEGUN_ANEW = ("clarify", "answered definition")
#: So long may an answer take, an apology too.
SECONDS = 10.0


class Found(Enum):
    """How a message was answered."""

    RIGHT = "right"
    #: The reply says that something is wrong, or a refusal in JSON does (429, 503).
    APOLOGY = "apology"
    #: Something else was answered, or it was asked back.
    ANOTHER = "another"
    #: An error that no program can read, or a connection that broke.
    BROKEN = "broken"
    #: Nothing within `SECONDS`.
    HUNG = "hung"


@dataclass(frozen=True)
class Turn:
    """A message and how it was answered.

    Attributes:
        follow_up: whether it can only be understood with what was said before.
        detail: of the answer, for whoever reads a failed test.
    """

    follow_up: bool
    found: Found
    began: float
    ended: float
    detail: str


def judge(response: requests.Response, topic: str, condition: str) -> tuple[Found, str]:
    """How a response answers a question on a topic of one disease."""
    try:
        body: Any = response.json()
    except ValueError:
        return Found.BROKEN, f"{response.status_code} {response.text[:200]}"
    if response.status_code in (429, 503):
        said = isinstance(body, dict) and body.get("error", {}).get("message")
        return (Found.APOLOGY if said else Found.BROKEN), f"{response.status_code} {json.dumps(body)[:200]}"
    if response.status_code != 200 or not isinstance(body, list) or len(body) != 1:
        return Found.BROKEN, f"{response.status_code} {response.text[:200]}"
    metadata = keep_to_contract(body[0])
    detail = f"{metadata['outcome']} {metadata['topic']} {metadata['conditions']}"
    if metadata["outcome"] == "error":
        return Found.APOLOGY, detail
    right = (metadata["outcome"], metadata["topic"], metadata["conditions"]) == ("answered", topic, [condition])
    return (Found.RIGHT if right else Found.ANOTHER), detail


def say(address: str, sender: str, message: str, topic: str, condition: str, follow_up: bool) -> Turn:
    """Send one message. Each conversation comes from an address of its own, where a proxy believes what it says."""
    number = int(sender[:6], 16)
    client = {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
    began = time.monotonic()
    try:
        body = {"sender": sender, "message": message}
        response = requests.post(
            f"{address}/webhooks/rest/webhook", json=body, headers=client, timeout=SECONDS, proxies={"http": ""}
        )
        found, detail = judge(response, topic, condition)
    except requests.Timeout as error:
        found, detail = Found.HUNG, type(error).__name__
    except requests.RequestException as error:
        found, detail = Found.BROKEN, repr(error)[:200]
    except AssertionError as error:
        found, detail = Found.BROKEN, f"against the contract: {error}"[:300]
    ended = time.monotonic()
    if ended - began > SECONDS:
        found = Found.HUNG
    return Turn(follow_up, found, began, ended, detail)


@dataclass
class Talkers:
    """Conversations side by side: a question on MS, "and for ALS?", "and MS?", then a new one.

    Who is apologised to asks again, as people do; who gets another answer begins anew.

    Args:
        address: where they talk.
        people: how many at once.
        pause: seconds between an answer and the next message.
        refused: an answer to be taken for an apology; a browser says so itself when nobody is there.
    """

    address: str
    people: int = 3
    pause: float = 0.1
    refused: Callable[[Turn], bool] = lambda turn: False
    turns: list[Turn] = field(default_factory=list)

    def __enter__(self) -> Talkers:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._talk, args=(i,)) for i in range(self.people)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _talk(self, person: int) -> None:
        talks = person
        while not self._over.is_set():
            question, topic = QUESTIONS[talks % len(QUESTIONS)]
            talks += 1
            sender = uuid.uuid4().hex
            for number, (message, condition) in enumerate(
                ((question, "MS"), ("and for ALS?", "ALS"), ("and MS?", "MS"))
            ):
                if self._until_answered(sender, message, topic, condition, number > 0) is not Found.RIGHT:
                    break

    def _until_answered(self, sender: str, message: str, topic: str, condition: str, follow_up: bool) -> Found:
        while True:
            turn = say(self.address, sender, message, topic, condition, follow_up)
            if turn.found is Found.BROKEN and self.refused(turn):
                turn = Turn(follow_up, Found.APOLOGY, turn.began, turn.ended, turn.detail)
            self.turns.append(turn)
            again = turn.found is not Found.RIGHT and turn.found is not Found.ANOTHER
            self._over.wait(self.pause * (4 if again else 1))
            if not again or self._over.is_set():
                return turn.found

    def counted(self, since: float = 0.0, until: float = float("inf")) -> Counter[Found]:
        """How messages were answered that were sent within a time (`time.monotonic()`)."""
        return Counter(turn.found for turn in list(self.turns) if since <= turn.began < until)

    def wait_for_right(self, number: int, seconds: float = 15.0) -> float:
        """Wait until so many messages, sent from now on, were answered right; how long the first took to come."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            right = [t for t in list(self.turns) if t.began >= begin and t.found is Found.RIGHT]
            if len(right) >= number:
                return min(turn.ended for turn in right) - begin
            time.sleep(0.05)
        raise AssertionError(f"only {self.counted(begin)} within {seconds:g} seconds: {self.odd()}")

    def odd(self) -> list[str]:
        """What was neither right nor an apology."""
        return [
            f"{'follow-up' if t.follow_up else 'question'}: {t.found.value}, {t.detail}, {t.ended - t.began:.1f} s"
            for t in list(self.turns)
            if t.found not in (Found.RIGHT, Found.APOLOGY)
        ]
