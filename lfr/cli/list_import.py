"""What `lfr watchlist import` does, and the engines that `lfr bench import` measures with, too: as many as cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lfr.cli.list_governance import flag_alike
from lfr.cli.office import Office, at_office
from lfr.config import Config, load
from lfr.domain.duties import KEEPERS
from lfr.domain.errors import Conflict
from lfr.domain.packs import Pack
from lfr.domain.watchlist import ImportReport
from lfr.services import deployments, standing, watchlist
from lfr.storage.models import Deployment
from lfr.vision.engine.base import FaceEngine


@contextmanager
def engines(config: Config, pack: Pack) -> Iterator[list[FaceEngine]]:
    """One engine on a GPU; on a CPU one of a single thread for each core, which together do more than one of many."""
    # Imported here: engines are slow to load, and most commands need none.
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, locate  # noqa: PLC0415

    located = locate(pack, default_roots())
    provider = config.inference.provider
    count = (config.inference.workers or min(os.cpu_count() or 1, 16)) if provider == "cpu" else 1
    made: list[FaceEngine] = []
    try:
        for _ in range(count):
            made.append(open_engine(located, provider=provider, threads=1 if provider == "cpu" else 2))  # noqa: PERF401 - each is closed if the next fails
        yield made
    finally:
        for engine in made:
            engine.close()


async def target(office: Office, wanted: str, pack: Pack) -> Deployment:
    """The deployment to import into; a fresh draft where there is none that fits and a run may authorise itself.

    Raises NotFound, Conflict for one that was planned with another pack.
    """
    from lfr.vision.packs import pack_digest  # noqa: PLC0415 - OpenCV is heavy

    config, policy, digest = office.config, office.policy, pack_digest(pack)
    row = None if not wanted else await office.find(wanted)
    if row is None:
        current = await deployments.current(office.db, config.name)
        fits = current is not None and (current.mode, current.pack_digest, current.policy_digest) == (
            config.mode,
            digest,
            policy.digest,
        )
        if fits or not policy.authority.self_signed or config.mode == "operational":
            row = await office.find("")
    if row is None:
        run = await standing.open(
            office.db,
            office.node,
            system=config.name,
            mode=config.mode,
            force=config.force,
            pack=pack.name,
            pack_digest=digest,
            policy=policy,
        )
        row = await deployments.get_deployment(office.db, run.deployment_id)
    if row.pack_digest != digest:
        raise Conflict(
            f"deployment {row.id} recognises with the pack {row.pack}, as it was when it was planned",
            hint="use that pack in the configuration, or plan a deployment with this one",
        )
    return row


def import_into(
    config: Path,
    source: Path,
    *,
    deployment: str,
    common: Mapping[str, str],
    dry_run: bool,
    name: str,
    password_file: Path | None,
    progress: Callable[[int, int], None],
) -> ImportReport:
    """Import into a deployment of a configured system, and flag look-alikes afterwards."""
    from lfr.actors.runtime import require_permitted  # noqa: PLC0415 - Ray is slow to load
    from lfr.vision.packs import load_pack  # noqa: PLC0415

    loaded = load(config)
    pack = load_pack(loaded.pack)
    require_permitted(loaded, pack)

    async def step(office: Office) -> ImportReport:
        by = await office.acting(name, password_file, KEEPERS)
        row = await target(office, deployment, pack)
        with engines(loaded, pack) as ready:
            report = await watchlist.import_list(
                office.db,
                office.node.vault(),
                ready,
                row.id,
                pack,
                source,
                by=by,
                policy=office.policy,
                common=common,
                progress=progress,
                dry_run=dry_run,
            )
        if report.enrolled and not dry_run and pack.calibration is not None:
            await flag_alike(office, row.id, by)
        return report

    return at_office(config, step)
