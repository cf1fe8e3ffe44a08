"""What it costs to compare, rebuild and backfill a lake of nine tenths of lineitem. The script cannot do it."""

from projects import by_month

MONTH = ("backfill", "silver.lineitem", "--from", "1995-03-01", "--to", "1995-04-01", "--yes")


def measure(bench):
    lake = bench.fresh("travel")
    lake.arrive(bench.lineitem.first)
    lake.run()
    last = lake.folder / "landing/last.csv"
    bench.lineitem.corrections_together(last, 0.4, 1)
    after = lake.run().table("silver.lineitem")["version"]
    diff = lake.do("diff", f"silver.lineitem@{after - 1}", f"silver.lineitem@{after}")
    steps = {"diff of one file": diff.cost, "rebuild": lake.do("rebuild", "silver.lineitem+", "--yes").cost}
    steps["backfill of a month"] = lake.do(*MONTH).cost
    months = lake.copy("travel-by-month", by_month(bench.work), without=("silver", "gold", "quarantine"))
    lake.remove()
    months.run("silver")
    steps["rebuild, by month"] = months.do("rebuild", "silver.lineitem", "--yes").cost
    steps["backfill of a month, by month"] = months.do(*MONTH).cost
    months.remove()
    share = {
        "one folder": steps["backfill of a month"].seconds / steps["rebuild"].seconds,
        "by month": steps["backfill of a month, by month"].seconds / steps["rebuild, by month"].seconds,
    }
    return {}, {
        "steps": {name: cost.figures() for name, cost in steps.items()},
        "diff_read": diff.report["read"],
        "month_share_of_rebuild": {name: round(value, 3) for name, value in share.items()},
    }
