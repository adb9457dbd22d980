"""Crashes and failures at every step that touches a disk: the n-th call of the system does not return."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

STEPS = ("open", "fsync", "pwrite", "replace", "unlink")


class Crash(BaseException):
    """The process is no more."""


class Faults:
    """Counts steps; the one numbered `at` (from 0) fails before it is done, or after (`late`)."""

    def __init__(self, at: int | None = None, *, late: bool = False, error: BaseException | None = None) -> None:
        self.at = at
        self.late = late
        self.error = error or Crash()
        self.steps = 0

    @property
    def reached(self) -> bool:
        """Whether there was such a step."""
        return self.at is not None and self.steps > self.at

    @contextmanager
    def injected(self) -> Iterator[Faults]:
        """Every step within counts."""
        with mock.patch.multiple(os, **{name: self._counted(getattr(os, name)) for name in STEPS}):
            yield self

    def _counted(self, real):
        def call(*args, **kwargs):
            number, self.steps = self.steps, self.steps + 1
            if number == self.at and not self.late:
                raise self.error
            done = real(*args, **kwargs)
            if number == self.at:
                raise self.error
            return done

        return call
