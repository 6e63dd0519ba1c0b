"""Requests that schemathesis generates from the OpenAPI document, valid and invalid, with all its checks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api.security import api_keys
from tests.api_process import ApiProcess, alert, list_symbols, pair_signal, running_api, store, tick
from tests.fix_broker import embedded_broker

EXAMPLES = "PAIRSTREAM_TEST_EXAMPLES"
"""How many requests of each operation are made up; `make fuzz` makes many, and those at every limit, too."""
PHASES = "examples,coverage,fuzzing" if EXAMPLES in os.environ else "examples,fuzzing"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(0 if EXAMPLES in os.environ else 300)]
DATASET = "time,open,high,low,close,volume\n" + "".join(
    f"2026-01-01T00:{minute:02}:00Z,1,3,1,{2 + minute % 2},5\n" for minute in range(60)
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return a token that may write, and the file with its key."""
    token, made = api_keys.new("fuzz", "write")
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"{made}\n")
    return token, path


@pytest.fixture(scope="module")
def api(store_url: str, key: tuple[str, Path]) -> Iterator[ApiProcess]:
    ticks = [tick(number, symbol) for number in range(400) for symbol in ("BTCUSDT", "ETHUSDT")]
    store(store_url, [*ticks, *map(pair_signal, range(100)), *map(alert, range(30))])
    variables = {"PAIRSTREAM_API_KEYS_FILE": str(key[1]), "PAIRSTREAM_API_LOCAL_RATE_LIMIT": "100000/second"}
    with embedded_broker() as broker, running_api(broker, store_url, variables=variables) as running:
        list_symbols(broker, "BTCUSDT", "ETHUSDT")
        listed = "/v1/symbols?listed=true"
        running.http.headers["Authorization"] = f"Bearer {key[0]}"
        running.wait_for(listed, lambda answer: answer.is_success)
        # The names that the document has as examples.
        uploaded = running.http.post(
            "/v1/datasets",
            data={"name": "btc-eth-2021"},
            files=[("files", (f"{symbol}.csv", DATASET)) for symbol in ("BTCUSDT", "ETHUSDT")],
            headers={"Authorization": f"Bearer {key[0]}"},
        )
        assert uploaded.is_success, uploaded.text
        yield running


@pytest.mark.parametrize(
    "options",
    [
        ["--phases", PHASES, "--exclude-method", "DELETE"],
        ["--phases", PHASES, "--include-method", "DELETE"],
        ["--phases", "stateful"],
    ],
    ids=["requests", "deletions", "sequences"],
)
def test_nothing_that_is_made_up_finds_a_fault(
    api: ApiProcess, key: tuple[str, Path], options: list[str]
) -> None:
    here = Path(__file__).parent
    st, configuration = Path(sys.executable).with_name("st"), here / "schemathesis.toml"
    command = [str(st), "--config-file", str(configuration), "run", f"{api.url}/openapi.json", *options]
    command += ["--header", f"Authorization: Bearer {key[0]}", "--no-color"]
    command += ["--max-examples", os.environ.get(EXAMPLES, "4")]
    done = subprocess.run(command, cwd=here.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
