# SPDX-License-Identifier: Apache-2.0
"""Attention as people export it: NAME.onnx and NAME_free.onnx (batch of 1, and free), NAME.idx
(token ids) and NAME.h5 (PyTorch's logits).

attention.py OUT_FOLDER [--large] [NAME ...]  writes small networks, or those of docs/engine.md.
"""

import argparse
import math
import os
import struct

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional as F

WORDS, CLASSES, SAMPLES = 50, 3, 20


class Linear1D(nn.Module):
    """GPT-2's Conv1D: weights stand as [inputs, outputs]."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.randn(outputs) * 0.1)

    def forward(self, x):
        y = torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight)
        return y.view(x.size()[:-1] + (self.bias.numel(),))


class ImageAttention(nn.Module):
    """As in timm's ViT: one product for q, k and v, taken apart by unbind."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        qkv = self.qkv(x).reshape(n, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        shares = (self.scores(q, k)).softmax(dim=-1)
        return self.out((shares @ v).transpose(1, 2).reshape(n, length, width))

    def scores(self, q, k):
        return (q @ k.transpose(-2, -1)) * self.scale


class ScaledQueries(ImageAttention):
    def scores(self, q, k):
        return (q * self.scale) @ k.transpose(-2, -1)


class ScaledBoth(ImageAttention):
    """As torch.nn.functional.scaled_dot_product_attention is exported."""

    def scores(self, q, k):
        root = math.sqrt(self.scale)
        return (q * root) @ (k.transpose(-2, -1) * root)


