"""The watchlist: look, add, revoke. A change is acknowledged by every live matcher before it is answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from lfr.api.auth import Principal, only
from lfr.api.pictures import JPEG, picture
from lfr.api.running import Running
from lfr.api.schemas import EnrolOut, EntryOut, RowOut, WatchlistOut
from lfr.api.uploads import FILE, form_operation, read_form
from lfr.domain.duties import LISTERS
from lfr.domain.errors import NotFound
from lfr.services import watchlist
from lfr.storage.database import Database
from lfr.storage.vault import Vault

MAX_UPLOAD = 48 * 2**20
MAX_PICTURES = 16

EnrolOperation = form_operation(
    ["label", "pictures"],
    {
        "label": Schema(type=OpenAPIType.STRING, max_length=200),
        "pictures": Schema(type=OpenAPIType.ARRAY, max_items=MAX_PICTURES, items=FILE),
    },
)


class WatchlistController(Controller):
    """Entries of this deployment's watchlist."""

    path = "/watchlist"
    tags = ("watchlist",)

    @get()
    async def entries(
        self, db: NamedDependency[Database], vault: NamedDependency[Vault], deployment_id: NamedDependency[UUID]
    ) -> WatchlistOut:
        """Every entry."""
        found = await watchlist.list_entries(db, vault, deployment_id)
        return WatchlistOut([EntryOut(e.id, e.label, e.images, e.added_at, e.revoked_at) for e in found])

    @post(
        guards=[only(*LISTERS)],
        opt={"rate": "heavy"},
        request_max_body_size=MAX_UPLOAD,
        operation_class=EnrolOperation,
        status_code=201,
    )
    async def add(
        self,
        request: Request[Principal, str | None, Any],
        running: NamedDependency[Running],
    ) -> EnrolOut:
        """Enrol one person: a form with `label` and one or more `pictures`. Says what became of each picture."""
        form = await read_form(request)
        label = form.fields.get("label", "").strip()
        pictures = [(name, content) for key, name, content in form.files if key == "pictures"]
        if not label or len(label) > 200:
            raise ClientException(extra=[{"key": "label", "message": "1 to 200 characters are needed"}])
        if not 1 <= len(pictures) <= MAX_PICTURES:
            raise ClientException(extra=[{"key": "pictures", "message": f"1 to {MAX_PICTURES} files are needed"}])
        rows = await running.add_entry(label, pictures, request.user.actor)
        return EnrolOut([RowOut.of(row) for row in rows])

    @delete("/{entry_id:uuid}", guards=[only(*LISTERS)])
    async def revoke(
        self,
        request: Request[Principal, str | None, Any],
        running: NamedDependency[Running],
        entry_id: FromPath[UUID],
    ) -> None:
        """Take one person off the list. When this answers, no live matcher knows the entry any more."""
        await running.revoke_entry(entry_id, request.user.actor)

    @get("/{entry_id:uuid}/picture", media_type=JPEG)
    async def entry_picture(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        deployment_id: NamedDependency[UUID],
        entry_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The face of the first enrolled picture."""
        if not await watchlist.labels(db, vault, deployment_id, {entry_id}):
            raise NotFound(f"there is no watchlist entry {entry_id}")
        return picture(await watchlist.entry_picture(db, vault, entry_id))
