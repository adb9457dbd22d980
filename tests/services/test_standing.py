"""Runs that sign for themselves walk the whole way: plan, authority, list, mandate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.errors import AuthorityError, Conflict
from lfr.domain.gates import SystemFacts
from lfr.domain.mandate import Anchor, Guard
from lfr.domain.plan import CameraZone
from lfr.services import deployments, mandates, policies, standing
from lfr.services.terms import Terms
from lfr.storage.database import Database, migrate
from lfr.storage.node import Node, new_node
from tests.support.desk import list_people

DIGEST = "0" * 64
POLICY = policies.load("demo")
CAMERA = CameraZone("north", standing.WHOLE)
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BUNDLE = Bundle(
    "double", DIGEST, "research", tuple(BandThreshold(b, 0.4, "test", True) for b in POLICY.watchlist.bands), 2
)


@pytest.fixture
async def db(url: str):
    await migrate(url)
    db = Database(url)
    yield db
    await db.dispose()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return new_node(tmp_path / "keys")


def terms(node: Node) -> Terms:
    system = SystemFacts(
        force="no-force", registrar=node.registrar_key, mode="demo", cameras=("north",),
        clock_ok=True, writer_ok=True, storage_ok=True, suspended=False, ledger_ok=True,
    )  # fmt: skip
    return Terms(POLICY, BUNDLE, system)


async def opened(db: Database, node: Node, at: datetime = AT) -> standing.Run:
    return await standing.open(
        db, node, system="van", mode="demo", force="no-force", pack="double", pack_digest=DIGEST, policy=POLICY,
        cameras=[CAMERA], at=at,
    )  # fmt: skip


async def listed(db: Database, run: standing.Run, count: int = 1) -> None:
    await list_people(db, run.deployment_id, count, AT)


@pytest.mark.rule("A1")
async def test_a_run_goes_the_whole_way(db: Database, node: Node) -> None:
    run = await opened(db, node)
    with pytest.raises(Conflict):
        await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT)
    await listed(db, run, 3)
    row = await standing.approve(db, run, terms=terms(node), at=AT)
    assert (row.state, row.entries, row.band) == ("ready", 3, 5)
    signed = await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT)
    assert (await deployments.get_deployment(db, run.deployment_id)).state == "live"
    clock = AT.timestamp()
    anchor = Anchor("no-force", run.deployment_id, None, node.minter_key, node.registrar_key, POLICY, BUNDLE.digest)
    mandate = Guard(anchor, lambda: clock, lambda: clock).check(signed, "north", CAMERA.digest)
    assert mandate.threshold == 0.4


async def test_an_addition_within_the_band_is_approved_by_an_amendment(db: Database, node: Node) -> None:
    run = await opened(db, node)
    await listed(db, run, 3)
    await standing.approve(db, run, terms=terms(node), at=AT)
    before = mandates.opened(await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT))
    await listed(db, run, 2)
    waiting = mandates.opened(await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT))
    assert waiting.list_digest == before.list_digest  # what nobody approved is on no list
    await standing.amend(db, run, terms=terms(node), at=AT + timedelta(minutes=1))
    after = mandates.opened(
        await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT + timedelta(minutes=1))
    )
    assert after.list_digest != before.list_digest
    assert (after.band, after.threshold) == (before.band, before.threshold)
    await listed(db, run)
    with pytest.raises(AuthorityError, match="band"):
        await standing.amend(db, run, terms=terms(node), at=AT + timedelta(minutes=2))


async def test_the_next_run_goes_on_within_the_window_and_begins_anew_after_it(db: Database, node: Node) -> None:
    first = await opened(db, node)
    await listed(db, first)
    await standing.approve(db, first, terms=terms(node), at=AT)
    await mandates.mint(db, node, first.deployment_id, terms=terms(node), at=AT)
    later = AT + timedelta(hours=1)
    again = await opened(db, node, later)
    assert again.deployment_id == first.deployment_id
    await standing.approve(db, again, terms=terms(node), at=later)
    await mandates.mint(db, node, again.deployment_id, terms=terms(node), at=later)
    other = await opened(db, node, AT + timedelta(hours=13))
    assert other.deployment_id != first.deployment_id


@pytest.mark.rule("A13")
async def test_a_stopped_run_is_started_again_by_a_signed_decision(db: Database, node: Node) -> None:
    run = await opened(db, node)
    await standing.approve(db, run, terms=terms(node), at=AT)
    await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT)
    stopped = await deployments.stop(db, run.deployment_id, by="system", at=AT)
    assert stopped.stop_id is not None
    with pytest.raises(Conflict):
        await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT)
    await standing.approve(db, run, terms=terms(node), at=AT)
    await mandates.mint(db, node, run.deployment_id, terms=terms(node), at=AT)


@pytest.mark.rule("A1")
async def test_under_a_force_policy_nothing_authorises_itself(db: Database, node: Node) -> None:
    with pytest.raises(AuthorityError):
        await standing.open(
            db, node, system="van", mode="research", force="no-force", pack="double", pack_digest=DIGEST,
            policy=policies.load("uk-default"),
        )  # fmt: skip
