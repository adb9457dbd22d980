"""Alembic's entry. It runs on the connection it is handed (lfr.storage.migrations.config), never on one of its own."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from lfr.storage.columns import UtcDateTime
from lfr.storage.models import Deployment


def render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Migrations speak SQLAlchemy only, so that they stay as they are when our own types change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


def run() -> None:
    """Run the migrations that the command asks for."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Deployment.metadata,
        render_as_batch=True,
        render_item=render,
        compare_type=True,
        transactional_ddl=True,  # both databases can, and the caller's transaction covers all of it
    )
    context.run_migrations()


run()
