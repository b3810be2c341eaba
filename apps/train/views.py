# SPDX-License-Identifier: Apache-2.0
"""A trained network of branches as other graphs: some branches only, other scores, other exits."""

from typing import List, Optional, Sequence

from torch import Tensor, nn

from blocks import Logits
from branches import STAGES, Branches, Score


def staged(of: Branches, present: Sequence[int], difference: str) -> Branches:
    """An exit after each stage, of the branches `present`, with scores by `difference`."""
    of.present = list(present)
    for e in range(1, len(STAGES) + 1):
        setattr(of, f"score{e}", Score(difference))
    return of


class InTurn(nn.Module):
    """One branch after the other through all stages, in this order, and an exit after each of them.

    Exit k answers from what the first k branches say, fused as if the others were absent; its score
    compares that with what the first k - 1 say.  It is the loop over the devices that a chain can
    run.
    """

    def __init__(self, of: Branches, order: Sequence[int], difference: str):
        super().__init__()
        self.of, self.order = of, list(order)
        self.score = Score(difference)

    def last_feature(self, x: Tensor, k: int) -> Tensor:
        branch = getattr(self.of, f"branch{k + 1}")
        for e in range(1, len(STAGES) + 1):
            x = getattr(branch, f"stage{e}")(x)
        return getattr(branch, f"project{len(STAGES)}")(x)

    def forward(self, x: Tensor) -> Logits:
        features: List[Optional[Tensor]] = [None] * self.of.count
        exits, scores, before = [], [], None
        for number, k in enumerate(self.order, 1):
            features[k] = self.last_feature(x, k)
            fused, logits = self.of.answer(features, len(STAGES))
            exits.append(logits)
            if 1 < number < len(self.order):
                scores.append(self.score(fused, before))
            before = fused
        return tuple(exits + scores)


def numbered(text: Optional[str], count: int, what: str) -> Optional[List[int]]:
    """Branches from 0 of a list from 1, with commas, each at most once; None of None."""
    if text is None:
        return None
    try:
        found = [int(k) - 1 for k in text.split(",")]
    except ValueError:
        found = []
    if not found or len(set(found)) != len(found) or not set(found) <= set(range(count)):
        raise SystemExit(f"{what} {text}: expected different branches from 1 to {count}")
    return found


def view_of(model: nn.Module, present: Optional[str], in_turn: Optional[str],
            difference: str) -> nn.Module:
    """The graph that the options ask for; `model` itself if they ask for nothing."""
    if present is None and in_turn is None and difference == "relative":
        return model
    if not isinstance(model, Branches):
        raise SystemExit("--present, --in-turn and --difference are for networks of branches")
    if present is not None and in_turn is not None:
        raise SystemExit("--in-turn names the branches that are present; --present does not go "
                         "with it")
    order = numbered(in_turn, model.count, "--in-turn")
    if order is not None:
        return InTurn(model, order, difference).eval()
    here = numbered(present, model.count, "--present")
    return staged(model, sorted(here) if here else range(model.count), difference).eval()
