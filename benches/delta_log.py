"""The log of a Delta table, read as the plain JSON that it is."""

import json
import os


def commits(table):
    """The files of its commits, the oldest first."""
    return sorted(file for file in (table / "_delta_log").iterdir() if file.suffix == ".json")


def changed(commit):
    """The Adds and the Removes of a commit, each by its path."""
    found = {"add": {}, "remove": {}}
    for line in commit.read_text().splitlines():
        for kind, action in json.loads(line).items() if line else ():
            if kind in found:
                found[kind][action["path"]] = action
    return found["add"], found["remove"]


def live(log):
    """The Adds of the files that a table has after these commits."""
    files = {}
    for commit in log:
        added, removed = changed(commit)
        files = {path: add for path, add in (files | added).items() if path not in removed or path in added}
    return files


def lengthen(table, until, files_each=0):
    """Commits up to this version, written by hand because a thousand runs would take minutes. Each adds as many files:
    the table's last one under other names, with its statistics and tags."""
    log = commits(table)
    path, add = list(live(log).items())[-1]
    for version in range(len(log), until):
        actions = [{"commitInfo": {"timestamp": add["modificationTime"] + version, "operation": "WRITE"}}]
        for number in range(files_each):
            name = f"part-{version:06}-{number}.zstd.parquet"
            os.link(table / path, table / name)
            actions.append({"add": add | {"path": name}})
        text = "".join(json.dumps(action) + "\n" for action in actions)
        (table / "_delta_log" / f"{version:020}.json").write_text(text)


def old_checkpoints(table):
    """A checkpoint after every tenth commit, as a table that grew in earnest has. Nobody reads any but the newest, so
    that the older ones are made of it."""
    log = table / "_delta_log"
    newest = json.loads((log / "_last_checkpoint").read_text())["version"]
    for version in range(9, newest, 10):
        old = log / f"{version:020}.checkpoint.parquet"
        if not old.exists():
            os.link(log / f"{newest:020}.checkpoint.parquet", old)
