"""The assistant in a terminal: wrapped text, comparisons as a table, buttons by arrow keys.

`make shell` starts it over the REST channel of the same process. Rasa's own `rasa shell` works too
and shows the same replies as plain text.
"""

from __future__ import annotations

import sys
import textwrap
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
import questionary

TYPE_INSTEAD = "Type my own question"
GOODBYE_WORDS = ("/stop", "exit", "quit")
MOST_COLUMNS = 88


def table(rows: list[Mapping[str, str]], width: int) -> list[str]:
    """A comparison as lines of a text table with the columns aspect, MS and ALS."""
    first = min(max(len(row["aspect"]) for row in rows) + 2, max(width // 4, 12))
    column = max((width - first - 2) // 2, 12)
    lines = [" " * first + "MS".ljust(column) + "  ALS", "-" * min(width, first + 2 * column + 2)]
    for row in rows:
        cells = [
            textwrap.wrap(row[key], size) for key, size in (("aspect", first - 1), ("MS", column), ("ALS", column))
        ]
        for index in range(max(map(len, cells))):
            left, ms, als = (cell[index] if index < len(cell) else "" for cell in cells)
            lines.append(f"{left:<{first}}{ms:<{column}}  {als}".rstrip())
    return lines


def render(message: Mapping[str, Any], width: int) -> str:
    """A reply for a terminal `width` columns wide, disclaimer last."""
    metadata = message.get("metadata")
    if not metadata:
        return "\n".join(_wrapped(str(message.get("text", "")), width))
    lines = _wrapped(metadata["answer"], width)
    if metadata["comparison"]:
        lines += ["", *table(metadata["comparison"], width)]
    if metadata["sources"]:
        lines += ["", "Sources"]
        for source in metadata["sources"]:
            named = f"{source['title']}, {source['publisher']}, {source['year'] or 'no date'}"
            lines += textwrap.wrap(named, width, initial_indent="  ", subsequent_indent="  ")
            # An address is never broken, so that a terminal can open it.
            lines.append(f"  {source['url']}")
    if metadata["reviewed"]:
        lines += ["", f"Facts last looked at: {metadata['reviewed']}"]
    return "\n".join([*lines, "", *_wrapped(metadata["disclaimer"], width)])


def _wrapped(text: str, width: int) -> list[str]:
    return [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, width) or [""]]


async def _ask(buttons: list[Mapping[str, str]]) -> str | None:
    """What the person sends next: a button's payload, their own words, or None to stop."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip() if line else None
    if buttons:
        choices = [questionary.Choice(b["title"], b["payload"]) for b in buttons]
        choices.append(questionary.Choice(TYPE_INSTEAD, ""))
        chosen = await questionary.select("Next?", choices).ask_async()
        if chosen != "":
            return chosen
    return await questionary.text("Your question:").ask_async()


async def talk(address: str) -> None:
    """Talk with the assistant at `address` until the person stops."""
    import shutil

    sender = uuid.uuid4().hex
    print("Ask about MS or ALS. Type /stop to leave.\n")
    buttons: list[Mapping[str, str]] = []
    async with aiohttp.ClientSession() as session:
        while True:
            message = await _ask(buttons)
            if message is None or message.lower() in GOODBYE_WORDS:
                return
            if not message:
                continue
            body = {"sender": sender, "message": message[:2000]}
            async with session.post(f"{address}/webhooks/rest/webhook", json=body) as response:
                replies = await response.json()
            buttons = []
            width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
            for reply in replies if response.status == 200 else []:
                print(f"\n{render(reply, width)}\n", flush=True)
                buttons = reply.get("buttons", [])
            if response.status != 200:
                print(f"\n{replies['error']['message']}\n", flush=True)
