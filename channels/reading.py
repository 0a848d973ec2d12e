"""Messages are read in threads, so that nobody waits while somebody else's is.

A long one made to be slow takes up to a second. Most of it is spent in onnxruntime, which lets go of Python's lock, and
Python itself hands the lock over every 5 ms: the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, TypeVar

#: Characters of a short text. At its slowest it is read in a tenth of a second.
SHORT = 300

Result = TypeVar("Result")


class Reader:
    """One thread for short texts and one for long ones: who asks something short waits behind no long letter.

    Who waits is let go when the turn is given up, so no line grows longer than what is read in that time.
    """

    def __init__(self, name: str) -> None:
        self._short, self._long = (ThreadPoolExecutor(1, f"{name}-{length}") for length in ("short", "long"))

    async def read(self, text: str, work: Callable[[], Result]) -> Result:
        """What `work` makes of a text; raises what it raises."""
        threads = self._short if len(text) <= SHORT else self._long
        return await asyncio.get_running_loop().run_in_executor(threads, work)
