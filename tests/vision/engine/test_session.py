"""Sessions: what was verified is what runs, and a provider that was not got is a refusal."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from lfr.domain.errors import ModelCorrupt, ModelMissing, ProviderUnavailable
from lfr.vision.engine.session import bucket, open_session, read_verified
from tests.support import toy_models

HAS_GPU = Path("/dev/nvidia0").exists()


def test_a_session_on_the_cpu():
    session = open_session(toy_models.recogniser(), name="toy.onnx")
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert session.run(None, {"in": np.ones((2, 3, 112, 112), np.float32)})[0].shape == (2, 8)


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_provider_asked_for_and_not_got_stops_the_start(provider, capfd):
    if HAS_GPU and provider == "cuda":
        session = open_session(toy_models.recogniser(), name="toy.onnx", provider=provider)
        assert session.get_providers()[0] == "CUDAExecutionProvider"
        return
    with pytest.raises(ProviderUnavailable) as caught:
        open_session(toy_models.recogniser(), name="toy.onnx", provider=provider)
    assert provider in caught.value.message
    assert "lfr[gpu]" in caught.value.hint
    assert "provider: cpu" in caught.value.hint
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""


def test_the_package_lists_providers_it_cannot_give():
    if HAS_GPU or "gpu" not in ort.get_device().lower():
        return
    assert "CUDAExecutionProvider" in ort.get_available_providers()


def test_an_unknown_provider_is_named():
    with pytest.raises(ProviderUnavailable, match="no provider 'quantum'"):
        open_session(toy_models.recogniser(), name="toy.onnx", provider="quantum")


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_broken_model_is_corrupt(cut):
    with pytest.raises(ModelCorrupt) as caught:
        open_session(toy_models.recogniser()[:cut] + b"\xff" * 20, name="toy.onnx")
    assert "toy.onnx" in caught.value.message
    assert "\n" not in caught.value.message


def test_bytes_are_verified_as_they_are_read(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"model")
    right = hashlib.sha256(b"model").hexdigest()
    assert read_verified(path, right) == b"model"
    path.write_bytes(b"changed")
    with pytest.raises(ModelCorrupt) as caught:
        read_verified(path, right)
    assert right in caught.value.message
    assert hashlib.sha256(b"changed").hexdigest() in caught.value.message
    with pytest.raises(ModelMissing):
        read_verified(tmp_path / "gone.onnx", right)


def test_buckets():
    assert [bucket(n) for n in (1, 2, 3, 5, 9, 17, 32, 33)] == [1, 2, 4, 8, 16, 32, 32, 33]


def test_waiting_threads_do_not_spin():
    options = open_session(toy_models.recogniser(), name="toy.onnx", threads=2).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.get_session_config_entry("session.inter_op.allow_spinning") == "0"
    assert options.intra_op_num_threads == 2
