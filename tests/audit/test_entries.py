"""The vocabulary of the log: what may be said, and that nothing else fits in."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.audit import entries

ALERT = {
    "deployment": str(uuid4()), "camera": "north", "run": "r", "transit": 1, "entry": str(uuid4()), "score": 0.5,
    "threshold": 0.4, "gap": 0.1, "shots": 2, "frame": 7, "media_s": 0.28, "frame_at": 1.5, "objects": [str(uuid4())],
}  # fmt: skip


def test_a_payload_comes_out_as_plain_json():
    assert entries.checked("alert.raised", ALERT) == ALERT
    assert entries.checked("camera.health", {"health": "no frames"}) == {"health": "no frames"}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("alert.seen", {}),
        ("user.signed-in", {"name": "somebody"}),
        ("alert.raised", ALERT | {"probe": "AAAA"}),
        ("alert.raised", ALERT | {"camera": "Main Street"}),
        ("alert.raised", ALERT | {"score": float("nan")}),
        ("alert.raised", ALERT | {"score": "0.5"}),
        ("alert.raised", ALERT | {"entry": "somebody's name"}),
        ("alert.raised", {key: value for key, value in ALERT.items() if key != "entry"}),
        ("camera.health", {"health": b"ok"}),
        ("camera.health", {"health": "Somebody Was Here"}),
        ("watchlist.imported", {"enrolled": 1, "refused": {"a name": 1}}),
        ("watchlist.imported", {"enrolled": -1, "refused": {}}),
    ],
)
def test_what_does_not_fit_is_refused(kind, payload):
    with pytest.raises(ValueError, match=r"audit entry"):
        entries.checked(kind, payload)


def test_a_refusal_does_not_repeat_the_value():
    with pytest.raises(ValueError) as failed:  # noqa: PT011 - what it does not say is the point
        entries.checked("camera.health", {"health": "Jane Doe", "detail": "Jane Doe"})
    assert "Jane" not in str(failed.value)


def test_scores_do_not_go_out():
    told = entries.public("alert.raised", ALERT)
    assert not {"score", "threshold", "gap"} & told.keys()
    assert told["entry"] == ALERT["entry"]


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 121, "\x1b[2J"])
def test_actor_and_subject_are_one_short_line(text):
    with pytest.raises(ValueError, match="printable"):
        entries.named(text, "actor")


ENVELOPE = {
    "entry_id": UUID(int=1), "at": datetime(2026, 11, 23, 9, 0, 0, 5, UTC), "kind": "user.signed-in", "actor": "ann",
    "subject": "ann", "payload": {"b": 1, "a": 2.0},
}  # fmt: skip


def test_the_bytes_of_an_entry_are_fixed():
    data = entries.envelope(**ENVELOPE)
    assert data == (
        b'{"actor":"ann","at":"2026-11-23T09:00:00.000005Z","id":"00000000-0000-0000-0000-000000000001",'
        b'"kind":"user.signed-in","payload":{"a":2,"b":1},"subject":"ann","v":1}'
    )
    assert entries.leaf_hash(data) == hashlib.sha256(b"\0" + data).digest()
    assert entries.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_only_utc_is_written(zone):
    with pytest.raises(ValueError, match="UTC"):
        entries.envelope(**ENVELOPE | {"at": datetime(2026, 11, 23, tzinfo=zone)})


@given(st.sampled_from(["entry_id", "at", "kind", "actor", "subject", "payload"]))
def test_every_field_counts(field):
    other = {
        "entry_id": UUID(int=2), "at": datetime(2026, 11, 23, 9, 0, 0, 6, UTC), "kind": "user.signed-out",
        "actor": "bob", "subject": "bob", "payload": {"a": 2, "b": 2},
    }  # fmt: skip
    assert entries.envelope(**ENVELOPE | {field: other[field]}) != entries.envelope(**ENVELOPE)
