"""Figures as they stand in the documents: tables, the machine, and where they go."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Sequence

import psutil

from benchmarks.running import Failed


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well as plain text: first column left, the others right."""
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return f"| {first[0]:<{first[1]}} | " + " | ".join(f"{c:>{w}}" for c, w in others) + " |"

    rule = f"|{'-' * (widths[0] + 2)}|" + "|".join("-" * (w + 1) + ":" for w in widths[1:]) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def machine() -> str:
    """Processor, cores and memory."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf8").splitlines() if information.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def put_between(document: Path, module: str, content: str) -> None:
    """Put what a module measured between its two comments in a document.

    Raises:
        Failed: when the comments are not there.
    """
    begin, end = (f"<!-- figures of {module}: {place} -->" for place in ("begin", "end"))
    text = document.read_text(encoding="utf8")
    between = f"{re.escape(begin)}.*?{re.escape(end)}"
    new, times = re.subn(between, lambda _: f"{begin}\n\n{content}\n\n{end}", text, flags=re.DOTALL)
    if times != 1:
        raise Failed(f"{document.name} does not have the two comments between which figures go")
    document.write_text(new, encoding="utf8")
