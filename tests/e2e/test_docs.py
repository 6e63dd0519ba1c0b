"""Documentation page of the API, in a browser that can reach no other host."""

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Route, expect

from tests.api_process import running_api
from tests.ports import free_port


@pytest.mark.long
def test_the_page_works_without_any_other_host_and_takes_a_key(browser: Browser) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with running_api(nowhere, f"postgresql://{nowhere}/nothing", ready=False) as api:
        foreign: list[str] = []
        complaints: list[str] = []

        def only_ours(route: Route) -> None:
            if route.request.url.startswith((api.url, "data:")):
                route.continue_()
            else:
                foreign.append(route.request.url)
                route.abort()

        def listen(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(message.text)

        page = browser.new_page()
        page.route("**/*", only_ours)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{api.url}/docs")
        page.get_by_role("button", name="Authorize").click()
        page.locator("#auth-bearer-value").fill("ps_of_mine")
        page.locator(".auth-container", has_text="bearer").get_by_role("button", name="Apply").click()
        page.get_by_role("button", name="Close").first.click()

        status = page.locator("[id^=operations-status]").first
        status.locator(".opblock-summary-control").click()
        status.get_by_role("button", name="Try it out").click()
        with page.expect_request("**/v1/status") as asked:
            status.get_by_role("button", name="Execute").click()
        assert asked.value.headers["authorization"] == "Bearer ps_of_mine"
        expect(status.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")
        assert (foreign, complaints) == ([], [])
        page.close()
