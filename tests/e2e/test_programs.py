"""Programs page over the fake API."""

import pytest
from playwright.sync_api import expect

from services.ui.pages.programs.snippets import SNIPPETS, filled
from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served


@pytest.mark.long
def test_an_example_is_copied_as_it_stands(
    dashboard_server: Served, fake_api: Served, open_page: OpenPage
) -> None:
    dashboard = open_page(dashboard_server.url, "programs", permissions=["clipboard-read", "clipboard-write"])
    example = dashboard.page.locator(".example", has_text="Bars by HTTP")
    example.get_by_role("button").click()
    expect(dashboard.page.locator("#copied")).to_have_text("Copied: Bars by HTTP")
    copied: str = dashboard.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == filled(SNIPPETS[0].text, fake_api.url, "BTCUSDT", "", "")
    expect(example.get_by_role("button")).to_have_text("Copy")


@pytest.mark.long
def test_without_a_clipboard_the_old_way_is_taken(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(
        dashboard_server.url,
        "programs",
        script="Object.defineProperty(navigator, 'clipboard', { value: undefined });",
    )
    button = dashboard.page.locator(".example").first.get_by_role("button")
    button.click()
    expect(dashboard.page.locator("#copied")).to_have_text("Copied: Bars by HTTP")


@pytest.mark.long
def test_routes_and_examples_follow_the_address(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "programs")
    routes = dashboard.page.locator("#programs-routes")
    expect(routes).to_contain_text("/v1/pairs/ETHUSDT-BTCUSDT/signals")
    dashboard.page.get_by_label("Address of the API").fill("https://pairs.example")
    dashboard.page.get_by_label("Brokers").fill("kafka.example:9092")
    expect(routes).to_contain_text("curl -s 'https://pairs.example/v1/symbols'")
    expect(dashboard.page.locator("#programs-examples")).to_contain_text(
        'bootstrap_servers="kafka.example:9092"'
    )
    expect(dashboard.page.locator("#programs-docs")).to_have_attribute("href", "https://pairs.example/docs")
    assert "api=https" in dashboard.page.url
    dashboard.page.get_by_label("Address of the API").fill("nonsense")
    expect(dashboard.page.get_by_text("Expected an address such as http")).to_be_visible()


@pytest.mark.long
def test_a_topic_shows_a_message(dashboard_server: Served, open_page: OpenPage) -> None:
    dashboard = open_page(dashboard_server.url, "programs", viewport={"width": 390, "height": 844})
    topic = dashboard.page.locator("#programs-topics details", has_text="signals").first
    expect(topic.locator("pre")).to_be_hidden()
    topic.locator("summary").click()
    expect(topic.locator("pre")).to_contain_text('"zscore"')
    assert dashboard.page.evaluate("() => document.documentElement.scrollWidth") == 390
