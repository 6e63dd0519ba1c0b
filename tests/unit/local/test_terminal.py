"""What stands on the terminal: names in colour where there is one, and lines as they were said."""

import pytest
from rich.console import Console

from services.local import terminal

LINE = "[bold]42 [red]rows[/red] :warning: https://x.test/" + 40 * " and so on" + " \x1b[1m!"


@pytest.mark.parametrize("name", ["ingest", "nobody"])
def test_a_line_is_told_as_it_was_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.log_line(name, LINE)
    assert capsys.readouterr().out == f"{name:<16} | {LINE}\n"


@pytest.mark.parametrize(("name", "begin"), [("ingest", "\x1b[36m"), ("ui", "\x1b[94m"), ("nobody", "")])
def test_only_the_name_is_coloured(
    name: str, begin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal._CONSOLE, "_force_terminal", True)
    monkeypatch.setattr(terminal._CONSOLE, "_color_system", Console(color_system="standard")._color_system)
    terminal.log_line(name, LINE)
    end = "\x1b[0m" if begin else ""
    assert capsys.readouterr().out == f"{begin}{name:<16} |{end} {LINE}\n"
