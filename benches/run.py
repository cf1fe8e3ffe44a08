"""Runs one story twice, by lakesmith and by the hand-written script of peer.py, and says what each step cost.

The story: the first nine tenths of TPC-H lineitem go to bronze, silver and gold; then a tenth of new rows arrives, then
a correction of every hundredth row; then nothing. At the end both golds must agree.

Then lakesmith alone, on the lake that it has made: what time travel costs, which the script cannot do.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
FIRST, REST, CORRECTIONS = "first.csv", "rest.csv", "corrections.csv"


def generated(generator, folder, scale):
    """The landing files, made once, and how many rows each has."""
    source = folder / f"lineitem-{scale}"
    if not (source / "rows.json").exists():
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        counts = subprocess.run([generator, source, str(scale)], check=True, capture_output=True, text=True).stdout
        rows = dict(zip([FIRST, REST, CORRECTIONS], map(int, counts.split()), strict=True))
        (source / "rows.json").write_text(json.dumps(rows))
    return source, json.loads((source / "rows.json").read_text())


def fresh(folder):
    """An empty folder with an empty landing/ in it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "landing").mkdir(parents=True)
    return folder


def arrive(source, folder, name):
    """A hard link: as cheap as a file that is already there."""
    os.link(source / name, folder / "landing" / name)


