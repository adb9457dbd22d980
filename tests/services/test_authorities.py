"""The signed steps: what is signed must be exactly what stands in the database, and whoever signs must be entitled."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select

from lfr.domain.authority import Endorsed
from lfr.domain.errors import AuthorityError, Conflict, GateClosed, LfrError, NotAllowed
from lfr.services import authorities, deployments, drafts
from lfr.storage.database import Database, migrate
from lfr.storage.models import AuditEntry, WatchlistImage
from lfr.storage.node import new_node
from tests.support.desk import BEFORE, FORCE_POLICY, PEOPLE, Desk, add_people, new_desk
from tests.support.office import CAMERA, ENDS, STARTS, changed_policy

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    yield await new_desk(db, new_node(tmp_path / "keys"))
    await db.dispose()


async def refused(step, words: str | None = None, error: type[LfrError] = AuthorityError) -> None:
    with pytest.raises(error, match=words):
        await step


@pytest.mark.rule("A1")
class TestAuthorise:
    async def test_an_authority_for_this_plan_is_accepted_kept_and_logged(self, desk: Desk) -> None:
        await desk.submit()
        row = await desk.authorise()
        assert (row.state, row.urgent_confirm_by) == ("authorised", None)
        assert await desk.decisions() == ["lfr.authorisation/1"]
        async with desk.db.session() as session:
            logged = [(e.kind, e.actor) for e in (await session.exec(select(AuditEntry))).all()]
        assert ("deployment.decision", "olga") in logged
        assert ("deployment.state", "olga") in logged

    @pytest.mark.parametrize(
        ("words", "changed"),
        [
            ("another plan digest", {"plan_digest": "f" * 64}),
            ("another policy digest", {"policy_digest": "f" * 64}),
            ("another force", {"force": "south-force"}),
            ("another use case", {"use_case": "court-orders"}),
            ("another categories", {"categories": ()}),
            ("another place", {"place": "f" * 64}),
            ("another starts at", {"starts_at": STARTS - HOUR}),
            ("another ends at", {"ends_at": ENDS + HOUR}),
            ("other cameras", {"cameras": {}}),
            ("other cameras", {"cameras": {CAMERA.camera: "f" * 64}}),
            ("lapses at the policy's time", {"confirm_by": STARTS + HOUR}),
            ("another deployment", {"deployment_id": uuid4()}),
            ("dated in the future", {"at": BEFORE + HOUR}),
            ("older than the deployment", {"at": BEFORE - 4 * HOUR}),
            ("another officer", {"officer": "ian"}),
        ],
    )
    async def test_an_authority_for_anything_else_changes_nothing(self, desk: Desk, words: str, changed) -> None:
        await desk.submit()
        said = drafts.authorisation(await desk.row(), desk.policy, "olga", at=desk.at)
        await refused(desk.authorise(said=msgspec.structs.replace(said, **changed)), words)
        assert (await desk.state(), await desk.decisions()) == ("submitted", [])

    async def test_whoever_is_not_entitled_changes_nothing(self, desk: Desk) -> None:
        await desk.submit()
        office = desk.office
        await refused(desk.authorise(office.officer("olga", "volunteer")), "rank")
        await refused(desk.authorise(office.officer("olga", None)), "rank")
        await refused(desk.authorise(office.officer("olga", "lead", roles=("operator",))), "role")
        await refused(desk.authorise(office.officer("olga", "lead", force="south-force")), "belongs to")
        await refused(desk.authorise(office.officer("olga", "lead", registrar=Ed25519PrivateKey.generate())), "registr")
        long_ago = (STARTS - 99 * HOUR, STARTS - 98 * HOUR)
        await refused(desk.authorise(office.officer("olga", "lead", valid=long_ago)), "not valid")
        await refused(desk.authorise(office.officer("stranger", "lead")), "does not name", NotAllowed)
        said = drafts.authorisation(await desk.row(), desk.policy, "olga", at=desk.at)
        other = office.officer("olga", "lead")
        mixed = Endorsed(other.endorse(said).said, desk.olga.credential)
        await refused(authorities.authorise(desk.db, desk.deployment_id, mixed, **desk.judged), "another key")
        assert (await desk.state(), await desk.decisions()) == ("submitted", [])

    async def test_only_what_was_submitted_is_authorised_and_only_once(self, desk: Desk) -> None:
        await refused(desk.authorise(), "draft", Conflict)
        await desk.submit()
        said = drafts.authorisation(await desk.row(), desk.policy, "olga", at=desk.at)
        await desk.authorise(said=said)
        await refused(desk.authorise(said=said), "authorised", Conflict)
        desk.at += timedelta(minutes=1)
        await refused(desk.authorise(), "authorised", Conflict)
        assert await desk.decisions() == ["lfr.authorisation/1"]

    async def test_a_window_that_is_over_is_not_authorised(self, desk: Desk) -> None:
        await desk.submit()
        desk.at = ENDS
        await refused(desk.authorise(), "over")

    @pytest.mark.rule("A3")
    async def test_a_window_beyond_the_ceiling_is_not_authorised(self, desk: Desk) -> None:
        plan = desk.office.plan(ends_at=STARTS + 12 * HOUR + timedelta(seconds=1), people=PEOPLE)
        await deployments.change_plan(desk.db, desk.deployment_id, plan, version=1, policy=desk.policy, by="petra")
        await refused(desk.submit(), "12 hours", GateClosed)

    async def test_under_a_policy_that_changed_since_nothing_is_authorised(self, desk: Desk) -> None:
        await desk.submit()
        desk.policy = changed_policy(FORCE_POLICY, watchlist={"cap": 10})
        await refused(desk.authorise(), "policy", Conflict)

    @pytest.mark.rule("A9")
    async def test_whoever_has_another_part_does_not_authorise(self, desk: Desk) -> None:
        plan = desk.office.plan(people=PEOPLE | {"operator": ("petra", "olga")})
        await deployments.change_plan(desk.db, desk.deployment_id, plan, version=1, policy=desk.policy, by="petra")
        await refused(desk.submit(), "both", GateClosed)

    async def test_a_refusal_says_why_and_lets_the_plan_be_changed(self, desk: Desk) -> None:
        await desk.submit()
        said = drafts.refusal(await desk.row(), "olga", "The place is too wide.", at=desk.at)
        row = await authorities.refuse(desk.db, desk.deployment_id, desk.olga.endorse(said), **desk.judged)
        assert row.state == "refused"
        await refused(desk.authorise(), "refused", Conflict)
        plan = desk.office.plan(title="Half of the market", people=PEOPLE)
        row = await deployments.change_plan(
            desk.db, desk.deployment_id, plan, version=row.version, policy=desk.policy, by="petra"
        )
        assert row.state == "draft"
        await desk.submit()
        again = authorities.refuse(desk.db, desk.deployment_id, desk.olga.endorse(said), **desk.judged)
        await refused(again, "another plan")

    async def test_two_who_change_at_once_do_not_overwrite_one_another(self, desk: Desk) -> None:
        seen = await desk.row()
        await deployments.submit(desk.db, desk.deployment_id, by="petra", version=seen.version, **desk.judged)
        late = deployments.withdraw(desk.db, desk.deployment_id, by="edward", version=seen.version, at=desk.at)
        await refused(late, "changed since", Conflict)


@pytest.mark.rule("A4")
class TestUrgent:
    async def test_it_lapses_at_the_policys_time_unless_it_is_confirmed(self, desk: Desk) -> None:
        await desk.submit()
        row = await desk.authorise(urgent=True)
        assert row.urgent_confirm_by == BEFORE + 4 * HOUR
        desk.at = BEFORE + HOUR
        row = await desk.authorise()
        assert (row.state, row.urgent_confirm_by) == ("authorised", None)
        assert await desk.decisions() == ["lfr.authorisation/1"] * 2

    async def test_a_confirmed_one_goes_live_with_the_list_its_inspector_approved(self, desk: Desk) -> None:
        await desk.list_people()
        await desk.submit()
        await desk.authorise(urgent=True)
        await desk.approve_list(desk.ian)
        desk.at = STARTS
        urgent = desk.guard().check(await desk.mint(), "north", CAMERA.digest)
        desk.at = STARTS + 2 * HOUR
        await desk.authorise()
        desk.at = STARTS + 5 * HOUR
        confirmed = desk.guard().check(await desk.mint(), "north", CAMERA.digest)
        assert confirmed.list_digest == urgent.list_digest

    async def test_an_unconfirmed_one_is_not_minted_after_its_time(self, desk: Desk) -> None:
        await desk.list_people()
        await desk.submit()
        await desk.authorise(urgent=True)
        await desk.approve_list(desk.ian)
        desk.at = BEFORE + 4 * HOUR
        await refused(desk.mint(), "lapsed", GateClosed)

    async def test_it_is_not_confirmed_too_late_nor_by_another_urgent_one_nor_by_a_lower_rank(self, desk: Desk) -> None:
        await desk.submit()
        await desk.authorise(urgent=True)
        desk.at = BEFORE + HOUR
        await refused(desk.authorise(urgent=True), "stands already", Conflict)
        await refused(desk.authorise(desk.ian), "rank")
        desk.at = BEFORE + 4 * HOUR
        await refused(desk.authorise(), "lapsed")

    async def test_whoever_confirms_need_not_be_named_but_may_have_no_other_part(self, desk: Desk) -> None:
        await desk.submit()
        await desk.authorise(urgent=True)
        await refused(desk.authorise(desk.office.officer("petra", "lead")), "another part", NotAllowed)
        assert (await desk.authorise(desk.office.officer("stranger", "lead"))).urgent_confirm_by is None

    async def test_the_list_of_an_ordinary_authority_needs_the_full_rank(self, desk: Desk) -> None:
        await desk.submit()
        await desk.authorise()
        await refused(desk.approve_list(desk.ian), "rank")

    async def test_a_policy_without_urgent_authority_accepts_none(self, desk: Desk) -> None:
        policy = changed_policy(FORCE_POLICY, authority={"urgent_rank": None})
        desk = await new_desk(desk.db, desk.node, policy, people=PEOPLE | {"authorising-officer": ("olga",)})
        await desk.submit()
        await refused(desk.authorise(desk.olga, urgent=True), "no urgent")


@pytest.mark.rule("A1")
class TestList:
    async def test_it_is_approved_by_its_digest_and_then_ready(self, desk: Desk) -> None:
        await desk.list_people(3)
        await desk.submit()
        await desk.authorise()
        row = await desk.approve_list()
        assert (row.state, row.entries, row.band) == ("ready", 3, 5)

    async def test_an_approval_of_a_list_that_changed_meanwhile_is_refused(self, desk: Desk) -> None:
        await desk.submit()
        await desk.authorise()
        await desk.list_people(3)
        said = await drafts.list_approval(desk.db, desk.deployment_id, "olga", desk.policy, at=desk.at)
        await desk.list_people(1)
        await refused(desk.give_list(desk.olga.endorse(said)), "another list")
        fewer = msgspec.structs.replace(said, entries=2)
        await refused(desk.give_list(desk.olga.endorse(fewer)), "another list")
        assert await desk.state() == "authorised"

    @pytest.mark.rule("B10")
    async def test_a_band_that_is_none_or_too_small_is_refused(self, desk: Desk) -> None:
        await desk.submit()
        await desk.authorise()
        await desk.list_people(3)
        said = await drafts.list_approval(desk.db, desk.deployment_id, "olga", desk.policy, band=5, at=desk.at)
        for band, words in ((3, "no band"), (1, "more than")):
            changed = msgspec.structs.replace(said, band=band)
            await refused(desk.give_list(desk.olga.endorse(changed)), words)
        with pytest.raises(AuthorityError, match="no band"):
            await drafts.list_approval(desk.db, desk.deployment_id, "olga", desk.policy, room=30_000)

    async def test_before_the_authority_there_is_no_list_to_approve(self, desk: Desk) -> None:
        await desk.list_people(1)
        await refused(desk.approve_list(), "draft", Conflict)

    async def test_it_may_be_approved_anew_while_it_is_ready(self, desk: Desk) -> None:
        await desk.ready()
        await desk.list_people(4)
        assert (await desk.approve_list()).band == 10
        await desk.mint()

    async def test_additions_are_amendments_within_the_band_and_none_moves_the_threshold(self, desk: Desk) -> None:
        before = await desk.live(3)
        desk.at += HOUR
        await desk.list_people(2)
        row = await desk.amend()
        assert (row.entries, row.band) == (5, 5)
        after = await desk.mint()
        guard = desk.guard()
        assert guard.check(after, "north", CAMERA.digest).threshold == _threshold(before, desk)
        await desk.list_people(1)
        await refused(desk.amend(), "band")
        assert (await desk.row()).entries == 5

    async def test_an_amendment_that_hides_a_change_of_an_approved_entry_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        async with desk.db.transaction() as session:
            image = (await session.exec(select(WatchlistImage))).first()
            image.template_sealed = b"another template"
        desk.at += HOUR
        await refused(desk.amend(), "another list")

    async def test_an_amendment_out_of_the_chain_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        await desk.list_people(1)
        said = await drafts.list_amendment(desk.db, desk.deployment_id, "olga", at=desk.at)
        wrong = msgspec.structs.replace(said, previous="f" * 64)
        step = authorities.amend_list(desk.db, desk.deployment_id, desk.olga.endorse(wrong), **desk.judged)
        await refused(step, "follow")
        await desk.amend()
        desk.at += HOUR
        replayed = authorities.amend_list(desk.db, desk.deployment_id, desk.olga.endorse(said), **desk.judged)
        await refused(replayed, "follow")

    async def test_where_nothing_was_added_there_is_nothing_to_amend(self, desk: Desk) -> None:
        await desk.ready()
        assert await drafts.list_amendment(desk.db, desk.deployment_id, "olga", at=desk.at) is None


def _threshold(signed, desk: Desk) -> float:
    desk.at, now = STARTS, desk.at
    try:
        return desk.guard().check(signed, "north", CAMERA.digest).threshold
    finally:
        desk.at = now


@pytest.mark.rule("A3")
class TestExtend:
    async def test_a_signed_extension_moves_the_end_up_to_the_ceiling(self, desk: Desk) -> None:
        await desk.live()
        desk.at = STARTS + 5 * HOUR
        assert (await desk.extend(STARTS + 12 * HOUR)).ends_at == STARTS + 12 * HOUR
        signed = await desk.mint()
        desk.at = STARTS + 11 * HOUR
        desk.guard().check(signed, "north", CAMERA.digest)

    async def test_beyond_the_ceiling_too_early_or_after_the_end_none_does(self, desk: Desk) -> None:
        await desk.live()
        await refused(desk.extend(STARTS + 12 * HOUR + timedelta(seconds=1)), "12 hours")
        await refused(desk.extend(ENDS), "later")
        await refused(desk.extend(ENDS + HOUR, desk.ian), "rank")
        desk.at = ENDS
        await refused(desk.extend(ENDS + HOUR), "over")
        assert (await desk.row()).ends_at == ENDS

    async def test_an_extension_of_another_authority_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        said = await drafts.extension(desk.db, desk.deployment_id, "olga", ENDS + HOUR, "More.", at=desk.at)
        wrong = msgspec.structs.replace(said, authority="f" * 64)
        step = authorities.extend(desk.db, desk.deployment_id, desk.olga.endorse(wrong), **desk.judged)
        await refused(step, "another authority")

    async def test_before_an_authority_there_is_nothing_to_extend(self, desk: Desk) -> None:
        await refused(desk.extend(ENDS + HOUR), None, Conflict)


@pytest.mark.rule("A13")
class TestRestart:
    @pytest.mark.parametrize("name", [*(n for names in PEOPLE.values() for n in names), "stranger", "system"])
    async def test_everybody_may_stop_and_only_the_signed_answer_to_this_stop_restarts(
        self, desk: Desk, name: str
    ) -> None:
        await desk.live()
        row = await deployments.stop(desk.db, desk.deployment_id, by=name, at=desk.at)
        assert row.state == "stopped"
        assert row.stop_id is not None
        await refused(desk.mint(), "stopped", Conflict)
        await refused(desk.restart(desk.ian), "rank")
        await refused(desk.restart(desk.office.officer("petra", "lead", roles=("operator",))), "role")
        assert (await desk.restart()).state == "ready"
        await desk.mint()

    async def test_whoever_has_no_account_cannot_stop(self, desk: Desk) -> None:
        await desk.live()
        await refused(deployments.stop(desk.db, desk.deployment_id, by="nobody", at=desk.at), None, NotAllowed)

    async def test_a_restart_answers_one_stop_only(self, desk: Desk) -> None:
        await desk.live()
        await deployments.stop(desk.db, desk.deployment_id, by="audrey", at=desk.at)
        said = drafts.restart(await desk.row(), "olga", "All is well.", at=desk.at)
        given = desk.olga.endorse(said)
        await authorities.restart(desk.db, desk.deployment_id, given, **desk.judged)
        await desk.mint()
        await deployments.stop(desk.db, desk.deployment_id, by="audrey", at=desk.at)
        await refused(authorities.restart(desk.db, desk.deployment_id, given, **desk.judged), "another stop")
        assert await desk.state() == "stopped"

    async def test_what_is_not_stopped_is_not_restarted(self, desk: Desk) -> None:
        await desk.live()
        with pytest.raises(Conflict):
            drafts.restart(await desk.row(), "olga", "Why not.")
