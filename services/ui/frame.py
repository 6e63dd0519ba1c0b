"""The numbers and words of the page at one moment."""

from services.ui.alert_table import rows
from services.ui.answers import WatchedPair
from services.ui.cards import cards
from services.ui.formatting import MINUS, NONE, number, significant_decimals, utc_moment
from services.ui.market import Market, Now
from services.ui.notices import banner, notices, strip
from services.ui.view import Props, Selection

FEEDS = {
    "live": ("LIVE", "Trades as the exchange reports them, now."),
    "replay": ("REPLAY", "Recorded trades, played again. Times are those of the recording, not of now."),
    "synthetic": (
        "SYNTHETIC",
        "Invented trades from a seeded generator, not a market. For trying things out only.",
    ),
}


def frame(market: Market, selection: Selection, now: Now) -> Props:
    """Return every property of the page except those of its charts."""
    pair = (market.pairs or {}).get(selection.pair or "")
    found = notices(market, selection, now)
    return {
        **_header(market, selection),
        **cards(market, pair, now),
        "banner": {"children": banner(found), "className": "banner is-shown" if found else "banner"},
        "services": {"children": strip(market)},
        "alerts-table": {"rowData": rows(market.alerts)},
        "leg-select": {"data": _legs(pair)},
        "legend-y": {"children": pair.y if pair else "Y"},
        "legend-x": {"children": pair.x if pair else "X"},
        **_measure(market, pair),
        "candles-title": {"children": f"{_leg(pair, selection)} {selection.interval}" if pair else "Candles"},
        "pair-title": {"children": pair.pair if pair else "Pair"},
        "legend-zscore": {"children": f"entry ±{pair.entry_z:g}, exit ±{pair.exit_z:g}" if pair else ""},
    }


def _leg(pair: WatchedPair, selection: Selection) -> str:
    return pair.y if selection.leg == "y" else pair.x


def _measure(market: Market, pair: WatchedPair | None) -> Props:
    seen = market.signals.get(pair.pair) if pair else None
    if pair is None or seen is None:
        return {"legend-spread": {"children": ""}, "pair-method": {"children": ""}}
    signal = seen.message
    prices = "log prices" if pair.transform == "log" else "prices"
    method = f"{signal.method.upper()} on {prices}, window of {signal.window} s"
    formula = ""
    if signal.hedge_ratio is not None and signal.intercept is not None:
        ratio = number(abs(signal.hedge_ratio), significant_decimals(signal.hedge_ratio))
        intercept = number(signal.intercept, significant_decimals(signal.intercept))
        sign = "+" if signal.hedge_ratio >= 0 else MINUS
        formula = f"{pair.y} {MINUS} ({intercept} {sign} {ratio} × {pair.x})"
    return {"legend-spread": {"children": formula}, "pair-method": {"children": method}}


def _legs(pair: WatchedPair | None) -> list[dict[str, str]]:
    names = (pair.y, pair.x) if pair else ("Y", "X")
    return [{"label": name, "value": value} for name, value in zip(names, ("y", "x"), strict=True)]


def page_title(market: Market, selection: Selection) -> str:
    """Return the tab's title: the z-score is legible even when the tab is not in front."""
    seen = market.signals.get(selection.pair or "")
    if seen is None or seen.message.zscore is None or not market.connected:
        return "pairstream"
    return f"{number(seen.message.zscore, 2, sign=True)} {selection.pair} · pairstream"


def _header(market: Market, selection: Selection) -> Props:
    label, meaning = FEEDS.get(
        market.feed or "", ("NO FEED", "The API has not said where its trades come from.")
    )
    newest = max((seen.message.event_us for seen in market.ticks.values()), default=None)
    link = "Connected" if market.connected else "Reconnecting" if market.connected_before else "Connecting"
    props: Props = {
        "feed-badge": {"children": label, "className": f"feed is-{market.feed or 'none'}"},
        "feed-tip": {"children": meaning},
        "connection-state": {"children": link, "className": f"link is-{link.lower()}"},
        "clock": {"children": f"{utc_moment(newest)} UTC" if newest is not None else f"{NONE} UTC"},
    }
    if market.pairs is not None:
        names = list(market.pairs)
        # The select forgets a value it has no option for; the banner says what is wrong with this one.
        unknown = [selection.pair] if selection.pair and selection.pair not in market.pairs else []
        props["pair-select"] = {"data": names + unknown}
        if selection.pair is None and names:
            props["pair-select"]["value"] = names[0]
    return props
