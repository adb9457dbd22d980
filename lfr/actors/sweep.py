"""The sweep of what must go: at the start and every few seconds, in the process that holds the keys (G2, G3, G5)."""

from __future__ import annotations

import asyncio

from lfr import log
from lfr.domain.errors import LfrError
from lfr.domain.policy import Policy
from lfr.services import retention
from lfr.storage.database import Database
from lfr.storage.vault import Vault

_log = log.get(__name__)

EVERY_S = 10.0
"""So much later than the policy says may something go at most."""


async def sweep_for_ever(db: Database, vault: Vault, policy: Policy, every_s: float = EVERY_S) -> None:
    """A sweep that fails is logged and tried again: deadlines stand in the database, none is lost by it."""
    while True:
        try:
            gone = await retention.due(db, vault, policy)
            if gone:
                _log.info("retention.swept", objects=gone)
        except LfrError as error:
            _log.error("retention.failed", reason=error.message)
        except Exception as error:  # a fault of ours in one sweep must not be the last sweep
            _log.error("retention.fault", kind=type(error).__name__, exc_info=True)
        await asyncio.sleep(every_s)
