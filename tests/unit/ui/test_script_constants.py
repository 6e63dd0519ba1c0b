import json
import re
from html import unescape

import pytest

from services.ui.script_constants import CONSTANTS, filled


def test_the_document_carries_the_constants() -> None:
    document = filled('<html data-constants="{constants}"><body></body></html>')
    (found,) = re.findall(r'data-constants="([^"]*)"', document)
    told = json.loads(unescape(found))
    assert told["widths"] == {"1s": 1, "1m": 60, "5m": 300, "1h": 3600}
    assert list(told["chart_widths"]) == ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d"]
    assert told["panes"] == ["prices", "spread", "zscore", "hedge-ratio", "correlation"]
    assert told["overview"]["first"].removeprefix("-") in told["overview"]["columns"]
    assert told["charts"] == list(CONSTANTS["charts"])


def test_a_document_without_a_place_for_them_is_refused() -> None:
    with pytest.raises(AssertionError):
        filled("<html></html>")
