"""Face engines behind one seam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lfr.domain.errors import ProviderUnavailable

if TYPE_CHECKING:
    from lfr.vision.engine.base import FaceEngine
    from lfr.vision.packs import LocatedPack


def open_engine(
    located: LocatedPack, *, provider: str = "cpu", threads: int = 1, gpu_memory_mb: int = 4096
) -> FaceEngine:
    """Open the engine of a located pack.

    provider: cpu, cuda or tensorrt. threads: for each inference. gpu_memory_mb: the most this engine may take there.
    Raises ModelMissing or ModelCorrupt (the file changed or is not what its pack says), ProviderUnavailable (the
    session did not get the provider, or the engine's package is not installed).
    """
    # The engines' libraries are large: each is imported only by the process that runs it.
    engine = located.pack.engine
    if engine == "onnx":
        from lfr.vision.engine.onnx import OnnxEngine  # noqa: PLC0415

        return OnnxEngine(located, provider=provider, threads=threads, gpu_memory_mb=gpu_memory_mb)
    if provider != "cpu":
        raise ProviderUnavailable(
            f"engine {engine} of pack {located.pack.name} runs on the CPU only, {provider} was asked for",
            hint="set provider: cpu, or choose an onnx pack",
        )
    if engine == "dlib":
        from lfr.vision.engine.dlib import DlibEngine  # noqa: PLC0415

        return DlibEngine(located)
    from lfr.vision.engine.double import DoubleEngine  # noqa: PLC0415

    return DoubleEngine(located.pack)
