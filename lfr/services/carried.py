"""Statements carried by hand: as a file, or as QR codes on a screen or on paper, to a van that has no link.

A code says which statement it is a part of (the first digits of its SHA-256), which part, and of how many; so the
pictures may come in any order, twice, or mixed with those of another statement. What they carry is checked by its
signature where it is used; here only that it arrived whole.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import segno

from lfr.domain.errors import SignatureInvalid
from lfr.domain.faces import Image
from lfr.services.pictures import Refused, decode

PART = 560
"""Characters of a statement in one code: about version 16, which a phone's camera reads from a screen."""
PARTS_MOST = 16
MOST_BYTES = 64 * 1024
"""Of a statement, once unpacked."""

_HEAD = re.compile(r"LFR1:([0-9A-F]{12}):([0-9]{1,2}):([0-9]{1,2}):([A-Z2-7]+)")
_SCALES = (1.0, 0.5, 2.0)


def qr_pictures(data: bytes, *, scale: int = 6) -> list[bytes]:
    """PNG pictures of the QR codes that carry a statement, in order. scale: pixels of one module.

    Raises SignatureInvalid for one that is too long to be carried so.
    """
    pictures = []
    for text in _texts(data):
        out = io.BytesIO()
        segno.make_qr(text, error="m", boost_error=False).save(out, kind="png", scale=scale, border=4)
        pictures.append(out.getvalue())
    return pictures


def _texts(data: bytes) -> list[str]:
    if len(data) > MOST_BYTES:
        raise SignatureInvalid("a statement is too long to be carried")
    # Capital letters and the digits 2 to 7 are in the QR code's own alphanumeric set: five and a half bits each.
    packed = base64.b32encode(zlib.compress(data, 9)).decode().rstrip("=")
    parts = [packed[at : at + PART] for at in range(0, len(packed), PART)]
    if len(parts) > PARTS_MOST:
        raise SignatureInvalid("a statement is too long for QR codes", hint="carry it as a file")
    name = _name(data)
    return [f"LFR1:{name}:{number}:{len(parts)}:{part}" for number, part in enumerate(parts, start=1)]


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12].upper()


def read(files: Sequence[Path]) -> bytes:
    """The one statement in these files: JSON in a single file, or pictures of all its QR codes, in any order.

    Raises SignatureInvalid when a file cannot be read, a part is missing, or there are several statements.
    """
    contents = [_contents(file) for file in files]
    pictures = [decode(data) for data in contents]
    if len(contents) == 1 and isinstance(pictures[0], Refused):
        if len(contents[0]) > MOST_BYTES:
            raise SignatureInvalid(f"{files[0].name} is no statement: it is too long")
        return contents[0]
    texts: list[str] = []
    for file, picture in zip(files, pictures, strict=True):
        if isinstance(picture, Refused):
            raise SignatureInvalid(f"{file.name} is no picture", hint="give one file, or pictures of QR codes")
        found = list(read_codes(picture))
        if not found:
            raise SignatureInvalid(f"no QR code can be read in {file.name}", hint="nearer, sharper, without glare")
        texts += found
    return joined(texts)


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SignatureInvalid(f"cannot read {file}: {error.strerror}", hint="give a file or pictures") from None


def read_codes(picture: Image) -> Iterator[str]:
    """The texts of the QR codes in one picture: uint8 (height, width, 3) BGR."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    for scale in _SCALES:
        sized = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = _codes(np.asarray(sized, np.uint8))
        if found:
            yield from found
            return


def _codes(grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[str]:
    # Each of OpenCV's two detectors reads codes that the other does not.
    for detector in (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()):
        _, texts, _, _ = detector.detectAndDecodeMulti(grey)
        found = [text for text in texts if text]
        if found:
            return found
    return []


def joined(texts: Iterable[str]) -> bytes:
    """The statement that these codes carry together. Raises SignatureInvalid."""
    statements: defaultdict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for text in texts:
        head = _HEAD.fullmatch(text)
        if head is None:
            raise SignatureInvalid("a QR code carries no statement of ours", hint="`lfr deployment qr` makes them")
        name, number, count, part = head.groups()
        statements[name, int(count)][int(number)] = part
    if len(statements) != 1:
        raise SignatureInvalid("these QR codes belong to several statements", hint="read one at a time")
    [((name, count), parts)] = statements.items()
    missing = [str(number) for number in range(1, count + 1) if number not in parts]
    if missing or len(parts) != count or not 1 <= count <= PARTS_MOST:
        raise SignatureInvalid(f"of {count} QR codes number {', '.join(missing) or '?'} is missing")
    data = _unpacked("".join(parts[number] for number in range(1, count + 1)))
    if _name(data) != name:
        raise SignatureInvalid("the QR codes do not fit together", hint="read them again")
    return data


def _unpacked(text: str) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b32decode(text + "=" * (-len(text) % 8)), MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise SignatureInvalid("the QR codes cannot be unpacked", hint="read them again") from None
    if not unpacker.eof:
        raise SignatureInvalid("a statement is cut short, or too long to be carried")
    return data
