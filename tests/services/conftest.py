"""Databases of both kinds."""

from tests.support.stores import postgres_server, store, url

__all__ = ["postgres_server", "store", "url"]
