"""The sentence encoder with our adapter and integer products, made once from the file that the package ships.

The adapter is what `benchmarks/tune_encoder.py` learned from the training data: two thin matrices for each product,
which multiplied are added to its weights (LoRA; Hu et al., ICLR 2022).

The shipped graph keeps its weights as 8-bit integers and turns them back into floats before every product. Here the
activations are rounded as well and the products are done in integers, which takes less than half the time (see
docs/decisions.md for what it costs in accuracy), and word vectors are looked up as integers, which saves 46 MB.
Each word of each sentence has a scale of its own: a sentence's vector is the same alone and among others.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Dict, List

import numpy as np
from safetensors.numpy import load

BUILT = Path(__file__).parent.parent / ".build"
#: Constants of the graph: the largest activation as an integer, what is added so that none is negative, its zero, and
#: what keeps a word of zeros from being divided by zero.
LARGEST, MIDDLE, ZERO, TINY = "largest", "middle", "zero", "tiny"
#: Which graph this file makes; a number of its own, so that one kept from before is not taken for it.
FORM = b"2"


def integer_graph(content: bytes, adapter: bytes, digest: str) -> bytes:
    """The graph in `content` with the adapter and integer products; kept in `.build/` under the digest of both."""
    kept = BUILT / f"encoder-{sha256(digest.encode() + FORM).hexdigest()[:16]}.onnx"
    if kept.exists():
        return kept.read_bytes()
    graph = _with_integer_products(content, load(adapter))
    try:
        BUILT.mkdir(exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(graph)
        os.replace(fresh, kept)
    except OSError:
        pass  # a read-only place: it is made again at the next start, which takes a second
    return graph


def _with_integer_products(content: bytes, adapter: Dict[str, np.ndarray]) -> bytes:
    import onnx
    from onnx import NodeProto, TensorProto, numpy_helper
    from onnx.helper import make_node

    model = onnx.load_from_string(content)
    graph = model.graph
    constants = {i.name: i for i in graph.initializer}
    # A weight "w" is made by Cast(w_q) and Mul(w_f, w_scale): one scale a column, for word vectors one a row.
    floats = {n.output[0] for n in graph.node if n.op_type == "Mul" and f"{n.output[0]}_q" in constants}
    # The bias that is added to a product names its layer.
    layers = {
        n.input[0]: n.input[1].removeprefix("inner.").removesuffix(".bias")
        for n in graph.node if n.op_type == "Add" and n.input[1].endswith(".bias")
    }  # fmt: skip
    numbers = {LARGEST: np.float32(127), MIDDLE: np.float32(128), ZERO: np.uint8(128), TINY: np.float32(1e-9)}
    graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in numbers.items())
    nodes: List[NodeProto] = []
    replaced: Dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in floats:
            a, w, y = node.input[0], node.input[1], node.output[0]
            scale = numpy_helper.to_array(constants[f"{w}_scale"]).reshape(-1)
            if (layer := layers.get(y, "")) + ".A" in adapter:
                weights = numpy_helper.to_array(constants[f"{w}_q"]) * scale
                weights = weights + adapter[f"{layer}.A"].astype(np.float32) @ adapter[f"{layer}.B"].astype(np.float32)
                scale = (np.abs(weights).max(0) / 127).astype(np.float32)
                constants[f"{w}_q"].CopyFrom(
                    numpy_helper.from_array(np.round(weights / scale).astype(np.int8), f"{w}_q")
                )
            graph.initializer.append(numpy_helper.from_array(scale, f"{w}_scales"))
            nodes += [
                # round(127 a / max |a|) + 128, the largest of each word
                make_node("Abs", [a], [f"{y}_abs"]),
                make_node("ReduceMax", [f"{y}_abs"], [f"{y}_max"], axes=[-1], keepdims=1),
                make_node("Max", [f"{y}_max", TINY], [f"{y}_most"]),
                make_node("Div", [f"{y}_most", LARGEST], [f"{y}_a_scale"]),
                make_node("Div", [a, f"{y}_a_scale"], [f"{y}_a_scaled"]),
                make_node("Add", [f"{y}_a_scaled", MIDDLE], [f"{y}_a_shifted"]),
                make_node("Round", [f"{y}_a_shifted"], [f"{y}_a_round"]),
                make_node("Cast", [f"{y}_a_round"], [f"{y}_a"], to=TensorProto.UINT8),
                make_node("MatMulInteger", [f"{y}_a", f"{w}_q", ZERO], [f"{y}_i"]),
                make_node("Cast", [f"{y}_i"], [f"{y}_f"], to=TensorProto.FLOAT),
                # One scale after the other: onnxruntime takes a product of both for that of one scale a tensor.
                make_node("Mul", [f"{y}_f", f"{w}_scales"], [f"{y}_columns"]),
                make_node("Mul", [f"{y}_columns", f"{y}_a_scale"], [y]),
            ]
            replaced[w] = f"{w}_f"
        elif node.op_type == "Gather" and node.input[0] in floats:
            w, rows, y = node.input[0], node.input[1], node.output[0]
            nodes += [
                make_node("Gather", [f"{w}_q", rows], [f"{y}_q"]),
                make_node("Cast", [f"{y}_q"], [f"{y}_f"], to=TensorProto.FLOAT),
                make_node("Gather", [f"{w}_scale", rows], [f"{y}_scale"]),
                make_node("Mul", [f"{y}_f", f"{y}_scale"], [y]),
            ]
            replaced[w] = f"{w}_f"
        else:
            nodes.append(node)
    gone = {*replaced, *replaced.values()}
    del graph.node[:]
    graph.node.extend(n for n in nodes if n.output[0] not in gone)
    used = {name for n in graph.node for name in n.input}
    initializers = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    return bytes(model.SerializeToString())
