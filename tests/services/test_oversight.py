"""The oversight body suspends and reinstates; the force can do neither (H3)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Oversight
from lfr.domain.errors import AuthorityError, Conflict, LfrError
from lfr.domain.signing import public_key_of, sign
from lfr.services import deployments, oversight
from lfr.storage.database import Database, migrate
from lfr.storage.node import new_node
from tests.support.desk import FORCE_POLICY, Desk, add_people, new_desk
from tests.support.office import STARTS

BODY = Ed25519PrivateKey.generate()
POLICY = msgspec.structs.replace(FORCE_POLICY, oversight=(public_key_of(BODY),))
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def desk(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    yield await new_desk(db, new_node(tmp_path / "keys"), POLICY)
    await db.dispose()


async def says(desk: Desk, decision: str, key: Ed25519PrivateKey = BODY, **changed) -> str:
    said = Oversight(desk.deployment_id, decision, desk.at, "Complaint 17.")
    signed = sign(msgspec.structs.replace(said, **changed), key)
    return (await oversight.apply(desk.db, desk.deployment_id, signed, policy=desk.policy, at=desk.at)).state


@pytest.mark.rule("H3")
class TestOversight:
    async def test_a_live_deployment_is_suspended_and_comes_back_stopped(self, desk: Desk) -> None:
        await desk.live()
        assert await says(desk, "suspend") == "suspended"
        for step in (desk.mint(), desk.restart(), desk.approve_list()):
            with pytest.raises(LfrError):
                await step
        with pytest.raises(Conflict):
            await deployments.stop(desk.db, desk.deployment_id, by="petra", at=desk.at)
        desk.at += MINUTE
        assert await says(desk, "reinstate") == "stopped"
        with pytest.raises(Conflict):
            await desk.mint()
        await desk.restart()
        await desk.mint()

    async def test_nobody_else_can(self, desk: Desk) -> None:
        await desk.live()
        for key in (Ed25519PrivateKey.generate(), desk.olga.key, desk.node.registrar, desk.node.minter):
            with pytest.raises(AuthorityError, match="not the oversight body's"):
                await says(desk, "suspend", key)
        with pytest.raises(AuthorityError, match="another deployment"):
            await says(desk, "suspend", deployment_id=UUID(int=1))
        assert await desk.state() == "live"

    async def test_an_older_statement_does_not_undo_a_newer_one(self, desk: Desk) -> None:
        await desk.live()
        reinstated = STARTS + MINUTE
        await says(desk, "suspend")
        desk.at = reinstated
        await says(desk, "reinstate")
        desk.at = STARTS + 2 * MINUTE
        await says(desk, "suspend")
        with pytest.raises(AuthorityError, match="newer"):
            await says(desk, "reinstate", at=reinstated)
        with pytest.raises(AuthorityError, match="not of these days"):
            await says(desk, "reinstate", at=desk.at + 10 * MINUTE)
        with pytest.raises(AuthorityError, match="not of these days"):
            await says(desk, "reinstate", at=desk.at - timedelta(days=8))
        assert await desk.state() == "suspended"

    async def test_a_suspended_one_can_still_be_ended(self, desk: Desk) -> None:
        await desk.live()
        await says(desk, "suspend")
        assert (await deployments.end(desk.db, desk.deployment_id, by="petra", at=desk.at)).state == "ended"
