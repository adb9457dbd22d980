"""What the sealed columns of a watchlist are sealed for, and with which ring's keys."""

from __future__ import annotations

from uuid import UUID

from lfr.storage.vault import Ring

LABEL = "watchlist label"
TEMPLATE = "watchlist template"
PICTURE = "watchlist picture"
DETAILS = "watchlist details"
NOMINAL = "watchlist nominal"
"""The purposes; NOMINAL only of the keyed digest that finds an entry by its nominal reference."""

TRANSFORM = "transform"
"""What of a deployment's own key turns its templates (B12)."""


def list_ring(deployment_id: UUID) -> Ring:
    """The ring that holds the keys of a deployment's entries."""
    return Ring(deployment_id, "list")
