"""An Airflow DAG of a lakesmith project: one task per table, in the order of `lakesmith plan`.

LAKESMITH_PROJECT names the project's folder, LAKESMITH_BIN the binary. The plan is asked for whenever Airflow reads this
file: it only looks, and takes moments. A task that is tried again does what is left; one with nothing to do writes nothing.
"""

import json
import os
import subprocess
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = os.environ.get("LAKESMITH_PROJECT", "/srv/shop")
BINARY = os.environ.get("LAKESMITH_BIN", "lakesmith")

plan = subprocess.run([BINARY, "-C", PROJECT, "plan", "--json"], check=True, capture_output=True, text=True, timeout=60)
tables = json.loads(plan.stdout)["tasks"]

with DAG(
    "lakesmith",
    schedule="*/10 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
) as dag:
    runs = {
        table["table"]: BashOperator(
            task_id=table["table"],
            bash_command='"$LAKESMITH" -C "$PROJECT" run "$TABLE"',
            env={"LAKESMITH": BINARY, "PROJECT": PROJECT, "TABLE": table["table"]},
            append_env=True,
        )
        for table in tables
    }
    for table in tables:
        for input in table["needs"]:
            runs[input] >> runs[table["table"]]
