"""Simulated people without a real face: painted markers that the shipped engine double finds."""

import pytest

from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.painted_faces import painted_faces


@pytest.fixture(scope="session")
def painted(tmp_path_factory):
    """Eight people, three pictures each."""
    return painted_faces(tmp_path_factory.mktemp("painted"), people=8, pictures=3)


@pytest.fixture
def engine():
    return DoubleEngine(double_pack())
