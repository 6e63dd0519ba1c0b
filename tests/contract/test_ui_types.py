"""The dashboard's types are those of the committed document."""

import json

from services.cli import ui_types
from services.cli.schemas import DIRECTORY


def test_the_types_of_the_dashboard_are_current() -> None:
    document = json.loads((DIRECTORY / "openapi.json").read_text(encoding="utf-8"))
    committed = ui_types.PATH.read_text(encoding="utf-8")
    assert committed == ui_types.module(document), "services/ui/api/types.py differs: run make schemas"
