"""The assistant in a terminal: wrapped text, comparisons as a table, buttons by arrow keys.

`make shell` starts it over the REST channel of the same process. Rasa's own `rasa shell` works too
and shows the same replies as plain text. Without a terminal (a pipe) the buttons are numbered lines.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import textwrap
import uuid
from typing import Any, Coroutine, List, Mapping, Optional, Sequence

import aiohttp
import questionary
from prompt_toolkit.key_binding import KeyPressEvent
from prompt_toolkit.keys import Keys

from channels.words import URGENT
from replies.contract import Button, Content, Row

WELCOME = "Ask about MS or ALS. Type /stop to leave."
TYPE_INSTEAD = "Type my own question"
AWAY = f"The assistant does not answer just now. Please try again in a minute. {URGENT}"
BUSY = f"The assistant is busy. Please try again in {{seconds}} seconds. {URGENT}"
GOODBYE_WORDS = ("/stop", "exit", "quit")
MOST_COLUMNS = 88
#: In a narrower terminal the columns of a table would be too thin to read.
TABLE_COLUMNS = 60
SECONDS = 60.0


def table(rows: Sequence[Row], width: int) -> List[str]:
    """A comparison as lines of a text table: a column for the aspect and one per disease."""
    names = list(dict.fromkeys(name for row in rows for name, _ in row.cells))
    first = min(max(len(row.aspect) for row in rows), width // 4)
    column = (width - first) // len(names) - 2
    lines = [" " * first + "".join(f"  {name:<{column}}" for name in names), "-" * width]
    for row in rows:
        texts = dict(row.cells)
        cells = [textwrap.wrap(row.aspect, first), *(textwrap.wrap(texts.get(name, ""), column) for name in names)]
        for n in range(max(map(len, cells))):
            left, *others = (cell[n] if n < len(cell) else "" for cell in cells)
            lines.append(f"{left:<{first}}" + "".join(f"  {text:<{column}}" for text in others))
    return [line.rstrip() for line in lines]


def stacked(rows: Sequence[Row], width: int) -> List[str]:
    """A comparison one aspect below the other, for a narrow terminal."""
    lines: List[str] = []
    for row in rows:
        lines += ["", *_wrapped(row.aspect, width)] if lines else _wrapped(row.aspect, width)
        for name, text in row.cells:
            lines += textwrap.wrap(f"{name}: {text}", width, initial_indent="  ", subsequent_indent="    ")
    return lines


def render(message: Mapping[str, Any], width: int) -> str:
    """A reply for a terminal `width` columns wide, disclaimer last."""
    content = Content.from_message(message)
    parts = [_wrapped(content.paragraphs, width)]
    if content.comparison:
        parts.append((table if width >= TABLE_COLUMNS else stacked)(content.comparison, width))
    if content.sources:
        lines = ["Sources"]
        for number, source in enumerate(content.sources, 1):
            named = f"{number}. {source.name}{source.detail}"
            lines += textwrap.wrap(named, width, subsequent_indent="   ")
            lines += [f"   {source.url}"] if source.url else []
        parts.append(lines)
    parts += [_wrapped(text, width) for text in (content.review, content.disclaimer) if text]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _wrapped(text: str, width: int) -> List[str]:
    """Lines of at most `width`; an address is never broken, so that a terminal can open it."""
    lines: List[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False) or [""]
    return lines


async def _ask(buttons: Sequence[Button], draft: str) -> Optional[str]:
    """What the person sends next: a button's payload, their own words, or None to stop.

    Args:
        buttons: what may be pressed.
        draft: words that could not be sent, to begin with.
    """
    if not sys.stdin.isatty():
        return _read_line(buttons)
    if buttons and not draft:
        choices = [questionary.Choice(TYPE_INSTEAD, ""), *(questionary.Choice(b.title, b.payload) for b in buttons)]
        hint = "(arrow keys and Enter, or just type)"
        select = questionary.select("Next?", choices, use_jk_keys=False, instruction=hint)

        def typing(event: KeyPressEvent) -> None:
            nonlocal draft
            draft = event.data if event.data.isprintable() else ""
            if draft:
                event.app.erase_when_done = True
                event.app.exit(result="")

        def leave(event: KeyPressEvent) -> None:
            event.app.exit(exception=EOFError, style="class:aborting")

        bindings = select.application.key_bindings
        bindings.add(Keys.Any)(typing)  # type: ignore[union-attr]
        bindings.add("c-d")(leave)  # type: ignore[union-attr]
        chosen = await _answered(select)
        if chosen != "":
            return chosen
    return await _answered(questionary.text("Your question:", default=draft))


async def _answered(question: questionary.Question) -> Optional[str]:
    """What was chosen or typed; None after Ctrl-C or Ctrl-D."""
    sys.stdout.flush()
    try:
        return str(await question.unsafe_ask_async())
    except (KeyboardInterrupt, EOFError):
        return None


def _read_line(buttons: Sequence[Button]) -> Optional[str]:
    for number, button in enumerate(buttons, 1):
        print(f"  {number}. {button.title}")
    print(flush=True)
    line = sys.stdin.readline()
    words = line.strip()
    if words.isdecimal() and 1 <= int(words) <= len(buttons):
        return buttons[int(words) - 1].payload
    return words if line else None


async def _replies(session: aiohttp.ClientSession, address: str, body: Mapping[str, str]) -> Any:
    """The messages that answer, or a sentence that says why there are none."""
    try:
        async with session.post(f"{address}/webhooks/rest/webhook", json=body) as response:
            wait = response.headers.get("Retry-After", "")
            if response.status in (429, 503) and wait.isdecimal():
                return BUSY.format(seconds=wait)
            answer = await response.json(content_type=None)
            return answer if response.status == 200 and answer[0] else str(answer["error"]["message"])
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, LookupError, TypeError):
        return AWAY


async def _unless_left(replies: Coroutine[Any, Any, Any]) -> Any:
    """The replies, or None when Ctrl-C is pressed while they are waited for.

    The prompts take the signal over, so that whoever listened to it before does not hear it any more.
    """
    loop, waiting = asyncio.get_running_loop(), asyncio.ensure_future(replies)
    left = False

    def leave() -> None:
        nonlocal left
        left = waiting.cancel()

    loop.add_signal_handler(signal.SIGINT, leave)
    try:
        return await waiting
    except asyncio.CancelledError:
        if not left:
            raise
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def talk(address: str) -> None:
    """Talk with the assistant at `address` until the person stops."""
    sender = uuid.uuid4().hex
    print(f"{WELCOME}\n")
    buttons: Sequence[Button] = ()
    draft = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        while True:
            message = await _ask(buttons, draft)
            if message is None or message.strip().lower() in GOODBYE_WORDS:
                return
            if not message.strip():
                continue
            replies = _replies(session, address, {"sender": sender, "message": message})
            answer = await (_unless_left(replies) if sys.stdin.isatty() else replies)
            if answer is None:
                return
            width = max(20, min(shutil.get_terminal_size().columns, MOST_COLUMNS))
            if isinstance(answer, str):
                print("", *_wrapped(answer, width), "", sep="\n", flush=True)
                draft = "" if message in [b.payload for b in buttons] else message
                continue
            draft = ""
            for reply in answer:
                print(f"\n{render(reply, width)}\n", flush=True)
            buttons = Content.from_message(answer[-1]).buttons
