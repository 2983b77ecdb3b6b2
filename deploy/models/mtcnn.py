"""Converts MTCNN's three small networks, once, from the `mtcnn` wheel to ONNX.

It owns the files in workers/weights/mtcnn/. It refuses to unpickle anything but float32 arrays:
the wheel stores its weights as pickles, and a pickle can run code, so neither TensorFlow nor
joblib nor the wheel's own code is imported here. Needs `onnx` and `lz4`; no worker needs either.

Usage: python -m deploy.models.mtcnn WHEEL
"""

import hashlib
import io
import json
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import lz4.frame  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import onnx  # type: ignore[import-not-found,import-untyped,unused-ignore]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper  # type: ignore[import-not-found,import-untyped,unused-ignore]

TARGET = Path(__file__).resolve().parents[2] / "workers" / "weights" / "mtcnn"
Floats = NDArray[np.float32]

# The pooling of each network: window, stride and whether the border is padded, after each block.
POOLS: dict[str, list[tuple[int, int, bool] | None]] = {
    "pnet": [(2, 2, True), None, None],
    "rnet": [(3, 2, True), (3, 2, False), None],
    "onet": [(3, 2, True), (3, 2, False), (2, 2, True), None],
}
HEADS = {4: "shift", 10: "points", 2: "score"}


class _Wrapper:
    """Stands for joblib's marker: the raw bytes of an array follow it in the stream."""

    shape: tuple[int, ...]
    dtype: Any
    order: str


class _Arrays(pickle._Unpickler):
    """Reads a list of float32 arrays and knows no other name."""

    stack: list[Any]

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.stream = stream

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Wrapper,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return known[module, name]

    def load_build(self) -> None:
        plain: Any = pickle._Unpickler.dispatch[pickle.BUILD[0]]
        plain(self)
        if isinstance(self.stack[-1], _Wrapper):
            self.stack.append(self._array(self.stack.pop()))

    def _array(self, marker: _Wrapper) -> Floats:
        if marker.dtype != np.dtype("<f4") or marker.order != "C":
            raise pickle.UnpicklingError("only float32 arrays in C order are weights")
        self.stream.seek(self.stream.read(1)[0], io.SEEK_CUR)
        raw = self.stream.read(4 * int(np.prod(marker.shape)))
        return np.frombuffer(raw, "<f4").reshape(marker.shape)

    dispatch: ClassVar[dict[int, Any]] = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
    }


class _Graph:
    """Collects nodes in order; `flow` is the name of what the next node reads."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.flow = "image"

    def constant(self, value: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value.copy(order="C"), name))
        return name

    def add(self, kind: str, *constants: NDArray[Any], source: str = "", **options: Any) -> str:
        name = f"n{len(self.nodes)}"
        inputs = [source or self.flow, *map(self.constant, constants)]
        self.nodes.append(helper.make_node(kind, inputs, [name], **options))
        if not source:
            self.flow = name
        return name


def _blocks(graph: _Graph, name: str, weights: list[Floats]) -> None:
    """Convolution, PReLU, pooling. The wheel keeps kernels as height, width, in, out."""
    for pool in POOLS[name]:
        kernel, bias, slope = weights.pop(0), weights.pop(0), weights.pop(0)
        graph.add("Conv", kernel.transpose(3, 2, 0, 1), bias)
        graph.add("PRelu", slope.reshape(-1, 1, 1))
        if pool:
            window, stride, padded = pool
            border = {"auto_pad": "SAME_UPPER"} if padded else {}
            graph.add("MaxPool", kernel_shape=[window] * 2, strides=[stride] * 2, **border)


def _dense(graph: _Graph, weights: list[Floats]) -> None:
    """One hidden layer. The networks were trained column-major: width comes before height."""
    graph.add("Transpose", perm=[0, 3, 2, 1])
    graph.add("Flatten")
    kernel, bias, slope = weights.pop(0), weights.pop(0), weights.pop(0)
    graph.add("Gemm", kernel, bias)
    graph.add("PRelu", slope)


def _heads(graph: _Graph, name: str, weights: list[Floats]) -> list[str]:
    """The outputs, channels last; of the two classes only the probability of a face is kept."""
    names = []
    while weights:
        kernel, bias = weights.pop(0), weights.pop(0)
        label = HEADS[bias.size]
        if name == "pnet":
            head = graph.add("Conv", kernel.transpose(3, 2, 0, 1), bias, source=graph.flow)
            head = graph.add("Transpose", source=head, perm=[0, 2, 3, 1])
        else:
            head = graph.add("Gemm", kernel, bias, source=graph.flow)
        if label == "score":
            head = graph.add("Softmax", source=head, axis=-1)
            head = graph.add("Gather", np.array(1, np.int64), source=head, axis=-1)
        graph.nodes.append(helper.make_node("Identity", [head], [label]))
        names.append(label)
    return names


def _output(label: str, grid: list[str]) -> onnx.ValueInfoProto:
    width = {"shift": [4], "points": [10], "score": []}[label]
    return helper.make_tensor_value_info(label, TensorProto.FLOAT, ["count", *grid, *width])


def convert(name: str, weights: list[Floats]) -> bytes:
    """One network as ONNX, from bytes of pixels to boxes: the normalisation is part of it."""
    graph, side = _Graph(), {"pnet": None, "rnet": 24, "onet": 48}[name]
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Sub", np.array(127.5, np.float32))
    graph.add("Mul", np.array(1 / 128, np.float32))
    graph.add("Transpose", perm=[0, 3, 1, 2])
    _blocks(graph, name, weights)
    if name != "pnet":
        _dense(graph, weights)
    outputs = _heads(graph, name, weights)
    size = [side or "height", side or "width"]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["count", *size, 3])
    values = [_output(o, ["rows", "columns"] if name == "pnet" else []) for o in outputs]
    body = helper.make_graph(graph.nodes, name, [image], values, graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def main(wheel: Path) -> None:
    manifest = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in POOLS:
            packed = archive.read(f"mtcnn/assets/weights/{name}.lz4")
            weights = _Arrays(io.BytesIO(lz4.frame.decompress(packed))).load()
            body = convert(name, list(weights))
            (TARGET / f"{name}.onnx").write_bytes(body)
            manifest[f"{name}.onnx"] = {
                "sha256": hashlib.sha256(body).hexdigest(),
                "bytes": len(body),
            }
        notice = next(n for n in archive.namelist() if n.endswith("dist-info/LICENSE"))
        (TARGET / "LICENSE").write_bytes(archive.read(notice))
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
