"""Contrast of text in both themes (WCAG 2.2 AA: 4.5 to 1; lines and marks 3 to 1)."""

import re
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from services.ui.charts import lightweight, palette

INKS = ("ink", "ink-2", "ink-3", "good", "bad", "warn", "accent")


def tokens(theme: str) -> dict[str, str]:
    css = files("services.ui").joinpath("assets/1-tokens.css").read_text(encoding="utf-8")
    (block,) = re.findall(rf'color-scheme="{theme}"\] \{{(.*?)\}}', css, re.S)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_is_legible(theme: str) -> None:
    colors = tokens(theme)
    pairs = [*product(INKS, ("panel", "raised")), ("ink", "ground"), ("ink-2", "ground")]
    pairs += [("ink", "bad-ground"), ("ink", "warn-ground"), ("ink", "note-ground"), ("warn", "warn-ground")]
    poor = {pair: contrast(colors[pair[0]], colors[pair[1]]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_lines_and_marks_are_visible(theme: str) -> None:
    background = lightweight.THEMES[theme]["layout"]["background"]["color"]
    assert background == tokens(theme)["panel"]
    marks = (
        palette.UP,
        palette.DOWN,
        palette.LEG_Y,
        palette.LEG_X,
        palette.SPREAD,
        palette.BEYOND,
        palette.FIRING,
        palette.COMPARED,
    )
    assert {
        mark: round(contrast(mark, background), 2) for mark in marks if contrast(mark, background) < 3
    } == {}
    assert contrast(lightweight.THEMES[theme]["layout"]["textColor"], background) >= 4.5


def test_badges_carry_white_text() -> None:
    css = "".join(
        asset.read_text(encoding="utf-8")
        for asset in Path(str(files("services.ui"))).glob("assets/**/*.*")
        if asset.name.endswith(".css")
    )
    filled = re.findall(r"background: (#[0-9a-f]{6});\s+color: #ffffff", css)
    assert filled
    assert min(contrast(color, "#ffffff") for color in filled) >= 4.5
