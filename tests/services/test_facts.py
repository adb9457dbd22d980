"""Facts from the database: a deployment filled in step by step, until nothing is missing; and what spoils it again."""

import dataclasses
from datetime import timedelta

import msgspec
import pytest
from sqlmodel import select

from lfr.domain.authority import Extension
from lfr.domain.errors import NotFound
from lfr.domain.gates import missing
from lfr.domain.mandate import text_digest
from lfr.domain.plan import Reasons
from lfr.domain.signing import Signed
from lfr.services import authorities, deployments, documents, facts, officers, policies, users
from lfr.services import registrar as registrars
from lfr.storage.models import Deployment, SignedDecision, User
from lfr.storage.node import new_node
from tests.support.quick import quicken
from tests.support.scene import PASSWORD, WORDS, new_scene


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    quicken(monkeypatch)


@pytest.fixture
def scene(store, tmp_path):
    return new_scene(store.db, tmp_path)


async def filled(scene, entries=3):
    """Everything a start needs."""
    await scene.accounts()
    await scene.make(documents=await scene.papers())
    await scene.authorise()
    await scene.list_people(entries)
    await scene.approve_list()
    await scene.photograph()


def rules(found):
    return sorted({one.rule for one in found if one.blocks})


async def change(scene, model, **changed):
    async with scene.db.transaction() as session:
        for row in (await session.exec(select(model).where(model.deployment_id == scene.id))).all():
            for name, value in changed.items():
                setattr(row, name, value)


@pytest.mark.rule("A1")
@pytest.mark.rule("A8")
@pytest.mark.rule("A9")
@pytest.mark.rule("C4")
async def test_a_deployment_is_filled_in_until_nothing_is_missing(scene):
    await scene.make()
    everything = {*rules(await scene.missing("submit"))}
    assert everything == {"A8", "A9"}
    await scene.accounts()
    assert rules(await scene.missing("submit")) == ["A8"]
    row = await deployments.get_deployment(scene.db, scene.id)
    plan = scene.plan(documents=await scene.papers())
    await deployments.change_plan(
        scene.db, scene.id, plan, version=row.version, policy=scene.policy, by=deployments.SYSTEM
    )
    assert await scene.missing("submit") == ()
    assert rules(await scene.missing("go-live")) == ["A1", "C4"]
    await scene.authorise()
    assert rules(await scene.missing("approve-list")) == []
    await scene.list_people(3)
    assert rules(await scene.missing("approve-list")) == []
    await scene.approve_list()
    assert rules(await scene.missing("go-live")) == ["C4"]
    await scene.photograph()
    assert await scene.missing("go-live") == ()
    assert await scene.missing("continue") == ()


async def test_there_must_be_a_deployment(scene):
    with pytest.raises(NotFound):
        await scene.gather()


@pytest.mark.rule("A1")
async def test_a_signature_that_is_not_good_leaves_no_fact(scene, tmp_path):
    await filled(scene)
    stranger = registrars.local(new_node(tmp_path / "other"), "mercia")
    found = await scene.gather(system=scene.system(registrar=stranger.public))
    assert (found.authority, found.approved) == (None, None)
    async with scene.db.transaction() as session:
        for kept in (await session.exec(select(SignedDecision))).all():
            said = msgspec.convert(kept.endorsed["said"], Signed)
            forged = msgspec.structs.replace(said, text=said.text.replace("superintendent", "constable") + " ")
            kept.endorsed = kept.endorsed | {"said": msgspec.to_builtins(forged)}
    found = await scene.gather()
    assert (found.authority, found.approved) == (None, None)
    assert "A1" in rules(await scene.missing("go-live"))


@pytest.mark.rule("A1")
async def test_a_plan_changed_behind_the_authority(scene):
    await filled(scene)
    async with scene.db.transaction() as session:
        row = await session.get(Deployment, scene.id)
        row.plan = row.plan | {"title": "Another place"}
    assert rules(await scene.missing("go-live")) == ["A1"]
    assert rules(await scene.missing("continue")) == ["A1"]


@pytest.mark.rule("A3")
async def test_the_window_ends_and_an_extension_moves_the_end(scene):
    await filled(scene)
    over = scene.at + timedelta(hours=5)
    assert "A3" in rules(await scene.missing("continue", at=over))
    async with scene.db.session() as session:
        kept = (await session.exec(select(SignedDecision).order_by(SignedDecision.ordinal))).all()
    authority = text_digest(msgspec.convert(kept[0].endorsed["said"], Signed))
    later = Extension(scene.id, "anna", scene.at, authority, over + timedelta(hours=2), "The train is late.")
    given = (await scene.signer()).endorse(later)
    await authorities.extend(scene.db, scene.id, given, terms=scene.terms(), at=scene.at)
    found = await scene.gather(at=over)
    assert found.authority.ends_at == over + timedelta(hours=2)
    assert "A3" not in rules(await scene.missing("continue", at=over))


@pytest.mark.rule("A4")
async def test_an_urgent_authority_lapses_unless_it_is_confirmed(scene):
    await scene.accounts()
    await users.change_user(scene.db, "anna", rank="inspector")
    await scene.make(documents=await scene.papers())
    await scene.authorise(urgent=True)
    found = await scene.gather()
    assert (found.authority.urgent, found.authority.lapses_at) == (True, scene.at + timedelta(hours=4))
    await scene.list_people(2)
    await scene.approve_list()
    await scene.photograph()
    assert [one.rule for one in await scene.missing("go-live")] == ["A4"]
    assert rules(await scene.missing("go-live")) == []
    assert "A4" in rules(await scene.missing("continue", at=scene.at + timedelta(hours=4)))
    await users.add_user(scene.db, "sue", "authorising-officer", PASSWORD, rank="superintendent")
    await scene.sign_authority("sue")
    found = await scene.gather(at=scene.at + timedelta(hours=4))
    assert (found.authority.officer, found.authority.urgent, found.authority.lapses_at) == ("sue", False, None)


