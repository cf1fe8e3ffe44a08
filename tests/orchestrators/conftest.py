"""The sample project, without a lake, for an orchestrator to run."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "readers"))

from lakesmith import ROOT, copy_of_sample

sys.path.append(str(ROOT / "examples/orchestrators"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Its folder is what LAKESMITH_PROJECT names."""
    lakesmith = copy_of_sample(tmp_path)
    monkeypatch.setenv("LAKESMITH_PROJECT", str(tmp_path))
    return lakesmith


@pytest.fixture
def done_by(project):
    """What must be true once an orchestrator has run the project."""

    def check():
        assert project.json("run", "--json")["status"] == "unchanged", "nothing was left to do"
        assert project.json("verify", "--json")["status"] == "equal"
        runs = project.query('SELECT count(DISTINCT run_id) AS runs, count(DISTINCT "table") AS tables FROM lakesmith.runs')
        tables = len(project.json("check", "--json")["tables"])
        assert runs == [{"runs": tables, "tables": tables}], "each table by a run of its own"

    return check
