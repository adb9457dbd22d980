"""What a process attests of itself: a flipped bit or a moved threshold makes another bundle, or none at all (D1)."""

import hashlib

import msgspec
import pytest

from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.errors import ModelCorrupt
from lfr.vision.attest import attested_bundle, running_bundle
from lfr.vision.engine.double import double_pack, located_double
from lfr.vision.packs import LocatedPack, pack_digest

TOLD = Bundle("told", "0" * 64, "operational", (BandThreshold(10, 0.5, "test", True),), 2)


def located(folder, **changed):
    """A pack with two real files."""
    hashes = {}
    for name in ("detector", "recogniser"):
        (folder / name).write_bytes(name.encode() * 100)
        hashes[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    pack = double_pack()
    pack = msgspec.structs.replace(
        pack,
        engine="onnx",
        detector=msgspec.structs.replace(pack.detector, kind="yunet", file="detector", sha256=hashes["detector"]),
        recogniser=msgspec.structs.replace(pack.recogniser, kind="arcface", file="r", sha256=hashes["recogniser"]),
        **changed,
    )
    return LocatedPack(pack, folder / "detector", folder / "recogniser")


@pytest.mark.rule("D1")
def test_the_pack_is_the_processes_own_whatever_it_was_told(tmp_path):
    here = located(tmp_path)
    bundle = attested_bundle(here, TOLD)
    assert (bundle.pack, bundle.use) == (here.pack.name, "research")
    assert bundle.pack_digest == pack_digest(here.pack)
    assert bundle.thresholds == TOLD.thresholds


@pytest.mark.rule("D1")
@pytest.mark.parametrize("name", ["detector", "recogniser"])
def test_one_flipped_bit_of_a_model_ends_it(tmp_path, name):
    here = located(tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[50] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelCorrupt, match=name):
        attested_bundle(here, TOLD)
    (tmp_path / name).unlink()
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        attested_bundle(here, TOLD)


@pytest.mark.rule("D1")
def test_a_threshold_a_hundredth_lower_is_another_bundle():
    pack = double_pack()
    lower = msgspec.structs.replace(TOLD, thresholds=(BandThreshold(10, 0.49, "test", True),))
    assert running_bundle(pack, TOLD).digest != running_bundle(pack, lower).digest


def test_the_double_has_no_files_to_read():
    assert attested_bundle(located_double(), TOLD).pack == "double"
