"""Work in a process of its own."""

import os

import pytest

from lfr.domain.errors import ConfigError, RuntimeFailed
from lfr.evaluation.apart import apart


def fail(message: str) -> None:
    raise ConfigError(message, hint="look")


def test_it_runs_in_another_process():
    assert apart(os.getpid) != os.getpid()


def test_its_error_comes_back_whole():
    with pytest.raises(ConfigError, match="no such thing") as caught:
        apart(fail, "no such thing")
    assert caught.value.hint == "look"


def test_a_process_that_dies_is_a_clear_error():
    with pytest.raises(RuntimeFailed, match="_exit"):
        apart(os._exit, 3)
