"""Storage of a pair's state: its name, and where the trades that it lacks begin."""

from services.contracts.messages import PairConfig
from services.stream_analytics.pair_window import RANKED, PairWindow
from services.stream_analytics.state_storage import StateStorage, Store

# One more whenever an estimator's saved numbers change their meaning: older state is then not found.
_STATE = 4


def storage_of(config: PairConfig, store: Store, window: PairWindow | None = None) -> StateStorage:
    """Return the storage of a pair, whose `window` says how many samples it needs."""
    return StateStorage(store, name_of(config), (window or PairWindow(config)).memory, RANKED)


def name_of(config: PairConfig) -> str:
    """Name what the samples and the state are good for."""
    method = config.method if config.intercept else "ols_origin"
    return f"{config.pair}/{config.window}/{method}/{config.transform}/{_STATE}"


def stored_position(config: PairConfig, store: Store) -> int | None:
    """Return the offset from which a pair's trades must be read, None if no state is stored.

    Of a state that is damaged, as when two workers have written parts of it, it is 0: the pair begins anew.
    """
    history = storage_of(config, store)
    if not history.is_stored:
        return None
    stored = history.load()
    position = 0 if stored is None else stored[0].position
    return position if position >= 0 else None
