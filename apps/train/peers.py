# SPDX-License-Identifier: Apache-2.0
"""The networks on which engines are compared, with random weights.

peers.py [--batches 1,8] OUT_FOLDER [NAME...]  writes NAME.b1.onnx and NAME.b8.onnx.

The weights are fitted to random input: every convolution and linear layer is scaled so that what
it gives has a deviation of one, and batch normalisation knows its statistics.  Without that the
last layer's bias drowns what the network makes of its input, and engines would agree whatever they
computed.
"""

import argparse
import math
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from models import BasicBlock, balexnet_cifar10, conv_bn_relu

FIT_SAMPLES = 16
BIAS = 0.1
THREE = (3, 3)


def resnet18_cifar(classes: int = 10) -> nn.Module:
    """ResNet-18 for 3x32x32."""
    layers: List[nn.Module] = [conv_bn_relu(3, 64, THREE)]
    cin = 64
    for width in (64, 128, 256, 512):
        stride = (1, 1) if width == 64 else (2, 2)
        layers += [BasicBlock(cin, width, THREE, stride), BasicBlock(width, width, THREE)]
        cin = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, classes))


class WideBlock(nn.Module):
    """Batch normalisation and ReLU before each of two convolutions, and a shortcut."""

    def __init__(self, cin: int, cout: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(cin), nn.ReLU(), nn.Conv2d(cin, cout, 3, stride, 1, bias=False),
            nn.BatchNorm2d(cout), nn.ReLU(), nn.Conv2d(cout, cout, 3, 1, 1, bias=False))
        same = cin == cout and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        # where the shape changes, the shortcut begins behind the first ReLU
        start = x if isinstance(self.shortcut, nn.Identity) else self.body[:2](x)
        return self.body(x) + self.shortcut(start)


def wide_resnet(depth: int, factor: int, classes: int = 10) -> nn.Module:
    """WRN-depth-factor (Zagoruyko and Komodakis, 2016) for 3x32x32."""
    layers: List[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)]
    cin = 16
    for width in (16 * factor, 32 * factor, 64 * factor):
        for block in range((depth - 4) // 6):
            layers.append(WideBlock(cin, width, 2 if block == 0 and width > 16 * factor else 1))
            cin = width
    return nn.Sequential(*layers, nn.BatchNorm2d(cin), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(cin, classes))


def balexnet_main() -> nn.Module:
    """B-AlexNet's main branch alone."""
    whole = balexnet_cifar10()
    return nn.Sequential(*whole.parts, whole.heads[-1])


class Encoder(nn.Module):
    """One layer of BERT: attention and two linear layers, each with a sum and a normalisation."""

    def __init__(self, width: int = 768, heads: int = 12, inner: int = 3072):
        super().__init__()
        self.heads, self.scale = heads, 1 / math.sqrt(width // heads)
        self.query, self.key, self.value, self.merge = (nn.Linear(width, width) for _ in range(4))
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.first, self.second = nn.LayerNorm(width, 1e-12), nn.LayerNorm(width, 1e-12)

    def attend(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        q, k, v = (part(x).view(n, tokens, self.heads, -1).transpose(1, 2)
                   for part in (self.query, self.key, self.value))
        scores = torch.matmul(q, k.transpose(-1, -2)) * self.scale
        mixed = torch.matmul(torch.softmax(scores, -1), v)
        return self.merge(mixed.transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x + self.attend(x))
        return self.second(x + self.outer(F.gelu(self.inner(x))))


def bert() -> nn.Module:
    """BERT-base behind its embeddings."""
    return nn.Sequential(*(Encoder() for _ in range(12)))


PICTURE, SMALL = (3, 224, 224), (3, 32, 32)
PEERS: Dict[str, Tuple[Callable[[], nn.Module], Tuple[int, ...]]] = {
    "vgg16": (torchvision.models.vgg16, PICTURE),
    "resnet50": (torchvision.models.resnet50, PICTURE),
    "mobilenetv2": (torchvision.models.mobilenet_v2, PICTURE),
    "resnet18c": (resnet18_cifar, SMALL),
    "wrn28_4": (lambda: wide_resnet(28, 4), SMALL),
    "wrn16_4": (lambda: wide_resnet(16, 4), SMALL),
    "alexc": (balexnet_main, SMALL),
    "bert_s128": (bert, (128, 768)),
    "bert_s16": (bert, (16, 768)),
}


def scale_to_one(layer: nn.Module, _, out: Tensor) -> Tensor:
    """Forward hook: divide weights and output by the deviation of the output."""
    deviation = out.std()
    layer.weight.data /= deviation
    return out / deviation


@torch.no_grad()
def fit(model: nn.Module, shape: Tuple[int, ...]) -> nn.Module:
    """Fit the weights to random input; biases come afterwards, and small."""
    hooks = []
    for part in model.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            hooks.append(part.register_forward_hook(scale_to_one))
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the mean of what was seen
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    model.train()(2 * torch.rand(FIT_SAMPLES, *shape) - 1)
    for hook in hooks:
        hook.remove()
    for part in model.modules():
        if getattr(part, "bias", None) is not None:
            nn.init.uniform_(part.bias, -BIAS, BIAS)
    return model.eval()


def write(name: str, folder: Path, batches: List[int]) -> None:
    """Make, fit and export one network."""
    make, shape = PEERS[name]
    torch.manual_seed(1)
    model = fit(make(), shape)
    for batch in batches:
        path = folder / f"{name}.b{batch}.onnx"
        torch.onnx.export(model, torch.zeros(batch, *shape), str(path), opset_version=13,
                          input_names=["x"], output_names=["y"])
        print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", nargs="*", default=list(PEERS), help="default: all")
    parser.add_argument("--batches", default="1,8", help="default 1,8")
    args = parser.parse_args()
    unknown = set(args.name) - set(PEERS)
    if unknown:
        parser.error(f"no network is called {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(PEERS)}")
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.name:
        write(name, args.folder, [int(b) for b in args.batches.split(",")])


if __name__ == "__main__":
    main()
