"""Shape: how a store's tables are made, as the schema declares them and as they stand in a database.

The two are compared after a migration and by `verify`: a column, a check, an index or a trigger that is not as
declared is named. What a database says of itself is read from its own catalogue, never from a note kept beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect

from xlbilling.store import schema

_SQLITE_TRIGGERS: Final = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
_POSTGRES_TRIGGERS: Final = (
    "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) || ' AS ' || p.prosrc || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' (disabled)' END "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)
_EVENTS: Final = re.compile(r"(BEFORE|AFTER) ((?:INSERT|UPDATE|DELETE|TRUNCATE)(?: OR \w+)*) ON (?:\w+\.)?(\w+)")


@dataclass
class Table:
    """One table: its columns in their order, the key, the checks, and by name the indexes and triggers."""

    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)

    @property
    def made(self) -> tuple[Any, ...]:
        """What only a new table can change: columns with their order, key and checks."""
        return tuple(self.columns.items()), self.key, self.checks


def declared(dialect: Dialect) -> dict[str, Table]:
    """The tables of the schema as they are to stand in a database of this dialect."""
    shapes = {}
    for name, table in schema.metadata.tables.items():
        checks = [(str(c.name), _check(str(c.sqltext))) for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        shapes[name] = Table(
            {c.name: _column(c.type.compile(dialect=dialect), bool(c.nullable), None) for c in table.columns},
            tuple(c.name for c in table.primary_key),
            dict(sorted(checks)),
            dict(sorted((str(i.name), _index(i.unique, [c.name for c in i.columns])) for i in table.indexes)),
        )
    statements = schema.triggers(dialect.name)
    bodies = dict(re.findall(r"CREATE OR REPLACE FUNCTION (\w+)\(\).*?\$\$(.*)\$\$", "\n".join(statements)))
    for statement in statements:
        if statement.startswith("CREATE TRIGGER"):
            called = re.search(r"EXECUTE FUNCTION (\w+)\(\)$", statement)
            body = f" AS {bodies[called[1]]}" if called else ""
            shapes[_table_of(statement)].triggers[statement.split()[2]] = _trigger(statement + body)
    return shapes


def standing(connection: Connection) -> dict[str, Table]:
    """The tables as they stand in the database, whoever made them."""
    catalogue = sa.inspect(connection)
    keys, checks = catalogue.get_multi_pk_constraint(), catalogue.get_multi_check_constraints()
    indexes, shapes = catalogue.get_multi_indexes(), {}
    for of, columns in catalogue.get_multi_columns().items():
        shapes[of[1]] = Table(
            {c["name"]: _column(c["type"].compile(dialect=connection.dialect), c["nullable"], c["default"]) for c in columns},
            tuple(keys[of]["constrained_columns"]),
            {str(c["name"]): _check(c["sqltext"]) for c in checks.get(of, [])},
            {str(i["name"]): _index(i["unique"], i["column_names"]) for i in indexes.get(of, [])},
        )  # fmt: skip
    for table, name, statement in triggers(connection):
        shapes[table].triggers[name] = _trigger(statement)
    return shapes


def triggers(connection: Connection) -> list[tuple[str, str, str]]:
    """Table, name and statement of every trigger in the database."""
    sql = _SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else _POSTGRES_TRIGGERS
    return [(str(table), str(name), str(statement)) for table, name, statement in connection.execute(sa.text(sql))]


def differences(connection: Connection) -> list[str]:
    """In words, what of the declared tables does not stand as declared; tables of somebody else are none of ours."""
    there, apart = standing(connection), []
    for name, wanted in declared(connection.dialect).items():
        if name not in there:
            apart.append(f"table {name} is missing")
            continue
        for what in ("columns", "checks", "indexes", "triggers"):
            mine, theirs = getattr(wanted, what), getattr(there[name], what)
            apart += [f"{what} of {name}: {part} is missing" for part in mine if part not in theirs]
            apart += [f"{what} of {name}: {part} does not belong there" for part in theirs if part not in mine]
            apart += [f"{what} of {name}: {p} is {theirs[p]}" for p in mine if p in theirs and mine[p] != theirs[p]]
        if wanted.key != there[name].key:
            apart.append(f"key of {name} is {', '.join(there[name].key)}")
        if sorted(wanted.columns) == sorted(there[name].columns) and [*wanted.columns] != [*there[name].columns]:
            apart.append(f"columns of {name} stand in another order")
    return apart


def _column(sort: str, optional: bool, default: Any) -> str:
    return sort + (" or empty" if optional else "") + (f", {default} where not given" if default is not None else "")


def _index(unique: bool | None, columns: list[Any]) -> str:
    return ("unique " if unique else "") + ", ".join(columns)


def _check(condition: str) -> str:
    """A condition without the ways in which each database writes it down again."""
    plain = re.sub(r"::\w+(\[\])?", "", condition).replace("= ANY", "IN")
    return " ".join(re.sub(r"[()\[\]]|\bARRAY\b", " ", plain).replace(",", ", ").split())


def _trigger(statement: str) -> str:
    """A trigger's statement without the ways in which each database writes it down again."""

    def in_order(when: re.Match[str]) -> str:
        return f"{when[1]} {' OR '.join(sorted(when[2].split(' OR ')))} ON {when[3]}"

    return " ".join(_EVENTS.sub(in_order, statement).split())


def _table_of(statement: str) -> str:
    when = _EVENTS.search(statement)
    assert when is not None, statement
    return when[3]
