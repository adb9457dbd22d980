"""A1, A3, A13 and M1 on real actors: without a valid mandate not one face is detected or embedded, anywhere."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select

from lfr.actors import plasma
from lfr.actors.doorman import Pass
from lfr.actors.ports import cause
from lfr.actors.standing_run import StandingRun
from lfr.config import Camera
from lfr.domain.authority import Authorisation, Credential, Endorsed, ListApproval
from lfr.domain.errors import Conflict, LfrError, MandateRefused, RuntimeFailed
from lfr.domain.mandate import Mandate
from lfr.domain.signing import Signed, instant, open_signed, sign
from lfr.matching.matcher import ShotNote, TransitKey
from lfr.services import decisions, standing, users
from lfr.storage.columns import now
from lfr.storage.models import Alert
from lfr.vision.engine.double import paint
from tests.support.stage import Stage
from tests.support.system import enrol, system, system_config, wait_for
from tests.support.walkers import portrait, walkers_clip

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    clip = walkers_clip(folder / "walk.mp4", [1, 5, 2, 5] * 30, every_s=2.0)
    config = system_config(folder / "data", [Camera(id="north", url=str(clip), pace="live")])
    async with system(config) as runtime:
        run = await StandingRun.open(runtime)
        yield Stage(runtime, run, [await enrol(runtime, run, person) for person in (1, 2)])


async def good_mandate(stage: Stage) -> Mandate:
    """One that holds, made as the supervisor makes it but given to nobody: the deployment stays ready."""
    runtime = stage.runtime
    row = await standing.approve(
        runtime.db, stage.run._run, terms=await runtime.terms(), cameras=stage.run._zones, room=3
    )
    assert row.state == "ready"
    async with runtime.db.session() as session:
        chain = await decisions.chain(session, row.id)
    given = open_signed(chain.authority.said, Authorisation)
    band = runtime.bundle.threshold_for(row.band)
    return Mandate(
        id=uuid4(), force=given.force, deployment_id=row.id, mode="research", place=given.place,
        starts_at=given.starts_at, ends_at=given.ends_at, cameras=given.cameras, list_digest=row.list_digest,
        band=row.band, threshold=band.threshold, bundle_digest=runtime.bundle.digest,
        policy_digest=runtime.policy.digest, authority=chain.authority, list_approval=chain.list_approval,
        issued_at=instant(now()),
    )  # fmt: skip


def bent(stage: Stage, good: Mandate) -> dict[str, tuple[Pass, str]]:
    """Every way in which it can be wrong: what is shown, and the code it must be refused with."""
    node, run = stage.runtime.node, stage.run._run
    zone = stage.run._zones[0]
    authority = open_signed(good.authority.said, Authorisation)
    approval = open_signed(good.list_approval.said, ListApproval)

    def minted(**changed: object) -> Signed:
        return sign(msgspec.structs.replace(good, **changed), node.minter)

    def authorised(**changed: object) -> Endorsed:
        return run.endorse(msgspec.structs.replace(authority, **changed))

    def shown(mandate: Signed | None, camera: str = zone.camera, digest: str = zone.digest) -> Pass:
        return Pass(mandate, camera, digest)

    past = timedelta(hours=-13)
    over = {"starts_at": good.starts_at + past, "ends_at": good.ends_at + past, "issued_at": good.issued_at + past}
    window = {name: over[name] for name in ("starts_at", "ends_at")}
    early = {name: at - 2 * past for name, at in window.items()}
    low = Endorsed(
        run.endorse(authority).said, sign(msgspec.structs.replace(_credential(run), rank="volunteer"), node.registrar)
    )
    old_approval = run.endorse(msgspec.structs.replace(approval, at=over["issued_at"]))
    own = sign(good, node.minter)
    other = "9" * 64
    return {
        "none": (shown(None), "none"),
        "forged": (shown(sign(good, Ed25519PrivateKey.generate())), "signature"),
        "a changed text": (shown(Signed(own.text.replace("research", "demo"), own.key, own.signature)), "signature"),
        "another force": (shown(minted(force="other-force")), "force"),
        "another policy": (shown(minted(policy_digest=other)), "policy"),
        "another bundle": (shown(minted(bundle_digest=other)), "bundle"),
        "another place": (shown(minted(place=other)), "place"),
        "another camera": (shown(own, camera="south"), "camera"),
        "another zone": (shown(own, digest=other), "zone"),
        "a wider zone than authorised": (shown(minted(cameras={zone.camera: other}), digest=other), "zone"),
        "another list": (shown(minted(list_digest=other)), "list"),
        "a longer window than authorised": (shown(minted(ends_at=good.ends_at + timedelta(hours=1))), "window"),
        "a rank too low": (shown(minted(authority=low)), "rank"),
        "a signer nobody vouches for": (
            shown(minted(authority=Endorsed(low.said, sign(_credential(run), Ed25519PrivateKey.generate())))),
            "authority",
        ),
        "another deployment's authority": (
            shown(minted(authority=authorised(deployment_id=uuid4()))),
            "deployment",
        ),
        "expired": (
            shown(minted(authority=authorised(at=over["issued_at"], **window), list_approval=old_approval, **window)),
            "over",
        ),
        "too early": (shown(minted(authority=authorised(**early), **early)), "early"),
    }


def _credential(run: standing.Run) -> Credential:
    return open_signed(run.credential, Credential)


async def asked(stage: Stage, shown: Pass) -> list[str]:
    """Ask pool and matcher for all they can do with a face. The codes they refused with."""
    crew = stage.runtime.control.crew
    picture = np.full((384, 640, 3), 90, np.uint8)
    paint(picture, 1, 100, 100, 60)
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    paint(crop[0], 1, 0, 0, 112)
    worker, matcher = crew.pool["inference-0"], crew.matchers["matcher-van-test"]
    codes = []

    def notes() -> list[ShotNote]:
        return [ShotNote(TransitKey(shown.camera, "x", 1), 0.0, time.time(), 1.0)]

    for array, call in (
        (picture, lambda sent: worker.detect.remote(shown, sent)),
        # It loads the list, which may take longer than the shots of `identify` live.
        (crop, lambda sent: worker.warm_up.remote(shown, sent, "matcher-van-test")),
        (crop, lambda sent: worker.identify.remote(shown, sent, notes(), "matcher-van-test")),
        (np.ones((1, 64), np.float32), lambda sent: matcher.match.remote(shown, sent, notes())),
    ):
        async with plasma.shared(array) as sent:
            try:
                await call(sent)
                codes.append("")
            except Exception as error:
                refused = cause(error)
                assert isinstance(refused, MandateRefused), refused
                codes.append(refused.code)
    return codes


@pytest.mark.rule("A1")
async def test_nothing_but_a_mandate_that_holds_opens_anything_and_every_refusal_is_logged(stage: Stage):
    await stage.says("no mandate")
    assert await stage.workers() == {"detected": 0, "embedded": 0, "refused": 0}
    assert await stage.runtime.control.tile("north") is not None
    good = await good_mandate(stage)
    variants = bent(stage, good)
    found = {name: set(await asked(stage, shown)) for name, (shown, _) in variants.items()}
    assert found == {name: {code} for name, (_, code) in variants.items()}
    workers = await stage.workers()
    assert (workers["detected"], workers["embedded"]) == (0, 0)
    assert workers["refused"] == 3 * len(variants)
    codes = {code for _, code in variants.values()}

    async def told() -> bool:
        return {entry.payload["code"] for entry in await stage.logged("mandate.refused")} >= codes

    await wait_for(told, "every refusal to be logged")
    # The same calls with a good one: what was counted above is what would have been seen.
    zone = stage.run._zones[0]
    assert await asked(stage, Pass(sign(good, stage.runtime.node.minter), zone.camera, zone.digest)) == [""] * 4
    assert await stage.workers() == {"detected": 1, "embedded": 2, "refused": 3 * len(variants)}


@pytest.mark.rule("M1")
async def test_live_then_paused_then_on_by_itself_with_a_fresh_mandate(stage: Stage):
    await stage.run.go_live(room=3)
    await stage.says("live")
    await stage.sees()
    before = (await stage.runtime.control.status()).mandate_ends_at
    assert before is not None
    tile = (await stage.runtime.control.tile("north"))[1]
    await stage.runtime.control.pause("capacity", "system")
    gaps = await wait_for(lambda: stage.logged("recognition.gap"), "the pause to be over and recorded")
    assert [gap.payload["reason"] for gap in gaps] == ["capacity"]
    await stage.says("live")
    await stage.sees()
    assert (await stage.runtime.control.tile("north"))[1] > tile
    minted = await stage.logged("mandate.minted")
    assert len({entry.payload["mandate"] for entry in minted}) == 2


async def test_a_persons_pause_holds_until_a_person_resumes(stage: Stage):
    await stage.runtime.control.pause("operator", "system")
    await stage.says("paused")
    await stage.sees_nobody(1.5)
    assert await stage.state() == "paused"
    await stage.runtime.control.resume("local:petra")
    await stage.says("live")
    await stage.sees()


@pytest.mark.rule("B4")
async def test_whoever_is_added_or_taken_off_is_so_for_every_matcher_and_no_threshold_moves(stage: Stage):
    control = stage.runtime.control
    before = (await control.status()).threshold
    rows = await control.add_entry("walker 5", [("a.png", portrait(5))], "system")
    assert (await control.crew.matchers["matcher-van-test"].status.remote())["entries"] == 3
    await wait_for(lambda: stage.alerted(rows[0].entry_id), "an alert for the one who was added")
    await control.revoke_entry(rows[0].entry_id, "system")
    status = await control.crew.matchers["matcher-van-test"].status.remote()
    assert (status["entries"], status["threshold"].value) == (2, before)
    assert await stage.state() == "live"


@pytest.mark.rule("A13")
async def test_anybody_stops_it_and_no_death_brings_it_back_only_the_signed_restart(stage: Stage):
    runtime = stage.runtime
    await users.add_user(runtime.db, "audrey", ["auditor"], must_change=False, by="test")
    began = time.monotonic()
    await runtime.control.stop("audrey")
    assert time.monotonic() - began < 5  # a slow machine; the actors themselves are told at once
    matcher = await runtime.control.crew.matchers["matcher-van-test"].status.remote()
    assert (matcher["entries"], matcher["threshold"]) == (0, None)
    async with runtime.db.session() as session:
        standing_alerts = await session.exec(select(Alert.id).where(col(Alert.shredded_at).is_(None)))
        assert standing_alerts.all() == []
    await stage.says("stopped")
    await stage.sees_nobody()
    actors = {actor.name: actor for actor in (await runtime.control.status()).actors}
    for actor in actors.values():
        os.kill(actor.pid, signal.SIGKILL)
    await wait_for(lambda: _all_back(stage, {actor.pid for actor in actors.values()}), "everybody to be back")
    await stage.says("stopped")
    await stage.sees_nobody()
    assert await stage.workers() == {"detected": 0, "embedded": 0, "refused": 0}
    for forbidden in (runtime.control.resume("system"), runtime.control.go_live(stage.run.deployment_id, "system")):
        with pytest.raises(LfrError) as refused:
            await forbidden
        assert isinstance(refused.value, Conflict)
    await stage.run.go_live(room=3)  # signs the restart
    await stage.says("live")
    await stage.sees()


async def _all_back(stage: Stage, gone: set[int]) -> bool:
    try:
        status = await stage.runtime.control.status()
    except RuntimeFailed:
        return False
    return all(actor.alive and actor.pid not in gone | {0} for actor in status.actors)
