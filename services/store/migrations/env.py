"""Alembic environment: runs migrations on the connection that services.store.database has locked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
