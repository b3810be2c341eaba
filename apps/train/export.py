# SPDX-License-Identifier: Apache-2.0
"""ONNX files with EdgeExit's metadata, and reference logits."""

from collections import Counter
from pathlib import Path
from typing import Dict, Sequence

import h5py
import numpy as np
import onnx
import torch
from torch import nn

import loop
from checkpoint import Checkpoint
from data import Samples
from models import split_outputs

OPSET = 13
IMPORTED = frozenset("""
    Conv BatchNormalization Relu LeakyRelu Clip Sigmoid HardSwish HardSigmoid Tanh MaxPool
    AveragePool GlobalAveragePool Gemm MatMul Add Mul Sub Div Concat Flatten Reshape Squeeze
    Unsqueeze Transpose Softmax LogSoftmax Pad Dropout Identity Constant ReduceMean Sqrt
    """.split())  # what `edgeexit import onnx` understands


def numbers(values: Sequence[float]) -> str:
    """Comma-separated, short, without loss."""
    return ",".join(f"{v:.15g}" for v in values)


def metadata(made: Checkpoint) -> Dict[str, str]:
    """The metadata_props the importer reads: raw * scale, minus mean, over std."""
    return {"ee.mean": numbers(made.pre.mean), "ee.std": numbers(made.pre.std),
            "ee.scale": numbers([made.pre.scale]), "ee.classes": ",".join(made.classes),
            "ee.provenance": made.provenance}


def write_onnx(made: Checkpoint, model: nn.Module, path: Path) -> None:
    """Export `model`, that of `made` or a view of it, add the metadata, check.

    The outputs are the exits' logits in order, then scores.
    """
    sample = torch.zeros(1, *made.input_shape)
    exits, scores = split_outputs(model(sample))
    names = [f"exit{i + 1}" for i in range(len(exits))]
    names += [f"exit{i}_score" for i in range(len(exits) - len(scores), len(exits))]
    torch.onnx.export(model, sample, str(path), opset_version=OPSET, do_constant_folding=True,
                      training=torch.onnx.TrainingMode.EVAL, input_names=["input"],
                      output_names=names, dynamic_axes={n: {0: "N"} for n in ["input"] + names})
    graph = onnx.load(str(path))
    if made.name == "branches":
        plain_names(graph)
    onnx.helper.set_model_props(graph, metadata(made))
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, str(path))
    report(graph, path)


def plain_names(graph: onnx.ModelProto) -> None:
    """"/branch1/stage2/..." becomes "branch1.stage2....": a cut by branches reads these names."""

    def plain(name: str) -> str:
        return name.lstrip("/").replace("/", ".")

    for node in graph.graph.node:
        node.name = plain(node.name)
        node.input[:] = [plain(n) for n in node.input]
        node.output[:] = [plain(n) for n in node.output]
    for value in graph.graph.value_info:
        value.name = plain(value.name)


def report(graph: onnx.ModelProto, path: Path) -> None:
    """Print what the file consists of; fail on an operator the importer lacks."""
    ops = Counter(node.op_type for node in graph.graph.node)
    print(path.name, f"{path.stat().st_size} bytes;", "outputs",
          ", ".join(o.name for o in graph.graph.output) + "; operators",
          ", ".join(f"{op} {n}" for op, n in sorted(ops.items())))
    unknown = set(ops) - IMPORTED
    if unknown:
        raise SystemExit(f"{path}: the importer has no {', '.join(sorted(unknown))}")


def write_reference(made: Checkpoint, model: nn.Module, samples: Samples, path: Path) -> None:
    """HDF5 with `logits` [exits, n, classes] and `labels` [n], computed in float32.

    A network with scores also has `scores` [early exits, n], NaN where an exit has none.
    """
    logits, scores = loop.outputs_of(model, made.pre, samples.x)
    if scores is not None:
        without = len(logits) - 1 - len(scores)
        scores = torch.cat([torch.full((without, len(samples)), torch.nan), scores])
    with h5py.File(path, "w") as f:
        f["logits"] = logits.numpy()
        if scores is not None:
            f["scores"] = scores.numpy()
        f["labels"] = samples.y.numpy().astype(np.int32)
        f.attrs["provenance"] = made.provenance
    right = " ".join(f"{a:.4f}" for a in loop.accuracy(logits, samples.y))
    print(f"{path.name}: {len(samples)} samples, accuracy per exit {right}")
