from typing import Any

import numpy as np
import pytest

from lfr.actors.cluster import RayHandle
from lfr.actors.wipe import wipe_shared

ray = pytest.importorskip("ray")


class Holder:
    """Holds arrays from the store in a process of its own."""

    def hold(self, refs: list[Any]) -> int:
        """The sum of all bytes held."""
        import ray

        self.held = [ray.get(ref) for ref in refs]
        return self.sum()

    def sum(self) -> int:
        """The sum of all bytes now."""
        return int(sum(int(x.view(np.uint8).sum(dtype=np.int64)) for x in self.held))

    def wipe(self) -> list[bool]:
        """Overwrite what is held."""
        from lfr.actors.wipe import wipe_shared

        return [wipe_shared(x) for x in self.held]


@pytest.fixture(scope="module")
def holders(ray_local: RayHandle) -> Any:
    kind = ray.remote(num_cpus=0)(Holder)
    pair = [kind.remote(), kind.remote()]
    yield pair
    for actor in pair:
        ray.kill(actor)


ARRAYS = {
    "frame": np.ones((360, 640, 3), np.uint8),
    "crops": np.full((8, 112, 112, 3), 7, np.uint8),
    "template": np.ones(512, np.float32),
    "scalar": np.ones(1, np.float32),
}


@pytest.mark.ray
@pytest.mark.parametrize("name", ARRAYS)
def test_the_producer_wipes_what_consumers_see(holders: Any, name: str):
    first, second = holders
    ref = ray.put(ARRAYS[name])
    assert ray.get(first.hold.remote([ref])) > 0
    assert ray.get(second.hold.remote([ref])) > 0
    assert wipe_shared(ray.get(ref)) is True
    assert ray.get([first.sum.remote(), second.sum.remote()]) == [0, 0]


@pytest.mark.ray
@pytest.mark.parametrize("name", ARRAYS)
def test_a_consumer_wipes_what_the_producer_sees(holders: Any, name: str):
    first, second = holders
    ref = ray.put(ARRAYS[name])
    mine = ray.get(ref)
    ray.get([first.hold.remote([ref]), second.hold.remote([ref])])
    assert ray.get(first.wipe.remote()) == [True]
    assert not mine.any()
    assert ray.get(second.sum.remote()) == 0
    assert not ray.get(ref).any()


@pytest.mark.ray
def test_overflow_of_the_store_is_wiped_as_well(holders: Any):
    first, second = holders
    kept = [ray.put(np.full(4 << 20, 3, np.uint8)) for _ in range(30)]  # 120 MiB into 100
    assert ray.get(first.hold.remote(kept)) > 0
    assert all(ray.get(first.wipe.remote()))
    assert ray.get(second.hold.remote(kept)) == 0


@pytest.mark.ray
def test_only_the_part_given_is_wiped(holders: Any):
    ref = ray.put(np.ones((4, 1000), np.uint8))
    whole = ray.get(ref)
    assert wipe_shared(whole[1:3]) is True
    assert whole.sum(axis=1).tolist() == [1000, 0, 0, 1000]


@pytest.mark.ray
def test_what_does_not_lie_in_one_piece_is_left_and_said(holders: Any):
    whole = ray.get(ray.put(np.ones((4, 1000), np.uint8)))
    assert wipe_shared(whole[:, ::2]) is False
    assert whole.all()


@pytest.mark.ray
def test_a_small_answer_is_a_copy_and_said_to_be_one(ray_local: RayHandle):
    @ray.remote(num_cpus=0)
    def answer() -> np.ndarray:
        return np.ones(64, np.float32)

    copied = ray.get(answer.remote())
    assert not copied.flags.writeable
    assert wipe_shared(copied) is False
    assert not copied.any()


def test_an_array_of_ones_own_is_wiped():
    own = np.ones((3, 4), np.float32)
    view = own[:, ::2]
    assert wipe_shared(view) is True
    assert own.sum() == 6
    assert wipe_shared(own) is True
    assert not own.any()


def test_constants_of_the_process_are_never_touched():
    constant = b"a face would not stand here"
    assert wipe_shared(np.frombuffer(constant, np.uint8)) is False
    assert constant == b"a face would not stand here"


def test_read_only_maps_of_files_are_never_touched(tmp_path: Any):
    (tmp_path / "file").write_bytes(b"x" * 5000)
    mapped = np.memmap(tmp_path / "file", np.uint8, mode="r")
    assert wipe_shared(mapped) is False
    assert (tmp_path / "file").read_bytes() == b"x" * 5000
    mapped._mmap.close()


def test_nothing_is_easily_wiped():
    assert wipe_shared(np.frombuffer(b"", np.uint8)) is True
