"""The plan: any change of it is another plan, and what the policy's forms do not allow cannot be written."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from lfr.domain.plan import CameraZone, Place, Plan, Reasons
from tests.support.office import CAMERA, PLACE, STARTS, ZONE, Office

PLAN = Office().plan()

CHANGES = {
    "title": "Sunday market",
    "force": "south-force",
    "use_case": "court-orders",
    "categories": ("order-or-bail",),
    "reasons": Reasons(objective="Another."),
    "place": Place("High Street", (*PLACE.polygon, (-3.2, 51.5))),
    "starts_at": STARTS + timedelta(seconds=1),
    "ends_at": STARTS + timedelta(hours=7),
    "cameras": (CameraZone("north", ZONE[:3]),),
    "people": {"operator": ("quinn",)},
    "documents": (UUID(int=1),),
    "critical_threat": "A bomb threat.",
}


@pytest.mark.rule("A1")
@pytest.mark.parametrize("name", CHANGES)
def test_any_change_is_another_plan(name: str) -> None:
    assert set(CHANGES) == set(Plan.__struct_fields__)
    assert msgspec.structs.replace(PLAN, **{name: CHANGES[name]}).digest != PLAN.digest


def test_the_same_plan_has_the_same_digest_wherever_it_was_written() -> None:
    written = msgspec.json.encode(PLAN)
    assert msgspec.json.decode(written, type=Plan).digest == PLAN.digest
    assert msgspec.yaml.decode(msgspec.yaml.encode(PLAN), type=Plan).digest == PLAN.digest
    assert msgspec.convert(msgspec.to_builtins(PLAN, str_keys=True), Plan) == PLAN


@pytest.mark.rule("A6")
@pytest.mark.parametrize(
    "changed",
    [
        {"use_case": "Whatever We Like"},
        {"force": ""},
        {"people": {"king": ["olga"]}},
        {"people": {"operator": ["Olga Smith"]}},
        {"cameras": [{"camera": "north", "zone": [[0, 0], [1, 0], [1.5, 1]]}]},
        {"documents": ["dpia"]},
        {"title": "x" * 201},
        {"colour": "blue"},
    ],
)
def test_what_has_no_form_cannot_be_written(changed: dict[str, object]) -> None:
    written = msgspec.to_builtins(PLAN, str_keys=True) | changed
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(written, Plan)


def test_a_place_is_its_polygon_and_not_only_its_name() -> None:
    assert Place("High Street", PLACE.polygon[::-1]).digest != PLACE.digest
    assert Place("High street", PLACE.polygon).digest != PLACE.digest


def test_a_zone_is_found_by_its_camera() -> None:
    assert PLAN.zone_of("north") == CAMERA
    assert PLAN.zone_of("south") is None
    masked = CameraZone("north", ZONE, (ZONE[:3],))
    assert masked.digest != CAMERA.digest
