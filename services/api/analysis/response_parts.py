"""Parts of an analysis response: bar numbers of the mathematics become times of bars."""

from typing import Any

from services.api.serialization.rows import Row, row
from services.common import clock
from services.quant.analysis.pair_analysis import Analysis
from services.quant.statistical_tests.half_life import HalfLife, HalfLifeInterval
from services.quant.statistical_tests.instability import Thirds


def parts(analysis: Analysis, start_us: Any) -> Row:
    """Return everything but the series; `start_us` is when each bar begins."""

    def timed(found: Any, **numbers: str) -> Row | None:
        """Return the fields of `found`, those called `numbers` as the time of that bar."""
        if found is None:
            return None
        fields = [
            (f"{numbers[name]}_us", int(start_us[getattr(found, name)]))
            if name in numbers
            else (name, getattr(found, name))
            for name in found.__struct_fields__
        ]
        return row(fields)

    line, edge = timed(analysis.structural_break, at="at"), analysis.edge
    return {
        "regression": analysis.regression,
        "diagnostics": analysis.diagnostics,
        "adf_y": analysis.adf_y,
        "adf_x": analysis.adf_x,
        "adf_spread": analysis.adf_spread,
        "engle_granger_y_on_x": analysis.engle_granger_y_on_x,
        "engle_granger_x_on_y": analysis.engle_granger_x_on_y,
        "gregory_hansen_y_on_x": timed(analysis.gregory_hansen_y_on_x, at="at"),
        "gregory_hansen_x_on_y": timed(analysis.gregory_hansen_x_on_y, at="at"),
        "structural_break": line and {**line, "found": has_broken(analysis)},
        "edge": edge
        and row(
            [
                ("statistic", edge.statistic),
                ("critical_value", edge.critical_value),
                ("found", edge.is_found),
                ("bars", edge.end - edge.first),
                ("first_us", int(start_us[edge.first])),
                ("last_us", int(start_us[edge.end - 1])),
            ]
        ),
        "thirds": analysis.thirds and _thirds(analysis.thirds, start_us),
        "cusum": timed(analysis.cusum, at="at"),
        "innovations": analysis.innovations,
        "half_life": _half_life(analysis.half_life, analysis.half_life_interval, start_us),
        "hurst": analysis.hurst,
        "returns_correlation": analysis.returns_correlation,
        "price_correlation": analysis.price_correlation,
    }


def has_broken(analysis: Analysis) -> bool:
    """Tell whether the test for a break has found one."""
    return analysis.structural_break is not None and analysis.structural_break.is_found


def _thirds(thirds: Thirds, start_us: Any) -> Row:
    slopes = [
        row(
            [
                ("first_us", int(start_us[slope.first])),
                ("bars", slope.samples),
                ("hedge_ratio", slope.hedge_ratio),
                ("hac_se", slope.hac_se),
            ]
        )
        for slope in thirds.slopes
    ]
    return {
        "statistic": thirds.statistic,
        "critical_value": thirds.critical_value,
        "found": thirds.is_found,
        "slopes": slopes,
    }


def _half_life(half_life: HalfLife | None, interval: HalfLifeInterval | None, start_us: Any) -> Row | None:
    if half_life is None or interval is None:
        return None
    return {
        "samples": half_life.samples,
        "seconds": half_life.samples and half_life.samples * _step_s(start_us),
        "corrected": interval.samples,
        "low": interval.low,
        "high": interval.high,
        "coefficient": half_life.coefficient,
        "standard_error": half_life.standard_error,
        "reason": half_life.reason,
    }


def _step_s(start_us: Any) -> float:
    """Return how far apart bars are on average: where some are missing, farther than they are wide."""
    return float(start_us[-1] - start_us[0]) / (len(start_us) - 1) / clock.SECOND
