"""The relations of the fact store, derived from the record types of `facts.schema`.

A record becomes a row; a list of strings becomes a child table with one row per entry; a list or
mapping of records becomes a child table with the fields of that record. So `symptoms` has the child
table `symptoms_cells` (one row per symptom and condition), which has `symptoms_cells_facts`.
"""

import datetime
import hashlib
import json
from typing import Any, Dict, Iterator, List, Optional, Type

import sqlalchemy as sa
from pydantic.fields import SHAPE_DICT, SHAPE_LIST, ModelField

from facts.schema import TABLES, Record

metadata = sa.MetaData()
#: One row: the version of the content, and the digest of the tables' form.
version_table = sa.Table(
    "store_version",
    metadata,
    sa.Column("version", sa.String, nullable=False),
    sa.Column("form", sa.String, nullable=False),
)
#: Only one build at a time writes to a PostgreSQL; a number of our own, as its advisory locks want it.
_BUILD_LOCK = 7_305_118_204


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


def _shape(field: ModelField) -> str:
    """How a field is stored: column, json, strings, records (list of) or cells (mapping of)."""
    if field.shape == SHAPE_DICT:
        return "cells"
    if field.shape != SHAPE_LIST:
        return "column"
    if _is_record(field.type_):
        return "records"
    return "strings" if field.type_ is str else "json"


def _column_type(field: ModelField) -> Any:
    return {int: sa.Integer, bool: sa.Boolean, datetime.date: sa.Date}.get(field.type_, sa.Text)


def _define(name: str, kind: Type[Record], child: bool = False) -> None:
    columns = [sa.Column("row", sa.String, primary_key=True), sa.Column("position", sa.Integer)]
    if child:
        columns += [sa.Column("owner", sa.String, index=True), sa.Column("label", sa.String)]
    for field in kind.__fields__.values():
        shape = _shape(field)
        if shape == "column":
            columns.append(sa.Column(field.name, _column_type(field)))
        elif shape == "json":
            columns.append(sa.Column(field.name, sa.JSON))
        elif shape == "strings":
            sa.Table(
                f"{name}_{field.name}",
                metadata,
                sa.Column("owner", sa.String, primary_key=True),
                sa.Column("position", sa.Integer, primary_key=True),
                sa.Column("value", sa.String, index=True),
            )
        else:
            _define(f"{name}_{field.name}", field.type_, child=True)
    sa.Table(name, metadata, *columns)


for _name, _kind in TABLES.items():
    _define(_name, _kind)


def _rows(name: str, kind: Type[Record], row: str, position: int, record: Record, **link: str) -> Iterator[tuple]:
    values: Dict[str, Any] = {"row": row, "position": position, **link}
    for field in kind.__fields__.values():
        value, shape, child = getattr(record, field.name), _shape(field), f"{name}_{field.name}"
        if shape in ("column", "json"):
            values[field.name] = value
        elif shape == "strings":
            for index, entry in enumerate(value):
                yield child, {"owner": row, "position": index, "value": entry}
        else:
            items = value.items() if shape == "cells" else ((str(i), v) for i, v in enumerate(value))
            for index, (label, entry) in enumerate(items):
                yield from _rows(child, field.type_, f"{row}/{label}", index, entry, owner=row, label=label)
    yield name, values


def write(engine: sa.engine.Engine, records: Dict[str, List[Record]], version: str) -> None:
    """Replace the whole store in one transaction: readers see the old one or the new one.

    Tables that have the right form already are emptied and filled, which no reader notices before the
    end. Only when the form has changed are they made anew; then readers wait.
    """
    rows: Dict[str, List[dict]] = {}
    for name, kind in TABLES.items():
        for position, record in enumerate(records[name]):
            for table, values in _rows(name, kind, record.key, position, record):
                rows.setdefault(table, []).append(values)
    form = _form(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_BUILD_LOCK)))
        if _stored_form(connection) == form:
            for known in reversed(metadata.sorted_tables):
                connection.execute(known.delete())
        else:
            if engine.dialect.name == "postgresql" and sa.inspect(connection).has_table(version_table.name):
                # Readers begin there: those under way finish first, the others wait.
                connection.exec_driver_sql(f"LOCK TABLE {version_table.name} IN ACCESS EXCLUSIVE MODE")
            metadata.drop_all(connection)
            metadata.create_all(connection)
        for table, entries in rows.items():
            connection.execute(metadata.tables[table].insert(), entries)
        connection.execute(version_table.insert(), {"version": version, "form": form})


def _form(engine: sa.engine.Engine) -> str:
    """A short digest of all tables as this database would make them."""
    tables = [str(sa.schema.CreateTable(table).compile(engine)) for table in metadata.sorted_tables]
    return hashlib.sha256("\n".join(tables).encode()).hexdigest()[:12]


def _stored_form(connection: sa.engine.Connection) -> Optional[str]:
    """The form of the tables that are there; None when some are missing, or from before forms were kept."""
    seen = sa.inspect(connection)
    there = set(seen.get_table_names())
    if not set(metadata.tables) <= there:
        return None
    if "form" not in {column["name"] for column in seen.get_columns(version_table.name)}:
        return None
    return connection.execute(sa.select(version_table.c.form)).scalar()


def _read(connection: sa.engine.Connection, name: str, kind: Type[Record]) -> List[Dict[str, Any]]:
    table = metadata.tables[name]
    found = [dict(row._mapping) for row in connection.execute(sa.select(table).order_by("position"))]
    by_row = {row["row"]: row for row in found}
    for field in kind.__fields__.values():
        shape, child = _shape(field), f"{name}_{field.name}"
        if shape == "strings":
            for row in found:
                row[field.name] = []
            entries = metadata.tables[child]
            for owner, _, value in connection.execute(sa.select(entries).order_by("position")):
                by_row[owner][field.name].append(value)
        elif shape in ("records", "cells"):
            for row in found:
                row[field.name] = {}
            for entry in _read(connection, child, field.type_):
                by_row[entry.pop("owner")][field.name][entry.pop("label")] = entry
            if shape == "records":
                for row in found:
                    row[field.name] = list(row[field.name].values())
    for row in found:
        del row["row"], row["position"]
    return found


def read(connection: sa.engine.Connection) -> Dict[str, List[Record]]:
    """All records of the store, by table, in the order of the files.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when a table is missing or unreadable.
    """
    return {name: [kind(**row) for row in _read(connection, name, kind)] for name, kind in TABLES.items()}


def version_of(records: Dict[str, List[Record]]) -> str:
    """A short digest of the content, the same wherever it is built."""
    text = json.dumps({k: [r.json() for r in v] for k, v in records.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
