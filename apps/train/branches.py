# SPDX-License-Identifier: Apache-2.0
"""A network of parallel branches that answers after every stage (a reconstruction of DistrEE).

K narrow residual networks read the same input, one device each.  After stage e each of them gives a
feature of D numbers; those of the branches that are present are fused to F_e, and a head answers
from it.  D is the same everywhere, so that F_e and F_(e-1) can be compared: the score of an exit is
1 / (1 + d_e) with d_e = |F_e - F_(e-1)| / (|F_(e-1)| + eps), norms being roots of mean squares, or
with another difference.

The paper (arXiv 2502.15735) gives no equations; see README.md for what is ours.
"""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from blocks import BasicBlock, Logits, conv_bn_relu, count_macs, init_weights

STAGES = ((1, 1, 1), (2, 2, 2), (4, 2, 2), (4, 1, 2))  # width factor, stride, blocks
FUSIONS = ("mean", "sum", "concat")
DIFFERENCES = ("relative", "l2", "cosine")  # of features
EPSILON = 1e-6


class Projection(nn.Module):
    """Global average, then D numbers."""

    def __init__(self, cin: int, features: int):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(cin, features)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(torch.flatten(self.pool(x), 1))


class Branch(nn.Module):
    """What one device computes: stage1, project1, stage2, project2, ..."""

    def __init__(self, width: int, features: int):
        super().__init__()
        cin = width
        for e, (factor, stride, blocks) in enumerate(STAGES, 1):
            parts: List[nn.Module] = [conv_bn_relu(3, width, (3, 3))] if e == 1 else []
            for b in range(blocks):
                step = (stride, stride) if b == 0 else (1, 1)
                parts.append(BasicBlock(cin, factor * width, (3, 3), step))
                cin = factor * width
            self.add_module(f"stage{e}", nn.Sequential(*parts))
            self.add_module(f"project{e}", Projection(cin, features))

    def forward(self, x: Tensor, stage: int) -> Tuple[Tensor, Tensor]:
        """What the next stage reads, and the feature."""
        x = getattr(self, f"stage{stage}")(x)
        return x, getattr(self, f"project{stage}")(x)


class Fusion(nn.Module):
    """One feature of those of the branches that are present; None stands for an absent one.

    With m of K branches present, K / m times what zeros for the absent ones give: mean is then the
    mean of the present ones, sum has a learned weight for each branch, which add up to 1 over all,
    and concat stands side by side.
    """

    def __init__(self, rule: str, branches: int, features: int):
        super().__init__()
        self.rule, self.width = rule, features * (branches if rule == "concat" else 1)
        self.share = nn.Parameter(torch.zeros(branches)) if rule == "sum" else None

    def forward(self, features: Sequence[Optional[Tensor]]) -> Tensor:
        here = [k for k, f in enumerate(features) if f is not None]
        if self.rule == "mean":
            return added([features[k] for k in here]) * (1 / len(here))
        if self.rule == "concat":
            zeros = features[here[0]] * 0  # zeros_like would export operators on shapes
            fused = torch.cat([zeros if f is None else f for f in features], 1)
        else:
            share = torch.softmax(self.share, 0)
            weights = share if self.training else share.tolist()  # constants in an exported graph
            fused = added([features[k] * weights[k] for k in here])
        return fused if len(here) == len(features) else fused * (len(features) / len(here))


