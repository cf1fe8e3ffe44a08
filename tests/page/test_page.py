"""What people see of the page that `lakesmith docs` makes, from file://, in Chromium."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

TABLES = 11


def heading(page):
    return page.get_by_role("heading", level=1)


def fits(page):
    """Whether nothing makes people scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_graph_shows_every_table_in_columns_by_layer(shop, opened):
    page = opened(shop)
    expect(heading(page)).to_contain_text("shop")
    nodes = page.locator("svg .node")
    expect(nodes).to_have_count(TABLES)
    places = page.evaluate(
        "[...document.querySelectorAll('svg .node')].map((n) => { const b = n.getBoundingClientRect();"
        " return { name: n.getAttribute('href').slice(1), left: b.left, right: b.right, top: b.top, bottom: b.bottom } })"
    )
    layer = {"bronze": 0, "silver": 1, "gold": 2}
    for a in places:
        for b in places:
            if layer[a["name"].split(".")[0]] < layer[b["name"].split(".")[0]]:
                assert a["right"] < b["left"], (a, b)
            apart = a["right"] <= b["left"] or b["right"] <= a["left"] or a["bottom"] <= b["top"] or b["bottom"] <= a["top"]
            assert a is b or apart, (a, b)
    assert page.locator("svg .edge").count() == 12


def test_what_is_not_up_to_date_is_told_with_its_reasons(shop, opened):
    page = opened(shop)

    def bad(table):
        return page.locator(".attention > li").filter(has=page.get_by_role("link", name=table, exact=True))

    expect(bad("bronze.orders")).to_contain_text("broken.csv is set aside")
    expect(bad("gold.daily_revenue")).to_contain_text("stale: its definition changed")
    expect(bad("gold.monthly_revenue")).to_contain_text("about to change")
    expect(bad("silver.orders")).to_have_count(0)
    page.get_by_role("link", name="bronze.orders, failed").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("note")).to_contain_text("broken.csv is set aside")


def test_a_click_leads_to_a_table_with_columns_contract_and_owner(shop, opened):
    page = opened(shop)
    page.locator("svg .node[href='#silver.orders']").click()
    expect(heading(page)).to_contain_text("silver.orders")
    assert page.url.endswith("#silver.orders")
    columns = page.locator("[data-section=columns] tbody tr")
    quantity = columns.filter(has=page.get_by_role("link", name="quantity", exact=True))
    expect(quantity).to_contain_text("int")
    expect(quantity).to_contain_text("minimum 1")
    total = columns.filter(has=page.get_by_role("rowheader", name="total"))
    expect(total).to_contain_text("bronze.orders.quantity")
    expect(total).to_contain_text("bronze.orders.unit_price")
    expect(page.locator(".facts")).to_contain_text("orders-team")
    expect(page.locator("[data-section=definition]")).to_contain_text("derive: { total: quantity * unit_price }")
    expect(page.locator("[data-section=definition] details")).to_have_count(2)
    expect(page.locator("[data-section=versions] tbody tr")).to_have_count(2)
    expect(page.locator("[data-section=quarantine]")).to_contain_text("lakesmith quarantine silver.orders")
    expect(page.locator(".chart svg[role=img]").first).to_be_visible()
    page.go_back()
    expect(heading(page)).to_contain_text("shop")
    page.go_forward()
    expect(heading(page)).to_contain_text("silver.orders")


def test_what_a_table_is_made_from_and_what_is_made_from_it_stands_out(shop, opened):
    page = opened(shop, "#silver.products")
    expect(page.locator("svg .node")).to_have_count(3)
    page.get_by_role("button", name="Whole graph").click()
    expect(page.locator("svg .node")).to_have_count(TABLES)
    near = page.evaluate("[...document.querySelectorAll('svg .node.near')].map((n) => n.getAttribute('href')).sort()")
    assert near == ["#bronze.products", "#gold.product_ranking", "#silver.products"]
    assert page.locator("svg .edge.near").count() == 2


def test_a_column_can_be_followed_through_the_tables(shop, opened):
    page = opened(shop, "#silver.orders:total")
    expect(page.locator("tr.chosen")).to_contain_text("total")
    expect(page.get_by_text("Under each table stand its columns")).to_be_in_viewport()
    node = page.locator("svg .node[href='#gold.customer_lifetime_value']")
    expect(node).to_contain_text("revenue")
    expect(page.locator("svg .node.aside[href='#gold.customers_without_orders']")).to_have_count(1)


