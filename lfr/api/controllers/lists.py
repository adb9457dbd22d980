"""One deployment's watchlist: what stands on it, imports, a second person's look at each picture, the re-check."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from lfr.api.auth import Principal, only
from lfr.api.bound import Bound
from lfr.api.controllers.deployments import own
from lfr.api.imports import Import, Imports, Progress
from lfr.api.listed import EntryLine, FactsOut, ImportOut, ListOut, RecheckOut
from lfr.api.running import Running
from lfr.api.uploads import FILE, Form, form_operation, one_file, read_form
from lfr.domain.duties import CHECKERS, KEEPERS
from lfr.domain.watchlist import ImportReport
from lfr.services import confirmations, status_feed, watchlist
from lfr.services.import_report import template
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.vault import Vault

MAX_IMPORT = 256 * 2**20
MAX_FEED = 16 * 2**20
MAY_KEEP, MAY_CHECK = only(*KEEPERS), only(*CHECKERS)
Asking = Request[Principal, str | None, Any]


FileOperation = form_operation(["file"], {"file": FILE, "dry_run": Schema(type=OpenAPIType.STRING, enum=["yes", "no"])})


class ListController(Controller):
    """The list of one deployment."""

    path = "/deployments/{deployment:uuid}/watchlist"
    tags = ("watchlist",)

    @get()
    async def entries(
        self,
        request: Asking,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
    ) -> ListOut:
        """Every entry with what it still needs, those taken off too."""
        await own(db, bound, deployment)
        found = await watchlist.list_entries(db, vault, deployment)
        at = now()
        return ListOut([EntryLine.of(entry, bound.policy, request.user.name, at) for entry in found])

    @get("/facts")
    async def facts(
        self, db: NamedDependency[Database], bound: NamedDependency[Bound], deployment: FromPath[UUID]
    ) -> FactsOut:
        """Counts: how many, and how many of them are not in order."""
        await own(db, bound, deployment)
        return FactsOut.of(await watchlist.governance(db, deployment, bound.policy, now()))

    @post(
        "/imports",
        guards=[MAY_KEEP],
        opt={"rate": "heavy"},
        request_max_body_size=MAX_IMPORT,
        operation_class=FileOperation,
        status_code=202,
    )
    async def start_import(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        running: NamedDependency[Running],
        imports: NamedDependency[Imports],
        deployment: FromPath[UUID],
    ) -> ImportOut:
        """Import a ZIP of a CSV and its pictures, or an ANSI/NIST-ITL record; `dry_run=yes` only checks every row.

        Runs on in the background: ask the answer's id how far it is, and for the result of each row.
        """
        await own(db, bound, deployment)
        form = await read_form(request)
        dry_run = form.fields.get("dry_run") == "yes"
        source = _one_file(form)

        async def work(tell: Progress) -> ImportReport:
            return await running.import_list(deployment, tell, source=source, by=request.user.name, dry_run=dry_run)

        return ImportOut.of(imports.start(deployment, work, by=request.user.name, dry_run=dry_run))

    @get("/imports/{run:uuid}", guards=[MAY_KEEP])
    async def follow_import(
        self,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        imports: NamedDependency[Imports],
        deployment: FromPath[UUID],
        run: FromPath[UUID],
    ) -> ImportOut:
        """How far an import is; its rows once it is done."""
        await own(db, bound, deployment)
        found: Import = imports.get(deployment, run)
        return ImportOut.of(found)

    @post("/{entry:uuid}/confirm", guards=[MAY_CHECK], status_code=204)
    async def confirm(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
        entry: FromPath[UUID],
    ) -> None:
        """A second person says that the pictures show whom the entry names (B7). Whoever added it is refused."""
        await own(db, bound, deployment)
        await confirmations.confirm(db, deployment, {entry: None}, by=request.user.name)

    @post(
        "/recheck",
        guards=[MAY_KEEP],
        opt={"rate": "heavy"},
        request_max_body_size=MAX_FEED,
        operation_class=FileOperation,
        status_code=200,
    )
    async def recheck(
        self,
        request: Asking,
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        running: NamedDependency[Running],
        deployment: FromPath[UUID],
    ) -> RecheckOut:
        """Take in the source system's status of everybody (B4): whoever is withdrawn is off the list at once."""
        await own(db, bound, deployment)
        form = await read_form(request)
        result = await status_feed.apply(db, vault, deployment, _one_file(form), by=request.user.name)
        await running.refresh_list()
        return RecheckOut(result.confirmed, len(result.withdrawn), result.unknown, result.unnamed)


class TemplateController(Controller):
    """What an import's CSV looks like under this policy."""

    path = "/watchlist-form"
    tags = ("watchlist",)

    @get(media_type="text/csv")
    async def template(self, bound: NamedDependency[Bound]) -> Response[str]:
        """A CSV with every column, and a line that says what goes into each."""
        headers = {"content-disposition": 'attachment; filename="watchlist.csv"'}
        return Response(template(bound.policy), media_type="text/csv", headers=headers)


def _one_file(form: Form) -> bytes:
    content = one_file(form, "file")
    if not content:
        raise ClientException(extra=[{"key": "file", "message": "one file is needed"}])
    return content
