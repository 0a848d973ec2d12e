"""Where people meet the assistant: a file for each channel. What a reply looks like is in `rendering`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Dict


@lru_cache(maxsize=1)
def services() -> Dict[str, str]:
    """The class of each chat service, by its name, which is that of its file. Imports none of them."""
    return _services_in(Path(__file__).parent)


def _services_in(folder: Path) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for file in sorted(folder.glob("*.py")):
        match = re.search(r"^class (\w+)\(ChatService\):", file.read_text("utf8"), re.MULTILINE)
        if match:
            found[file.stem] = match[1]
    return found
