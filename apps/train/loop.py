# SPDX-License-Identifier: Apache-2.0
"""The training loop: joint loss over all exits, SGD, one-cycle schedule."""

import random
import time
from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import Augment, Preprocess, Samples
from models import relative_costs, split_outputs

Loss = Callable[[Tensor, Tensor], Tensor]  # (batch, labels) -> loss
Schedule = torch.optim.lr_scheduler.OneCycleLR


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
    price: float = 0.0           # of the mean cost in the loss of a network with scores
    joint: int = 0               # first epochs of such a network, with the joint loss


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
    return outputs_of(model, pre, x, batch)[0]


@torch.no_grad()
def outputs_of(model: nn.Module, pre: Preprocess, x: Tensor,
               batch: int = 500) -> Tuple[Tensor, Optional[Tensor]]:
    """Logits as [exits, n, classes], and scores as [early exits, n], None if there are none."""
    model.eval()
    parts = [split_outputs(model(pre(x[i:i + batch]))) for i in range(0, len(x), batch)]
    logits = torch.cat([torch.stack(said) for said, _ in parts], 1)
    if not parts[0][1]:
        return logits, None
    return logits, torch.cat([torch.cat(scores, 1).T for _, scores in parts], 1)


def accuracy(logits: Tensor, labels: Tensor) -> List[float]:
    """Share of right answers per exit."""
    return [(e.argmax(1) == labels).double().mean().item() for e in logits]


def joint_loss(logits: Tuple[Tensor, ...], labels: Tensor, weights: Sequence[float]) -> Tensor:
    """Weighted sum of the exits' cross-entropies."""
    terms = [w * F.cross_entropy(e.float(), labels) for w, e in zip(weights, logits)]
    return torch.stack(terms).sum()


def blended_loss(outputs: Tuple[Tensor, ...], labels: Tensor, costs: Sequence[float],
                 price: float) -> Tensor:
    """EENets: cross-entropy of the blended answer plus the price of the mean cost.

    From the last exit back, Y_i = h_i y_i + (1 - h_i) Y_(i+1), and the cost C_i likewise.  The
    loss of Y_i and C_i is summed over the exits i, so that every classifier is trained also where
    the scores of the exits before it are high; its first term alone is the loss of Y_0.
    """
    logits, scores = split_outputs(outputs)
    answer = F.softmax(logits[-1].float(), 1)
    cost = torch.full((len(labels), 1), costs[-1])
    total = F.nll_loss(torch.log(answer + 1e-7), labels)
    for said, score, until in reversed(list(zip(logits, scores, costs))):
        h = score.float()
        answer = h * F.softmax(said.float(), 1) + (1 - h) * answer
        cost = h * until + (1 - h) * cost
        total = total + F.nll_loss(torch.log(answer + 1e-7), labels) + price * cost.mean()
    return total


def parameter_groups(model: nn.Module, decay: float) -> List[dict]:
    """Weight decay on weights only, not on biases and normalisation parameters."""
    heavy = [p for p in model.parameters() if p.dim() > 1]
    light = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]


def descent(parts: nn.Module, steps: int, recipe: Recipe) -> Tuple[torch.optim.Optimizer, Schedule]:
    """Stochastic gradient descent with momentum, and one cycle of rates over `steps`."""
    opt = torch.optim.SGD(parameter_groups(parts, recipe.decay), lr=recipe.rate, momentum=0.9,
                          nesterov=True)
    return opt, torch.optim.lr_scheduler.OneCycleLR(
        opt, recipe.rate, total_steps=steps, pct_start=0.25, div_factor=10,
        final_div_factor=1000, cycle_momentum=False)


def exits_loss(model: nn.Module, recipe: Recipe, costs: Optional[Sequence[float]]) -> Loss:
    """The joint loss of all exits, blended if there are costs."""

    def loss_of(x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            outputs = model(x)
        if costs is None:
            return joint_loss(split_outputs(outputs)[0], y, recipe.exit_weights)
        return blended_loss(outputs, y, costs, recipe.price)

    return loss_of


def fit(model: nn.Module, pre: Preprocess, train: Samples, watch: Samples, augment: Augment,
        recipe: Recipe) -> None:
    """Train in place; `watch` is only printed, nothing is chosen by it."""
    model.to(memory_format=torch.channels_last)
    costs = relative_costs(model.eval(), pre(train.x[:1])) if recipe.price else None
    opt, schedule = descent(model, len(train) // recipe.batch * recipe.epochs, recipe)
    for epoch in range(recipe.epochs):
        start = time.time()
        loss_of = exits_loss(model, recipe, costs if epoch >= recipe.joint else None)
        loss = run_epoch(model, pre, train, augment, recipe, loss_of, opt, schedule)
        took = time.time() - start
        print(f"epoch {epoch + 1}/{recipe.epochs} loss {loss:.4f} watch "
              f"{watched(model, pre, watch)} {took:.1f} s", flush=True)


def watched(model: nn.Module, pre: Preprocess, watch: Samples) -> str:
    """Accuracy per exit, to print."""
    return " ".join(f"{a:.4f}" for a in accuracy(logits_of(model, pre, watch.x), watch.y))


def run_epoch(model: nn.Module, pre: Preprocess, train: Samples, augment: Augment,
              recipe: Recipe, loss_of: Loss, opt: torch.optim.Optimizer,
              schedule: Schedule) -> float:
    """One pass over the shuffled samples; returns the mean loss."""
    model.train()
    total, steps = 0.0, len(train) // recipe.batch
    order = torch.randperm(len(train))
    for i in range(steps):
        rows = order[i * recipe.batch:(i + 1) * recipe.batch]
        x = pre(augment(train.x, rows)).contiguous(memory_format=torch.channels_last)
        loss = loss_of(x, train.y[rows])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        opt.step()
        schedule.step()
        total += loss.item()
    return total / steps