def added(terms: Sequence[Tensor]) -> Tensor:
    """The sum, from the first to the last."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


class Score(nn.Module):
    """1 / (1 + d) of two successive fused features: near 1 where nothing changed.

    With F the later and G the earlier, d is for `relative` |F - G| / (|G| + eps), for `l2` |F - G|,
    for `cosine` 1 - cos(F, G).
    """

    def __init__(self, difference: str = "relative"):
        super().__init__()
        self.difference = difference

    def forward(self, now: Tensor, before: Tensor) -> Tensor:
        if self.difference == "cosine":
            size = root_mean_square(now) * root_mean_square(before) + EPSILON ** 2
            return size / (size + size - (now * before).mean(1, keepdim=True))
        moved = root_mean_square(now - before)
        size = torch.ones(1, 1) if self.difference == "l2" else root_mean_square(before) + EPSILON
        return size / (size + moved)


def root_mean_square(x: Tensor) -> Tensor:
    return torch.sqrt((x * x).mean(1, keepdim=True))


Stage = Tuple[Tensor, Tensor, List[Tensor]]  # fused feature, logits, maps of the branches


@dataclass
class Answers:
    """What a forward pass made, stage by stage."""

    logits: List[Tensor]  # [n, classes]
    fused: List[Tensor]   # [n, D], with concatenation [n, K D]
    maps: List[List[Tensor]]  # of each present branch: [n, channels, h, w]


class Branches(nn.Module):
    """K branches of first width `width`, and for each stage a fusion, a head and a score."""

    def __init__(self, branches: int = 4, width: int = 16, features: int = 64,
                 fusion: str = "mean", classes: int = 10):
        super().__init__()
        self.count = branches
        self.present: Optional[Sequence[int]] = None  # the branches that forward() has; None: all
        for k in range(1, branches + 1):
            self.add_module(f"branch{k}", Branch(width, features))
        for e in range(1, len(STAGES) + 1):
            fuse = Fusion(fusion, branches, features)
            self.add_module(f"fusion{e}", fuse)
            self.add_module(f"head{e}", nn.Linear(fuse.width, classes))
            self.add_module(f"score{e}", Score())
        init_weights(self)

    def answer(self, features: Sequence[Optional[Tensor]], stage: int) -> Tuple[Tensor, Tensor]:
        """Fused feature and logits of a stage from the features of the branches."""
        fused = getattr(self, f"fusion{stage}")(features)
        return fused, getattr(self, f"head{stage}")(fused)

    def stages(self, x: Tensor, present: Optional[Sequence[int]]) -> Iterator[Stage]:
        """One stage after the other, of the branches `present`, from 0; None: of all."""
        here = range(self.count) if present is None else present
        at = {k: x for k in here}
        for e in range(1, len(STAGES) + 1):
            features: List[Optional[Tensor]] = [None] * self.count
            for k in here:
                at[k], features[k] = getattr(self, f"branch{k + 1}")(at[k], e)
            fused, logits = self.answer(features, e)
            yield fused, logits, [at[k] for k in here]

    def compute(self, x: Tensor, present: Optional[Sequence[int]] = None) -> Answers:
        """All stages with the branches `present`, from 0; None: with all."""
        made = Answers([], [], [])
        for fused, logits, maps in self.stages(x, present):
            made.fused.append(fused)
            made.logits.append(logits)
            made.maps.append(maps)
        return made

    def features(self, x: Tensor) -> Tensor:
        """Features of every branch and stage, [K, E, n, D]."""
        rows = []
        for k in range(1, self.count + 1):
            at, row = x, []
            for e in range(1, len(STAGES) + 1):
                at, feature = getattr(self, f"branch{k}")(at, e)
                row.append(feature)
            rows.append(torch.stack(row))
        return torch.stack(rows)

    def forward(self, x: Tensor) -> Logits:
        """Logits of all exits, then scores of the exits that have one before and one behind.

        A score is computed at its exit: in an exported graph nothing that an exit needs may stand
        behind the stages that follow.
        """
        exits, scores, before = [], [], None
        for e, (fused, logits, _) in enumerate(self.stages(x, self.present), 1):
            exits.append(logits)
            if 1 < e < len(STAGES):
                scores.append(getattr(self, f"score{e}")(fused, before))
            before = fused
        return tuple(exits + scores)


@dataclass
class Costs:
    """Multiply-adds for one sample."""

    branch: List[List[int]]  # [K][E], projections included
    head: List[int]          # [E]

    def until(self, present: Sequence[int]) -> List[int]:
        """Of a sample that leaves after each stage, over all devices, heads included."""
        total, until = 0, []
        for e, head in enumerate(self.head):
            total += head + sum(self.branch[k][e] for k in present)
            until.append(total)
        return until


def costs_of(model: Branches, sample: Tensor) -> Costs:
    """What every stage of every branch, and every head, costs."""
    macs: Dict[nn.Module, int] = count_macs(model, sample)

    def within(*parts: nn.Module) -> int:
        return sum(macs.get(m, 0) for part in parts for m in part.modules())

    stages = range(1, len(STAGES) + 1)
    branches = [getattr(model, f"branch{k + 1}") for k in range(model.count)]
    return Costs([[within(getattr(b, f"stage{e}"), getattr(b, f"project{e}")) for e in stages]
                  for b in branches],
                 [within(getattr(model, f"head{e}")) for e in stages])
