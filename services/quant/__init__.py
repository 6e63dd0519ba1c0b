"""The mathematics: pure estimators with ``update()`` and ``get()``, shared by the stream and the API."""
