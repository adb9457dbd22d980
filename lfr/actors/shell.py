"""What every actor has in common: its journal, its logging, its answer to `who are you`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ray

from lfr import log
from lfr.actors.control import ActorStatus
from lfr.actors.journal import Journal
from lfr.domain.errors import RuntimeFailed


def find(name: str) -> Any:
    """The handle of an actor of this run. By name: a handle among constructor arguments would hold its owner's objects
    hostage for every restart (ray issue 53727). Raises RuntimeFailed when there is none.
    """
    try:
        return ray.get_actor(name)
    except ValueError as error:
        raise RuntimeFailed(f"there is no actor {name}", hint="see `lfr status`") from error


class Shell:
    """Base of the actors: counts its starts over its own deaths, on its own node."""

    kind = ""
    max_concurrency = 16

    def __init__(self, name: str, folder: str, log_level: str, **bound: object) -> None:
        log.configure(log_level, actor=name, **bound)
        self.name = name
        self.folder = Path(folder)
        self.journal = Journal(self.folder, name)
        self.restarts = self.journal.start()
        log.get(__name__).info("actor.started", restarts=self.restarts, pid=os.getpid())

    def who(self) -> ActorStatus:
        """This actor, alive."""
        return ActorStatus(
            name=self.name,
            kind=self.kind,
            pid=os.getpid(),
            restarts=self.restarts,
            alive=True,
            node=ray.get_runtime_context().get_node_id()[:8],
        )


def spawn(shell: type[Shell], name: str, *arguments: Any, **options: Any) -> Any:
    """Start an actor of this run and return its handle. options: Ray's (resources, num_gpus, max_pending_calls).

    It is restarted for ever; calls lost at a death are not repeated by themselves. num_cpus=0: the pool is sized by
    configuration, and Ray's bookkeeping of cores must not keep a camera out.
    """
    remote: Any = ray.remote
    made = remote(
        num_cpus=0,
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=shell.max_concurrency,
        concurrency_groups={"control": 4},  # status, tile: they answer while the work goes on
    )(shell)
    return made.options(name=name, **options).remote(name, *arguments)
