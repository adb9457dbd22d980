"""Plan files: read strictly, times in UTC, and a template that claims nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lfr.config import parse
from lfr.domain.errors import ConfigError
from lfr.domain.plan import Reasons
from lfr.services import plans, policies

CONFIG = parse(
    b"name: van\nmode: research\npack: embedded\nforce: north-force\n"
    b"cameras: [{id: north, url: a.mp4, zone: [[0.1, 0.2], [0.9, 0.2], [0.5, 1]]}, {id: south, url: b.mp4}]\n",
    where="test",
    base=Path(),
)


@pytest.mark.parametrize("name", ["demo", "uk-default"])
def test_the_template_is_a_plan_in_which_nothing_is_written_yet(name: str, tmp_path: Path) -> None:
    policy = policies.load(name)
    (tmp_path / "plan.yaml").write_text(plans.template(CONFIG, policy))
    plan = plans.read(tmp_path / "plan.yaml")
    assert (plan.force, plan.use_case, plan.reasons, plan.title) == (
        "north-force", policy.use_cases[0].code, Reasons(), "",
    )  # fmt: skip
    assert [camera.camera for camera in plan.cameras] == ["north", "south"]
    assert plan.cameras[0].zone == ((0.1, 0.2), (0.9, 0.2), (0.5, 1.0))
    assert not any(plan.people.values())


BOMB = "a: &a [x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))


def written(folder: Path, text: str) -> Path:
    (folder / "plan.yaml").write_text(text)
    return folder / "plan.yaml"


@pytest.mark.rule("A3")
def test_one_moment_in_two_zones_is_one_plan(tmp_path: Path) -> None:
    head = "title: x\nforce: a\nuse_case: b\n"
    one = plans.read(written(tmp_path, head + "starts_at: 2026-12-05T10:00:00Z\n"))
    two = plans.read(written(tmp_path, head + "starts_at: 2026-12-05T11:00:00+01:00\n"))
    assert one.starts_at == datetime(2026, 12, 5, 10, tzinfo=UTC)
    assert one.digest == two.digest


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("has no zone", "title: x\nforce: a\nuse_case: b\nstarts_at: 2026-12-05T10:00:00\n"),
        ("unknown field `colour`", "title: x\nforce: a\nuse_case: b\ncolour: blue\n"),
        ("required field `use_case`", "title: x\nforce: a\n"),
        ("not valid YAML", "title: [x\n"),
        ("Expected `object`", "- a\n"),
        (
            "anchors",
            "a: &a [x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
        ),
    ],
)
def test_what_is_wrong_is_named(words: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        plans.read(written(tmp_path, text))
    with pytest.raises(ConfigError, match="cannot read"):
        plans.read(tmp_path / "nowhere.yaml")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300))
def test_bytes_of_any_kind_raise_nothing_else(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_bytes(raw)
    with pytest.raises(ConfigError):
        plans.read(tmp_path / "plan.yaml")
