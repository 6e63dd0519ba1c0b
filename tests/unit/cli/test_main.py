"""The command line: what each command is told, and what a wrong one costs."""

import argparse
import subprocess
import sys
from importlib import import_module

import pytest

from services.cli.__main__ import COMMANDS, main

HEAVY = ("pydantic", "psycopg", "numpy", "structlog", "aiokafka", "rich")


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["pairstream", *arguments])
    main()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, name, "--help")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: pairstream {name} ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("nothing",), "invalid choice: 'nothing'"),
        (("db",), "the following arguments are required: COMMAND"),
        (("db", "create"), "invalid choice: 'create'"),
        (("topics", "upgrade"), "invalid choice: 'upgrade'"),
        (("export", "ticks"), "the following arguments are required: --output"),
        (("export", "ticks", "--output", "x.csv", "--symbol", "a b"), "argument --symbol: expected"),
        (("export", "ticks", "--output", "x.csv", "--start", "soon"), "argument --start: expected"),
        (("reconcile", "--interval", "2m"), "invalid choice: '2m'"),
        (("topics", "create", "--partitions", "few"), "invalid int value: 'few'"),
    ],
)
def test_a_wrong_use_is_told_with_status_2(
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, *arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_an_error_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAIRSTREAM_API_KEYS_FILE", raising=False)
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, "keys", "list")
    assert ended.value.code == (
        "pairstream: --file: expected a file, here or in PAIRSTREAM_API_KEYS_FILE, received none"
    )


def test_every_command_can_be_run() -> None:
    for module, _ in COMMANDS.values():
        parser = argparse.ArgumentParser()
        import_module(module).add(parser)
        nested = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        runs = [one for action in nested for one in action.choices.values()] or [parser]
        assert all(callable(one.get_default("run")) for one in runs), module


def test_the_list_of_commands_costs_nothing() -> None:
    code = (
        "import sys; from services.cli.__main__ import main\n"
        "try: main()\n"
        f"finally: sys.stderr.write(','.join(set(sys.modules) & set({HEAVY!r})))"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.startswith("usage: pairstream [-h] COMMAND")
    assert listed.stderr == ""
