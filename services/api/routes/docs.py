"""``GET /docs``: interactive documentation of the API, served without any other host."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

from services.api.security.response_headers import page_policy

STATIC = Path(str(files("fastapi_offline"))) / "static"

router = APIRouter(include_in_schema=False)
router.mount("/docs/static", StaticFiles(directory=STATIC))

# Relative to the page: right behind every proxy.
_PAGE = bytes(
    get_swagger_ui_html(
        openapi_url="openapi.json",
        title="pairstream",
        swagger_js_url="docs/static/swagger-ui-bundle.js",
        swagger_css_url="docs/static/swagger-ui.css",
        swagger_favicon_url="docs/static/favicon.png",
    ).body
).decode()
_HEADERS = {"Content-Security-Policy": page_policy(_PAGE)}


@router.get("/docs")
async def read_docs() -> Response:
    """Return the page."""
    return Response(_PAGE, headers=_HEADERS, media_type="text/html")
