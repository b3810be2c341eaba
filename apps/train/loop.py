# SPDX-License-Identifier: Apache-2.0
"""The training loop: joint loss over all exits, SGD, one-cycle schedule."""

import random
import time
from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import Augment, Preprocess, Samples


@dataclass
class Recipe:
    """What a training run depends on besides the network and the data."""

    epochs: int
    rate: float                  # peak learning rate of the one-cycle schedule
    exit_weights: Sequence[float]
    batch: int = 128
    decay: float = 5e-4
    clip: float = 0.0            # limit of the gradient norm; 0 = none
    seed: int = 1
    bf16: bool = False           # autocast to bfloat16 in training (evaluation never)


def seed_everything(seed: int, threads: int) -> None:
    """Same seed, same threads, same machine: same weights."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


@torch.no_grad()
def logits_of(model: nn.Module, pre: Preprocess, x: Tensor, batch: int = 500) -> Tensor:
    """Logits in float32 as [exits, n, classes]."""
    model.eval()
    parts = [torch.stack(model(pre(x[i:i + batch]))) for i in range(0, len(x), batch)]
    return torch.cat(parts, 1)


def accuracy(logits: Tensor, labels: Tensor) -> List[float]:
    """Share of right answers per exit."""
    return [(e.argmax(1) == labels).double().mean().item() for e in logits]


def joint_loss(logits: Tuple[Tensor, ...], labels: Tensor, weights: Sequence[float]) -> Tensor:
    """Weighted sum of the exits' cross-entropies."""
    terms = [w * F.cross_entropy(e.float(), labels) for w, e in zip(weights, logits)]
    return torch.stack(terms).sum()


def parameter_groups(model: nn.Module, decay: float) -> List[dict]:
    """Weight decay on weights only, not on biases and normalisation parameters."""
    heavy = [p for p in model.parameters() if p.dim() > 1]
    light = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]


def fit(model: nn.Module, pre: Preprocess, train: Samples, watch: Samples, augment: Augment,
        recipe: Recipe) -> None:
    """Train in place; `watch` is only printed, nothing is chosen by it."""
    model.to(memory_format=torch.channels_last)
    steps = len(train) // recipe.batch
    opt = torch.optim.SGD(parameter_groups(model, recipe.decay), lr=recipe.rate, momentum=0.9,
                          nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        opt, recipe.rate, total_steps=steps * recipe.epochs, pct_start=0.25,
        div_factor=10, final_div_factor=1000, cycle_momentum=False)
    for epoch in range(recipe.epochs):
        start = time.time()
        loss = run_epoch(model, pre, train, augment, recipe, opt, schedule)
        took = time.time() - start
        shown = accuracy(logits_of(model, pre, watch.x), watch.y)
        print(f"epoch {epoch + 1}/{recipe.epochs} loss {loss:.4f} watch "
              + " ".join(f"{a:.4f}" for a in shown) + f" {took:.1f} s", flush=True)


def run_epoch(model: nn.Module, pre: Preprocess, train: Samples, augment: Augment,
              recipe: Recipe, opt: torch.optim.Optimizer, schedule) -> float:
    """One pass over the shuffled samples; returns the mean loss."""
    model.train()
    total, steps = 0.0, len(train) // recipe.batch
    order = torch.randperm(len(train))
    for i in range(steps):
        rows = order[i * recipe.batch:(i + 1) * recipe.batch]
        x = pre(augment(train.x, rows)).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            logits = model(x)
        loss = joint_loss(logits, train.y[rows], recipe.exit_weights)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        opt.step()
        schedule.step()
        total += loss.item()
    return total / steps
