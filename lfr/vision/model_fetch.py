"""Fetching a pack's files, when a person asks: from a mirror folder, from InsightFace's model zoo, or over https."""

from __future__ import annotations

import contextlib
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from lfr.domain.errors import ModelCorrupt, ModelError, ModelMissing
from lfr.domain.packs import Pack
from lfr.vision.model_store import MAX_FILE, Origin, Progress, find_models, install, require_licence, staging
from lfr.vision.packs import pack_files

INSIGHTFACE = ("buffalo_l", "buffalo_s", "antelopev2")
"""Packs that InsightFace's own loader knows by these names."""

ADDRESSES: dict[str, dict[str, str]] = {
    "opencv-zoo": {
        "face_detection_yunet_2023mar.onnx": "https://github.com/opencv/opencv_zoo/raw/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
        "face_recognition_sface_2021dec.onnx": "https://github.com/opencv/opencv_zoo/raw/main/models/"
        "face_recognition_sface/face_recognition_sface_2021dec.onnx",
    },
}
"""Official public addresses of single files."""

_TIMEOUT = httpx.Timeout(20.0, connect=10.0)


def can_pull(pack: Pack) -> bool:
    """Whether the pack has a public address."""
    return pack.name in INSIGHTFACE or pack.name in ADDRESSES


def pull(pack: Pack, *, mirror: Path | None, accepted: bool, progress: Progress | None = None) -> Path:
    """Fetch all files of a pack into the user's cache; the folder they are in.

    mirror: a folder that holds the files (or NAME.zip) directly or one level down; then nothing is downloaded.
    Raises LicenceRefused, ModelMissing (not in the mirror, no public address), ModelCorrupt (wrong hash), ModelError
    (offline, or the server refused). Then nothing has changed.
    """
    require_licence(pack, accepted=accepted)
    if mirror is not None:
        return install(pack, _from_mirror(pack, mirror), accepted=accepted, progress=progress)
    if not can_pull(pack):
        where = "comes with the package extra `embedded`" if pack.engine == "dlib" else "has no public address"
        raise ModelMissing(f"pack {pack.name} {where}", hint="give --mirror DIR, or `lfr models import PATH`")
    with staging() as folder:
        if pack.name in ADDRESSES:
            _over_https(pack, ADDRESSES[pack.name], folder, progress)
            fetched = folder
        else:
            fetched = _through_insightface(pack, folder)
        return install(pack, _complete(pack, fetched), accepted=accepted, progress=progress)


def _from_mirror(pack: Pack, mirror: Path) -> Mapping[str, Origin]:
    own = mirror / pack.name
    archive = next((path for path in (mirror / f"{pack.name}.zip", own / f"{pack.name}.zip") if path.is_file()), None)
    if archive is not None:
        return _complete(pack, archive)
    return _complete(pack, own if own.is_dir() else mirror)


def _complete(pack: Pack, path: Path) -> Mapping[str, Origin]:
    match = find_models(path, [pack])[0]
    if match.missing:
        raise ModelMissing(
            f"{path} lacks {', '.join(match.missing)} of pack {pack.name}", hint="it must hold all files"
        )
    return match.files


def _over_https(pack: Pack, addresses: Mapping[str, str], folder: Path, progress: Progress | None) -> None:
    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
        for item in pack_files(pack):
            _download(client, addresses[item.file], folder / item.file, progress)


def _download(client: httpx.Client, url: str, target: Path, progress: Progress | None) -> None:
    with _network_errors(url), client.stream("GET", url) as response:
        response.raise_for_status()
        if url.startswith("https:") and response.url.scheme != "https":
            raise ModelError(f"{url} leads away from https", hint="do not use this network for models")
        total = int(response.headers.get("content-length", 0))
        with target.open("wb") as out:
            for block in response.iter_bytes(1 << 18):
                out.write(block)
                if out.tell() > MAX_FILE:
                    raise ModelCorrupt(f"{url} sends more than {MAX_FILE >> 20} MB", hint="use a mirror: --mirror DIR")
                if progress:
                    progress(f"download {target.name}", out.tell(), total)


def _through_insightface(pack: Pack, folder: Path) -> Path:
    """InsightFace's own loader, into our folder. It has no time-outs, so first the server is asked if it is there."""
    from insightface.utils import storage  # noqa: PLC0415 - pulls in half of SciPy

    url = storage.model_zoo_download_url(f"{pack.name}.zip")
    with _network_errors(url):
        httpx.head(url, follow_redirects=True, timeout=_TIMEOUT).raise_for_status()
    # Its messages and its bar belong on stderr: stdout is for results.
    with _network_errors(url), contextlib.redirect_stdout(sys.stderr):
        storage.download("models", pack.name, force=True, root=str(folder))
    return folder / "models" / pack.name


@contextlib.contextmanager
def _network_errors(url: str) -> Iterator[None]:
    hint = "are you online? Use --mirror DIR or `lfr models import PATH` with files fetched elsewhere"
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise ModelError(f"{url} answered {error.response.status_code}", hint=hint) from error
    except httpx.HTTPError as error:
        raise ModelError(f"cannot reach {url}: {type(error).__name__}", hint=hint) from error
    except OSError as error:  # also what requests raises inside InsightFace's loader
        raise ModelError(f"cannot fetch {url}: {error.strerror or type(error).__name__}", hint=hint) from error
    except (RuntimeError, zipfile.BadZipFile) as error:
        raise ModelError(f"cannot fetch {url}: {error}", hint=hint) from error
