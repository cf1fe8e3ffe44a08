"""The chart of the bench as SVG: each target as a bar that ends before the line or beyond it, and the story of both.

    python benches/chart.py OUT.svg BENCH.json...

It brings its own background, and so reads the same on a light and on a dark page.
"""

import json
import sys
from html import escape
from pathlib import Path

from targets import amount, bound

WIDTH, MARGIN, LABELS, BAR, ROW = 960, 24, 380, 260, 24
MOST = 1.6  # of the target: longer bars are cut, their number tells
STYLE = """
  .page { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .soft { fill: #59636e }
  .met { fill: #2da44e } .missed { fill: #cf222e } .ours { fill: #0969da } .theirs { fill: #9a6700 }
  .rail { fill: #eaeef2 } .line { stroke: #1f2328; stroke-width: 1.5 }
  text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { font-size: 16px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .soft { fill: #9198a1 }
    .met { fill: #3fb950 } .missed { fill: #f85149 } .ours { fill: #4493f8 } .theirs { fill: #d29922 }
    .rail { fill: #212830 } .line { stroke: #f0f6fc }
  }
"""


class Drawing:
    """Shapes from top to bottom."""

    def __init__(self):
        self.shapes, self.y = [], MARGIN

    def text(self, x, words, kind="text", anchor="start"):
        place = f'x="{x:g}" y="{self.y + 16}" text-anchor="{anchor}"'
        self.shapes.append(f'<text {place} class="{kind}">{escape(words)}</text>')

    def bar(self, x, width, kind):
        box = f'x="{x}" y="{self.y + 5}" width="{max(width, 1):.1f}" height="{ROW - 10}" rx="2"'
        self.shapes.append(f'<rect {box} class="{kind}"/>')

    def line(self, x, top):
        self.shapes.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{self.y}" class="line"/>')

    def down(self, by=ROW):
        self.y += by

    def svg(self):
        height = self.y + MARGIN
        size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        page = f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" class="page"/>'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="What lakesmith costs">']
        return "\n".join([*parts, f"<style>{STYLE}</style>", page, *self.shapes, "</svg>"]) + "\n"


def draw(results):
    drawing = Drawing()
    for result in results:
        steps = result["details"].get("story", {}).get("steps")
        if steps and all(step["script"] for step in steps.values()):
            story(drawing, result, steps)
    targets(drawing, results)
    drawing.down(8)
    for words in described(results[-1]):
        drawing.text(MARGIN, words, "soft")
        drawing.down(18)
    return drawing.svg()


def story(drawing, result, steps):
    """Seconds and memory of lakesmith and of the script."""
    title = f"One story, scale {result['scale']:g}: first load, 10 % new rows, 1 % updates, gold after each"
    drawing.text(MARGIN, title, "text title")
    drawing.down(30)
    sides = {"lakesmith": "ours", "script": "theirs"}
    names = {"lakesmith": "lakesmith", "script": "hand-written Polars + deltalake"}
    totals = {
        "seconds": {side: sum(step[side]["seconds"] for step in steps.values()) for side in sides},
        "bytes": {side: max(step[side]["peak_bytes"] for step in steps.values()) for side in sides},
    }
    for unit, values in totals.items():
        for side, kind in sides.items():
            drawing.text(MARGIN, f"{'time' if unit == 'seconds' else 'peak memory'}, {names[side]}")
            width = round(BAR * MOST * values[side] / max(values.values()))
            drawing.bar(LABELS, width, kind)
            drawing.text(LABELS + width + 8, amount(values[side], unit))
            drawing.down()
    drawing.down(20)


def targets(drawing, results):
    """Every target that was measured; the line is the target."""
    scales = " and ".join(f"{result['scale']:g}" for result in results)
    title = f"Targets, scale {scales}: a bar that ends before the line has met its own"
    drawing.text(MARGIN, title, "text title")
    drawing.down(30)
    top = drawing.y
    for result in results:
        scale = f" (scale {result['scale']:g})" if len(results) > 1 else ""
        for target in result["targets"]:
            if target["measured"] is not None and target["unit"] != "files":
                row(drawing, target, scale)
    drawing.line(LABELS + BAR, top)


def row(drawing, target, scale):
    share = target["measured"] / target["target"]
    if target["at_least"]:
        share = 1 / share
    drawing.text(LABELS - 10, label(target) + scale, "text", "end")
    drawing.bar(LABELS, BAR * MOST, "rail")
    drawing.bar(LABELS, BAR * min(share, MOST), "met" if target["met"] else "missed")
    drawing.text(WIDTH - MARGIN, bound(target), "soft", "end")
    drawing.text(WIDTH - MARGIN - 78, amount(target["measured"], target["unit"]).replace(" ×", "×"), "text", "end")
    drawing.down()


def label(target):
    tell_apart = target["name"].endswith("_peak") and "memory" not in target["what"]
    return target["what"] + (", memory" if tell_apart else "")


def described(result):
    machine, versions = result["machine"], result["versions"]
    yield f"{result['date']}; {machine['cores']} cores of {machine['cpu']}, {machine['memory_bytes'] / 2**30:.0f} GiB"
    yield ", ".join(f"{name} {version}" for name, version in versions.items())


if __name__ == "__main__":
    out, *files = map(Path, sys.argv[1:])
    if not files:
        sys.exit("there is nothing to draw yet: `make bench` measures")
    out.write_text(draw([json.loads(file.read_text()) for file in files]))
