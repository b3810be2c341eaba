# SPDX-License-Identifier: Apache-2.0
"""What a branched network says with every choice of its branches, and how its features move.

The arrays, as they are written to an .npz file, S = 2^K - 1 choices of branches, R rules of
leaving.DIFFERENCES:

    label [n]                  present [S, K] bool, by number of branches, all of them last
    logits [S, E, n, classes]  stage_difference [R, S, E, n], NaN at the first stage
    order [K]                  branch_difference [R, E, K, n]: from the first k - 1 branches of the
                               order to the first k, NaN at the first
    branch_macs [K, E]         head_macs [E]
"""

from itertools import combinations
from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

import leaving
from branches import Branches, costs_of
from checkpoint import Checkpoint
from data import Samples

Said = Tuple[ndarray, ndarray]  # fused features [E, n, D], logits [E, n, classes]


def choices(branches: int) -> List[Tuple[int, ...]]:
    """Every way to have at least one branch, the fewer the earlier."""
    return [c for m in range(1, branches + 1) for c in combinations(range(branches), m)]


@torch.no_grad()
def features_of(made: Checkpoint, samples: Samples, batch: int = 500) -> Tensor:
    """[K, E, n, D]"""
    model = made.model()
    return torch.cat([model.features(made.pre(samples.x[i:i + batch]))
                      for i in range(0, len(samples), batch)], 2)


@torch.no_grad()
def say(model: Branches, features: Tensor, present: Sequence[int]) -> Said:
    """Fused features and logits of all stages with these branches."""
    stages = [model.answer([features[k, e] if k in present else None
                            for k in range(model.count)], e + 1)
              for e in range(features.shape[1])]
    return (torch.stack([fused for fused, _ in stages]).numpy(),
            torch.stack([logits for _, logits in stages]).numpy())


def stacked(rows: List[Dict[str, ndarray]], axis: int) -> ndarray:
    """Differences by rule, [R, ...] with the rows along `axis`."""
    return np.stack([np.stack([row[rule] for row in rows], axis - 1)
                     for rule in leaving.DIFFERENCES]).astype(np.float32)


def between_branches(model: Branches, features: Tensor, order: Sequence[int]) -> ndarray:
    """How far each further branch moves what those before it say, [R, E, K, n]."""
    said = [say(model, features, order[:k]) for k in range(1, model.count + 1)]
    rows = [leaving.differences(np.stack([fused[e] for fused, _ in said]),
                                np.stack([logits[e] for _, logits in said]))
            for e in range(features.shape[1])]
    return stacked(rows, 1)


def answers_of(made: Checkpoint, samples: Samples, order: Sequence[int]) -> Dict[str, ndarray]:
    """The arrays above."""
    model, features = made.model(), features_of(made, samples)
    subsets = choices(model.count)
    said = [say(model, features, present) for present in subsets]
    costs = costs_of(model, torch.zeros(1, *made.input_shape))
    return {
        "label": samples.y.numpy(),
        "present": np.array([[k in s for k in range(model.count)] for s in subsets]),
        "logits": np.stack([logits for _, logits in said]),
        "stage_difference": stacked([leaving.differences(*s) for s in said], 1),
        "order": np.array(order),
        "branch_difference": between_branches(model, features, order),
        "branch_macs": np.array(costs.branch), "head_macs": np.array(costs.head),
    }
