"""The bench: measures what the targets speak of, each beside its peer in the same run.

Prints a table of targets, and writes all that was measured as JSON.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import machine
from bench import Bench
from measure import Died
from parts import PARTS
from targets import TARGETS, judged, table, unknown


def main():
    options = arguments()
    bench = Bench(options)
    result = machine.described(options.lakesmith) | {"scale": options.scale, "repeat": options.repeat}
    result |= {"targets": [], "details": {}}
    for name in options.only:
        began = time.perf_counter()
        findings, result["details"][name] = measured(name, bench)
        result["targets"] += [judged(target, finding, options.scale) for target, finding in findings.items()]
        print(f"{name}: measured in {time.perf_counter() - began:.0f} s", flush=True)
        write(result, options.out)
    bench.done()
    show(result)
    print(f"\nall of it: {options.out}")
    if any("failed" in detail for detail in result["details"].values()):
        sys.exit(1)


def write(result, out):
    """After each part, so that what was found is there whatever becomes of the rest."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def measured(name, bench):
    """What a part finds. If it fails, the others are measured all the same."""
    try:
        return PARTS[name].measure(bench)
    except (Died, AssertionError) as why:
        targets = [target for target in TARGETS if TARGETS[target].part == name]
        return {target: unknown(f"failed: {why}") for target in targets}, {"failed": str(why)}


def show(result):
    """What people look at first."""
    where, versions = result["machine"], result["versions"]
    print(
        f"\n{result['date']}, {where['cores']} cores of {where['cpu']}, {where['memory_bytes'] / 2**30:.0f} GiB; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; scale {result['scale']:g}\n"
    )
    print(table(result["targets"]))
    for target in result["targets"]:
        if "why" in target:
            print(f"{target['what']}: {target['why']}")
    travel = result["details"].get("time-travel")
    if travel:
        print("\ntime travel")
        for name, cost in travel["steps"].items():
            print(f"  {name:<32}{cost['seconds']:8.2f} s {cost['peak_bytes'] / 1e9:6.2f} GB")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakesmith", required=True, type=Path, help="the binary to measure")
    parser.add_argument("--generator", required=True, type=Path, help="the binary of benches/tpch")
    parser.add_argument("--folder", required=True, type=Path, help="where to work, and to keep the data")
    parser.add_argument("--out", required=True, type=Path, help="the JSON file to write")
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H's scale factor; 1 has six million line items")
    parser.add_argument("--against", type=float, help="a smaller scale, to tell what gold costs in a larger table")
    parser.add_argument("--repeat", type=int, default=3, help="how often what is measured is done; the best counts")
    parser.add_argument("--only", type=parts, default=list(PARTS), help=f"by commas, of {', '.join(PARTS)}")
    options = parser.parse_args()
    for path in ("lakesmith", "generator", "folder"):
        setattr(options, path, getattr(options, path).absolute())
    return options


def parts(text):
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    main()
