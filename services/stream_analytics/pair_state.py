"""State of a pair at one moment of its tapes: position, window, and whether its rule fires."""

import copy

from services.contracts.messages import Alert, PairConfig, Signal
from services.stream_analytics.alignment import Alignment, Sample
from services.stream_analytics.minute_statistics import MinuteStatistics
from services.stream_analytics.pair_window import PairWindow
from services.stream_analytics.threshold_rule import ThresholdRule


class PairState:
    """Judge samples and learn them, one after the other."""

    def __init__(self, alignment: Alignment, window: PairWindow, rule: ThresholdRule) -> None:
        self.alignment = alignment
        self.window = window
        self.rule = rule

    def copy(self) -> "PairState":
        """Return a head that goes its own way from here, on the same tapes."""
        return PairState(self.alignment.copy(), self.window.copy(), copy.copy(self.rule))

    def reconfigure(self, config: PairConfig, stale_after_us: int) -> None:
        """Take new thresholds; the window and the rule's state stay as they are."""
        self.alignment.stale_after_us = stale_after_us
        self.window.reconfigure(config)
        self.rule = ThresholdRule.of(config, self.rule.firing)

    def judge(self, sample: Sample) -> tuple[Signal, Alert | None]:
        """Return what a sample says, by the window before it, and learn it."""
        self.renew(sample)
        signal = self.window.judge(sample)
        alert = self.rule.judge(signal)
        self.learn(sample, signal)
        return signal, alert

    def renew(self, sample: Sample) -> bool:
        """Begin an empty window if nothing in it is recent enough for a sample, and tell whether it was so."""
        if is_outdated := self.window.is_outdated(sample.end_us):
            self.window.clear()
        return is_outdated

    def learn(self, sample: Sample, signal: Signal, minute: MinuteStatistics | None = None) -> None:
        """Add a sample to the window if its prices are those of its second."""
        if sample.is_whole:
            self.window.learn(sample, signal, minute)
