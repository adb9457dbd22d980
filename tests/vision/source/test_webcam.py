"""A camera of this machine that is not there: never an error in a running system, always said."""

import time

import pytest

from lfr.config import Camera, SourceTimes
from lfr.domain.errors import SourceError
from lfr.vision.source import open_source

TIMES = SourceTimes(backoff_min=0.05, backoff_max=0.1)


def test_a_missing_webcam_is_tried_again() -> None:
    source = open_source(Camera(id="north", url="webcam:99", times=TIMES), "webcam:99")
    try:
        deadline = time.monotonic() + 10
        while source.stats.extra.get("failed_opens", 0) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert source.stats.state == "reconnecting"
        assert source.stats.detail == "there is no webcam 99, or another program holds it"
        assert source.read(0.05) is None
    finally:
        source.close()


@pytest.mark.parametrize("address", ["webcam:", "webcam:front", "webcam:-1", "webcam:1/2"])
def test_a_webcam_has_a_number(address: str) -> None:
    with pytest.raises(SourceError, match="is no webcam"):
        open_source(Camera(id="north", url=address), address)
