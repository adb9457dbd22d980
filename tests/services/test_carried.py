"""Statements on their way to a van without a link: really encoded, really read from pictures."""

from __future__ import annotations

import base64
import random
import zlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.authority import Endorsed, Restart
from lfr.domain.errors import SignatureInvalid
from lfr.services import carried
from tests.support.office import DEPLOYMENT, ENDS, STARTS, Office

OFFICE = Office()
OLGA = OFFICE.officer()
REASON = "The lamp on the mast was mended and the picture is sharp again; the signs stand as photographed this morning."
RESTART = OLGA.endorse(Restart(DEPLOYMENT, "olga", STARTS, UUID(int=3), REASON))
EXTENSION = OLGA.endorse(OFFICE.extension(OLGA.endorse(OFFICE.authority()), ENDS + timedelta(hours=1)))
SAID = {"restart": RESTART.encode(), "extension": EXTENSION.encode()}


def written(folder: Path, pictures: list[bytes], name: str = "code") -> list[Path]:
    files = []
    for number, picture in enumerate(pictures):
        files.append(folder / f"{name}-{number}.png")
        files[-1].write_bytes(picture)
    return files


@pytest.mark.rule("A13")
@pytest.mark.parametrize("name", SAID)
def test_a_decision_survives_the_way_through_pictures_in_any_order(name: str, tmp_path: Path) -> None:
    pictures = carried.qr_pictures(SAID[name])
    assert len(pictures) > 1  # it does not fit into one that a phone reads
    files = written(tmp_path, pictures)
    random.Random(4).shuffle(files)
    assert Endorsed.decode(carried.read([*files, files[0]])) in {RESTART, EXTENSION}
    assert carried.read(files) == SAID[name]


def test_all_codes_may_stand_in_one_photograph_that_is_turned_and_noisy(tmp_path: Path) -> None:
    codes = [cv2.imdecode(np.frombuffer(png, np.uint8), 0) for png in carried.qr_pictures(SAID["restart"], scale=5)]
    side = max(code.shape[0] for code in codes)
    sheet = np.hstack([cv2.copyMakeBorder(c, 40, side - c.shape[0] + 40, 40, 40, 0, value=255) for c in codes])
    height, width = sheet.shape
    turned = cv2.warpAffine(
        sheet,
        cv2.getRotationMatrix2D((width / 2, height / 2), 4, 0.9),
        (width, height),
        borderValue=255,
    )
    noise = np.random.default_rng(1).normal(0, 6, turned.shape)
    photograph = np.clip(turned * 0.8 + 30 + noise, 0, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.jpg"), photograph)
    assert carried.read([tmp_path / "photo.jpg"]) == SAID["restart"]


def test_a_plain_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "restart.json").write_bytes(SAID["restart"])
    assert carried.read([tmp_path / "restart.json"]) == SAID["restart"]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    files = written(tmp_path, carried.qr_pictures(SAID["restart"]))
    with pytest.raises(SignatureInvalid, match="number 2 is missing"):
        carried.read([file for file in files if not file.name.endswith("-1.png")])


def test_parts_of_two_statements_are_not_mixed(tmp_path: Path) -> None:
    one = written(tmp_path, carried.qr_pictures(SAID["restart"]), "one")
    two = written(tmp_path, carried.qr_pictures(SAID["extension"]), "two")
    with pytest.raises(SignatureInvalid, match="several"):
        carried.read([one[0], *two[1:]])


def test_what_is_no_code_and_no_file_is_refused(tmp_path: Path) -> None:
    blank = cv2.imencode(".png", np.full((200, 200), 255, np.uint8))[1].tobytes()
    files = written(tmp_path, [blank, blank])
    with pytest.raises(SignatureInvalid, match="no QR code"):
        carried.read(files)
    with pytest.raises(SignatureInvalid, match="cannot read"):
        carried.read([tmp_path / "nowhere.json"])
    (tmp_path / "text.json").write_bytes(b"{}")
    with pytest.raises(SignatureInvalid, match="no picture"):
        carried.read([tmp_path / "text.json", files[0]])
    (tmp_path / "long.json").write_bytes(b" " * (carried.MOST_BYTES + 1))
    with pytest.raises(SignatureInvalid, match="too long"):
        carried.read([tmp_path / "long.json"])


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.one_of(st.text(max_size=60), st.from_regex(carried._HEAD, fullmatch=True)), min_size=1))
def test_codes_made_by_anybody_raise_nothing_else(texts: list[str]) -> None:
    with pytest.raises(SignatureInvalid):
        carried.joined(texts)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=3000))
def test_whatever_is_split_is_joined(data: bytes) -> None:
    texts = carried._texts(data)
    assert carried.joined(reversed(texts)) == data


def test_a_bomb_does_not_go_off() -> None:
    with pytest.raises(SignatureInvalid, match="too long"):
        carried.qr_pictures(b"\0" * (carried.MOST_BYTES + 1))
    bomb = base64.b32encode(zlib.compress(b"\0" * 10_000_000, 9)).decode().rstrip("=")
    parts = [bomb[at : at + 4000] for at in range(0, len(bomb), 4000)]
    with pytest.raises(SignatureInvalid, match="too long"):
        carried.joined(f"LFR1:{'0' * 12}:{n}:{len(parts)}:{part}" for n, part in enumerate(parts, 1))
