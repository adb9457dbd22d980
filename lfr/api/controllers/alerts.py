"""Alerts and their pictures. There is no search: alerts come in the order they were raised, and one by its id (D5)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from lfr.api.pictures import JPEG, picture
from lfr.api.present import Present
from lfr.api.schemas import AlertOut, AlertsOut
from lfr.domain.alerts import AlertRecord
from lfr.domain.errors import NotFound
from lfr.services import alerts, events, watchlist
from lfr.storage.database import Database
from lfr.storage.vault import Vault

After = Annotated[int | None, QueryParameter(ge=0, description="only alerts numbered above this, oldest first")]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="how many at most")]


class AlertController(Controller):
    """Alerts of this deployment."""

    path = "/alerts"
    tags = ("alerts",)

    @get()
    async def list_alerts(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        present: NamedDependency[Present],
        after: After = None,
        limit: Limit = 100,
    ) -> AlertsOut:
        """Without `after` the newest alerts, newest first; with it those that follow, oldest first.

        Without a deployment there are none.
        """
        # The number is taken first: whatever comes while the page is read is in the stream that starts there.
        seq = await events.last_seq(db)
        deployment_id = await present.deployment()
        if deployment_id is None:
            return AlertsOut([], seq, more=False)
        if after is None:
            records = await alerts.newest_alerts(db, deployment_id, limit=limit + 1)
        else:
            records = await alerts.list_alerts(db, deployment_id, after_seq=after, limit=limit + 1)
        labels = await watchlist.labels(db, vault, deployment_id, {record.entry_id for record in records})
        shown = [AlertOut.of(record, labels.get(record.entry_id)) for record in records[:limit]]
        return AlertsOut(shown, seq, more=len(records) > limit)

    @get("/{alert_id:uuid}")
    async def get_alert(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        deployment_id: NamedDependency[UUID],
        alert_id: FromPath[UUID],
    ) -> AlertOut:
        """One alert."""
        record = await _own(db, deployment_id, alert_id)
        labels = await watchlist.labels(db, vault, deployment_id, {record.entry_id})
        return AlertOut.of(record, labels.get(record.entry_id))

    @get("/{alert_id:uuid}/probe", media_type=JPEG)
    async def probe(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        deployment_id: NamedDependency[UUID],
        alert_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The face that raised it."""
        await _own(db, deployment_id, alert_id)
        return picture(await alerts.alert_picture(db, vault, alert_id, "probe"))

    @get("/{alert_id:uuid}/scene", media_type=JPEG)
    async def scene(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        deployment_id: NamedDependency[UUID],
        alert_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The whole frame, pixelated but for the alert's own box."""
        await _own(db, deployment_id, alert_id)
        return picture(await alerts.alert_picture(db, vault, alert_id, "scene"))


async def _own(db: Database, deployment_id: UUID, alert_id: UUID) -> AlertRecord:
    record = await alerts.get_alert(db, alert_id)
    if record.deployment_id != deployment_id:
        raise NotFound(f"there is no alert {alert_id}")
    return record
