"""docs/api.md stays true: every route and every type of problem is in it."""

from pathlib import Path

import pytest

from lfr.api.problems import PROBLEMS
from lfr.audit.entries import KINDS
from tests.api.test_routes import ROUTES

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.mark.parametrize(("method", "path"), [key for key in ROUTES if "/api/v1" in key[1] and "schema" not in key[1]])
def test_every_route_is_described(method, path):
    assert f"`{method} {path}`" in DOCS


@pytest.mark.parametrize("kind", sorted({kind.urn for kind in PROBLEMS.values()}))
def test_every_problem_is_described(kind):
    assert f"`urn:lfr:{kind}`" in DOCS


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not kind.startswith("user.")))
def test_every_kind_of_event_is_described(kind):
    assert f"`{kind}`" in DOCS
