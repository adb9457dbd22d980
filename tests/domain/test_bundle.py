"""The bundle: any change of what recognises is another bundle (D1)."""

from __future__ import annotations

import msgspec
import pytest

from lfr.domain.bundle import BandThreshold, Bundle
from tests.support.office import Office

BUNDLE = Office().bundle


@pytest.mark.rule("D1")
@pytest.mark.parametrize(
    "changed",
    [
        {"pack": "other"},
        {"pack_digest": "3" * 64},
        {"use": "operational"},
        {"confirm_shots": 3},
        {"preprocessing": 99},
        {"certificate": "4" * 64},
        {"thresholds": BUNDLE.thresholds[1:]},
        {
            "thresholds": (
                msgspec.structs.replace(BUNDLE.thresholds[0], threshold=BUNDLE.thresholds[0].threshold - 0.01),
                *BUNDLE.thresholds[1:],
            )
        },
    ],
)
def test_any_change_is_another_bundle(changed: dict[str, object]) -> None:
    assert msgspec.structs.replace(BUNDLE, **changed).digest != BUNDLE.digest


def test_it_comes_back_from_a_database_as_it_was() -> None:
    again = msgspec.convert(msgspec.json.decode(msgspec.json.encode(BUNDLE)), Bundle)
    assert (again, again.digest) == (BUNDLE, BUNDLE.digest)


def test_a_band_it_does_not_have_has_no_threshold() -> None:
    assert BUNDLE.threshold_for(BUNDLE.thresholds[0].band) == BUNDLE.thresholds[0]
    assert BUNDLE.threshold_for(12345) is None
    assert isinstance(BUNDLE.thresholds[0], BandThreshold)
