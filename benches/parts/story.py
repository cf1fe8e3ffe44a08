"""One story twice, by lakesmith and by the hand-written script.

The first nine tenths of lineitem go to bronze, silver and gold; then a tenth of new rows arrives, then a correction of
every hundredth row; then nothing. At the end both golds must agree.
"""

import os
import subprocess
import sys
from pathlib import Path

import machine
from landing import CORRECTIONS, FIRST, REST
from measure import Cost, first_to_go, peer
from targets import ratio, unknown

SCRIPT = Path(__file__).parents[1] / "script.py"
# Of resident memory, at scale 1; measured. It grows as the data does.
SCRIPT_NEEDS = 7.3e9
LATER = {REST: "10 % new rows, all layers", CORRECTIONS: "1 % corrections, all layers"}


def measure(bench):
    lineitem = bench.lineitem
    ours = bench.fresh("ours")
    too_large = SCRIPT_NEEDS * bench.scale > machine.memory()
    theirs = None if too_large else by_script(lineitem, bench.fresh("theirs").folder)
    steps = by_lakesmith(lineitem, ours)
    whole = total(steps)
    details = {"steps": figures(lineitem, steps, theirs)}
    if theirs is None:
        found = unknown("the script needs more memory than there is", whole)
        return {"story": found, "story_peak": found}, details
    script = total(theirs)
    details["gold"] = peer("same-gold", ours.table("gold.daily_sums"), bench.scratch("theirs/lake/gold"))[1]
    faster = ratio(whole, script) | {"measured": script.seconds / whole.seconds}
    return {"story": faster, "story_peak": ratio(whole, script, "peak_bytes")}, details


def by_lakesmith(lineitem, lake):
    """Each step a process."""
    lake.arrive(lineitem.first)
    steps = {f"first load, {layer}": lake.run(layer).cost for layer in ("bronze", "silver", "gold")}
    for name, title in LATER.items():
        lake.arrive(lineitem.folder / name)
        steps[title] = lake.run().cost
    lake.idle_run()
    return steps


def by_script(lineitem, folder):
    """One process for all, as its user would have it."""
    child = subprocess.Popen([sys.executable, SCRIPT, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first_to_go(child.pid)

    def say(name, *lines):
        if not (folder / "landing" / name).exists():
            os.sync()
            os.link(lineitem.folder / name, folder / "landing" / name)
        seconds = cpu = 0.0
        for line in lines:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
            if not answer:
                sys.exit(f"the script died at `{line}`")
            clock, processor = map(float, answer.split())
            seconds, cpu = seconds + clock, cpu + processor
        return Cost(seconds, cpu, peak_of(child.pid))

    lines = {"bronze": f"load {FIRST}", "silver": "silver", "gold": "gold"}
    steps = {f"first load, {layer}": say(FIRST, line) for layer, line in lines.items()}
    for name, title in LATER.items():
        steps[title] = say(name, f"load {name}", "silver", "gold")
    child.stdin.close()
    child.wait()
    return steps


def peak_of(pid):
    """VmHWM: the most memory that a living process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def total(steps):
    costs = steps.values()
    return Cost(sum(c.seconds for c in costs), sum(c.cpu_seconds for c in costs), max(c.peak_bytes for c in costs))


def figures(lineitem, ours, theirs):
    """Each step by both, and how many rows came in by it."""
    arriving = {title: lineitem.rows[name] for name, title in LATER.items()}
    return {
        name: {
            "rows": arriving.get(name, lineitem.rows[FIRST]),
            "lakesmith": cost.figures(),
            "script": theirs[name].figures() if theirs else None,
        }
        for name, cost in ours.items()
    }
