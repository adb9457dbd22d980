"""Running a detector's network on a batch of pictures of one shape, whatever batch its file was exported for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
import onnx
import onnxruntime as ort

from lfr.domain.errors import ModelCorrupt
from lfr.domain.faces import Image
from lfr.vision.engine.session import Blob, bucket, first_line

Layout = Literal["single", "leading", "inside"]
"""Where the batch is found in an output: nowhere, as the first axis, or between cells and anchors (SCRFD's export
transposes to height, width, batch, anchor before it flattens)."""

_STRIDES = (8, 16, 32)


def relax(model: bytes, *, name: str) -> bytes:
    """The same graph with batch, height and width left open in its declared input, outputs undeclared.

    Exports of SCRFD and of YuNet 2023mar declare one batch or one size although their operators take any.
    Raises ModelCorrupt.
    """
    try:
        graph = onnx.load_model_from_string(model)
    except Exception as error:  # protobuf's DecodeError, which the onnx package does not hand on by name
        raise ModelCorrupt(f"{name} is no ONNX model: {first_line(error)}", hint="run `lfr models verify`") from error
    held = {tensor.name for tensor in graph.graph.initializer}
    for given in graph.graph.input:
        shape = given.type.tensor_type.shape.dim
        if given.name not in held and len(shape) == 4:
            shape[0].dim_param, shape[2].dim_param, shape[3].dim_param = "batch", "height", "width"
    for output in graph.graph.output:
        output.type.tensor_type.ClearField("shape")
    del graph.graph.value_info[:]
    return bytes(graph.SerializeToString())


class Network:
    """One detector session. `run` gives, per picture, the outputs as (cells * anchors, channels) arrays."""

    def __init__(
        self, session: ort.InferenceSession, *, name: str, anchors: int, scale: float, mean: float, rgb: bool
    ) -> None:
        """Tries the session on two small pictures to learn how it batches. Raises ModelCorrupt if it cannot run."""
        self._session = session
        self._name = name
        self._anchors = anchors
        self._scale, self._mean, self._rgb = scale, mean, rgb
        self._input = session.get_inputs()[0].name
        self._gpu = session.get_providers()[0] != "CPUExecutionProvider"
        # On a CPU a batch is no faster per picture than one at a time, and needs more cache.
        self.layout: Layout = "single"
        outputs = self.probe(1)
        self.channels = tuple(output.shape[-1] for output in outputs[0])
        if self._gpu:
            self.layout = self.learn_layout()

    def probe(self, count: int) -> list[list[Blob]]:
        """Outputs for `count` made-up pictures of 64 x 64. Raises ModelCorrupt when the network does not take them."""
        noise = np.random.default_rng(7).integers(0, 256, (count, 64, 64, 3), np.uint8)
        try:
            return self.run(list(noise))
        except ModelCorrupt:
            raise
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            raise ModelCorrupt(
                f"{self._name} does not run on a 64x64 picture: {first_line(error)}",
                hint="the file is not the detector its pack says",
            ) from error

    def learn_layout(self) -> Layout:
        """How this network batches: the layout under which two pictures at once give what each gives alone."""
        self.layout = "single"
        alone = self.probe(2)
        layouts: tuple[Layout, ...] = ("leading", "inside")
        for layout in layouts:
            self.layout = layout
            try:
                together = self.probe(2)
            except ModelCorrupt:
                continue
            pairs = [(a, b) for one, two in zip(alone, together, strict=True) for a, b in zip(one, two, strict=True)]
            if all(np.allclose(a, b, rtol=1e-3, atol=1e-3) for a, b in pairs):
                return layout
        self.layout = "single"
        return "single"

    def run(self, pictures: Sequence[Image]) -> list[list[Blob]]:
        """Outputs of each picture, in the model's order. Pictures share one shape, a multiple of 32."""
        if self.layout == "single":
            return [self._split(self._forward([picture]), 1)[0] for picture in pictures]
        results: list[list[Blob]] = []
        for start in range(0, len(pictures), 8):
            part = list(pictures[start : start + 8])
            padded = part + [part[-1]] * (bucket(len(part)) - len(part))
            results += self._split(self._forward(padded), len(padded))[: len(part)]
        return results

    def _forward(self, pictures: Sequence[Image]) -> list[Any]:
        height, width = pictures[0].shape[:2]
        blob = cv2.dnn.blobFromImages(
            list(pictures), self._scale, (width, height), (self._mean,) * 3, swapRB=self._rgb, crop=False
        )
        return list(self._session.run(None, {self._input: blob}))

    def _split(self, outputs: list[Any], count: int) -> list[list[Blob]]:
        tables: list[list[Blob]] = [[] for _ in range(count)]
        for output in outputs:
            channels = output.shape[-1]
            if output.size % (count * self._anchors * channels or 1):
                raise ModelCorrupt(
                    f"{self._name}: output of shape {output.shape} for {count} pictures",
                    hint="the file is not the detector its pack says",
                )
            if self.layout == "inside":
                parted = output.reshape(-1, count, self._anchors, channels).swapaxes(0, 1)
            else:
                parted = output.reshape(count, -1, self._anchors, channels)
            for table, part in zip(tables, parted, strict=True):
                table.append(part.reshape(-1, channels))
        return tables


def check_channels(network: Network, expected: tuple[int, ...], *, name: str) -> None:
    """Raise ModelCorrupt unless the outputs have these channel counts, in this order."""
    if network.channels != expected:
        raise ModelCorrupt(
            f"{name} gives outputs of {network.channels} channels, {expected} are needed",
            hint="the file is not the detector its pack says (a model without the five points cannot be used)",
        )


def check_cells(outputs: Sequence[Blob], width: int, height: int, anchors: int, *, name: str) -> None:
    """Raise ModelCorrupt unless the score outputs have one row per anchor and cell of strides 8, 16 and 32."""
    for output, stride in zip(outputs, _STRIDES, strict=False):
        if len(output) != (width // stride) * (height // stride) * anchors:
            raise ModelCorrupt(
                f"{name}: {len(output)} rows at stride {stride} for a picture of {width}x{height}",
                hint="the file is not the detector its pack says",
            )
