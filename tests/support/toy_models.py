"""Very small ONNX graphs with the outer shape of real models, so that engines are tested without any weights."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)


def _model(nodes, given, outputs, tensors) -> bytes:
    graph = helper.make_graph(nodes, "toy", given, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString()


def recogniser(dim: int = 8, batch: int | str = "batch", side: int = 112) -> bytes:
    """Mean colour times a fixed matrix: (batch, 3, side, side) to (batch, dim)."""
    weights = np.random.default_rng(3).normal(size=(3, dim)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["in"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["out"]),
    ]
    given = [helper.make_tensor_value_info("in", TensorProto.FLOAT, [batch, 3, side, side])]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, dim])]
    return _model(nodes, given, outputs, [numpy_helper.from_array(weights, "weights")])


def scrfd(*, points: bool = True, inside: bool = True) -> bytes:
    """A detector with SCRFD's nine outputs whose batch is declared as 1: the score is the brightness of a cell.

    inside: flattened as height, width, batch, anchor (as SCRFD's export does); else batch first.
    """
    order = [2, 3, 0, 1] if inside else [0, 2, 3, 1]
    kinds = {"score": 1, "box": 4, "points": 10} if points else {"score": 1, "box": 4}
    nodes, outputs, tensors = [], [], []
    for kind, channels in kinds.items():
        shape = np.array([-1, channels], np.int64)
        tensors.append(numpy_helper.from_array(shape, f"{kind}.shape"))
        # Two anchors; the second is a tenth as strong. Colour is (value - 127.5) / 128, so white gives about 1.
        mix = np.full((2 * channels, 3, 1, 1), 1 / 3, np.float32)
        mix[channels:] *= 0.1
        tensors.append(numpy_helper.from_array(mix, f"{kind}.mix"))
        for stride in STRIDES:
            name = f"{kind}{stride}"
            pooled, mixed, turned = f"{name}.pooled", f"{name}.mixed", f"{name}.turned"
            nodes += [
                helper.make_node("AveragePool", ["in"], [pooled], kernel_shape=[stride] * 2, strides=[stride] * 2),
                helper.make_node("Conv", [pooled, f"{kind}.mix"], [mixed]),
                helper.make_node("Transpose", [mixed], [turned], perm=order),
                helper.make_node("Reshape", [turned, f"{kind}.shape"], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    given = [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 3, "h", "w"])]
    return _model(nodes, given, outputs, tensors)