def measured(binary, project, folder, *arguments):
    """One command as a process of its own, whose peak memory the kernel tells; its JSON is the report."""
    environment = os.environ | {"BENCH_FOLDER": str(folder)}
    start = time.perf_counter()
    with open(folder / "out.json", "w") as out:
        child = subprocess.Popen([binary, "-C", project, "--json", *arguments], env=environment, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    report = (folder / "out.json").read_text()
    if child.returncode != 0:
        sys.exit(f"lakesmith {' '.join(arguments)} ended with {child.returncode}:\n{report}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": usage.ru_maxrss * 1024, "report": json.loads(report)}


def of_lakesmith(binary, source, folder, rows):
    """The steps of our story."""

    def run(*selection):
        return measured(binary, HERE / "lineitem", folder, "run", *selection)

    arrive(source, folder, FIRST)
    steps = {f"first load, {layer}": run(layer) | {"rows": rows[FIRST]} for layer in ("bronze", "silver", "gold")}
    arrive(source, folder, REST)
    steps["10 % new rows, all layers"] = run() | {"rows": rows[REST]}
    arrive(source, folder, CORRECTIONS)
    steps["1 % corrections, all layers"] = run() | {"rows": rows[CORRECTIONS]}
    steps["nothing new"] = run()
    written = [table for table in steps["nothing new"]["report"]["tables"] if table["status"] != "unchanged"]
    if written:
        sys.exit(f"a run without new input wrote {written}")
    return steps


def of_time_travel(binary, source, folder):
    """What it costs to compare, rebuild and backfill the lake of our story."""

    def say(*arguments, project=HERE / "lineitem", at=folder):
        return measured(binary, project, at, *arguments)

    corrected(source / REST, folder / "landing/last.csv")
    after = next(t["version"] for t in say("run")["report"]["tables"] if t["table"] == "silver.lineitem")
    diff = say("diff", f"silver.lineitem@{after - 1}", f"silver.lineitem@{after}")
    steps = {"diff of one file": diff, "rebuild": say("rebuild", "silver.lineitem+", "--yes")}
    month = ("backfill", "silver.lineitem", "--from", "1995-03-01", "--to", "1995-04-01", "--yes")
    steps["backfill of a month"] = say(*month)
    project = by_month(folder)
    other = fresh(folder / "by_month")
    arrive(source, other, FIRST)
    say("run", "bronze", "silver", project=project, at=other)
    steps["rebuild, by month"] = say("rebuild", "silver.lineitem", "--yes", project=project, at=other)
    steps["backfill of a month, by month"] = say(*month, project=project, at=other)
    seconds = {name: step["seconds"] for name, step in steps.items()}
    return {
        "steps": {name: figures(step) for name, step in steps.items()},
        "diff_read": diff["report"]["read"],
        "month_share_of_rebuild": {
            "one folder": round(seconds["backfill of a month"] / seconds["rebuild"], 3),
            "by month": round(seconds["backfill of a month, by month"] / seconds["rebuild, by month"], 3),
        },
    }


def corrected(rows, out):
    """A correction of one row, so that one file of silver is written anew."""
    with rows.open() as lines:
        header, row = next(lines), next(lines)
    out.write_text(header + row.rsplit(",", 1)[0] + ",corrected again\n")


def by_month(folder):
    """The project with silver in a folder for each month."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(HERE / "lineitem", project)
    silver = project / "layers/silver/lineitem.yaml"
    steps = "partition_by: [month]\nsteps:\n  - derive: { month: \"date_trunc('month', l_shipdate)\" }\n"
    silver.write_text(silver.read_text() + steps)
    return project


def of_peer(source, folder, rows):
    """The same steps by the script: one process, as its user would have it."""
    child = subprocess.Popen(
        [sys.executable, HERE / "peer.py", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def say(*lines):
        seconds, cpu = 0.0, 0.0
        for line in lines:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            answer = child.stdout.readline()
            if not answer:
                sys.exit(f"the script died at `{line}`")
            clock, processor = map(float, answer.split())
            seconds, cpu = seconds + clock, cpu + processor
        return {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak_of(child.pid)}

    steps = {}
    for name in (FIRST, REST, CORRECTIONS):
        arrive(source, folder, name)
        if name == FIRST:
            for layer, line in (("bronze", f"load {name}"), ("silver", "silver"), ("gold", "gold")):
                steps[f"first load, {layer}"] = say(line) | {"rows": rows[name]}
        else:
            title = "10 % new rows, all layers" if name == REST else "1 % corrections, all layers"
            steps[title] = say(f"load {name}", "silver", "gold") | {"rows": rows[name]}
    child.stdin.close()
    child.wait()
    return steps


def peak_of(pid):
    """VmHWM: the most memory that a living process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def check_equal(ours, theirs):
    """Both stories must end with the same gold, or their times mean nothing."""
    columns = ["l_shipdate", "l_returnflag", "lines", "quantity", "price"]
    gold = [
        pl.read_delta(str(path)).select(columns).sort(columns[:2]).to_dicts()
        for path in (ours / "lake/gold/daily_sums", theirs / "lake/gold")
    ]
    if gold[0] != gold[1]:
        sys.exit("the two golds differ")
    return {"groups": len(gold[0]), "lines": sum(row["lines"] for row in gold[0]),
            "price": str(sum((row["price"] for row in gold[0]), Decimal(0)))}  # fmt: skip


def summary(ours, theirs):
    """What bench.json holds; the no-op run is ours alone and stands outside the comparison."""

    def total(steps, kind="seconds"):
        return sum(step[kind] for name, step in steps.items() if name != "nothing new")

    def peak(steps):
        return max(step["peak_bytes"] for step in steps.values())

    return {
        "story_speedup": round(total(theirs) / total(ours), 3),
        "story_memory_share": round(peak(ours) / peak(theirs), 3),
        "no_op_seconds": round(ours["nothing new"]["seconds"], 3),
        "seconds": {"lakesmith": round(total(ours), 3), "script": round(total(theirs), 3)},
        "cpu_seconds": {
            "lakesmith": round(total(ours, "cpu_seconds"), 3),
            "script": round(total(theirs, "cpu_seconds"), 3),
        },
        "peak_bytes": {"lakesmith": peak(ours), "script": peak(theirs)},
        "steps": {
            name: {"lakesmith": figures(step), "script": figures(theirs[name]) if name in theirs else None}
            for name, step in ours.items()
        },
    }


def figures(step):
    """One step's time, memory and, where rows came in, speed; of ours each table's time too."""
    rows = step.get("rows")
    tables = step.get("report", {}).get("tables")
    return ({"tables": {t["table"]: t["seconds"] for t in tables}} if tables else {}) | {
        "seconds": round(step["seconds"], 3),
        "cpu_seconds": round(step["cpu_seconds"], 3),
        "peak_bytes": step["peak_bytes"],
        "rows_per_second": round(rows / step["seconds"]) if rows else None,
    }


def show(result):
    """The table for people."""
    print(f"{'step':<28}{'lakesmith':>48}{'script':>48}")
    for name, sides in result["steps"].items():
        print(f"{name:<28}" + "".join(f"{words(sides[side]):>48}" for side in ("lakesmith", "script")))
    print(
        f"\nthe script's time is {result['story_speedup']} of ours; "
        f"our peak memory is {result['story_memory_share']} of the script's"
        f"\nprocessor seconds, which a busy machine changes less: {result['cpu_seconds']}"
        f"\n\n{'time travel':<32}{'lakesmith':>48}"
    )
    travel = result["time_travel"]
    for name, step in travel["steps"].items():
        print(f"{name:<32}{words(step):>48}")
    read = travel["diff_read"]
    print(f"the diff has read {read['files']} of {read['of_files']} files, {read['bytes']:,} of {read['of_bytes']:,} bytes")
    print(f"a month's backfill takes so much of the rebuild: {travel['month_share_of_rebuild']}")


def words(step):
    """`1.25 s   2.10 s cpu   0.61 GB   4.30 M/s`"""
    if step is None:
        return "-"
    speed = f"{step['rows_per_second'] / 1e6:7.2f} M/s" if step["rows_per_second"] else " " * 11
    return f"{step['seconds']:.2f} s {step['cpu_seconds']:7.2f} s cpu {step['peak_bytes'] / 1e9:5.2f} GB {speed}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lakesmith", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    source, rows = generated(options.generator, options.folder, options.scale)
    ours_at, theirs_at = fresh(options.folder / "ours"), fresh(options.folder / "theirs")
    theirs = of_peer(source, theirs_at, rows)
    ours = of_lakesmith(options.lakesmith, source, ours_at, rows)
    gold = check_equal(ours_at, theirs_at)
    travel = of_time_travel(options.lakesmith, source, ours_at)
    result = {"scale": options.scale, "gold": gold} | summary(ours, theirs) | {"time_travel": travel}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


if __name__ == "__main__":
    main()
