"""A project with its landing folder and its lake, and lakesmith at work on them."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import delta_log
from measure import Cost, spend

LINEITEM = Path(__file__).parent / "lineitem"


@dataclass(frozen=True)
class Done:
    """What a command has cost and said."""

    cost: Cost
    report: dict

    def table(self, name):
        """What the report says of one table."""
        return next(table for table in self.report["tables"] if table["table"] == name)


class Lake:
    """`project` reads ${BENCH_FOLDER}/landing and writes ${BENCH_FOLDER}/lake, which is this folder."""

    def __init__(self, binary, folder, project=LINEITEM):
        self.binary, self.folder, self.project = binary, Path(folder), project

    @classmethod
    def fresh(cls, binary, folder, project=LINEITEM):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "landing").mkdir(parents=True)
        return cls(binary, folder, project)

    def arrive(self, *files):
        """Hard links: as cheap as files that are already there."""
        for file in files:
            os.link(file, self.folder / "landing" / file.name)

    def do(self, *arguments):
        command = [self.binary, "-C", self.project, "--json", *arguments]
        cost, text = spend(command, {"BENCH_FOLDER": str(self.folder)})
        return Done(cost, json.loads(text))

    def run(self, *selection):
        return self.do("run", *selection)

    def idle_run(self):
        """A run that has nothing to do, and proves it."""
        done = self.run()
        written = [table for table in done.report["tables"] if table["status"] != "unchanged"]
        if written:
            raise AssertionError(f"a run without new input wrote {written}")
        return done

    def copy(self, name, project=None, without=()):
        """A lake beside this one that can be changed; the data files, which never change, are shared.

        `project`: how it goes on from here, `without`: layers that it has yet to make.
        """
        folder = self.folder.parent / name
        shutil.rmtree(folder, ignore_errors=True)
        left_out = {self.folder / "lake" / layer for layer in without}

        def ignore(parent, names):
            return [name for name in names if Path(parent, name) in left_out]

        shutil.copytree(self.folder, folder, copy_function=link_or_copy, ignore=ignore)
        return Lake(self.binary, folder, project or self.project)

    def remove(self):
        shutil.rmtree(self.folder)

    def table(self, name):
        layer, table = name.split(".")
        return self.folder / "lake" / layer / table

    def rewritten(self, name):
        """By a table's newest commit: how many files went and came, and how many there were."""
        log = delta_log.commits(self.table(name))
        added, removed = delta_log.changed(log[-1])
        return {"before": len(delta_log.live(log[:-1])), "removed": len(removed), "added": len(added)}

    def removed(self, name):
        """The files that a table's newest commit has removed."""
        return set(delta_log.changed(delta_log.commits(self.table(name))[-1])[1])


def link_or_copy(source, target):
    """Files of a log are copied, since some of them are replaced."""
    if "_delta_log" in Path(source).parts:
        return shutil.copy2(source, target)
    return os.link(source, target)