class TextAttention(nn.Module):
    """As in GPT-2: split in three, and only what came before is seen."""

    def __init__(self, width, heads, length, how="where"):
        super().__init__()
        self.width, self.heads, self.how = width, heads, how
        self.qkv, self.out = Linear1D(3 * width, width), Linear1D(width, width)
        seen = torch.tril(torch.ones(length, length, dtype=torch.bool))[None, None]
        self.register_buffer("seen", seen)
        self.register_buffer("hide", torch.zeros(length, length).masked_fill(~seen[0, 0], -1e9))

    def heads_of(self, x):
        return x.view(x.size()[:-1] + (self.heads, self.width // self.heads)).permute(0, 2, 1, 3)

    def forward(self, x):
        q, k, v = (self.heads_of(y) for y in self.qkv(x).split(self.width, dim=2))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.width // self.heads)
        if self.how == "where":
            scores = torch.where(self.seen, scores, torch.tensor(-1e4))
        else:
            scores = scores + self.hide
        mixed = torch.matmul(torch.softmax(scores, -1), v).permute(0, 2, 1, 3).contiguous()
        return self.out(mixed.view(mixed.size()[:-2] + (self.width,)))


class SelfAttention(nn.Module):
    """torch.nn.MultiheadAttention of an array with itself."""

    def __init__(self, width, heads, batch_first, hide=None):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=batch_first)
        self.batch_first = batch_first
        self.hide = hide
        nn.init.normal_(self.attention.in_proj_bias)

    def forward(self, x):
        y = x if self.batch_first else x.transpose(0, 1)
        y = self.attention(y, y, y, need_weights=False, attn_mask=self.hide)[0]
        return y if self.batch_first else y.transpose(0, 1)


class SeparateAttention(nn.Module):
    """As in BERT: three linear layers, a mask from the ids or none."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, mask=None):
        n, length, width = x.shape

        def heads(y):
            return y.view(n, length, self.heads, width // self.heads).permute(0, 2, 1, 3)

        scores = heads(self.query(x)) @ heads(self.key(x)).transpose(-1, -2)
        scores = scores / math.sqrt(width // self.heads)
        shares = torch.softmax(scores if mask is None else scores + mask, -1)
        mixed = shares @ heads(self.value(x))
        return self.out(mixed.permute(0, 2, 1, 3).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, attention, width, inner, gelu):
        super().__init__()
        self.attention, self.gelu = attention, gelu
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x):
        x = x + self.attention(self.first(x))
        return x + self.outer(self.gelu(self.inner(self.second(x))))


def new_gelu(x):
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


class Text(nn.Module):
    """Token ids through blocks to two exits, halfway and at the end."""

    def __init__(self, blocks, width, length, batch_second=False):
        super().__init__()
        self.words, self.blocks = nn.Embedding(WORDS, width), nn.ModuleList(blocks)
        self.places = nn.Parameter(torch.randn(1, length, width) * 0.1)
        self.heads = nn.ModuleList(nn.Linear(width, CLASSES) for _ in range(2))
        self.batch_second = batch_second

    def forward(self, ids):
        x = self.words(ids) + self.places
        if self.batch_second:
            x = x.transpose(0, 1)
        logits = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i + 1 in (len(self.blocks) // 2, len(self.blocks)):
                logits.append(self.heads[len(logits)](x[0] if self.batch_second else x[:, 0]))
        return tuple(logits)


class Exposed(nn.Module):
    """torch.nn.TransformerEncoderLayer by its parts, as it is computed in training."""

    def __init__(self, width, heads, inner, **how):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(width, heads, inner, dropout=0.0, **how)

    def forward(self, x):
        self.layer.train()
        for part in self.layer.modules():
            if isinstance(part, nn.Dropout):
                part.eval()
        return self.layer(x)


SIZES = {  # width, heads, tokens, blocks
    "vit": (192, 3, 197, 4),
    "gpt": (256, 4, 128, 4),
    "encoder": (128, 8, 64, 2),
}


def network(name, width, heads, length, blocks):
    def of(attention, gelu=F.gelu):
        made = (Block(attention(), width, 4 * width, gelu) for _ in range(blocks))
        return Text(made, width, length)

    def encoder(batch_second=False, **how):
        made = (Exposed(width, heads, 4 * width, **how) for _ in range(blocks))
        return Text(made, width, length, batch_second)

    hide = torch.zeros(length, length).masked_fill(torch.ones(length, length).triu(1) > 0, -1e9)
    return {
        "vit": lambda: of(lambda: ImageAttention(width, heads)),
        "queries": lambda: of(lambda: ScaledQueries(width, heads)),
        "both": lambda: of(lambda: ScaledBoth(width, heads)),
        "gpt": lambda: of(lambda: TextAttention(width, heads, length), new_gelu),
        "added": lambda: of(lambda: TextAttention(width, heads, length, "added"), new_gelu),
        "bert": lambda: of(lambda: SeparateAttention(width, heads)),
        "first": lambda: of(lambda: SelfAttention(width, heads, True)),
        "second": lambda: of(lambda: SelfAttention(width, heads, False)),
        "causal": lambda: of(lambda: SelfAttention(width, heads, True, hide)),
        "encoder": lambda: encoder(batch_first=True, activation="gelu"),
        "norm_first": lambda: encoder(batch_first=True, norm_first=True),
        "batch_second": lambda: encoder(True, activation="gelu"),
    }[name]()


NAMES = ("vit queries both gpt added bert first second causal encoder norm_first "
         "batch_second").split()


def write_idx(path, array):
    with open(path, "wb") as file:
        file.write(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape))
        file.write(array.astype(numpy.uint8).tobytes())


def write(folder, name, sizes):
    torch.manual_seed(5)
    made = network(name, *sizes).eval()
    ids = torch.randint(0, WORDS, (SAMPLES, sizes[2]))
    path = os.path.join(folder, name)
    for file, free in ((path, None), (path + "_free", {"ids": {0: "n"}})):
        torch.onnx.export(made, ids[:1], file + ".onnx", opset_version=13, input_names=["ids"],
                          output_names=["exit1", "exit2"], dynamic_axes=free,
                          training=torch.onnx.TrainingMode.PRESERVE)
    with torch.no_grad(), h5py.File(path + ".h5", "w") as file:
        file["logits"] = torch.stack(made(ids)).numpy()
        file["labels"] = numpy.arange(SAMPLES, dtype=numpy.int32) % CLASSES
    write_idx(path + ".idx", ids.numpy()[:, None])
    write_idx(os.path.join(folder, "labels.idx"), numpy.arange(SAMPLES) % CLASSES)


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("folder")
    parse.add_argument("--large", action="store_true")
    parse.add_argument("names", nargs="*")
    asked = parse.parse_args()
    for name in asked.names or (SIZES if asked.large else NAMES):
        write(asked.folder, name, SIZES[name] if asked.large else (32, 4, 9, 2))


main()
