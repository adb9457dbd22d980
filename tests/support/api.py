"""A house for tests of the API: real database, real vault, drawn pictures; only the actors are played."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import httpx
import msgspec
import numpy as np
from litestar import Litestar

from lfr.actors.control import ActorStatus, CameraStatus, StandInControl, SystemStatus
from lfr.api.app import create_app
from lfr.api.bound import Bound
from lfr.api.limits import Limits, Rate
from lfr.api.server import serve
from lfr.config import Api, Camera, Config
from lfr.domain.alerts import RaisedAlert
from lfr.matching.bundle import bundle_of
from lfr.services import alerts, policies, registrar, users
from lfr.services.sealing import LABEL, PICTURE
from lfr.storage.database import Database
from lfr.storage.migrations import migrate
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.node import Node, new_node
from lfr.storage.vault import Ring, Vault, new_vault
from lfr.vision.engine.double import located_double
from lfr.vision.packs import pack_digest
from tests.support.stores import new_deployment

PASSWORD = "correct horse battery staple"
GENEROUS = Limits(general=Rate(10_000, 600_000), sign_in=Rate(1000, 60_000), heavy=Rate(1000, 60_000))
NOTES = (
    "The same photograph is listed and shown, so this proves plumbing, not accuracy.",
    "The embedded engine misses faces smaller than about 80 pixels.",
)


def drawing(text: str = "", *, size: tuple[int, int] = (240, 240), hue: int = 100) -> bytes:
    """A JPEG of shapes: nobody's face. size: width, height."""
    width, height = size
    picture = np.full((height, width, 3), (60 + hue // 3, 58, 52), np.uint8)
    centre, unit = (width // 2, height // 2), min(width, height)
    cv2.circle(picture, centre, unit // 3, (hue, 170, 200 - hue // 2), -1, cv2.LINE_AA)
    corner = (centre[0] - unit // 6, centre[1] - unit // 6)
    cv2.rectangle(picture, corner, (centre[0] + unit // 6, centre[1] + unit // 6), (235, 225, 215), -1, cv2.LINE_AA)
    cv2.putText(picture, text, (12, height - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (240, 240, 240), 1, cv2.LINE_AA)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def mosaic(seed: int) -> bytes:
    """A JPEG tile of coarse squares, 640x360, as a camera would send it."""
    cells = np.random.default_rng(seed).integers(38, 120, (18, 32, 1), dtype=np.uint8)
    tinted = np.concatenate([cells, cells, np.clip(cells.astype(int) + 8, 0, 255).astype(np.uint8)], axis=2)
    return cv2.imencode(".jpg", cv2.resize(tinted, (640, 360), interpolation=cv2.INTER_NEAREST))[1].tobytes()


def a_status(deployment_id: UUID, **changes: Any) -> SystemStatus:
    cameras = (
        CameraStatus(
            id="north", title="North gate", health="ok", width=1280, height=720, fps=12.4, read=6120, processed=2980,
            dropped=12, stale=0, detections=8011, embeddings=1240, transits=214, alerts=2, last_frame_age_s=0.1,
            latency_p95_ms=412.0,
        ),
        CameraStatus(
            id="south", title="South gate", health="reconnecting", detail="no answer", reconnects=3, read=900,
            processed=450, dropped=3, stale=1, transits=31, last_frame_age_s=14.0,
        ),
    )  # fmt: skip
    actors = (
        ActorStatus("camera-north", "camera", 4101, 0, alive=True),
        ActorStatus("camera-south", "camera", 4102, 1, alive=True),
        ActorStatus("inference-0", "inference", 4103, 0, alive=True),
        ActorStatus("matcher", "matcher", 4104, 0, alive=True),
        ActorStatus("supervisor", "supervisor", 4105, 0, alive=True),
    )
    present = SystemStatus(
        state="live", mode="demo", name="demo", pack="embedded", deployment_id=str(deployment_id), threshold=0.512,
        threshold_basis="0.01 false alerts per transit, list of 3", watchlist_entries=3, watchlist_images=4,
        nonmatch_age_p95_ms=402.0, nonmatch_age_max_ms=734.0, cameras=cameras, actors=actors, notes=NOTES,
        providers=("CPU",),
    )  # fmt: skip
    return msgspec.structs.replace(present, **changes)


@dataclass
class House:
    """Everything that `create_app` takes, and hands to put things in with."""

    config: Config
    db: Database
    vault: Vault
    control: StandInControl
    deployment_id: UUID
    bound: Bound
    local_token: str = "local-token-of-this-run"
    _transits: Any = field(default_factory=lambda: itertools.count(1))

    def app(self, *, limits: Limits = GENEROUS, config: Config | None = None) -> Litestar:
        return create_app(
            config=config or self.config,
            db=self.db,
            vault=self.vault,
            control=self.control,
            deployment_id=self.deployment_id,
            bound=self.bound,
            local_token=self.local_token,
            limits=limits,
        )

    async def user(self, name: str, role: str | list[str], *, must_change: bool = False) -> None:
        await users.add_user(self.db, name, role, PASSWORD, must_change=must_change)

    async def token(self, name: str) -> str:
        """A new session of an account."""
        return await users.sign_in(self.db, name, PASSWORD)

    async def entry(self, label: str) -> UUID:
        """A listed person with one drawn picture (enrolment itself needs an engine and is tested elsewhere)."""
        entry = WatchlistEntry(
            deployment_id=self.deployment_id, label_sealed=None, label_mac=None, category="volunteer", action="greet",
            added_by="test",
        )  # fmt: skip
        await self.vault.make(Ring(self.deployment_id, "list"), [entry.id])
        entry.label_sealed = self.vault.seal(label.encode(), owner=entry.id, purpose=LABEL, object_id=entry.id)
        entry.label_mac = await self.vault.digest(label.encode(), deployment_id=self.deployment_id, purpose=LABEL)
        image = WatchlistImage(
            deployment_id=self.deployment_id, entry_id=entry.id, template_sealed=None, dim=128, picture_sealed=b"",
            picture_mac=None, face_px=120.0, sharpness=80.0, score=0.99,
        )  # fmt: skip
        face = drawing("listed", hue=40)
        image.picture_sealed = self.vault.seal(face, owner=entry.id, purpose=PICTURE, object_id=image.id)
        async with self.db.transaction() as session:
            for row in (entry, image):
                session.add(row)
        return entry.id

    async def alert(self, entry_id: UUID, *, camera: str = "north", score: float = 0.587, **changes: Any) -> UUID:
        """Raise one, as a camera would."""
        at = time.time()
        raised = RaisedAlert(
            deployment_id=self.deployment_id, camera=camera, run="run-1", transit=next(self._transits),
            entry_id=entry_id, score=score, threshold=0.512, gap=0.081, shots=4, frame=211, media_s=at, frame_at=at,
            first_shot_at=at - 0.4, box=(412, 200, 96, 96), probe_jpeg=drawing("probe", hue=150),
            scene_jpeg=drawing("scene", size=(640, 360), hue=150),
        )  # fmt: skip
        raised = type(raised)(**{name: getattr(raised, name) for name in raised.__slots__} | changes)
        receipt = await alerts.raise_alert(self.db, self.vault, raised, cooldown_s=1e-9, keep=timedelta(hours=24))
        assert not receipt.muted
        return receipt.alert_id


def bound_to(config: Config, node: Node, policy: str = "demo") -> Bound:
    """What a house is bound to: the double's pack, one threshold for every band."""
    pack, rules = located_double().pack, policies.load(policy)
    digest = pack_digest(pack)
    bundle = bundle_of(pack, digest, rules, confirm_shots=2, fixed=0.7)
    return Bound(config, rules, pack, digest, bundle, registrar.local(node, config.force))


@asynccontextmanager
async def build_house(folder: Path, template: Path | None = None) -> AsyncIterator[House]:
    """template: the folder of a house that was built and closed; its database is copied, which spares the hashing."""
    cameras = tuple(Camera(id=name, url="scene:demo", title=f"{name.title()} gate") for name in ("north", "south"))
    api = Api(host="127.0.0.1", port=0)
    config = Config(name="demo", mode="demo", pack="embedded", data_dir=str(folder), api=api, cameras=cameras)
    if template is None:
        await migrate(config.database_url)
    else:
        shutil.copyfile(template / "lfr.db", folder / "lfr.db")
    db = Database(config.database_url)
    deployment = await new_deployment(db, system="demo", mode="demo", pack="embedded")
    control = StandInControl(a_status(deployment.id), tiles={"north": mosaic(1), "south": mosaic(2)})
    try:
        yield House(config, db, new_vault(), control, deployment.id, bound_to(config, new_node(folder / "keys")))
    finally:
        await db.dispose()


@asynccontextmanager
async def served(app: Litestar, config: Config) -> AsyncIterator[str]:
    """The application on a real socket; yields its url."""
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    ready: Callable[[str], None] = url.set_result
    task = asyncio.create_task(serve(app, config, ready=ready))
    await asyncio.wait((task, url), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield url.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass
class Told:
    """One event of the stream."""

    id: int | None
    kind: str
    data: dict[str, Any]


async def read_events(response: httpx.Response) -> AsyncIterator[Told]:
    """Server-sent events as a client parses them; comments are passed over."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield Told(number, fields.get("event", "message"), msgspec.json.decode(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@asynccontextmanager
async def following(
    url: str, headers: dict[str, str], *, after: int | None = None, last: int | None = None
) -> AsyncIterator[AsyncIterator[Told]]:
    """Follow the event stream; heartbeats are passed over."""
    query = "" if after is None else f"?after={after}"
    extra = {} if last is None else {"last-event-id": str(last)}
    async with (
        httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http,
        http.stream("GET", f"/api/v1/events{query}", headers={**headers, **extra}) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        events = read_events(response)
        # The first heartbeat says that the stream stands.
        assert (await anext(events)).kind == "heartbeat"
        yield (event async for event in events if event.kind != "heartbeat")