def test_only_the_way_of_a_column_stands_out(shop, opened):
    near = "[...document.querySelectorAll('svg .node.near')].map((n) => n.getAttribute('href')).sort()"
    page = opened(shop, "#gold.customer_lifetime_value")
    assert len(page.evaluate(near)) == 5 and page.locator("svg .edge.near").count() == 4
    page = opened(shop, "#gold.customer_lifetime_value:revenue")
    assert page.evaluate(near) == ["#bronze.orders", "#gold.customer_lifetime_value", "#silver.orders"]
    assert page.locator("svg .edge.near").count() == 2
    # nor does it under the pointer
    page.locator("svg .node.selected").hover()
    assert page.locator("svg .edge.near").count() == 2


def test_search_finds_tables_columns_and_owners_by_keyboard(shop, opened):
    page = opened(shop)
    page.keyboard.press("/")
    search = page.get_by_role("combobox")
    expect(search).to_be_focused()
    page.keyboard.type("lifetime")
    expect(page.get_by_role("option").first).to_contain_text("gold.customer_lifetime_value")
    page.keyboard.press("Enter")
    expect(heading(page)).to_contain_text("gold.customer_lifetime_value")
    expect(heading(page)).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("unit_pr")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("tr.chosen")).to_contain_text("unit_price")
    page.keyboard.press("/")
    page.keyboard.type("catalogue-team")
    expect(page.get_by_role("option").first).to_contain_text("product")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_arrows_go_from_table_to_table(shop, opened):
    page = opened(shop, "#silver.products")
    page.locator("svg .node[href='#silver.products']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("svg .node[href='#gold.product_ranking']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading(page)).to_contain_text("gold.product_ranking")


def test_a_drag_moves_the_graph_and_opens_no_table(shop, opened):
    page = opened(shop)
    node = page.locator("svg .node[href='#silver.orders']")
    before = node.bounding_box()
    page.mouse.move(before["x"] + 40, before["y"] + 20)
    page.mouse.down()
    page.mouse.move(before["x"] + 90, before["y"] + 50, steps=4)
    page.mouse.up()
    after = node.bounding_box()
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (50, 30)
    expect(heading(page)).to_contain_text("shop")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function(
        "(width) => document.querySelector(\"svg .node[href='#silver.orders']\").getBoundingClientRect().width > width",
        arg=after["width"] * 1.5,
    )
    page.get_by_role("button", name="Fill the window").click()
    expect(page.locator(".map.full")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".map.full")).to_have_count(0)


def test_the_list_of_tables_is_sorted_by_its_heads(shop, opened):
    page = opened(shop)
    names = page.locator(".list tbody th")
    page.get_by_role("button", name="Rows", exact=True).click()
    page.get_by_role("button", name="Rows", exact=True).click()
    expect(page.locator(".list thead th[aria-sort=descending]")).to_have_text("Rows▾")
    expect(names.first).to_have_text("bronze.orders")
    page.get_by_role("button", name="Table", exact=True).click()
    expect(names.first).to_have_text("bronze.customers")


def test_runs_are_told_with_their_tables(shop, opened):
    page = opened(shop, "#runs")
    runs = page.locator("details.run")
    expect(runs).to_have_count(2)
    runs.first.locator("summary").click()
    expect(runs.first).to_contain_text("silver.orders")
    expect(runs.first).to_contain_text("1 quarantined")


def test_runs_are_told_and_named_as_in_the_terminal(troubled, opened):
    file, past, said = troubled
    page = opened(file, "#runs")
    newest = page.locator("details.run").first
    summary = newest.locator("summary")
    expect(summary).to_contain_text("1 table failed, 1 skipped, 1 set files aside, 2 changed")
    assert past[0]["run_id"] in summary.inner_text()
    for table, words in {"silver.a": "failed", "gold.a": "skipped", "bronze.a": "set files aside", "gold.b": "changed"}.items():
        assert table in said and words in said, said
    summary.click()

    def status(table):
        return newest.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=table, exact=True)).locator(".mark")

    expect(status("silver.a")).to_have_text("failed")
    expect(status("gold.a")).to_have_text("skipped")
    expect(status("bronze.a")).to_have_text("files set aside")
    expect(status("gold.b")).to_have_text("succeeded")
    colours = [status(table).evaluate("(mark) => getComputedStyle(mark).color") for table in ("silver.a", "gold.b")]
    assert colours[0] != colours[1]
    page.evaluate("location.hash = ''")
    expect(page.locator(".tile", has_text="Last run")).to_contain_text("1 table failed, 1 skipped")


