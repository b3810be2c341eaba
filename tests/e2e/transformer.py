# SPDX-License-Identifier: Apache-2.0
"""A small multi-exit BERT with random weights: OUT.onnx, token ids as IDX files, PyTorch's logits.

transformer.py OUT_FOLDER  writes fixed.onnx and free.onnx (batch of 1, and free), ids.idx,
labels.idx and reference.h5 there.
"""

import math
import os
import struct
import sys

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional as F

WORDS, POSITIONS, WIDTH, HEADS, INNER, BLOCKS, CLASSES, SAMPLES = 200, 12, 64, 4, 128, 2, 3, 60
PADDING = 0  # the id behind the end of a text


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x, mask):
        n, length, _ = x.shape

        def heads(y):
            return y.view(n, length, HEADS, WIDTH // HEADS).transpose(1, 2)

        scores = heads(self.query(x)) @ heads(self.key(x)).transpose(-1, -2)
        shares = torch.softmax(scores / math.sqrt(WIDTH // HEADS) + mask, -1)
        mixed = shares @ heads(self.value(x))
        return self.out(mixed.transpose(1, 2).reshape(n, length, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.inner = Attention(), nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.first, self.second = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)

    def forward(self, x, mask):
        x = self.first(x + self.attention(x, mask))
        return self.second(x + self.outer(F.gelu(self.inner(x))))


class Exit(nn.Module):
    """The first position through a pooler, as BERT's classifier has it."""

    def __init__(self):
        super().__init__()
        self.pool, self.classify = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        return self.classify(torch.tanh(self.pool(x[:, 0])))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.kinds = nn.Embedding(WORDS, WIDTH), nn.Embedding(2, WIDTH)
        self.positions, self.norm = nn.Embedding(POSITIONS, WIDTH), nn.LayerNorm(WIDTH, 1e-12)
        self.register_buffer("places", torch.arange(POSITIONS)[None])
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.exits = nn.ModuleList(Exit() for _ in range(BLOCKS))
        for part in self.modules():
            if isinstance(part, nn.LayerNorm):
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.uniform_(part.bias, -0.5, 0.5)

    def forward(self, ids):
        x = self.words(ids) + self.positions(self.places[:, : ids.shape[1]])
        x = self.norm(x + self.kinds(torch.zeros_like(ids)))
        mask = (1.0 - (ids != PADDING)[:, None, None, :].to(x.dtype)) * -10000.0
        logits = []
        for block, leave in zip(self.blocks, self.exits):
            x = block(x, mask)
            logits.append(leave(x))
        return tuple(logits)


def write_idx(path, array):
    with open(path, "wb") as file:
        file.write(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape))
        file.write(array.astype(numpy.uint8).tobytes())


def main(folder):
    torch.manual_seed(3)
    network = Network().eval()
    ids = torch.randint(1, WORDS, (SAMPLES, POSITIONS))
    for i in range(SAMPLES):
        ids[i, 2 + i % POSITIONS :] = PADDING
    labels = numpy.arange(SAMPLES) % CLASSES
    names = [f"exit{e + 1}" for e in range(BLOCKS)]
    for file, free in (("fixed", None), ("free", {"ids": {0: "n"}})):
        torch.onnx.export(network, ids[:1], os.path.join(folder, file + ".onnx"), opset_version=13,
                          input_names=["ids"], output_names=names, dynamic_axes=free)
    with torch.no_grad():
        logits = torch.stack(network(ids)).numpy()
    write_idx(os.path.join(folder, "ids.idx"), ids.numpy()[:, None])
    write_idx(os.path.join(folder, "labels.idx"), labels)
    with h5py.File(os.path.join(folder, "reference.h5"), "w") as file:
        file["logits"], file["labels"] = logits, labels.astype(numpy.int32)


main(sys.argv[1])
