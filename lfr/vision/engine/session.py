"""Opening an ONNX Runtime session, and proving that it got the provider that was asked for.

`onnxruntime.get_available_providers()` names providers the package was built with, and a session that cannot have its
provider falls back to the CPU with a line in the log. Only `session.get_providers()` tells the truth, so that is asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import platformdirs
from numpy.typing import NDArray

from lfr.domain.errors import ModelCorrupt, ModelMissing, ProviderUnavailable

Blob = NDArray[np.float32]
"""Network input or output: float32, NCHW."""

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
BUCKETS = (1, 2, 4, 8, 16, 32)
"""Batch sizes used on a GPU. Every new shape makes cuDNN and the arena allocate anew and nothing is given back, so a
handful of shapes keeps the memory level; batches are padded up to the next one."""

_FATAL_ONLY = 4


def read_verified(path: Path, sha256: str) -> bytes:
    """The file's bytes, hashed as they are loaded, so that what was verified is what runs.

    Raises ModelMissing when it cannot be read, ModelCorrupt when the hash differs.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"cannot read {path}: {error.strerror}", hint="run `lfr models verify`") from error
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ModelCorrupt(
            f"{path} has sha256 {found}, its pack says {sha256}", hint="fetch it again: `lfr models pull` or `import`"
        )
    return raw


def open_session(
    model: bytes, *, name: str, provider: str = "cpu", threads: int = 1, gpu_memory_mb: int = 4096
) -> ort.InferenceSession:
    """A session on exactly the provider asked for.

    Raises ProviderUnavailable when the provider is unknown or the session got another one, ModelCorrupt when the bytes
    are no model that ONNX Runtime can run.
    """
    wanted = PROVIDERS.get(provider)
    if wanted is None:
        raise ProviderUnavailable(f"no provider {provider!r}", hint=f"one of {', '.join(PROVIDERS)}")
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Several processes share the cores: a thread that spins while it waits takes a core from a camera.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _FATAL_ONLY
    if provider != "cpu":
        options.enable_mem_pattern = False
        ort.set_default_logger_severity(_FATAL_ONLY)  # the fallback's log lines: we raise one clear error instead
        _load_cuda()
    try:
        wishes = _providers(provider, model, gpu_memory_mb)
        session = ort.InferenceSession(model, options, providers=wishes, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors share no base class of their own
        if provider != "cpu":
            raise ProviderUnavailable(
                f"{provider} failed for {name}: {first_line(error)}", hint=_hint(provider)
            ) from error
        raise ModelCorrupt(
            f"{name} is no usable ONNX model: {first_line(error)}", hint="run `lfr models verify`"
        ) from error
    got = session.get_providers()
    if not got or got[0] != wanted:
        raise ProviderUnavailable(
            f"{provider} was asked for, {name} would run on {got[0] if got else 'nothing'}", hint=_hint(provider)
        )
    session.disable_fallback()
    return session


def bucket(count: int) -> int:
    """The smallest of BUCKETS that holds `count`; count itself above the largest."""
    return next((size for size in BUCKETS if size >= count), count)


def first_line(error: Exception) -> str:
    """The first line of a library's message without the place in its source, cut to a readable length."""
    lines = re.sub(r"^/\S+\.(cc|h|cpp):\d+ .*?\) ", "", str(error).strip()).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _providers(provider: str, model: bytes, gpu_memory_mb: int) -> list[Any]:
    if provider == "cpu":
        return [PROVIDERS["cpu"]]
    cuda = {
        "device_id": 0,
        "gpu_mem_limit": gpu_memory_mb * 1024 * 1024,
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",  # exhaustive search stalls every new shape for seconds
        "use_tf32": 0,  # thresholds are calibrated in full precision
    }
    if provider == "cuda":
        return [(PROVIDERS["cuda"], cuda), PROVIDERS["cpu"]]
    cache = _tensorrt_cache(model)
    tensorrt = {
        "device_id": 0,
        "trt_max_workspace_size": gpu_memory_mb * 1024 * 1024,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(cache),
    }
    return [(PROVIDERS["tensorrt"], tensorrt), (PROVIDERS["cuda"], cuda), PROVIDERS["cpu"]]


def _tensorrt_cache(model: bytes) -> Path:
    """A folder per GPU, driver, runtime and model: an engine built for another of them must never be loaded."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"]
    try:
        gpu = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        gpu = "unknown-gpu"
    key = f"{gpu.strip()}/{ort.__version__}/{hashlib.sha256(model).hexdigest()}"
    folder = Path(platformdirs.user_cache_dir("lfr")) / "tensorrt" / hashlib.sha256(key.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _load_cuda() -> None:
    """Let ONNX Runtime find CUDA and cuDNN among the installed packages. What it prints is no output of ours."""
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(OSError, RuntimeError):
            preload()


def _hint(provider: str) -> str:
    version = re.match(r"\d+\.\d+", ort.__version__)
    extra = " and TensorRT" if provider == "tensorrt" else ""
    return (
        f"install the gpu extra (pip install 'lfr[gpu]'){extra} and an NVIDIA driver that supports the CUDA of "
        f"ONNX Runtime {version.group() if version else ''}, or set provider: cpu"
    )
