"""`lfr bench import`: how fast a list is taken in, beside the bound of its detections and templates, in one run."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from lfr import log
from lfr.cli.clip_options import Json, PackName
from lfr.cli.list_import import engines
from lfr.cli.output import print_json, print_table, progress_on_stderr
from lfr.config import Config
from lfr.domain.errors import WatchlistError
from lfr.domain.packs import Pack
from lfr.services import policies, standing
from lfr.services.import_rows import Row
from lfr.services.import_source import rows_of
from lfr.services.intake import Intake, Item
from lfr.services.pictures import Refused, decode
from lfr.storage.database import Database, migrate
from lfr.storage.node import new_node
from lfr.vision.engine.base import FaceEngine

_PART = 500
_WARM = 16


@dataclass
class _Sum:
    """What was measured so far. Seconds; cpu: of all cores together."""

    pictures: int = 0
    enrolled: int = 0
    looks: int = 0
    templates: int = 0
    seconds: float = 0.0
    bound: float = 0.0
    one_look: float = 0.0
    cpu: float = 0.0
    bound_cpu: float = 0.0
    one_look_cpu: float = 0.0

    def said(self) -> dict[str, Any]:
        """Rates in pictures per second, and the import's share of each bound: of time, and of what the cores did."""
        rate = self.pictures / self.seconds
        return {
            "pictures": self.pictures,
            "enrolled": self.enrolled,
            "looks": self.looks,
            "templates": self.templates,
            "import_per_s": round(rate, 2),
            "bound_per_s": round(self.pictures / self.bound, 2),
            "ratio": round(self.bound / self.seconds, 3),
            "one_look_bound_per_s": round(self.pictures / self.one_look, 2),
            "one_look_ratio": round(self.one_look / self.seconds, 3),
            "cpu_ratio": round(self.bound_cpu / self.cpu, 3),
            "one_look_cpu_ratio": round(self.one_look_cpu / self.cpu, 3),
        }


def import_(
    folder: Annotated[Path, typer.Argument(help="A folder with one sub-folder of pictures per person, or a CSV.")],
    pack: PackName = "permissive",
    limit: Annotated[int, typer.Option(min=100, help="The most pictures.")] = 2000,
    json: Json = False,
) -> None:
    """Enrol pictures into a fresh database on a disk, and measure the same detections and templates without the rest.

    Both sides use the same engines and take turns, part by part, so that what else the machine does disturbs both
    alike. The last line of stdout is JSON. Everything lies in a temporary folder that is removed afterwards.
    """
    from lfr.vision.packs import load_pack  # noqa: PLC0415 - OpenCV is heavy

    log.configure("WARNING")
    known = load_pack(pack)
    rows = [row for row in rows_of(folder) if row.open is not None][:limit]
    with (
        tempfile.TemporaryDirectory(prefix="lfr-bench-") as place,
        progress_on_stderr() as tell,
        engines(Config(name="bench", mode="research", pack=known.name, data_dir=place), known) as ready,
    ):
        said = {"pack": known.name, "engines": len(ready)}
        said |= asyncio.run(
            _measure(Path(place), known, ready, rows, lambda done: tell("import", done, len(rows)))
        ).said()
    if not json:
        print_table(
            ("", "pictures/s", "share", "share of the cores' work"),
            [
                ("import", said["import_per_s"], None, None),
                ("bound: the same detections and templates", said["bound_per_s"], said["ratio"], said["cpu_ratio"]),
                (
                    "bound: one detection a picture",
                    said["one_look_bound_per_s"],
                    said["one_look_ratio"],
                    said["one_look_cpu_ratio"],
                ),
            ],
        )
    print_json(said)


async def _measure(place: Path, pack: Pack, ready: Sequence[FaceEngine], rows: Sequence[Row], tell: Any) -> _Sum:
    from lfr.evaluation.enrol_bound import Counted, enrol_bound  # noqa: PLC0415
    from lfr.vision.packs import pack_digest  # noqa: PLC0415

    policy = policies.load("demo")
    url = f"sqlite+aiosqlite:///{place / 'bench.db'}"
    await migrate(url)
    node, db = new_node(place / "keys"), Database(url)
    counted = [Counted(engine) for engine in ready]
    total = _Sum()
    try:
        run = await standing.open(
            db, node, system="bench", mode="research", force="no-force", pack=pack.name,
            pack_digest=pack_digest(pack), policy=policy,
        )  # fmt: skip
        for start in range(0, len(rows), _PART):
            part = rows[start : start + _PART]
            pictures = [one for one in (decode(_bytes(row)) for row in part) if not isinstance(one, Refused)]
            if start == 0:
                enrol_bound(ready, pictures[:_WARM], looks=_WARM, templates=_WARM)
            for engine in counted:
                engine.looks = engine.templates = 0
            began, cpu = time.perf_counter(), time.process_time()
            total.enrolled += await _import(db, node, counted, run.deployment_id, pack, part)
            total.seconds += time.perf_counter() - began
            total.cpu += time.process_time() - cpu
            looks, templates = sum(one.looks for one in counted), sum(one.templates for one in counted)
            cpu = time.process_time()
            total.bound += enrol_bound(ready, pictures, looks=looks, templates=templates)
            between = time.process_time()
            total.one_look += enrol_bound(ready, pictures, looks=len(pictures), templates=templates)
            total.bound_cpu += between - cpu
            total.one_look_cpu += time.process_time() - between
            total.pictures += len(part)
            total.looks, total.templates = total.looks + looks, total.templates + templates
            tell(total.pictures)
    finally:
        await db.dispose()
    return total


async def _import(
    db: Database, node: Any, counted: Sequence[FaceEngine], deployment_id: UUID, pack: Pack, part: Sequence[Row]
) -> int:
    items = [Item(row.label, row.source, row.read, row.fields, row.refused) for row in part]
    taken = Intake(db, node.vault(), counted, deployment_id, pack, "bench", policies.load("demo"))
    return sum(row.enrolled for row in await taken.take(items))


def _bytes(row: Row) -> bytes:
    data = row.read()
    if isinstance(data, Refused):
        raise WatchlistError(f"{row.source}: {data.detail or data.reason}", hint="give whole pictures to measure with")
    return data
