"""The notebook's cells run, one after another, on the sample project's lake."""

import json

from conftest import ROOT


def test_the_tour(shop, monkeypatch):
    monkeypatch.setenv("LAKE", str(shop.project / "lake"))
    cells = json.loads((ROOT / "notebooks/tour.ipynb").read_text())["cells"]
    names = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102
    assert len(names["best_days"]) >= 4
    assert len(names["history"]) >= 1
    assert names["sources"]["len"].sum() == shop.query("SELECT count(*) AS n FROM silver.orders")[0]["n"]
    assert len(names["refused"]) > 0
