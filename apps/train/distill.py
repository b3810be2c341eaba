# SPDX-License-Identifier: Apache-2.0
"""What students learn from a teacher, and a training loop that goes on where it was ended.

The loss of a batch, over the exits e with weights w_e:

    sum_e w_e [ (1 - a) CE(z_e, y) + a T^2 KL(teacher || z_e) ]
    + b mean_e |q(student maps of stage e) - q(teacher maps of the same size)|^2
    + c sum_e w_e |R F_e - F_teacher|^2 / |F_teacher|^2   (divided by sum_e w_e)

q is the attention map of Zagoruyko and Komodakis (arXiv 1612.03928): the mean square over the
channels, scaled to norm 1; a student's is the mean over its branches.  R is linear, one for all
stages, so that all F_e mean the same; it is not part of the network.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loop
from branches import Answers, Branches
from data import Augment, Preprocess, Samples
from shipped import ShippedTeacher
from wide_resnet import Lesson, WideResNet

Teacher = Union[WideResNet, ShippedTeacher]


@dataclass
class Lessons:
    """Weights of the loss."""

    exit_weights: Sequence[float] = (0.3, 0.5, 0.8, 1.0)
    temperature: float = 4.0  # T
    distill: float = 0.7      # a
    attention: float = 1.0    # b
    transfer: float = 1.0     # c
    drop: float = 0.15        # probability that a batch goes without a branch, for each of them


def draw_present(branches: int, drop: float) -> List[int]:
    """The branches that a batch has: each is left out by chance, but never all."""
    present = (torch.rand(branches) >= drop).nonzero().flatten().tolist()
    return present or [int(torch.randint(branches, (1,)))]


def distilled(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 KL(softmax(teacher / T) || softmax(logits / T)), mean over the batch."""
    said = F.log_softmax(logits / temperature, 1)
    meant = F.log_softmax(teacher / temperature, 1)
    return temperature ** 2 * F.kl_div(said, meant, reduction="batchmean", log_target=True)


def attention(maps: Sequence[Tensor]) -> Tensor:
    """Where the branches look, [n, h w] of norm 1."""
    squares = torch.stack([m.float().square().mean(1).flatten(1) for m in maps]).mean(0)
    return F.normalize(squares, dim=1)


def attention_loss(maps: Sequence[Sequence[Tensor]], teacher: Sequence[Tensor]) -> Tensor:
    """Mean over the stages that have a map of the teacher of their size (the last such one)."""
    same_size = {m.shape[-2:]: m for m in teacher}
    terms = [(attention(m) - attention([same_size[m[0].shape[-2:]]])).square().sum(1).mean()
             for m in maps if m[0].shape[-2:] in same_size]
    return torch.stack(terms).mean()


class StudentLoss(nn.Module):
    """The loss above, of a student and its teacher."""

    def __init__(self, student: Branches, teacher: Teacher, lessons: Lessons, bf16: bool):
        super().__init__()
        self.student, self.lessons, self.bf16 = student, lessons, bf16
        self.regressor = nn.Linear(student.head1.in_features, teacher.linear.in_features)
        frozen = teacher.eval().to(memory_format=torch.channels_last)
        self.teacher = [frozen]  # in a list: no parameter of ours

    @torch.no_grad()
    def lesson(self, x: Tensor) -> Lesson:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return self.teacher[0].teach(x)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        lesson = self.lesson(x)
        present = draw_present(self.student.count, self.lessons.drop)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            made = self.student.compute(x, present)
        return self.judge(made, lesson, y)

    def judge(self, made: Answers, lesson: Lesson, y: Tensor) -> Tensor:
        w = self.lessons
        said, wanted = lesson.logits.float(), lesson.features.float()
        size = wanted.square().sum(1).mean()
        loss, transfer = torch.zeros(()), torch.zeros(())
        for weight, logits, fused in zip(w.exit_weights, made.logits, made.fused):
            loss = loss + weight * ((1 - w.distill) * F.cross_entropy(logits.float(), y)
                                    + w.distill * distilled(logits.float(), said, w.temperature))
            apart = (self.regressor(fused.float()) - wanted).square().sum(1).mean()
            transfer = transfer + weight * apart / size
        loss = loss + w.transfer * transfer / sum(w.exit_weights)
        return loss + w.attention * attention_loss(made.maps, lesson.maps)


class TeacherLoss(nn.Module):
    """Cross-entropy alone."""

    def __init__(self, teacher: WideResNet, bf16: bool):
        super().__init__()
        self.teacher, self.bf16 = teacher, bf16

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits = self.teacher(x)[0]
        return F.cross_entropy(logits.float(), y)


@dataclass
class Progress:
    """A training that can be ended after any epoch and goes on from there."""

    losses: nn.Module  # holds the network and what else is trained
    optimizer: torch.optim.Optimizer
    schedule: loop.Schedule
    path: Path         # where the state is kept
    plan: str          # what the training depends on; a state of another plan is refused

    def load(self) -> int:
        """Epochs done so far."""
        if not self.path.exists():
            return 0
        state: Dict[str, Any] = torch.load(self.path, map_location="cpu")
        if state["plan"] != self.plan:
            raise SystemExit(f"{self.path} is of another training: {state['plan']}; "
                             f"expected {self.plan}; remove it to start anew")
        self.losses.load_state_dict(state["losses"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        return state["epochs"]

    def save(self, epochs: int) -> None:
        state = {"plan": self.plan, "losses": self.losses.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
                 "random": torch.get_rng_state(), "epochs": epochs}
        written = self.path.with_suffix(".new")
        torch.save(state, written)
        written.replace(self.path)


def fit(model: nn.Module, losses: nn.Module, pre: Preprocess, train: Samples, watch: Samples,
        augment: Augment, recipe: loop.Recipe, path: Path, plan: str,
        last: Optional[int] = None) -> bool:
    """Train `model` by `losses`, which holds it; ends after epoch `last`, if given.

    The state after each epoch is at `path`, and a call that finds one there goes on from it with
    the same bits.  Returns whether all epochs are done.
    """
    model.to(memory_format=torch.channels_last)
    optimizer, schedule = loop.descent(losses, len(train) // recipe.batch * recipe.epochs, recipe)
    progress = Progress(losses, optimizer, schedule, path, plan)
    end = recipe.epochs if last is None else min(last, recipe.epochs)
    for epoch in range(progress.load(), end):
        start, cpu = time.time(), time.process_time()
        loss = loop.run_epoch(model, pre, train, augment, recipe, losses, optimizer, schedule)
        progress.save(epoch + 1)
        print(f"epoch {epoch + 1}/{recipe.epochs} loss {loss:.4f} watch "
              f"{loop.watched(model, pre, watch)} {time.time() - start:.1f} s, "
              f"processor {time.process_time() - cpu:.1f} s", flush=True)
    return end == recipe.epochs
