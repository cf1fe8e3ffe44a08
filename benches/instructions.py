"""Instructions per row of the hot loops, by valgrind: what a busy machine cannot disturb.

Each step is measured with few rows and with twice as many; their difference, by row, leaves out the start.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lake import LINEITEM, Lake
from landing import FIRST, REST, Lineitem

SCALES = 0.002, 0.004  # twelve and twenty-four thousand rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lakesmith", required=True, type=Path)
    parser.add_argument("--generator", required=True, type=Path)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed (apt-get install valgrind)")
        return
    with tempfile.TemporaryDirectory() as folder:
        counts = [counted(options, Path(folder), scale) for scale in SCALES]
    print(f"{'step':<34}{'rows':>9}{'instructions':>18}{'per row':>12}")
    for step, (rows, instructions) in counts[1].items():
        fewer_rows, fewer_instructions = counts[0][step]
        each = (instructions - fewer_instructions) / (rows - fewer_rows)
        print(f"{step:<34}{rows:>9,}{instructions:>18,}{each:>12,.0f}")


def counted(options, folder, scale):
    """Each step's rows and instructions."""
    lineitem = Lineitem(options.generator.absolute(), folder, scale)
    lake = Lake.fresh(options.lakesmith.absolute(), folder / f"lake-{scale}", LINEITEM)
    rows, counts = lineitem.rows, {}
    lake.arrive(lineitem.first)
    counts["CSV → bronze"] = rows[FIRST], valgrind(lake, "bronze")
    counts["bronze → silver, first load"] = rows[FIRST], valgrind(lake, "silver")
    counts["silver → gold, all groups"] = rows[FIRST], valgrind(lake, "gold")
    lake.arrive(lineitem.rest)
    lake.run("bronze")
    counts["merge of new rows"] = rows[REST], valgrind(lake, "silver")
    again = lineitem.export_again(folder / "again.csv", lineitem.corrections)
    lake.arrive(again)
    lake.run("bronze")
    counts["merge of all rows, 1 % changed"] = lineitem.number, valgrind(lake, "silver")
    again.unlink()
    return counts


def valgrind(lake, layer):
    """The instructions of a run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", lake.binary]
    command += ["-C", lake.project, "-q", "run", layer]
    environment = {"BENCH_FOLDER": str(lake.folder), "HOME": str(Path.home()), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"valgrind of `run {layer}` ended with {done.returncode}:\n{done.stderr}")
    return int(found[1])


if __name__ == "__main__":
    main()
