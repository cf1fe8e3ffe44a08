"""A Delta table's files, by reading its log as the protocol says, with no library that knows Delta."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote


@dataclass
class Snapshot:
    """What a table is at a version."""

    schema: list  # of {name, type, nullable, metadata}
    partitioned_by: list
    files: dict  # path of the file -> its partition values (text or None)


def snapshot(table, version=None):
    """Replays the commits up to a version; there must be no checkpoint before which some are gone."""
    commits = sorted((table / "_delta_log").glob("*.json"))
    assert commits[0].stem == "0" * 20, "the log begins later: a checkpoint would have to be read"
    commits = commits if version is None else commits[: version + 1]
    files, metadata = {}, None
    for commit in commits:
        actions = [json.loads(line) for line in commit.read_text().splitlines()]
        assert all(len(action) == 1 for action in actions), "an action stands alone on its line"
        # a file that gets a deletion vector goes and comes in one commit, in whatever order
        for kind, action in sorted((item for one in actions for item in one.items()), key=lambda item: item[0] == "add"):
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


def versions(table):
    """How many versions a table has."""
    return len(list((table / "_delta_log").glob("*.json")))
