"""Commands that touch no lake: what it costs to start, and to understand a project of 200 tables."""

from lake import Lake
from measure import best, spend
from projects import small_tables
from targets import absolute


def measure(bench):
    folder = bench.scratch("start")
    lake = Lake(bench.binary, folder, small_tables(folder, 80, 40))
    times = range(2 * bench.repeat_short)
    found = {
        "help": absolute(best([spend([bench.binary, "--help"])[0] for _ in times])),
        "check_200": absolute(best([lake.do("check").cost for _ in times])),
    }
    lake.remove()
    return found, {}
