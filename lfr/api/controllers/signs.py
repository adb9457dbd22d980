"""Signs and notices at the place (C4), and the documents a deployment rests on (A8)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, JSONBody

from lfr.api.auth import Principal, only
from lfr.api.bound import Bound
from lfr.api.controllers.deployments import own
from lfr.api.pictures import JPEG, picture
from lfr.api.uploads import FILE, NUMBER, TEXT, form_operation, one_file, read_form
from lfr.services import documents, signs
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.vault import Vault

MAX_PHOTO = 24 * 2**20
Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]
AT_THE_PLACE = only("operator", "engagement-officer", "engineer")
Asking = Request[Principal, str | None, Any]


class ItemOut(msgspec.Struct, frozen=True):
    """One thing to be photographed, and the last look at it. at_place: a photograph counts: it was taken there (C4)."""

    code: str
    title: str
    seen_at: datetime | None
    seen_by: str | None
    photo: UUID | None
    at_place: bool


class SignsOut(msgspec.Struct, frozen=True):
    """What the policy asks for, and when the next look is due. overdue: recognition pauses for it."""

    items: list[ItemOut]
    due_at: datetime | None
    overdue: bool


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the device is, WGS 84 degrees; both or neither."""

    latitude: Degrees | None = None
    longitude: Degrees | None = None


class DocumentOut(msgspec.Struct, frozen=True):
    """One registered document."""

    id: UUID
    code: str
    title: str
    version: str
    sha256: str
    url: str
    covers_public: bool
    approved_at: datetime
    approved_by: str
    expires_at: datetime
    withdrawn_at: datetime | None


class DocumentsOut(msgspec.Struct, frozen=True):
    """The documents of this force."""

    documents: list[DocumentOut]


PhotoOperation = form_operation(
    ["item", "photo"], {"item": TEXT, "latitude": NUMBER, "longitude": NUMBER, "photo": FILE}
)


class SignController(Controller):
    """Photographs before the start, a look every hour."""

    path = "/deployments/{deployment:uuid}/signs"
    tags = ("deployments",)

    @get()
    async def signs(
        self, db: NamedDependency[Database], bound: NamedDependency[Bound], deployment: FromPath[UUID]
    ) -> SignsOut:
        """Each item of the policy, and the last look at it."""
        await own(db, bound, deployment)
        return await _shown(db, bound, deployment)

    @post(
        guards=[AT_THE_PLACE],
        opt={"rate": "heavy"},
        request_max_body_size=MAX_PHOTO,
        operation_class=PhotoOperation,
        status_code=201,
    )
    async def add_photo(
        self,
        request: Asking,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
    ) -> SignsOut:
        """Store a photograph: a form with `item`, `photo`, and where the phone was. Its metadata goes."""
        await own(db, bound, deployment)
        form = await read_form(request)
        photo = one_file(form, "photo")
        await signs.add_photo(
            db,
            vault,
            deployment,
            form.fields.get("item", ""),
            photo,
            policy=bound.policy,
            by=request.user.name,
            latitude=_degrees(form.fields, "latitude"),
            longitude=_degrees(form.fields, "longitude"),
        )
        return await _shown(db, bound, deployment)

    @post("/confirm", guards=[AT_THE_PLACE], status_code=200)
    async def confirm(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
        data: JSONBody[Place],
    ) -> SignsOut:
        """One tap: everything that was photographed still stands."""
        await own(db, bound, deployment)
        await signs.confirm(
            db,
            deployment,
            policy=bound.policy,
            by=request.user.name,
            latitude=data.latitude,
            longitude=data.longitude,
        )
        return await _shown(db, bound, deployment)

    @get("/{photo:uuid}", media_type=JPEG)
    async def photo(
        self,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
        photo: FromPath[UUID],
    ) -> Response[bytes]:
        """One photograph."""
        await own(db, bound, deployment)
        return picture(await signs.photo(db, vault, deployment, photo))


class DocumentController(Controller):
    """Assessments and policies, by the hash of the approved file. They are registered with `lfr document add`."""

    path = "/documents"
    tags = ("policy",)

    @get()
    async def documents(self, db: NamedDependency[Database], bound: NamedDependency[Bound]) -> DocumentsOut:
        """Every document of this force, those in force first."""
        rows = await documents.registered(db, bound.config.force)
        return DocumentsOut([DocumentOut(**{name: getattr(row, name) for name in _DOCUMENT}) for row in rows])


_DOCUMENT = DocumentOut.__struct_fields__


async def _shown(db: Database, bound: Bound, deployment: UUID) -> SignsOut:
    state = await signs.state(db, deployment, policy=bound.policy)
    last = {look.item: look for look in await signs.photos(db, deployment)}
    items = []
    for code in bound.policy.signs.items:
        look = last.get(code)
        title = code.replace("-", " ").capitalize()
        at, by, photo = (look.seen_at, look.seen_by, look.id) if look is not None else (None, None, None)
        items.append(ItemOut(code, title, at, by, photo, code not in state.missing))
    overdue = state.overdue_at is not None and now() >= state.overdue_at
    return SignsOut(items, state.due_at, overdue)


def _degrees(fields: dict[str, str], name: str) -> float | None:
    if name not in fields:
        return None
    try:
        return float(fields[name])
    except ValueError:
        raise ClientException(extra=[{"key": name, "message": "degrees are a number"}]) from None