@pytest.mark.rule("A8")
async def test_documents_are_of_this_force_linked_and_not_withdrawn(scene):
    await scene.accounts()
    papers = await scene.papers()
    await scene.make(documents=papers[1:])
    assert rules(await scene.missing("submit")) == ["A8"]
    await scene.make(documents=papers)
    assert rules(await scene.missing("submit")) == []
    await documents.withdraw(scene.db, papers[0], by="dora")
    (found,) = await scene.missing("submit")
    assert "withdrawn" in found.what


@pytest.mark.rule("A9")
async def test_accounts_are_asked_for_their_roles(scene):
    await filled(scene)
    await users.change_user(scene.db, "olga", roles=["auditor"])
    assert rules(await scene.missing("go-live")) == ["A9"]
    await users.change_user(scene.db, "olga", roles=["operator", "auditor"])
    assert rules(await scene.missing("go-live")) == []


@pytest.mark.rule("A9")
async def test_whoever_is_about_to_sign_is_judged_too(scene):
    await filled(scene)
    async with scene.db.session() as session:
        olga = (await session.exec(select(User).where(User.name == "olga"))).one()
    signer = facts.person(olga.name, "superintendent", olga.roles)
    assert rules(await scene.missing("authorise", signer=signer)) == ["A9"]
    ian = facts.person("ian", "inspector", ["authorising-officer"])
    assert rules(await scene.missing("authorise", signer=ian)) == ["A1"]
    assert rules(await scene.missing("authorise", signer=ian, urgent=True)) == []


@pytest.mark.rule("A11")
async def test_what_an_earlier_deployment_owes_blocks_the_next(scene):
    papers = await scene.papers()
    await scene.accounts()
    await scene.make(documents=papers, title="Last month")
    async with scene.db.transaction() as session:
        row = await session.get(Deployment, scene.id)
        row.state, row.live_at = "ended", scene.at - timedelta(days=41)
        row.ended_at = scene.at - timedelta(days=40)
    await scene.make(documents=papers)
    found = [one for one in await scene.missing("authorise") if one.blocks]
    assert [one.rule for one in found] == ["A11", "A11", "J2"]
    assert all("Last month" in one.what for one in found)
    assert rules(await scene.missing("submit")) == []
    async with scene.db.transaction() as session:
        row = (await session.exec(select(Deployment).where(Deployment.state == "ended"))).one()
        row.closed_at = row.review_at = row.record_at = scene.at
    assert rules(await scene.missing("authorise")) == []


@pytest.mark.rule("A2")
async def test_text_taken_over_from_an_earlier_authority_is_pointed_out(scene):
    papers = await scene.papers()
    await scene.accounts()
    await scene.make(documents=papers, title="Last month")
    await scene.make(documents=papers)
    assert await scene.missing("submit") == ()  # a draft is no authority
    async with scene.db.transaction() as session:
        for row in (await session.exec(select(Deployment).where(Deployment.id != scene.id))).all():
            row.state = "ended"
    found = await scene.missing("submit")
    assert {one.rule for one in found} == {"A2"}
    assert not any(one.blocks for one in found)
    assert all("Last month" in one.what for one in found)
    own = (
        "Two men sought for burglary live beside this park and walk there each evening with their dogs, neighbours say."
    )
    await scene.make(documents=papers, reasons=Reasons(own, own, own, own, own, own))
    assert await scene.missing("submit") == ()
    assert WORDS not in str(await scene.missing("submit"))


@pytest.mark.rule("B4")
async def test_what_the_list_says_reaches_the_gates(scene):
    await filled(scene)
    tomorrow = scene.at + timedelta(hours=24, seconds=1)
    assert "B4" in rules(await scene.missing("approve-list", at=tomorrow))
    await scene.list_people(1)
    assert [(one.rule, one.blocks) for one in await scene.missing("go-live")] == [("A1", False)]
    await scene.list_people(1, category="missing-at-risk", action="welfare-check")
    assert rules(await scene.missing("go-live")) == ["B1"]


@pytest.mark.rule("D1")
async def test_another_bundle_than_the_one_approved(scene):
    await filled(scene)
    other = msgspec.structs.replace(scene.bundle, confirm_shots=3)
    assert rules(await scene.missing("go-live", bundle=other)) == ["D1"]


async def test_a_suspended_deployment_says_so(scene):
    await filled(scene)
    async with scene.db.transaction() as session:
        (await session.get(Deployment, scene.id)).state = "suspended"
    assert rules(await scene.missing("continue")) == ["H3"]


async def test_the_demonstration_needs_next_to_nothing(store, scene):
    demo = policies.load("demo")
    found = await facts.gather(
        store.db, store.deployment_id, policy=demo, bundle=scene.bundle, at=scene.at,
        system=dataclasses.replace(scene.system(), force="no-force"),
    )  # fmt: skip
    assert rules(missing(found, "submit")) == ["A2", "A3", "B1", "C1"]
    assert await officers.renew(store.db, scene.registrar) == 0
