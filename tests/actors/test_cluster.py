import os
import signal
from pathlib import Path

import pytest

from lfr.actors import probe, runfolder
from lfr.actors.cluster import RayHandle, _signals_kept, start_ray
from lfr.config import RayNode
from lfr.domain.errors import NodeUnsafe, RuntimeFailed

pytestmark = pytest.mark.ray
SHM = Path("/dev/shm")


def worker_facts() -> dict[str, object]:
    """What a worker knows of itself."""
    from lfr.actors import host

    return {"env": dict(os.environ), "core": host.core_dumps(), "written": host.disk_files_written(os.getpid())}


def test_a_local_ray_passes_its_own_probe(ray_local: RayHandle):
    ray_local.check()
    assert [node.node for node in ray_local.probes] == ["van-test"]
    names = {check.name for check in ray_local.probes[0].checks}
    assert {"session in memory", "overflow in memory", "no spilling to disk", "core dumps off"} <= names
    assert ray_local.probes[0].faults("demo") == []


def test_it_carries_the_resource_cameras_hang_on(ray_local: RayHandle):
    import ray

    assert ray.cluster_resources()["van:van-test"] == 1


def test_a_worker_has_no_credentials_no_cores_and_no_file_on_a_disk(ray_local: RayHandle):
    import ray

    facts = ray.get(ray.remote(num_cpus=0)(worker_facts).remote())
    assert facts["core"] == ""
    assert facts["written"] == []
    assert facts["env"]["TMPDIR"].startswith(str(ray_local.folder.path))
    assert facts["env"]["RAY_USAGE_STATS_ENABLED"] == "0"
    kept = ("LFR_", "RAY_", "PYTHON", "LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "OPENCV_", "XDG_", "SPT_")
    kept += (
        "HOME",
        "PATH",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "TZ",
        "TERM",
        "VIRTUAL_ENV",
        "LD_LIBRARY",
        "TMPDIR",
        "PWD",
    )
    assert [name for name in facts["env"] if not name.startswith(kept)] == []


def test_a_client_without_the_token_is_turned_away(ray_local: RayHandle):
    assert probe.stranger_is_refused(ray_local.address)


def test_the_drivers_environment_is_its_own_again(ray_local: RayHandle):
    assert runfolder.MARK not in os.environ
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ


def test_its_folder_is_private_and_owned(ray_local: RayHandle):
    assert ray_local.folder.path.stat().st_mode & 0o777 == 0o700
    assert ray_local.folder.token.stat().st_mode & 0o777 == 0o600
    assert ray_local.folder.owner().pid == os.getpid()
    assert ray_local.folder.processes()
    assert os.getpid() not in ray_local.folder.processes()
    assert not (Path.home() / ".ray" / "auth_token").is_relative_to(ray_local.folder.path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (RayNode(store_mb=100_000_000), "the object store needs"),
        (RayNode(tmpfs=str(Path(__file__).parent)), "is not in memory"),
        (RayNode(tmpfs="/no/such/place"), "No such file"),
        (RayNode(address="127.0.0.1:9", token_file="/no/such/token"), "token"),
        (RayNode(address="auto"), "token|clusters found"),
    ],
)
def test_an_unsafe_place_is_refused_before_anything_starts(settings: RayNode, said: str):
    before = {folder.path for folder in runfolder.existing(SHM)}
    with pytest.raises(NodeUnsafe, match=said) as caught:
        start_ray(settings, mode="demo", node_name="van-9")
    assert caught.value.hint
    assert {folder.path for folder in runfolder.existing(SHM)} <= before


def test_a_cluster_that_does_not_answer_is_said_clearly():
    with pytest.raises(RuntimeFailed, match=r"127\.0\.0\.1:9 does not answer"):
        probe.stranger_is_refused("127.0.0.1:9", timeout_s=10)


def test_a_signal_handler_somebody_set_stays():
    def mine(*_: object) -> None:
        """A handler."""

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with _signals_kept():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
