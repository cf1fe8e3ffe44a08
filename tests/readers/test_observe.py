"""Events of lineage against the schemas that OpenLineage publishes, metrics against Prometheus' own parser."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from prometheus_client.parser import text_string_to_metric_families
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parent / "openlineage"
OBSERVE = """
    observe:
      openlineage: { file: out/lineage.ndjson, namespace: acme }
      metrics: { file: out/lakesmith.prom }
"""


@pytest.fixture(scope="module")
def schemas():
    """Name of the file to schema, and all of them as the addresses by which they name one another."""
    found = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in found.values()]
    return found, Registry().with_resources(resources)


def validate(schemas, url, name, content):
    """What `name` holds against the schema at `url`, which must be the very version that is kept here."""
    found, registry = schemas
    schema = found[url.split("#")[0].rsplit("/", 1)[1]]
    assert schema["$id"] == url.split("#")[0]
    instance = content if name is None else {name: content}
    Draft202012Validator(schema, registry=registry, format_checker=FormatChecker()).validate(instance)


def facets_of(event):
    yield from event["run"]["facets"].items()
    yield from event["job"]["facets"].items()
    for dataset in event["inputs"] + event["outputs"]:
        for key in ("facets", "inputFacets", "outputFacets"):
            yield from dataset.get(key, {}).items()


def observed(sample):
    settings = sample.project / "lakesmith.yaml"
    text = "name: shop\nenvironments:\n  dev:\n    lake: ./lake\n    landing: ./landing" + OBSERVE
    settings.write_text(text)
    return sample


def test_events_are_what_openlineage_publishes(sample, schemas):
    shop = observed(sample)
    shop.json("run", "--json")
    (shop.project / "lake/gold/product_ranking/_delta_log/00000000000000000001.json").write_text("no commit")
    (shop.project / "landing/orders/broken.csv").write_bytes(b"\x00\xff\xfePNG")
    new = "order_id,customer_id,product_id,quantity,unit_price,status,ordered_at,updated_at\n"
    (shop.project / "landing/orders/late.csv").write_text(new)
    shop("run")
    events = [json.loads(line) for line in (shop.project / "out/lineage.ndjson").read_text().splitlines()]
    kinds = {event["eventType"] for event in events}
    assert kinds >= {"START", "COMPLETE"}, kinds
    seen = set()
    for event in events:
        validate(schemas, event["schemaURL"], None, event)
        for name, facet in facets_of(event):
            seen.add(name)
            validate(schemas, facet["_schemaURL"], name, facet)
    assert seen >= {"schema", "outputStatistics", "columnLineage", "dataQualityMetrics", "dataQualityAssertions"}
    begun = [event["run"]["runId"] for event in events if event["eventType"] == "START"]
    ended = [event["run"]["runId"] for event in events if event["eventType"] != "START"]
    assert sorted(begun) == sorted(ended) and len(set(begun)) == len(begun)


def test_a_table_that_fails_has_an_event_too(sample, schemas):
    shop = observed(sample)
    log = shop.project / "lake/gold/product_ranking/_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("no commit")
    assert shop("run").returncode == 1
    events = [json.loads(line) for line in (shop.project / "out/lineage.ndjson").read_text().splitlines()]
    (failed,) = [event for event in events if event["eventType"] == "FAIL"]
    validate(schemas, failed["schemaURL"], None, failed)
    validate(schemas, failed["run"]["facets"]["errorMessage"]["_schemaURL"], "errorMessage", failed["run"]["facets"]["errorMessage"])


def test_metrics_are_what_prometheus_reads(sample):
    shop = observed(sample)
    shop.json("run", "--json")
    text = (shop.project / "out/lakesmith.prom").read_text()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {
        "lakesmith_table_freshness_lag_seconds",
        "lakesmith_table_rows_per_second",
        "lakesmith_table_quarantine_ratio",
        "lakesmith_table_failed",
        "lakesmith_run_failed_tables",
    } <= set(families)
    for family in families.values():
        assert family.type == "gauge" and family.documentation
        labels = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(set(labels)) == len(labels), family.name
    tables = {sample.labels["table"] for sample in families["lakesmith_table_rows"].samples}
    assert len(tables) == 11
