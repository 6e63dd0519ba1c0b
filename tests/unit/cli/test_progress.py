"""Progress output of a long command."""

import io

from rich.console import Console

from services.cli.progress import progress


def test_plain_lines_come_every_ten_seconds() -> None:
    text, now = io.StringIO(), 0.0
    console = Console(file=text, force_terminal=False)
    with progress("recording", 20.0, console, lambda: now) as show:
        for second in range(25):
            now = float(second)
            show(second, f"{second} frames [of any]")
    assert text.getvalue() == "recording 50%: 10 frames [of any]\nrecording 100%: 20 frames [of any]\n"


def test_without_a_total_there_is_no_share() -> None:
    text, now = io.StringIO(), 0.0
    with progress("recording", None, Console(file=text, force_terminal=False), lambda: now) as show:
        now = 10.0
        show(10, "7 frames")
    assert text.getvalue() == "recording: 7 frames\n"


def test_a_terminal_gets_a_bar_with_the_figures() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, legacy_windows=False)
    with progress("recording", 2.0, console) as show:
        show(1, "7 frames [of any]")
    assert "━" in text.getvalue()
    assert "7 frames [of any]" in text.getvalue()
