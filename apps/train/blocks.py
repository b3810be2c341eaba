# SPDX-License-Identifier: Apache-2.0
"""What the networks are made of: convolutions, residual blocks, their first weights, their cost."""

from typing import Dict, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Logits = Tuple[Tensor, ...]
Size = Tuple[int, int]


def conv_bn(cin: int, cout: int, kernel: Size, stride: Size = (1, 1)) -> nn.Sequential:
    """Convolution with "same" padding (odd kernels) and batch normalisation."""
    pad = (kernel[0] // 2, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, pad, bias=False), nn.BatchNorm2d(cout))


def conv_bn_relu(cin: int, cout: int, kernel: Size, stride: Size = (1, 1)) -> nn.Sequential:
    """conv_bn followed by ReLU."""
    return conv_bn(cin, cout, kernel, stride).append(nn.ReLU(inplace=True))


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut (1x1 convolution where the shape changes)."""

    def __init__(self, cin: int, cout: int, kernel: Size, stride: Size = (1, 1)):
        super().__init__()
        self.body = conv_bn_relu(cin, cout, kernel, stride)
        self.body.append(conv_bn(cout, cout, kernel))
        same = cin == cout and stride == (1, 1)
        self.shortcut = nn.Identity() if same else conv_bn(cin, cout, (1, 1), stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


def init_weights(model: nn.Module) -> nn.Module:
    """He initialisation of the convolutions (the linear layers keep PyTorch's)."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    return model


@torch.no_grad()
def count_macs(model: nn.Module, sample: Tensor) -> Dict[nn.Module, int]:
    """Multiply-adds of every convolution and linear layer for one sample."""
    macs: Dict[nn.Module, int] = {}

    def count(layer: nn.Module, _, out: Tensor) -> None:
        macs[layer] = out[0].numel() * layer.weight[0].numel()

    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [m.register_forward_hook(count) for m in layers]
    model(sample)
    for hook in hooks:
        hook.remove()
    return macs
