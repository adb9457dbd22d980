"""A run with a canary, as a process of its own: `python ray_canary.py < orders`, one JSON line each way.

Orders: {"shape": "local" | "joined" | "spilling" | "fallback", "images": hex, "templates": hex, "rounds": n,
"nodes": [...], "address": ..., "token": ...}. The first two shapes are ours, the others what Ray does by itself. Says
{"pids", "address", "folder", "kept", "stored"} once the store is over its capacity, waits for a line, shuts down, says
{"ended": true}. The markers come through a pipe, so that they stand in no file, argument or environment.
"""

import json
import os
import sys
from typing import Any

import numpy as np
import psutil

from lfr import log
from lfr.actors import host
from lfr.config import RayNode

STORE_MB = 80


def scene(marker: bytes) -> np.ndarray:
    """A picture full of the marker, 720p."""
    size = 720 * 1280 * 3
    return np.frombuffer((marker * (size // len(marker) + 1))[:size], np.uint8).reshape(720, 1280, 3)


def templates(marker: bytes) -> np.ndarray:
    """64 embeddings full of the marker, (64, 512) float32."""
    size = 64 * 512 * 4
    return np.frombuffer((marker * (size // len(marker) + 1))[:size], np.float32).reshape(64, 512)


class Camera:
    """Stores pictures and templates the way our actors do, and keeps them all."""

    def fill(self, images: list[Any], rounds: int) -> list[Any]:
        """References to `rounds` copies of the picture and of the templates."""
        import ray

        picture, vectors = (ray.get(ref) for ref in images)
        self.kept = [ray.put(np.array(x)) for _ in range(rounds) for x in (picture, vectors)]
        return [self.kept]

    def pid(self) -> int:
        """Where it runs."""
        return os.getpid()


class Matcher:
    """Reads what the camera stored, on whatever node, and fails once with all of it in hand."""

    def read(self, refs: list[list[Any]]) -> float:
        """The sum of the first numbers, so that every object was fetched."""
        import ray

        self.held = [ray.get(ref) for ref in refs[0]]
        return float(sum(int(x.reshape(-1).view(np.uint8)[0]) for x in self.held))

    def fail(self) -> None:
        """An error while faces are in local variables: Ray logs it."""
        faces = self.held
        raise RuntimeError(f"a matcher with {len(faces)} objects failed on purpose")

    def pid(self) -> int:
        """Where it runs."""
        return os.getpid()


def start(orders: dict[str, Any]) -> Any:
    """Start or join Ray in the shape asked for; returns our handle, or None for Ray left to itself."""
    from lfr.actors.cluster import start_ray

    if orders["shape"] == "local":
        return start_ray(RayNode(store_mb=STORE_MB), mode="demo", node_name="van-1")
    if orders["shape"] == "joined":
        settings = RayNode(address=orders["address"], token_file=orders["token"])
        return start_ray(settings, mode="demo", node_name="hq")
    import ray

    config = {} if orders["shape"] == "spilling" else {"automatic_object_spilling_enabled": False}
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=STORE_MB << 20,
        _node_ip_address="127.0.0.2",
        _node_name="van-1",
        _system_config=config,
        resources={"van:van-1": 1},
    )
    return None


def main() -> None:
    """Run once."""
    log.configure()
    orders = json.loads(sys.stdin.readline())
    handle = start(orders)
    import ray

    images = [
        ray.put(scene(bytes.fromhex(orders["images"]))),
        ray.put(templates(bytes.fromhex(orders["templates"]))),
    ]
    actors = []
    stored = 0
    nodes = orders["nodes"]
    for number, name in enumerate(nodes):
        reader = nodes[(number + 1) % len(nodes)]
        camera = ray.remote(num_cpus=0, resources={f"van:{name}": 0.001})(Camera).remote()
        matcher = ray.remote(num_cpus=0, resources={f"van:{reader}": 0.001})(Matcher).remote()
        refs = ray.get(camera.fill.remote(images, orders["rounds"]))
        for part in range(0, len(refs[0]), 4):
            ray.get(matcher.read.remote([refs[0][part : part + 4]]))
        try:
            ray.get(matcher.fail.remote())
        except RuntimeError:
            stored += len(refs[0])
        actors += [camera, matcher]
    workers = ray.get([actor.pid.remote() for actor in actors])
    tree = [psutil.Process()]
    for pid in workers:  # from each worker up to its raylet, and with it all that raylet started
        tree += [p for p in psutil.Process(pid).parents() if p.name() == "raylet"]
    pids = {p.pid for parent in tree for p in (parent, *parent.children(recursive=True))}
    raylets = [p.pid for p in tree[1:]]
    written = sorted({path for pid in raylets for path in host.disk_files_written(pid)})
    said = {
        "pids": sorted(pids),
        "address": ray.get_runtime_context().gcs_address,
        "folder": str(handle.folder.path) if handle is not None and handle.folder else "",
        "over": sum(
            "plasma" in path and "/store/" not in path for pid in raylets for path in host.open_paths(pid).values()
        ),
        "written": len(written),
        "stored": stored,
    }
    print(json.dumps(said), flush=True)
    sys.stdin.readline()
    if handle is not None:
        handle.stop()
    else:
        ray.shutdown()
    print(json.dumps({"ended": True}), flush=True)


if __name__ == "__main__":
    main()
