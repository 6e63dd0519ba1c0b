import pytest

from services.contracts.symbols import same_asset


@pytest.mark.parametrize(
    ("y", "x", "asset"),
    [
        ("BTCUSDT", "BTCUSDC", "BTC"),
        ("BTCUSDT", "BTCUSDT.OKX", "BTC"),
        ("BTCUSDT_261225", "BTCUSD", "BTC"),
        ("ETHFDUSD", "ETHUSD_PERP", "ETH"),
        ("USDCUSDT", "USDCUSD", "USDC"),
        ("ETHUSDT", "BTCUSDT", None),
        ("ETHUSDT", "ETHBTC", None),
        ("1000PEPEUSDT", "PEPEUSDT", None),
        ("AAPL", "AAPL.OTHER", None),
        ("USDT", "USDC", None),
    ],
)
def test_the_asset_is_what_is_priced_in_dollars(y: str, x: str, asset: str | None) -> None:
    assert same_asset(y, x) == same_asset(x, y) == asset
