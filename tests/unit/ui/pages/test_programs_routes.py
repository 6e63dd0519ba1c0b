"""Commands for curl from the API's own description."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.ui.pages.programs.routes import METHODS, Route, groups

DOCUMENT: dict[str, Any] = json.loads(Path("schemas/openapi.json").read_text(encoding="utf-8"))
API = "http://api.test:8000"
KNOWN = {"symbol": "SOLUSDT", "pair": "SOLUSDT-ETHUSDT"}
ROUTES = [route for group in groups(DOCUMENT, API, KNOWN) for route in group.routes]


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def test_every_route_is_there_once() -> None:
    described = [
        (method.upper(), path)
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item
    ]
    assert sorted((route.method, route.path) for route in ROUTES) == sorted(described)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_line_gives_all_that_is_required_and_nothing_unknown(route: Route) -> None:
    words = shlex.split(route.curl)
    (url,) = (word for word in words if word.startswith(API))
    parts = urlsplit(url)
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/{}]+", route.path), parts.path)
    parameters = [one for one in operation(route).get("parameters", ()) if one["in"] == "query"]
    given = parse_qs(parts.query)
    assert given.keys() <= {one["name"] for one in parameters}
    assert given.keys() >= {one["name"] for one in parameters if one.get("required")}
    assert ("-X" in words) == (route.method != "GET")
    if operation(route).get("requestBody", {}).get("required"):
        assert "-d" in words or "-F" in words
    assert route.does.strip().endswith(".")


def test_what_is_known_goes_before_examples() -> None:
    by_path = {(route.method, route.path): route.curl for route in ROUTES}
    assert by_path["GET", "/v1/ticks"] == f"curl -s '{API}/v1/ticks?symbol=SOLUSDT&limit=10'"
    assert by_path["GET", "/v1/pairs/{pair}"] == f"curl -s '{API}/v1/pairs/SOLUSDT-ETHUSDT'"
    assert by_path["GET", "/v1/events"] == f"curl -sN '{API}/v1/events'"
    assert by_path["POST", "/v1/datasets"].endswith("-F 'files=@bars.csv'")
    body = shlex.split(by_path["PATCH", "/v1/pairs/{pair}"])[-1]
    assert json.loads(body) == {"window": 300}


def test_what_a_description_leaves_out_is_named() -> None:
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "kind", "in": "query", "required": True, "schema": {"enum": ["a'b", "c"]}},
    ]
    document = {"paths": {"/x/{id}": {"get": {"summary": "Read", "parameters": parameters}}}}
    ((group,),) = ([group] for group in groups(document, API, {}))
    assert (group.name, group.routes[0].does) == ("other", "Read")
    assert shlex.split(group.routes[0].curl) == ["curl", "-s", f"{API}/x/ID?kind=a%27b"]
