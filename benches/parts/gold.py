"""Gold after a change of one per cent, the step from silver to gold alone.

Changed groups that lie together in the table's files (blocks of order keys, in whose order the rows came) are to cost
what the change costs, however large the table is: hence a change of the same size in two tables, one ten times as
large. Groups that lie all over the table cannot cost less than reading it: hence the full recompute.
"""

from measure import alternately
from projects import by_block
from targets import ratio, unknown

FULL = ("rebuild", "--yes")


def measure(bench):
    number = (bench.lineitem_at(bench.against) if bench.against else bench.lineitem).number // 100
    project = by_block(bench.work)
    base = of_scale(bench, bench.scale, project)
    sides = {"scattered": beside_recompute(bench, base, bench.lineitem.corrections, "gold.daily_sums")}
    sides["together"] = together(bench, base, bench.lineitem, number)
    base.remove()
    found = {"gold_scattered": ratio(*sides["scattered"])}
    details = {
        name: {"incremental": ours.figures(), "full": theirs.figures()} for name, (ours, theirs) in sides.items()
    }
    if bench.against:
        small = of_scale(bench, bench.against, project)
        sides["small"] = together(bench, small, bench.lineitem_at(bench.against), number)
        small.remove()
        found["gold_together"] = ratio(sides["together"][0], sides["small"][0])
        details["together, smaller table"] = {"scale": bench.against, "full": sides["small"][1].figures()}
    else:
        found["gold_together"] = unknown("compares two scales: make bench-large", sides["together"][0])
    return found, details | {"rows_changed_together": number}


def of_scale(bench, scale, project):
    """Bronze, silver and both golds of one scale."""
    if scale == bench.scale:
        lake = bench.base().copy("gold", project=project, without=("silver", "quarantine"))
    else:
        lake = bench.fresh("gold-smaller", project)
        lake.arrive(*bench.lineitem_at(scale).whole)
    lake.run()
    return lake


def together(bench, base, lineitem, number):
    csv = lineitem.corrections_together(bench.scratch("together.csv"), 0.4, number)
    costs = beside_recompute(bench, base, csv, "gold.block_sums")
    csv.unlink()
    return costs


def beside_recompute(bench, base, csv, table):
    """What the table costs after these corrections: by its groups, and as a whole."""
    before = base.copy("gold-changed")
    before.arrive(csv)
    before.run("bronze", "silver")

    def gold(command, *flags):
        lake = before.copy("attempt")
        done = lake.do(command, table, *flags)
        assert done.table(table)["status"] == "succeeded", done.report
        lake.remove()
        return done.cost

    costs = alternately(bench.repeat, lambda: gold("run"), lambda: gold(*FULL))
    before.remove()
    return costs
