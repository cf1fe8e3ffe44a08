"""One session each of Spark and Sail for all tests, and the lakes of tests/readers."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "readers"))

import motley as motley_lake
from lakesmith import Lakesmith, run_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The sample project after one run; do not change it."""
    return run_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def motley(tmp_path_factory):
    """The lake of motley.py; do not change it."""
    return motley_lake.make(Lakesmith(tmp_path_factory.mktemp("motley")))


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Spark with Delta in this machine's Java; it ends with the tests."""
    from pyspark.sql import SparkSession

    jars = sorted(Path(os.environ["DELTA_JARS"]).glob("*.jar"))
    assert jars, "DELTA_JARS names the folder of Delta's jars; `make test-engines` fills it"
    work = tmp_path_factory.mktemp("spark")
    java = f"-Duser.timezone=UTC -Dderby.system.home={work} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    options = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(work),
        "spark.local.dir": str(work),
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": java,
        # nothing of it is to be reached from elsewhere
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # tables of a hundred rows need no fifty tasks
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    gateway = session.sparkContext._gateway
    yield session
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(60)


@pytest.fixture(scope="session")
def sail():
    """Sail speaks the protocol of Spark Connect; its server runs within this process."""
    from pysail.spark import SparkConnectServer
    from pyspark.sql.connect.session import SparkSession

    os.environ.setdefault("RUST_LOG", "error")
    server = SparkConnectServer(port=0)
    server.start(background=True)
    host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    yield session
    session.stop()
    server.stop()
