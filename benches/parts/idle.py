"""Runs that have nothing to do: what a lake costs that is looked at every minute.

The best of several processes each, start included. The lakes are small in rows; what grows is what a run must look at.
"""

import shutil

import delta_log
from lake import Lake
from measure import best, peer
from parts.small_files import FILES, many_files
from projects import small_file, small_tables
from targets import absolute

LONG_LOG, FILES_EACH = 1_000, 2
PAST_RUNS = 10_000
TAIL = 5


def measure(bench):
    found = {}
    for name, make in (("idle_3", three), ("idle_200", two_hundred), ("idle_long", long_log)):
        lake = make(bench, name)
        found[name] = idle(bench, lake)
        lake.remove()
    lake = past_runs(bench, "idle_runs")
    found["idle_runs_files"] = idle(bench, lake)
    shutil.rmtree(lake.folder / "landing/events_000")
    found["idle_runs"] = idle(bench, lake)
    lake.remove()
    return found, {}


def idle(bench, lake):
    lake.idle_run()
    return absolute(best([lake.idle_run().cost for _ in range(bench.repeat_short)]))


def small(bench, name, sources, golds, **options):
    folder = bench.scratch(name)
    return Lake(bench.binary, folder, small_tables(folder, sources, golds, **options))


def three(bench, name):
    lake = small(bench, name, 1, 1)
    lake.run()
    return lake


def two_hundred(bench, name):
    lake = small(bench, name, 80, 40)
    lake.run()
    return lake


def long_log(bench, name):
    """Silver has 1,000 commits and 2,000 files, and nobody makes few of them. Whoever wrote the rows, gold has taken
    them in when the clock starts."""
    lake = small(bench, name, 1, 1, auto_optimize=False)
    lake.run()
    lengthen(lake.table("silver.events_000"), LONG_LOG, FILES_EACH)
    settle(lake)
    return lake


def past_runs(bench, name):
    """As if each of 10,000 runs had taken in one file, and written to every table: all logs have as many commits, the
    ledger a line for each file, the history a row for each run."""
    lake = many_files(bench, name)
    lake.run()
    own = [lake.folder / "lake/_lakesmith" / table for table in ("ledger", "runs")]
    peer("past-runs", own[1], PAST_RUNS)
    named = [lake.table(name) for name in ("bronze.events_000", "silver.events_000", "gold.daily_000")]
    for table in own + named:
        lengthen(table, PAST_RUNS)
    settle(lake)
    return lake


def lengthen(table, until, files_each=0):
    """A log as it is on average: every tenth version has a checkpoint, the newest some commits ago."""
    delta_log.lengthen(table, until - TAIL, files_each)
    peer("checkpoint", table)
    delta_log.old_checkpoints(table)
    delta_log.lengthen(table, until, files_each)


def settle(lake):
    """A run that has something to do for each table, so that each ends with commits of lakesmith itself."""
    small_file(lake.folder / "landing/events_000/later.csv", FILES * 100, 1)
    done = lake.run()
    idle = [table["table"] for table in done.report["tables"] if table["status"] != "succeeded"]
    assert not idle, f"nothing was done for {idle}"
