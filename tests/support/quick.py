"""Argon2 at its cheapest, where its strength is not what is tested."""

import pytest
from argon2 import PasswordHasher

from lfr.services import passwords


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes and wrapped keys cost next to nothing until the test is over."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "_DECOY", hasher.hash("nobody's"))
