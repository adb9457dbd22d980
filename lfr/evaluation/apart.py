"""Run one function in a process of its own, so that neither memory nor threads nor start-up leak into a measurement."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from lfr.domain.errors import RuntimeFailed

P = ParamSpec("P")
R = TypeVar("R")


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call it in a fresh process and wait. Arguments and answer must pickle.

    Raises what it raises, and RuntimeFailed when the process dies.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(work, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise RuntimeFailed(
                f"the process of {work.__name__} ended before its answer", hint="was it killed for memory? see dmesg"
            ) from error
