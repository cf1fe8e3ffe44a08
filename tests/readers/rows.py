"""Rows of whatever reader, as values that can be compared."""

import datetime as dt
import math
import struct
from decimal import Decimal
from functools import cache

from log import snapshot

OWN = {"_lakesmith/ledger": "lakesmith.ledger", "_lakesmith/runs": "lakesmith.runs"}


@cache
def rows_by_query(lakesmith, table, version=None):
    """All rows of a table of the lake, such as `silver/orders`, by `lakesmith query`."""
    layer, name = OWN.get(table, table.replace("/", ".")).split(".")
    at = "" if version is None else f"@{version}"
    rows = lakesmith.query(f'SELECT * FROM {layer}."{name}{at}"')
    return comparable(rows, schema_of(lakesmith, table, version))


def rows_of(arrow, schema):
    """The rows of an Arrow table."""
    return comparable(arrow.to_pylist(), schema)


def schema_of(lakesmith, table, version=None):
    """The fields of the Delta schema, from the log."""
    return snapshot(lakesmith.project / "lake" / table, version).schema


def comparable(rows, schema):
    """Each row as text, in an order of their own: the same values give the same text, whoever read them."""
    known = {field["name"] for field in schema}
    for row in rows:
        assert known >= row.keys(), row.keys() - known
    return sorted(repr({f["name"]: plain(row.get(f["name"]), f["type"]) for f in schema}) for row in rows)


def plain(value, kind):
    """A value by its type in the Delta schema, from Python's own or from text as in JSON and in partitions."""
    if value is None:
        return None
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return [plain(item, kind["elementType"]) for item in value]
        return {field["name"]: plain(value[field["name"]], field["type"]) for field in kind["fields"]}
    if kind.startswith("decimal"):
        return str(Decimal(value))
    if kind in ("double", "float"):
        number = float(value)
        if kind == "float":
            [number] = struct.unpack("f", struct.pack("f", number))
        return "NaN" if math.isnan(number) else number
    if kind == "timestamp":
        time = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).isoformat()
    if kind == "date":
        return value.isoformat() if isinstance(value, dt.date) else value
    if kind == "binary":
        return value.hex() if isinstance(value, bytes) else value
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    return str(value) if kind == "string" else int(value)
