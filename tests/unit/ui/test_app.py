"""Files of the packages that Dash serves."""

import dash
import pytest
import structlog
from fastapi import FastAPI

from tests.unit.ui.dashboard import ask, on_dashboard, target

SUITES = "/_dash-component-suites"
NO_FILES = (
    "dash/nothing.js",
    "dash/dash-renderer/build/nothing.v1m2.js",
    "nothing/nothing.js",
    "os/os.py",
    "services/ui/app.py",
    "dash",
    "dash/",
    "dash//",
    "",
    "/",
    "dash/dash.py",
    "dash/../dash/dash.py",
    "dash/../../services/ui/app.py",
    "dash/%2e%2e/dash/dash.py",
    "dash/..%2f..%2f..%2fetc%2fpasswd",
    "dash/..%5c..%5cetc",
    "dash/%252e%252e/dash.py",
    "dash//etc/passwd",
    "dash/%00",
    "dash%2fdash.py",
    "../_dash-component-suites/dash/dash.py",
)


@pytest.mark.parametrize("path", NO_FILES)
def test_a_file_that_no_page_names_is_not_found(path: str) -> None:
    with structlog.testing.capture_logs() as logged:
        (answer,) = ask(target(f"{SUITES}/{path}"))
    assert answer.status_code == 404
    assert logged == []
    assert "Traceback" not in answer.text
    assert "registered" not in answer.text


def test_a_file_that_a_package_names_is_there_or_not_found() -> None:
    async def named(_: FastAPI) -> list[str]:
        registered = dash.get_app().registered_paths  # type: ignore[no-untyped-call]
        return [f"{SUITES}/{package}/{path}" for package, paths in registered.items() for path in paths]

    paths = on_dashboard(named)
    found = {path: answer.status_code for path, answer in zip(paths, ask(*map(target, paths)), strict=True)}
    assert set(found.values()) == {200, 404}
    # Packages name the maps of their scripts, and do not always bring them.
    assert {path for path, status in found.items() if status == 404 and not path.endswith(".map")} == set()
