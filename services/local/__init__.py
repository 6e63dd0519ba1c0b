"""Parts of ``pairstream up``: supervisor, embedded broker, embedded database, readiness."""
