# SPDX-License-Identifier: Apache-2.0
"""quantize_torch.py make FOLDER: a small network as net.onnx, with its weights beside it.
quantize_torch.py check FOLDER: whether the logits of exits.h5 are those that PyTorch's own rounding
and convolutions give for data.h5, with the scales of int8.h5."""

import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 21, 3, padding=1), nn.ReLU(),
        nn.Conv2d(21, 34, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2)), nn.ReLU(),
        nn.Conv2d(34, 40, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(40 * 5 * 4, 7)).eval()


def make(folder):
    net = network()
    torch.save(net.state_dict(), folder / "net.pt")
    torch.onnx.export(net, torch.zeros(1, 3, 10, 10), str(folder / "net.onnx"), opset_version=13,
                      input_names=["x"], output_names=["exit1"],
                      dynamic_axes={"x": {0: "n"}, "exit1": {0: "n"}})


def rounded(x, scale, zero):
    """Whole numbers in float64, less what stands for 0."""
    q = torch.quantize_per_tensor(x, float(scale), int(zero), torch.quint8)
    return q.int_repr().double() - int(zero)


def in_8_bits(layer, x, scale, zero):
    """The layer with sums of whole numbers, and two steps in float32 behind them."""
    w = layer.weight.detach()
    factor = w.flatten(1).abs().max(1).values / 127
    q = torch.quantize_per_channel(w, factor.double(), torch.zeros(len(w)), 0, torch.qint8)
    if isinstance(layer, nn.Conv2d):
        total = functional.conv2d(rounded(x, scale, zero), q.int_repr().double(), None,
                                  layer.stride, layer.padding, layer.dilation)
        shape = (-1, 1, 1)
    else:
        total = functional.linear(rounded(x, scale, zero), q.int_repr().double())
        shape = (-1,)
    product = total.float() * (factor * float(scale)).reshape(shape)
    return product + layer.bias.detach().reshape(shape)


def check(folder):
    net = network()
    net.load_state_dict(torch.load(folder / "net.pt"))
    with h5py.File(folder / "int8.h5") as f:
        scale, zero = f["quantization/scales"][:], f["quantization/zeros"][:]
    scales = [(s, z) for s, z in zip(scale, zero) if s > 0]
    with h5py.File(folder / "data.h5") as f:
        x = torch.from_numpy(f["samples"][:].astype(np.float32))
    with h5py.File(folder / "exits.h5") as f:
        ours = torch.from_numpy(f["logits"][:].astype(np.float32)).reshape(len(x), -1)
    exact = net(x).detach()
    for layer in net:
        if hasattr(layer, "weight"):
            x = in_8_bits(layer, x, *scales.pop(0))
        else:
            x = layer(x)
    off, rounding = (ours - x).abs().max(), (ours - exact).abs().max()
    print(f"off by {off:.3g}, of float32 by {rounding:.3g}, of at most {exact.abs().max():.3g}")
    if scales or off > 1e-5 * exact.abs().max() or rounding < 100 * off:
        sys.exit("the logits are not those of PyTorch's rounding")


{"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
