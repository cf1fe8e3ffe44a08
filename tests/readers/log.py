"""A Delta table's files, by reading its log as the protocol says, with no library that knows Delta."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote


@dataclass
class Snapshot:
    """What a table is at its newest version."""

    schema: list  # of {name, type, nullable, metadata}
    partitioned_by: list
    files: dict  # path of the file -> its partition values (text or None)


def snapshot(table):
    """Replays the commits; there must be no checkpoint before which some are gone."""
    commits = sorted((table / "_delta_log").glob("*.json"))
    assert commits[0].stem == "0" * 20, "the log begins later: a checkpoint would have to be read"
    files, metadata = {}, None
    for commit in commits:
        for line in commit.read_text().splitlines():
            (kind, action), *rest = json.loads(line).items()
            assert not rest, "an action stands alone on its line"
            if kind == "add":
                files[_path(table, action)] = action["partitionValues"]
            elif kind == "remove":
                del files[_path(table, action)]
            elif kind == "metaData":
                metadata = action
    return Snapshot(json.loads(metadata["schemaString"])["fields"], metadata["partitionColumns"], files)


def _path(table: Path, action):
    path = table / unquote(action["path"])
    assert path.resolve().is_relative_to(table.resolve()), "a data file lies within its table"
    return path


def all_tables(lake):
    """Every folder of the lake that is a Delta table, by its path within the lake."""
    return sorted(str(log.parent.relative_to(lake)) for log in lake.rglob("_delta_log"))
