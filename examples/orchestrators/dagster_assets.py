"""Dagster assets of a lakesmith project: one per table, made by `lakesmith run TABLE`, with what depends on what taken from
`lakesmith plan`. Version and row counts of each run stand beside the asset.

LAKESMITH_PROJECT names the project's folder, LAKESMITH_BIN the binary.
"""

import json
import os
import subprocess

import dagster as dg

PROJECT = os.environ.get("LAKESMITH_PROJECT", "/srv/shop")
BINARY = os.environ.get("LAKESMITH_BIN", "lakesmith")


def lakesmith(*arguments):
    return subprocess.run([BINARY, "-C", PROJECT, *arguments, "--json"], capture_output=True, text=True)


def asset_of(task):
    """The asset of one table of the plan."""
    table = task["table"]

    @dg.asset(
        key=dg.AssetKey(table.split(".")),
        deps=[dg.AssetKey(input.split(".")) for input in task["needs"]],
        group_name=table.split(".")[0],
        kinds={"delta"},
    )
    def run(context) -> dg.MaterializeResult:
        done = lakesmith("run", table)
        if done.returncode:
            context.log.error(done.stderr)
            raise dg.Failure(done.stderr)
        [report] = json.loads(done.stdout)["tables"]
        rows = {f"rows/{name}": count for name, count in report["rows"].items()}
        return dg.MaterializeResult(metadata={"version": report["version"], "action": report["action"], **rows})

    return run


plan = lakesmith("plan")
plan.check_returncode()
assets = [asset_of(task) for task in json.loads(plan.stdout)["tasks"]]
every_ten_minutes = dg.ScheduleDefinition(
    name="every_ten_minutes",
    job=dg.define_asset_job("lakesmith", selection=dg.AssetSelection.all()),
    cron_schedule="*/10 * * * *",
)
defs = dg.Definitions(assets=assets, schedules=[every_ten_minutes])