def test_a_run_is_found_by_the_id_that_the_terminal_shows(troubled, opened):
    file, past, said = troubled
    oldest = past[-1]["run_id"]
    assert oldest[:13] in said
    page = opened(file, "#silver.b")
    link = page.locator("[data-section=runs] .run-id").last
    expect(link).to_have_text(oldest[:13])
    page.get_by_role("combobox").fill(oldest[:13])
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("details.run[open]")).to_have_attribute("data-run", oldest)
    page = opened(file, f"#runs/{oldest[:13]}")
    expect(page.locator("details.run[open]")).to_have_attribute("data-run", oldest)


@pytest.mark.parametrize("hash", ["#runs", "#bronze.a", "#silver.b", "#gold.b"])
def test_no_status_is_broken_over_two_lines(troubled, opened, hash):
    page = opened(troubled[0], hash)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    marks = page.locator(".mark")
    expect(marks.first).to_be_visible()
    heights = page.evaluate("[...document.querySelectorAll('.mark')].map((m) => [m.textContent, m.getBoundingClientRect().height])")
    assert [mark for mark in heights if mark[1] > 24] == []
    assert fits(page)


def test_light_and_dark_follow_the_system_until_people_choose(shop, opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = opened(shop, scheme="dark").evaluate(ground)
    page = opened(shop, scheme="light")
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == dark
    page.reload()
    assert page.evaluate(ground) == dark
    expect(page.get_by_role("button", name="Light colours")).to_be_visible()


@pytest.mark.parametrize("hash", ["", "#silver.orders", "#bronze.orders", "#gold.daily_revenue", "#runs", "#no.such"])
def test_a_phone_shows_all_without_scrolling_sideways(shop, opened, hash):
    page = opened(shop, hash, width=360, height=740)
    expect(heading(page)).to_be_visible()
    assert fits(page)


def test_two_hundred_tables_without_a_lake_can_be_used(large, opened):
    page = opened(large)
    expect(page.locator("svg .node")).to_have_count(200)
    expect(page.locator(".callout")).to_contain_text("There is no lake yet")
    page.get_by_role("button", name="Fit the window").click()
    outside = page.evaluate(
        "(() => { const w = document.querySelector('svg.graph').getBoundingClientRect(); return [...document."
        "querySelectorAll('svg .node')].filter((n) => { const b = n.getBoundingClientRect(); return b.left < w.left ||"
        " b.right > w.right || b.top < w.top || b.bottom > w.bottom }).length })()"
    )
    assert outside == 0
    page.get_by_role("button", name="Larger").click(click_count=9)
    page.keyboard.press("Tab")
    for far in ("gold.measure_050", "bronze.source_001", "silver.entity_060"):
        page.locator(f"svg .node[href='#{far}']").focus()
        expect(page.locator(f"svg .node[href='#{far}']")).to_be_in_viewport(ratio=1)
    page.keyboard.press("/")
    page.keyboard.type("measure_065")
    page.keyboard.press("Enter")
    expect(heading(page)).to_contain_text("gold.measure_065")
    own = page.locator("svg .node.selected")
    box, window = own.bounding_box(), page.locator("svg.graph").bounding_box()
    assert window["x"] <= box["x"] and box["x"] + box["width"] <= window["x"] + window["width"]
    assert page.locator("svg .node").count() < 20


def test_texts_from_anywhere_stay_texts(hostile, opened):
    page = opened(hostile)
    for hash in ["", "#bronze.a", "#silver.a", "#runs", "#<img src=x onerror=alert(1)>"]:
        page.evaluate("(hash) => { location.hash = hash }", hash)
        page.wait_for_function("(hash) => decodeURIComponent(location.hash) === hash", arg=hash)
        expect(heading(page)).to_be_visible()
        assert page.locator("img, b:not(pre b), main script").count() == 0
    page.evaluate("location.hash = '#bronze.a'")
    expect(page.locator(".lead")).to_contain_text("</script><img src=x")
    expect(page.locator("[data-section=files]")).to_contain_text("<img src=x onerror=alert(1)>.csv")
    assert "owned" != page.title()
    page.get_by_role("combobox").fill("onerror")
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("hash", ["", "#silver.orders", "#silver.orders:total", "#bronze.orders", "#runs"])
def test_nothing_shuts_people_out(shop, opened, hash, width, scheme):
    page = opened(shop, hash, width=width, scheme=scheme, motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in ("serious", "critical")]
    assert serious == [], serious
