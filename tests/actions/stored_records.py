"""The records as they stand in the YAML files, for tests that are one per record."""

from __future__ import annotations

from typing import Any

from facts.build import load

#: Records by table. Read at collection, and once, because reading takes seconds.
RECORDS: dict[str, list[Any]] = {table: [entry.record for entry in entries] for table, entries in load()[0].items()}
