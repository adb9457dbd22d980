"""Files of a measurement: pictures that are read, reports that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from lfr.domain.errors import StorageError
from lfr.domain.faces import Image


def read_picture(path: Path) -> Image | None:
    """The picture, upright (EXIF orientation applied), uint8 (h, w, 3) BGR; None where it cannot be read as one."""
    try:
        # OpenCV would write to stderr about a file that is not there.
        raw = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    return None if image is None else np.asarray(image, np.uint8)


def require_folder(folder: Path) -> None:
    """Make the folder for a report before anything is measured. Raises StorageError: no place, or not ours to write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder}: {(error.strerror or 'cannot be made').lower()}", hint="give another --out"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(f"{folder}: cannot be written", hint="check its rights, or give another --out")


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """All of them, each whole, or none where one does not fit. Returns their places. Raises StorageError."""
    try:
        with tempfile.TemporaryDirectory(prefix=".lfr-", dir=folder) as made:
            for name, data in contents.items():
                (Path(made) / name).write_bytes(data)
            return [(Path(made) / name).replace(folder / name) for name in contents]
    except OSError as error:
        words = (error.strerror or "cannot be written").lower()
        raise StorageError(f"{folder}: {words}", hint="check its rights and space, or give another --out") from error
