"""Finding packs and their files. A pack is one YAML file; its models are found by name and taken by hash.

Nothing is downloaded here (`lfr.vision.model_store` does that, when a person asks).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from lfr.domain.errors import ConfigError, LicenceRefused, ModelCorrupt, ModelMissing, PackNotFound
from lfr.domain.packs import Detector, ExtraFile, Pack, PresentationAttack, Recogniser
from lfr.resources import configs

_KINDS = {
    "onnx": ({"scrfd", "yunet"}, {"arcface", "sface"}, "arcface112", "cosine"),
    "dlib": ({"dlib-hog"}, {"dlib-resnet"}, "dlib150", "euclidean"),
    "double": ({"double"}, {"double"}, "arcface112", "cosine"),
}


@dataclass(frozen=True, slots=True)
class LocatedPack:
    """A pack whose files were found and verified. All paths are absolute, so it can cross to another process."""

    pack: Pack
    detector: Path
    recogniser: Path
    extra: tuple[Path, ...] = ()


def pack_names() -> list[str]:
    """The packs described in configs/packs."""
    return sorted(path.stem for path in (configs() / "packs").glob("*.yaml"))


def load_pack(name_or_path: str) -> Pack:
    """The pack of that name, or the one that a YAML file describes.

    Raises PackNotFound (with the known names) and ConfigError (with file and key).
    """
    named = Path(name_or_path)
    is_file = named.suffix in {".yaml", ".yml"} or len(named.parts) > 1
    path = named.expanduser() if is_file else configs() / "packs" / f"{name_or_path}.yaml"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PackNotFound(
            f"no pack {name_or_path!r}", hint=f"known packs: {', '.join(pack_names())}; or give a pack file"
        ) from error
    try:
        pack = msgspec.yaml.decode(raw, type=Pack)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}", hint="see configs/packs for the known keys") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}".splitlines()[0], hint="check indentation") from error
    _check(pack, path)
    return pack


def pack_digest(pack: Pack) -> str:
    """sha256 (hex) of all that decides what this pack answers: files by hash, contracts, quality floor, calibration."""
    deciding: dict[str, object] = {
        "engine": pack.engine,
        "detector": pack.detector,
        "recogniser": pack.recogniser,
        "extra_files": pack.extra_files,
        "quality": pack.quality,
        "calibration": pack.calibration,
    }
    if pack.presentation_attack is not None:
        # Its record tells whether it may be enabled; what it answers does not depend on it.
        deciding["presentation_attack"] = msgspec.structs.replace(pack.presentation_attack, measured=None)
    return hashlib.sha256(msgspec.json.encode(deciding, order="sorted")).hexdigest()


def check_use(pack: Pack, mode: str) -> None:
    """Raise LicenceRefused when a deployment of this mode may not run this pack."""
    if mode == "operational" and pack.use != "operational":
        raise LicenceRefused(
            f"pack {pack.name} is for research: it does not run in an operational deployment ({pack.licence.name})",
            hint="choose a pack whose file says `use: operational`, or run in research mode",
        )


def cache_root() -> Path:
    """Where `lfr models pull` and `import` put files: one folder per pack."""
    return Path(platformdirs.user_cache_dir("lfr")).resolve() / "packs"


def default_roots() -> list[Path]:
    """Where model files are looked for, in order: entries of LFR_PACKS, the user's cache, $LFR_ASSETS/models."""
    entries = [entry for entry in os.environ.get("LFR_PACKS", "").split(os.pathsep) if entry]
    roots = [Path(entry).expanduser().resolve() for entry in entries]
    roots.append(cache_root())
    if assets := os.environ.get("LFR_ASSETS"):
        roots.append((Path(assets).expanduser() / "models").resolve())
    return roots


def pack_files(pack: Pack) -> tuple[Detector | Recogniser | ExtraFile, ...]:
    """All files of a pack, each with `file` and `sha256`: detector, recogniser, extra ones. A double has none."""
    return () if pack.engine == "double" else (pack.detector, pack.recogniser, *pack.extra_files)


def locate(pack: Pack, roots: Sequence[Path]) -> LocatedPack:
    """Find every file of the pack: at ROOT/FILE, ROOT/NAME/FILE, ROOT/*/FILE, roots in order, first right hash wins.

    Raises ModelCorrupt (path and both hashes) when only files with a wrong hash are there, ModelMissing (where it
    looked) when there is none.
    """
    if pack.engine == "double":
        nowhere = Path(os.devnull)
        return LocatedPack(pack, nowhere, nowhere)
    found = [_locate_file(pack, wanted.file, wanted.sha256, roots) for wanted in pack_files(pack)]
    return LocatedPack(pack, found[0], found[1], tuple(found[2:]))


