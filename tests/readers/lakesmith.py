"""The command line in one project, run by the binary that LAKESMITH_BIN names."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(eq=False)
class Lakesmith:
    """The command line in one project."""

    project: Path

    def command(self, *arguments):
        """As a process is started with."""
        binary = os.environ.get("LAKESMITH_BIN")
        assert binary, "LAKESMITH_BIN names the binary; `make test` sets it"
        return [binary, "-C", str(self.project), *map(str, arguments)]

    def __call__(self, *arguments):
        """Runs it; the caller looks at the exit code."""
        command = self.command(*arguments)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)

    def json(self, *arguments, code=0):
        """Runs it with what gives JSON, and returns that; numbers with a point are Decimals."""
        done = self(*arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout, parse_float=Decimal)

    def query(self, sql):
        """The rows of a query."""
        return self.json("query", sql, "--format", "json")


def copy_of_sample(folder):
    """The sample project in a folder of its own, without a lake."""
    for name in ("layers", "schemas", "landing"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "lakesmith.yaml", folder)
    return Lakesmith(folder)


def run_shop(folder):
    """The sample project after one run, whose report is in `.report`."""
    lakesmith = copy_of_sample(folder)
    # A table in partitions, one of them NULL, so that readers must take the values from the log.
    gold = lakesmith.project / "layers/gold/daily_revenue.yaml"
    gold.write_text(gold.read_text() + "partition_by: [region]\n")
    lakesmith.report = lakesmith.json("run", "--json")
    return lakesmith
