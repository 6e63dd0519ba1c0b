"""doctor on a broker and a database: a line for each check, and its exit code."""

import psycopg
import pytest

from services.cli.__main__ import main
from tests.fix_broker import embedded_broker
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what the doctor reads: a database of this version, free ports, no broker."""
    for name, value in {
        "BROKERS": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": database_url,
        "FEED": "synthetic",
        "API_PORT": "0",
        "UI_PORT": "0",
    }.items():
        monkeypatch.setenv(f"PAIRSTREAM_{name}", value)
    monkeypatch.setattr("sys.argv", ["pairstream", "doctor"])
    return monkeypatch


def examined(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Run the doctor, and return the status and text of each check."""
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert code == int(any(status == "fail" for status, _ in lines))
    return {text[:10].strip(): f"{status} {text[12:]}" for status, text in lines}


def test_everything_is_there(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with embedded_broker() as address:
        environment.setenv("PAIRSTREAM_BROKERS", address)
        found = examined(capsys)
    assert list(found) == [
        *("broker", "topics", "database", "schema", "clock", "feed", "disk", "memory", "open files", "port"),
    ]
    assert found["broker"].endswith(f"at {address}")
    assert found["topics"].startswith("ok ")
    assert found["database"].startswith("ok PostgreSQL ")
    assert found["clock"].startswith("ok within 0.")
    assert found["feed"] == "ok synthetic"


def test_what_is_missing_is_said_with_what_to_do(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    environment.setenv("PAIRSTREAM_FEED", "replay")
    environment.setenv("PAIRSTREAM_REPLAY_FILE", "/nowhere/frames.txt")
    found = examined(capsys)
    assert found["broker"].startswith("fail expected a Kafka broker at 127.0.0.1:")
    assert found["broker"].endswith("set PAIRSTREAM_BROKERS, or run pairstream up, which has its own")
    assert "received 0001: run pairstream db upgrade" in found["schema"]
    assert "/nowhere/frames.txt" in found["feed"]
    environment.setenv("PAIRSTREAM_DATABASE_URL", f"postgresql://127.0.0.1:{free_port()}/none")
    assert examined(capsys)["database"].startswith("fail expected PostgreSQL at 127.0.0.1:")


def test_a_wrong_variable_is_one_line(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PAIRSTREAM_API_PORT", "none")
    with pytest.raises(SystemExit, match="PAIRSTREAM_API_PORT: "):
        main()
