# SPDX-License-Identifier: Apache-2.0
"""The multi-exit networks.

Every network returns a tuple of logits, one per exit, from the first exit to
the final one; a network with scores returns those of the early exits, in
[0, 1] with one column each, behind them.  The ONNX exporter turns that tuple
into the graph outputs, and the importer of EdgeExit takes each graph output as
one exit or the score of one.
"""

from typing import Callable, Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blocks import BasicBlock, Logits, Size, conv_bn_relu, count_macs, init_weights
from branches import Branches
from wide_resnet import WideResNet


class Head(nn.Module):
    """Exit head: optional strided convolution, global average pool, linear layer."""

    def __init__(self, cin: int, classes: int, hidden: int = 0, kernel: Size = (3, 3),
                 stride: Size = (2, 2)):
        super().__init__()
        self.conv = conv_bn_relu(cin, hidden, kernel, stride) if hidden else nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(hidden or cin, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(torch.flatten(self.pool(self.conv(x)), 1))


class ScoredHead(Head):
    """Exit block of EENets: a classifier and a confidence branch on the same pooled features."""

    def __init__(self, cin: int, classes: int, hidden: int = 0, kernel: Size = (3, 3),
                 stride: Size = (2, 2)):
        super().__init__(cin, classes, hidden, kernel, stride)
        self.score = nn.Linear(hidden or cin, 1)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        features = torch.flatten(self.pool(self.conv(x)), 1)
        return self.linear(features), torch.sigmoid(self.score(features))


class MultiExit(nn.Module):
    """A chain of parts with one head after each part."""

    def __init__(self, parts: Sequence[nn.Module], heads: Sequence[nn.Module]):
        super().__init__()
        assert len(parts) == len(heads)
        self.parts = nn.ModuleList(parts)
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> Logits:
        logits: List[Tensor] = []
        for part, head in zip(self.parts, self.heads):
            x = part(x)
            logits.append(head(x))
        return tuple(logits)


class ScoredMultiExit(MultiExit):
    """The same with heads that score, all but the last."""

    def forward(self, x: Tensor) -> Logits:
        logits: List[Tensor] = []
        scores: List[Tensor] = []
        for part, head in zip(self.parts[:-1], self.heads[:-1]):
            x = part(x)
            said, score = head(x)
            logits.append(said)
            scores.append(score)
        logits.append(self.heads[-1](self.parts[-1](x)))
        return tuple(logits + scores)


def split_outputs(outputs: Logits) -> Tuple[Logits, Logits]:
    """The logits of all exits, and the scores of the early ones, if there are any."""
    exits = [o for o in outputs if o.shape[1] > 1]
    return tuple(exits), tuple(outputs[len(exits):])


def relative_costs(model: nn.Module, sample: Tensor) -> List[float]:
    """Multiply-adds until each exit, the heads on the way included, over those of all."""
    macs = count_macs(model, sample)
    until, costs = 0, []
    for part, head in zip(model.parts, model.heads):
        until += sum(macs.get(m, 0) for m in [*part.modules(), *head.modules()])
        costs.append(until)
    return [c / until for c in costs]


def resnet_cifar10(classes: int = 10) -> nn.Module:
    """Residual network for 3x32x32: three stages of two blocks, an exit after each."""
    k, down = (3, 3), (2, 2)
    parts = [
        nn.Sequential(conv_bn_relu(3, 32, k), BasicBlock(32, 32, k), BasicBlock(32, 32, k)),
        nn.Sequential(BasicBlock(32, 64, k, down), BasicBlock(64, 64, k)),
        nn.Sequential(BasicBlock(64, 128, k, down), BasicBlock(128, 128, k)),
    ]
    heads = [Head(32, classes, 32), Head(64, classes, 64), Head(128, classes)]
    return init_weights(MultiExit(parts, heads))


def balexnet_cifar10(classes: int = 10) -> nn.Module:
    """B-AlexNet of BranchyNet for 3x32x32, without local response normalisation."""

    def conv_relu(cin: int, cout: int, k: int) -> List[nn.Module]:
        return [nn.Conv2d(cin, cout, k, padding=k // 2), nn.ReLU(inplace=True)]

    def side(cin: int, hidden: int, cells: int) -> nn.Module:
        return nn.Sequential(*conv_relu(cin, hidden, 3), nn.MaxPool2d(3, 2), nn.Flatten(),
                             nn.Linear(hidden * cells * cells, classes))

    parts = [  # 32x32 -> 15x15 -> 7x7 -> 3x3
        nn.Sequential(*conv_relu(3, 32, 5), nn.MaxPool2d(3, 2)),
        nn.Sequential(*conv_relu(32, 64, 5), nn.MaxPool2d(3, 2)),
        nn.Sequential(*conv_relu(64, 96, 3), *conv_relu(96, 96, 3), *conv_relu(96, 64, 3),
                      nn.MaxPool2d(3, 2)),
    ]
    final = nn.Sequential(
        nn.Flatten(), nn.Linear(64 * 9, 256), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(256, 128), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(128, classes))
    return init_weights(MultiExit(parts, [side(32, 16, 7), side(64, 16, 3), final]))


def modnet(classes: int = 11, widths: Sequence[int] = (24, 36, 52, 72),
           scored: bool = False) -> nn.Module:
    """Modulation classifier for 2x1x128 frames: four residual parts of 1xk kernels.

    Each part halves the length and about doubles the channel product, so the
    work of the parts is similar and the network cuts well over four devices.
    """
    k, down = (1, 5), (1, 2)
    parts: List[nn.Module] = []
    cin = widths[0]
    for i, w in enumerate(widths):
        blocks = [conv_bn_relu(2, cin, (1, 7))] if i == 0 else []
        blocks += [BasicBlock(cin, w, k, down if i else (1, 1)), BasicBlock(w, w, k)]
        parts.append(nn.Sequential(*blocks))
        cin = w
    early = ScoredHead if scored else Head
    heads = [early(w, classes, 16, (1, 3), (1, 4)) for w in widths[:2]]
    heads += [early(widths[2], classes), Head(widths[3], classes)]
    return init_weights((ScoredMultiExit if scored else MultiExit)(parts, heads))


def modnet_scored(classes: int = 11) -> nn.Module:
    """A modnet of half the widths whose early exits have learned scores."""
    return modnet(classes, (12, 18, 26, 36), scored=True)


class PadChannels(torch.autograd.Function):
    """Zero channels before and after; exports as one Pad with constant widths.

    F.pad itself would export a chain of shape arithmetic with a Slice in it.
    """

    @staticmethod
    def forward(ctx, x: Tensor, extra: int) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, extra, extra))

    @staticmethod
    def symbolic(g, x, extra: int):
        pads = torch.tensor([0, extra, 0, 0, 0, extra, 0, 0])
        return g.op("Pad", x, g.op("Constant", value_t=pads))


class OptionABlock(nn.Module):
    """BasicBlock of the CIFAR ResNets with the parameter-free shortcut "A".

    The original shortcut takes every second pixel, x[:, :, ::2, ::2], and pads
    the channels with zeros.  A 1x1 max pool with stride 2 takes the same pixels
    and exports as MaxPool, which the importer knows, instead of Slice.
    """

    def __init__(self, cin: int, cout: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.stride, self.extra = stride, (cout - cin) // 2

    def shortcut(self, x: Tensor) -> Tensor:
        if not self.extra:
            return x
        return PadChannels.apply(F.max_pool2d(x, 1, self.stride), self.extra)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    """ResNet-20 for CIFAR-10; attribute names follow the published weights."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._layer(16, 16, 1)
        self.layer2 = self._layer(16, 32, 2)
        self.layer3 = self._layer(32, 64, 2)
        self.linear = nn.Linear(64, classes)

    @staticmethod
    def _layer(cin: int, cout: int, stride: int) -> nn.Sequential:
        return nn.Sequential(OptionABlock(cin, cout, stride), OptionABlock(cout, cout, 1),
                             OptionABlock(cout, cout, 1))

    def forward(self, x: Tensor) -> Logits:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return (self.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)),)


MODELS: Dict[str, Callable[..., nn.Module]] = {
    "resnet_cifar10": resnet_cifar10,
    "balexnet_cifar10": balexnet_cifar10,
    "modnet": modnet,
    "modnet_scored": modnet_scored,
    "resnet20": ResNet20,
    "wide_resnet": WideResNet,
    "branches": Branches,
}


def build(name: str, state: Optional[Dict[str, Tensor]] = None, **options) -> nn.Module:
    """Make the network called `name` of these sizes, with the weights of `state` if given."""
    model = MODELS[name](**options)
    if state is not None:
        model.load_state_dict(state)
    return model
