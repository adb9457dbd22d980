"""What this process really runs: the pack's files by hash and the contract they are used under (D1)."""

from __future__ import annotations

import msgspec

from lfr.domain.bundle import PREPROCESSING, Bundle
from lfr.domain.errors import ModelCorrupt
from lfr.domain.packs import Pack
from lfr.vision.packs import LocatedPack, pack_digest, pack_files, sha256_of


def running_bundle(pack: Pack, told: Bundle) -> Bundle:
    """The bundle as this process would run it: of `told`, only thresholds and certificate are taken on trust."""
    return msgspec.structs.replace(
        told, pack=pack.name, pack_digest=pack_digest(pack), use=pack.use, preprocessing=PREPROCESSING
    )


def attested_bundle(located: LocatedPack, told: Bundle) -> Bundle:
    """The same, after every model file was read and compared with its hash. Raises ModelCorrupt."""
    paths = (located.detector, located.recogniser, *located.extra)
    for wanted, path in zip(pack_files(located.pack), paths, strict=False):
        try:
            found = sha256_of(path)
        except OSError as error:
            raise ModelCorrupt(f"pack {located.pack.name}: {path} cannot be read: {error.strerror}") from error
        if found != wanted.sha256:
            raise ModelCorrupt(
                f"pack {located.pack.name}: {path} has sha256 {found}; expected {wanted.sha256}",
                hint=f"run `lfr models verify {located.pack.name}`",
            )
    return running_bundle(located.pack, told)
