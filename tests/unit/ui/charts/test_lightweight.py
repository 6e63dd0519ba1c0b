"""Options that all charts share."""

from typing import Any

from services.ui.charts import lightweight


def test_both_themes_set_the_same_options() -> None:
    dark, light = lightweight.THEMES["dark"], lightweight.THEMES["light"]
    assert dark.keys() == light.keys()
    assert dark["layout"].keys() == light["layout"].keys()
    assert dark["layout"]["attributionLogo"]


def test_a_chart_has_its_panes_before_it_has_data() -> None:
    chart: Any = lightweight.chart("chart-any", 7, (0.5, 0.5))
    assert [series["pane"] for series in chart.series] == [0, 1]
    assert len(chart.paneOptions) == 2
