"""Dagster reads the assets, sees the plan's edges, and materialising them makes the lake."""

import importlib

import pytest

dg = pytest.importorskip("dagster")


@pytest.fixture
def definitions(project):
    """The file reads the plan when it is imported, as Dagster does."""
    return importlib.reload(importlib.import_module("dagster_assets"))


def test_the_assets_make_the_lake(project, definitions, done_by):
    dg.Definitions.validate_loadable(definitions.defs)
    graph = definitions.defs.resolve_asset_graph()
    plan = project.json("plan", "--json")["tasks"]
    for task in plan:
        parents = {".".join(key.path) for key in graph.get(dg.AssetKey(task["table"].split("."))).parent_keys}
        assert parents == set(task["needs"])
    done = dg.materialize(definitions.assets, instance=dg.DagsterInstance.ephemeral())
    assert done.success
    [made] = done.asset_materializations_for_node("silver__orders")
    assert made.metadata["rows/inserted"].value == 1369
    assert made.metadata["version"].value == 0
    done_by()


def test_a_table_that_fails_stops_what_stands_below_it_and_nothing_else(project, definitions):
    packed = project.project / "landing/orders/2026-03.csv.gz"
    packed.write_bytes(packed.read_bytes()[:-2000])
    done = dg.materialize(definitions.assets, instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    assert not done.success
    failure = done.failure_data_for_node("bronze__orders")
    assert "2026-03.csv.gz" in str(failure.user_failure_data)
    made = {".".join(event.asset_key.path) for event in done.get_asset_materialization_events()}
    assert made == {"bronze.customers", "bronze.products", "silver.customers", "silver.products"}