def locate_attack(pack: Pack, roots: Sequence[Path]) -> tuple[Path, ...]:
    """The models of the pack's check for presentation attacks. Raises as `locate` does; ConfigError without a slot."""
    slot = pack.presentation_attack
    if slot is None:
        raise ConfigError(
            f"pack {pack.name} has no check for presentation attacks",
            hint="a pack file may have a slot `presentation_attack`, as configs/packs/research.yaml has",
        )
    return tuple(_locate_file(pack, model.file, model.sha256, roots) for model in slot.models)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, hex. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def look_for(pack: Pack, file: str, sha256: str, roots: Sequence[Path]) -> tuple[Path | None, list[tuple[Path, str]]]:
    """One file of a pack: its path, or None, and every file of its name passed over, with that file's sha256.

    A file that cannot be read stands there with an empty hash.
    """
    passed: list[tuple[Path, str]] = []
    for path in _candidates(pack.name, file, search_roots(pack, roots)):
        try:
            digest = sha256_of(path)
        except OSError:
            digest = ""
        if digest == sha256:
            return path, passed
        passed.append((path, digest))
    return None, passed


def search_roots(pack: Pack, roots: Sequence[Path]) -> list[Path]:
    """The roots, absolute; for the dlib engine also the folder of the package that brings its weights."""
    return [*(root.resolve() for root in roots), *_packaged(pack)]


def _locate_file(pack: Pack, file: str, sha256: str, roots: Sequence[Path]) -> Path:
    path, passed = look_for(pack, file, sha256, roots)
    if path is not None:
        return path
    if passed:
        wrong = "; ".join(
            f"{path} has sha256 {digest}" if digest else f"{path} is unreadable" for path, digest in passed
        )
        raise ModelCorrupt(
            f"pack {pack.name}: {wrong}; expected sha256 {sha256}",
            hint=f"remove it and run `lfr models pull {pack.name}` or `lfr models import PATH`",
        )
    looked = ", ".join(str(root) for root in search_roots(pack, roots)) or "nowhere: no roots"
    advice = "pip install 'lfr[embedded]'" if pack.engine == "dlib" else f"`lfr models pull {pack.name}`"
    raise ModelMissing(
        f"pack {pack.name}: no {file} in {looked}",
        hint=f"{advice}, or `lfr models import PATH`, or name its folder in LFR_PACKS",
    )


def _candidates(name: str, file: str, roots: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for root in roots:
        for path in (root / file, root / name / file, *sorted(root.glob(f"*/{file}"))):
            if path not in seen and path.is_file():
                seen.add(path)
                yield path


def _packaged(pack: Pack) -> list[Path]:
    """The folder of face_recognition_models, found without importing it: it needs pkg_resources, which is gone."""
    if pack.engine != "dlib":
        return []
    spec = importlib.util.find_spec("face_recognition_models")
    return [Path(spec.origin).resolve().parent / "models"] if spec and spec.origin else []


def _check(pack: Pack, path: Path) -> None:
    """What the types cannot say. Raises ConfigError."""
    detectors, recognisers, alignment, metric = _KINDS[pack.engine]
    kinds = (pack.detector.kind in detectors, pack.recogniser.kind in recognisers)
    faults = [
        ("name is not of the form a-z 0-9 _ . -", not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,62}", pack.name)),
        (f"engine {pack.engine} takes {sorted(detectors)} and {sorted(recognisers)}", not all(kinds)),
        (f"engine {pack.engine} needs alignment {alignment}", pack.recogniser.alignment != alignment),
        (f"engine {pack.engine} needs metric {metric}", pack.recogniser.metric != metric),
        (
            "detector.long_side is not a positive multiple of 32",
            pack.detector.long_side < 32 or pack.detector.long_side % 32,
        ),
        ("recogniser.dim must be at least 1", pack.recogniser.dim < 1),
        ("recogniser.std must not be 0", pack.recogniser.std == 0),
        ("a double never is operational", pack.engine == "double" and pack.use != "research"),
    ]
    if pack.presentation_attack is not None:
        faults += _slot_faults(pack.presentation_attack)
    for item in (*pack_files(pack), *(pack.presentation_attack.models if pack.presentation_attack else ())):
        faults.append((f"file {item.file!r} must be a bare file name", not re.fullmatch(r"[\w][\w.-]*", item.file)))
        faults.append((f"sha256 of {item.file} must be 64 hex digits", not re.fullmatch(r"[0-9a-f]{64}", item.sha256)))
    wrong = [text for text, is_wrong in faults if is_wrong]
    if wrong:
        raise ConfigError(f"{path}: {'; '.join(wrong)}", hint="see configs/packs for examples")


def _slot_faults(slot: PresentationAttack) -> list[tuple[str, bool]]:
    return [
        ("presentation_attack.side must be at least 16", slot.side < 16),
        ("presentation_attack.std must not be 0", slot.std == 0),
        ("presentation_attack.live_class is none of its classes", not 0 <= slot.live_class < slot.classes),
        ("presentation_attack.models: a scale must be at least 1", any(model.scale < 1 for model in slot.models)),
    ]
