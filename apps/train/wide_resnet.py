# SPDX-License-Identifier: Apache-2.0
"""The teacher: a wide residual network for 3x32x32 (Zagoruyko and Komodakis, arXiv 1605.07146)."""

from dataclasses import dataclass
from typing import List

import torch.nn.functional as F
from torch import Tensor, nn

from blocks import Logits, init_weights


class PreactivatedBlock(nn.Module):
    """Normalise and rectify before each of two convolutions; the shortcut shares the first."""

    def __init__(self, cin: int, cout: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(cin, cout, 1, stride, bias=False) if cin != cout else None

    def forward(self, x: Tensor) -> Tensor:
        rectified = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(rectified))))
        return y + (x if self.shortcut is None else self.shortcut(rectified))


@dataclass
class Lesson:
    """What a student learns from."""

    logits: Tensor      # [n, classes]
    features: Tensor    # [n, width], what the classifier reads
    maps: List[Tensor]  # [n, channels, h, w] behind each group, large to small


class WideResNet(nn.Module):
    """Depth 6 blocks + 4; groups of 16, 32, 64 channels times `widen`."""

    def __init__(self, depth: int = 16, widen: int = 3, classes: int = 10):
        super().__init__()
        blocks, widths = (depth - 4) // 6, [16 * widen << g for g in range(3)]
        assert depth == 6 * blocks + 4
        self.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.groups = nn.ModuleList()
        cin = 16
        for g, width in enumerate(widths):
            strides = [2 if g else 1] + [1] * (blocks - 1)
            self.groups.append(nn.Sequential(*(
                PreactivatedBlock(cin if b == 0 else width, width, s)
                for b, s in enumerate(strides))))
            cin = width
        self.bn = nn.BatchNorm2d(cin)
        self.linear = nn.Linear(cin, classes)
        init_weights(self)

    def teach(self, x: Tensor) -> Lesson:
        maps: List[Tensor] = []
        x = self.stem(x)
        for group in self.groups:
            x = group(x)
            maps.append(x)
        maps[-1] = F.relu(self.bn(x))
        features = maps[-1].mean((2, 3))
        return Lesson(self.linear(features), features, maps)

    def forward(self, x: Tensor) -> Logits:
        return (self.teach(x).logits,)
