# SPDX-License-Identifier: Apache-2.0
"""The data sets: reading, splitting, normalising and augmenting.

Everything is held in memory as one tensor; a batch is a selection of rows.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Tuple

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
                   "dog", "frog", "horse", "ship", "truck")
CIFAR10_KEPT = 2000  # last samples of batch 4: kept for calibration, never trained on
CIFAR10_SPLIT = ("train: batches 1-4 without the last 2000 samples of batch 4; "
                 "kept for calibration: those 2000; reported: batch 5")

Augment = Callable[[Tensor, Tensor], Tensor]  # (all samples, rows) -> the batch


@dataclass
class Samples:
    """Raw samples [n, c, h, w], their labels [n], and the SNR [n] where known."""

    x: Tensor
    y: Tensor
    snr: Optional[Tensor] = None

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: slice) -> "Samples":
        return Samples(self.x[rows], self.y[rows], None if self.snr is None else self.snr[rows])


@dataclass
class Preprocess:
    """What the program does to a raw sample: (raw * scale - mean) / std per channel."""

    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    scale: float

    def __call__(self, raw: Tensor) -> Tensor:
        shape = (1, -1, 1, 1)
        mean = torch.tensor(self.mean).view(shape)
        std = torch.tensor(self.std).view(shape)
        return (raw.float() * self.scale - mean) / std


def read_cifar_batch(folder: Path, number: int) -> Samples:
    """One file of the binary version of CIFAR-10: label byte, then 3x32x32 bytes."""
    path = folder / f"data_batch_{number}.bin"
    try:
        raw = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error.strerror}; it is part of the binary "
                         "version of CIFAR-10") from None
    if len(raw) == 0 or len(raw) % 3073:
        raise SystemExit(f"{path} has {len(raw)} bytes, expected images of 3073 bytes as in the "
                         "binary version of CIFAR-10")
    raw = raw.reshape(-1, 3073)
    return Samples(torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).copy()),
                   torch.from_numpy(raw[:, 0].astype(np.int64)))


def read_cifar(folder: Path) -> Tuple[Samples, Samples, Samples]:
    """The training samples, the samples kept for calibration, and batch 5."""
    batches = [read_cifar_batch(folder, i) for i in range(1, 5)]
    both = Samples(torch.cat([b.x for b in batches]), torch.cat([b.y for b in batches]))
    return both[:-CIFAR10_KEPT], both[-CIFAR10_KEPT:], read_cifar_batch(folder, 5)


def read_hdf5(path: Path) -> Samples:
    """A data file: `samples`, `labels` and, if present, `attributes/snr`."""
    try:
        with h5py.File(path, "r") as f:
            snr = torch.from_numpy(f["attributes/snr"][:]) if "attributes/snr" in f else None
            return Samples(torch.from_numpy(f["samples"][:]),
                           torch.from_numpy(f["labels"][:].astype(np.int64)), snr)
    except (OSError, KeyError) as error:
        raise SystemExit(f"{path} cannot be read as a data file: {error}") from None


def read_hdf5_classes(path: Path, count: int) -> Tuple[str, ...]:
    """Class names from the dataset `class_names`, or class0, class1, ..."""
    with h5py.File(path, "r") as f:
        if "class_names" not in f:
            return tuple(f"class{i}" for i in range(count))
        return tuple(s.decode() for s in f["class_names"][:])


def channel_statistics(x: Tensor, scale: float) -> Preprocess:
    """Mean and standard deviation per channel, rounded so that they print exactly."""
    v = x.double() * scale
    mean, std = v.mean((0, 2, 3)), v.std((0, 2, 3))
    return Preprocess(tuple(round(m, 4) for m in mean.tolist()),
                      tuple(round(s, 4) for s in std.tolist()), scale)


def as_it_is(x: Tensor, rows: Tensor) -> Tensor:
    """No augmentation."""
    return x[rows]


def crop_and_flip(pad: int) -> Augment:
    """Shift each image by up to `pad` pixels (zeros enter) and mirror half of them."""

    def augment(x: Tensor, rows: Tensor) -> Tensor:
        n, side = len(rows), x.shape[-1]
        padded = F.pad(x[rows], (pad, pad, pad, pad))
        line = torch.arange(side)
        cols = torch.where(torch.rand(n, 1) < 0.5, line, line.flip(0))
        cols = cols + torch.randint(0, 2 * pad + 1, (n, 1))
        lines = line + torch.randint(0, 2 * pad + 1, (n, 1))
        index = torch.arange(n).view(n, 1, 1, 1)
        channel = torch.arange(x.shape[1]).view(1, -1, 1, 1)
        return padded[index, channel, lines.view(n, 1, side, 1), cols.view(n, 1, 1, side)]

    return augment


def rotate_phase(x: Tensor, rows: Tensor) -> Tensor:
    """Turn each I/Q frame by a random carrier phase, which no label depends on."""
    angle = torch.rand(len(rows), 1, 1) * (2 * np.pi)
    i, q = x[rows, 0], x[rows, 1]
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack((c * i - s * q, s * i + c * q), 1)
