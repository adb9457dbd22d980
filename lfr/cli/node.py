"""`lfr node`: start, stop and check a Ray node on this machine, so that no face it holds can reach a disk (D4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from lfr import log
from lfr.actors import node, probe, runfolder
from lfr.actors.probe import Check, NodeProbe
from lfr.actors.runfolder import RunFolder
from lfr.config import Mode
from lfr.domain.errors import ConfigError, NodeUnsafe, RuntimeFailed

app = typer.Typer(no_args_is_help=True, help="Make this machine a node of a regional cluster.")

_TMPFS = Path("/dev/shm")  # noqa: S108 - shared memory is the point (D4)
Tmpfs = Annotated[Path, typer.Option(help="the file system in memory that takes all Ray writes")]
AsJson = Annotated[bool, typer.Option("--json", help="end with one JSON line")]


@app.callback()
def logs() -> None:
    """Make this machine a node of a regional cluster."""
    log.configure("WARNING")


@app.command()
def start(
    name: Annotated[str, typer.Option(help="this node's name; cameras hang on it by it (Ray resource van:NAME)")],
    head: Annotated[bool, typer.Option("--head", help="the first node of a new cluster")] = False,
    address: Annotated[str, typer.Option(help="HOST:PORT of the head to join")] = "",
    port: Annotated[int, typer.Option(help="where a head listens")] = 6379,
    ip: Annotated[str, typer.Option(help="this node's own address as the others see it; empty: found out")] = "",
    store_mb: Annotated[int, typer.Option(min=80, help="memory for frames on their way, MiB")] = 256,
    cpus: Annotated[int | None, typer.Option(min=1, help="cores Ray may plan with; empty: all")] = None,
    token: Annotated[Path | None, typer.Option(help="the cluster's token file, 0600; a head makes it")] = None,
    mode: Annotated[
        Mode, typer.Option(help="demo or research: swap only warns; operational: swap refuses")
    ] = "operational",
    tmpfs: Tmpfs = _TMPFS,
    as_json: AsJson = False,
) -> None:
    """Start a node: `ray start` with everything it writes kept in memory, a token, and no core dumps."""
    if head == bool(address):
        raise ConfigError("give either --head or --address HOST:PORT", hint="the first node of a cluster is its head")
    started = node.start_node(
        name,
        address=address,
        port=port,
        ip=ip,
        token=token.absolute() if token else None,
        tmpfs=tmpfs,
        store_mb=store_mb,
        cpus=cpus,
        mode=mode,
    )
    if as_json:
        typer.echo(msgspec.json.encode(started).decode())
        return
    typer.echo(f"node {name} runs, in {started.folder}")
    if head:
        typer.echo(f"others join with: lfr node start --name NAME --address {started.address}")
        typer.echo(f"they need a copy of the token file {token or node.cluster_token()}, mode 0600")


@app.command()
def stop(
    name: Annotated[str, typer.Option(help="which one; empty: all that were started here")] = "",
    tmpfs: Tmpfs = _TMPFS,
) -> None:
    """End the nodes that `lfr node start` started on this machine, and nothing else."""
    names = node.stop_node(name, tmpfs=tmpfs)
    typer.echo(f"stopped: {', '.join(names)}" if names else "no node was running here")


@app.command()
def check(
    store_mb: Annotated[int, typer.Option(min=80, help="the object store that must fit, MiB")] = 256,
    token: Annotated[Path | None, typer.Option(help="the cluster's token file")] = None,
    mode: Annotated[Mode, typer.Option(help="what swap means: a warning, or a fault in operational")] = "operational",
    tmpfs: Tmpfs = _TMPFS,
    as_json: AsJson = False,
) -> None:
    """Look at this machine and at the nodes running on it; exit 1 if any could let a face reach a disk."""
    probes = (_machine(tmpfs, store_mb, token), *_nodes(tmpfs))
    if as_json:
        typer.echo(msgspec.json.encode([_described(p, mode) for p in probes]).decode())
    else:
        for each in probes:
            typer.echo(each.node)
            for line in each.checks:
                typer.echo(_line(line, mode))
    if any(each.faults(mode) for each in probes):
        raise typer.Exit(1)


def _machine(tmpfs: Path, store_mb: int, token: Path | None) -> NodeProbe:
    """What must hold on this machine before a node is started."""
    running = bool(_running(tmpfs))
    checks = [_tried(f"{tmpfs} in memory", lambda: runfolder.require_memory(tmpfs))]
    if not running:  # once a node runs, its store has taken that room
        checks.append(_tried("room for the store", lambda: node.require_room(tmpfs, store_mb)))
    if token is not None or node.cluster_token().exists():
        checks.append(_tried("token file", lambda: node.require_token(token or node.cluster_token())))
    checks.append(probe.swap_check())
    return NodeProbe("this machine", "", tuple(checks))


def _tried(name: str, look: Callable[[], None]) -> Check:
    try:
        look()
    except (OSError, NodeUnsafe) as error:
        return Check(name, ok=False, detail=str(error))
    return Check(name, ok=True)


def _running(tmpfs: Path) -> list[tuple[RunFolder, str, str]]:
    return node.running_nodes(tmpfs) if tmpfs.is_dir() else []


def _nodes(tmpfs: Path) -> list[NodeProbe]:
    probes = []
    for folder, name, _ in _running(tmpfs):
        try:
            probes.append(probe.inspect(node.find_raylet(folder), node=f"node {name}"))
        except (OSError, RuntimeFailed) as error:
            probes.append(NodeProbe(f"node {name}", "", (Check("its raylet", ok=False, detail=str(error)),)))
    return probes


def _line(check: Check, mode: Mode) -> str:
    sign = "✓" if check.ok else "!" if check.lenient and mode != "operational" else "✗"
    return f"  {sign} {check.name}" + (f": {check.detail}" if check.detail else "")


def _described(each: NodeProbe, mode: Mode) -> dict[str, object]:
    return {"node": each.node, "safe": not each.faults(mode), "checks": [msgspec.to_builtins(c) for c in each.checks]}
