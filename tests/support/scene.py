"""A whole deployment in a database: a force whose accounts really sign, its documents, list, signs and approvals."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from PIL import Image

from lfr.domain.authority import Authorisation, ListApproval
from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.gates import Facts, Missing, SystemFacts, Wanted, missing
from lfr.domain.plan import CameraZone, Place, Plan, Reasons
from lfr.domain.policy import Policy, Role
from lfr.domain.signing import instant
from lfr.services import authorities, deployments, documents, drafts, facts, listed, officers, policies, signs, users
from lfr.services import registrar as registrars
from lfr.services.documents import NewDocument
from lfr.services.registrar import Registrar
from lfr.services.terms import Terms
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.node import new_node
from lfr.storage.vault import Vault, new_vault

PASSWORD = "correct horse battery"
FORCE = "mercia"
HERE = ((-1.5000, 53.8000), (-1.4990, 53.8000), (-1.4990, 53.8006), (-1.5000, 53.8006))
LATITUDE, LONGITUDE = 53.8003, -1.4995
WORDS = (
    "People wanted on warrant meet here before the afternoon market opens, as reports of three named officers show, "
    "and nothing else has found them since the spring."
)
PEOPLE: dict[Role, tuple[str, ...]] = {
    "authorising-officer": ("anna",),
    "watchlist-owner": ("walt",),
    "operator": ("olga",),
    "engagement-officer": ("eric",),
    "engineer": ("enid",),
    "data-protection-officer": ("dora",),
}
RANKS = {"anna": "superintendent"}


def picture(size: tuple[int, int] = (64, 48)) -> bytes:
    """A plain JPEG."""
    out = io.BytesIO()
    Image.new("RGB", size, (40, 90, 160)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Scene:
    """One force and one deployment of it, an hour after its planned start."""

    db: Database
    registrar: Registrar
    policy: Policy
    vault: Vault = field(default_factory=new_vault)
    # A minute ahead: every credential that a test makes is older.
    at: datetime = field(default_factory=lambda: instant(datetime.now(UTC)) + timedelta(minutes=1))
    id: UUID = field(default_factory=uuid4)

    @property
    def bundle(self) -> Bundle:
        """A bundle with a threshold for each band."""
        bands = tuple(BandThreshold(band, 0.5, "test", True) for band in self.policy.watchlist.bands)
        return Bundle("double", "2" * 64, "research", bands, 2)

    def plan(self, **changed: Any) -> Plan:
        """A plan with nothing left out but its documents."""
        given: dict[str, Any] = {
            "title": "Station square", "force": FORCE, "use_case": "wanted-persons",
            "categories": ("wanted-by-court",), "reasons": Reasons(WORDS, WORDS, WORDS, WORDS, WORDS, WORDS),
            "place": Place("Station square", HERE), "starts_at": self.at - timedelta(hours=1),
            "ends_at": self.at + timedelta(hours=5), "people": PEOPLE, "critical_threat": WORDS,
            "cameras": (CameraZone("north", ((0.2, 0.2), (0.8, 0.2), (0.8, 0.9), (0.2, 0.9))),),
        }  # fmt: skip
        return Plan(**(given | changed))

    def system(self, **changed: Any) -> SystemFacts:
        """A system in good health."""
        given: dict[str, Any] = {
            "force": FORCE, "registrar": self.registrar.public, "mode": "research", "cameras": ("north",),
            "clock_ok": True, "writer_ok": True, "storage_ok": True, "suspended": False, "ledger_ok": True,
        }  # fmt: skip
        return SystemFacts(**(given | changed))

    def terms(self) -> Terms:
        """What a step is judged by."""
        return Terms(self.policy, self.bundle, self.system())

    async def gather(self, **changed: Any) -> Facts:
        """The facts as they stand."""
        given: dict[str, Any] = {
            "policy": self.policy, "bundle": self.bundle, "system": self.system(), "at": self.at,
        }  # fmt: skip
        return await facts.gather(self.db, self.id, **(given | changed))

    async def missing(self, wanted: Wanted, **changed: Any) -> tuple[Missing, ...]:
        """What is missing for it."""
        return missing(await self.gather(**changed), wanted)

    async def accounts(self) -> None:
        """Everybody whom the plan names."""
        for role, names in PEOPLE.items():
            for name in names:
                await users.add_user(self.db, name, role, PASSWORD, rank=RANKS.get(name))

    async def papers(self) -> tuple[UUID, ...]:
        """Every document of the policy, approved ten days ago."""
        made = []
        for kind in self.policy.documents:
            new = NewDocument(kind.code, "1", f"{len(made):064x}", self.at - timedelta(days=10), "board")
            new = NewDocument(new.code, new.version, new.sha256, new.approved_at, "board", covers_public=True)
            made.append((await documents.add(self.db, FORCE, new, policy=self.policy, by="dora")).id)
        return tuple(made)

    async def make(self, **changed: Any) -> UUID:
        """A draft."""
        row = await deployments.make(
            self.db, system="van", mode="research", pack="double", pack_digest="2" * 64, policy=self.policy,
            plan=self.plan(**changed), by=deployments.SYSTEM, at=self.at - timedelta(hours=3),
        )  # fmt: skip
        self.id = row.id
        return row.id

    async def list_people(self, count: int, **changed: Any) -> None:
        """Listed people, in good order but for what is changed."""
        today = self.at.date()
        given: dict[str, Any] = {
            "category": "wanted-by-court", "action": "arrest-check", "age_band": "adult", "placed": True,
            "max_sentence_years": 5.0, "checked_at": self.at, "checked_by": "walt", "status_at": self.at,
            "review_on": today + timedelta(days=30), "added_by": "walt",
        }  # fmt: skip
        async with self.db.transaction() as session:
            for _ in range(count):
                entry = WatchlistEntry(
                    deployment_id=self.id, label_sealed=None, label_mac=uuid4().bytes,
                    **(given | changed),
                )  # fmt: skip
                session.add(entry)
                session.add(
                    WatchlistImage(
                        deployment_id=self.id,
                        entry_id=entry.id,
                        picture_mac=uuid4().bytes,
                        template_sealed=b"sealed",
                        picture_sealed=b"-",
                        dim=4,
                        face_px=90.0,
                        sharpness=50.0,
                        score=0.9,
                        source="custody",
                        lawful_hold="convicted",
                        taken_on=date(2025, 1, 1),
                        hold_review_on=today + timedelta(days=99),
                    )
                )

    async def signer(self, name: str = "anna") -> officers.Signer:
        """An officer re-enters the password."""
        return await officers.signer(self.db, self.registrar, name, PASSWORD)

    async def authorise(self, name: str = "anna", **changed: Any) -> Authorisation:
        """The plan is submitted and authorised."""
        await deployments.submit(self.db, self.id, terms=self.terms(), by=deployments.SYSTEM, at=self.at)
        return await self.sign_authority(name, **changed)

    async def sign_authority(self, name: str = "anna", **changed: Any) -> Authorisation:
        """An officer authorises what was submitted."""
        row = await deployments.get_deployment(self.db, self.id)
        said = drafts.authorisation(row, self.policy, name, at=self.at, **changed)
        given = (await self.signer(name)).endorse(said)
        await authorities.authorise(self.db, self.id, given, terms=self.terms(), at=self.at)
        return said

    async def approve_list(self, name: str = "anna") -> None:
        """The officer approves the list as it stands."""
        async with self.db.session() as session:
            found = await listed.list_digest(session, self.id)
        band = self.policy.band_for(found.entries)
        assert band is not None
        said = ListApproval(self.id, name, self.at, found.digest, found.entries, band)
        given = (await self.signer(name)).endorse(said)
        await authorities.approve_list(self.db, self.id, given, terms=self.terms(), at=self.at)

    async def photograph(self, **changed: Any) -> None:
        """All signs, at the place."""
        where: dict[str, Any] = {"latitude": LATITUDE, "longitude": LONGITUDE, "at": self.at}
        for item in self.policy.signs.items:
            await signs.add_photo(
                self.db, self.vault, self.id, item, picture(), policy=self.policy, by="olga", **(where | changed)
            )


def new_scene(db: Database, folder: Path, **changed: Any) -> Scene:
    """A force with a registrar of its own, under the British template but for what is changed."""
    policy = msgspec.structs.replace(policies.load("uk-default"), **changed)
    return Scene(db, registrars.local(new_node(folder / "keys"), FORCE), policy)
