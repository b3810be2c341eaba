# SPDX-License-Identifier: Apache-2.0
"""Tables of a branched network: accuracy against computation saved, and against branches present.

Temperatures and thresholds come from one part of the data, the figures from another.
"""

import csv
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np
from numpy import ndarray

import leaving

Arrays = Dict[str, ndarray]
Measures = Dict[str, Tuple[ndarray, ndarray, List[float]]]  # rule: measure, logits, costs
LOSSES = (0.0, 0.005, 0.01, 0.02)
SWEEP = 25  # thresholds of each curve


def costs_by_stage(said: Arrays) -> List[float]:
    """Multiply-adds of all devices until each exit, all branches present."""
    return np.cumsum(said["branch_macs"].sum(0) + said["head_macs"]).tolist()


def costs_by_branch(said: Arrays) -> List[float]:
    """Multiply-adds of the first branches of the order through all stages, and the last head."""
    return (np.cumsum(said["branch_macs"].sum(1)[said["order"]]) + said["head_macs"][-1]).tolist()


def prefix_logits(said: Arrays) -> ndarray:
    """Last logits with the first k branches of the order, [K, n, classes]."""
    count, rows = said["present"].shape[1], []
    for k in range(1, count + 1):
        wanted = np.isin(np.arange(count), said["order"][:k])
        rows.append(said["logits"][(said["present"] == wanted).all(1).argmax(), -1])
    return np.stack(rows)


def measures(said: Arrays, temperatures: Sequence[float]) -> Measures:
    """By rule: what is compared with a threshold, the answers and what they cost."""
    logits, until = said["logits"][-1], costs_by_stage(said)
    made = {f"difference:{rule}": (leaving.settled(d[-1]), logits, until)
            for rule, d in zip(leaving.DIFFERENCES, said["stage_difference"])}
    made["confidence"] = (leaving.confidence(logits, temperatures), logits, until)
    made["entropy"] = (leaving.certainty(logits, temperatures), logits, until)
    made["patience"] = (leaving.patience(logits), logits, until)
    for rule, d in zip(leaving.DIFFERENCES, said["branch_difference"]):
        made[f"branches:{rule}"] = (leaving.settled(d[-1]), prefix_logits(said),
                                    costs_by_branch(said))
    return made


def thresholds(measure: ndarray, logits: ndarray, labels: ndarray,
               until: List[float]) -> Iterator[Tuple[str, leaving.Threshold]]:
    """Those chosen for each allowed loss, one for all exits and one for each, and a sweep."""
    for loss in LOSSES:
        yield f"loss {loss:g}", leaving.choose(measure, logits, labels, until, loss)
        yield f"loss {loss:g} each", leaving.choose_each(measure, logits, labels, until, loss)
    swept = leaving.candidates(measure[:-1])
    for t in swept[np.linspace(0, len(swept) - 1, min(SWEEP, len(swept))).astype(int)]:
        yield "sweep", float(t)


def shown(rule: str, threshold: leaving.Threshold) -> str:
    """Of a difference itself, not of its measure; one for each early exit, with spaces."""
    values = np.atleast_1d(threshold)
    values = values[:-1] if len(values) > 1 else values
    return " ".join(f"{-t if ':' in rule else t:.6g}" for t in values)


def rule_rows(kept: Arrays, test: Arrays) -> Iterator[Dict[str, object]]:
    """What every rule gives on `test` with thresholds chosen on `kept`."""
    temperatures = [leaving.temperature_of(z, kept["label"]) for z in kept["logits"][-1]]
    on_kept, on_test = measures(kept, temperatures), measures(test, temperatures)
    for rule, (measure, logits, until) in on_kept.items():
        full = float((on_test[rule][1][-1].argmax(-1) == test["label"]).mean())
        for how, threshold in thresholds(measure, logits, kept["label"], until):
            before = leaving.outcome(measure, threshold, logits, kept["label"], until)
            found = leaving.outcome(on_test[rule][0], threshold, on_test[rule][1], test["label"],
                                    until)
            yield {"rule": rule, "chosen": how, "threshold": shown(rule, threshold),
                   "kept_accuracy": f"{before.accuracy:.4f}", "kept_saved": f"{before.saved:.4f}",
                   "accuracy": f"{found.accuracy:.4f}", "no_exit": f"{full:.4f}",
                   "saved": f"{found.saved:.4f}",
                   "shares": " ".join(f"{s:.4f}" for s in found.shares)}


def branch_rows(test: Arrays) -> Iterator[Dict[str, object]]:
    """Accuracy of every exit by number of branches present: mean, least and most over choices."""
    right = (test["logits"].argmax(-1) == test["label"]).mean(-1)
    number = test["present"].sum(1)
    for m in range(1, number.max() + 1):
        for e in range(right.shape[1]):
            of = right[number == m, e]
            yield {"present": m, "exit": e + 1, "choices": len(of), "mean": f"{of.mean():.4f}",
                   "least": f"{of.min():.4f}", "most": f"{of.max():.4f}"}


def write(path: Path, rows: Iterator[Dict[str, object]]) -> List[Dict[str, object]]:
    """A CSV file; returns the rows."""
    made = list(rows)
    with open(path, "w", newline="", encoding="utf-8") as f:
        table = csv.DictWriter(f, list(made[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(made)
    return made
