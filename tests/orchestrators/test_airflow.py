"""The DAG is read by Airflow without a fault, has the plan's edges, and its tasks make the lake."""

import os
import subprocess
import sys

import pytest
from lakesmith import ROOT

airflow = pytest.importorskip("airflow")

RUN = """
import sys
from airflow.models import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
dag = bag.dags["lakesmith"]
print("EDGES", sorted((task.task_id, below) for task in dag.tasks for below in task.downstream_task_ids))
done = dag.test()
print("STATES", {str(done.state), *(str(task.state) for task in done.get_task_instances())})
"""


def test_the_dag_makes_the_lake(project, done_by, tmp_path_factory):
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    (dags / "lakesmith.py").write_text((ROOT / "examples/orchestrators/airflow_dag.py").read_text())
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "NO_PROXY": "*",
    }
    call = {"env": environment, "capture_output": True, "text": True, "timeout": 600, "cwd": home}
    migrated = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], **call)
    assert migrated.returncode == 0, migrated.stderr
    ran = subprocess.run([sys.executable, "-c", RUN, str(dags)], **call)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    plan = project.json("plan", "--json")["tasks"]
    edges = sorted((above, task["table"]) for task in plan for above in task["needs"])
    assert f"EDGES {edges}" in ran.stdout
    assert "STATES {'success'}" in ran.stdout, ran.stdout + ran.stderr
    done_by()
