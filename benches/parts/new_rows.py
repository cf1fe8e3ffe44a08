"""Ten per cent new rows, whose keys no file holds, beside the append of the same rows.

The append is lakesmith's own, to a table that differs in one thing: it has no key. So both read, judge, write and
account for the same; the difference is the proof that no key is there yet. The step from bronze to silver alone.
"""

from measure import alternately
from projects import without_key
from targets import ratio


def measure(bench):
    lineitem = bench.lineitem
    keyed = bench.fresh("keyed")
    keyed.arrive(lineitem.first)
    keyed.run("bronze")
    keyless = keyed.copy("keyless", project=without_key(bench.work))
    for lake in (keyed, keyless):
        lake.run("silver")
        lake.arrive(lineitem.rest)
        lake.run("bronze")

    def silver(before):
        lake = before.copy("attempt")
        done = lake.run("silver")
        inserted = done.table("silver.lineitem")["rows"]["inserted"]
        assert inserted == lineitem.rows["rest.csv"], f"{inserted} rows were inserted"
        lake.remove()
        return done.cost

    ours, theirs = alternately(bench.repeat, lambda: silver(keyed), lambda: silver(keyless))
    keyed.remove()
    keyless.remove()
    return {"new_rows": ratio(ours, theirs)}, {"rows": lineitem.rows["rest.csv"]}
