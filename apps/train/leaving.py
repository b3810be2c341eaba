# SPDX-License-Identifier: Apache-2.0
"""When to stop: measures of how settled an answer is, thresholds, and what they save.

A measure is an array [E, n], higher where an answer is more settled, -inf where it does not exist
(a difference at the first exit).  A sample leaves at the first exit whose measure reaches the
threshold, one for all exits or one for each, at the last exit at the latest.
"""

from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence, Tuple, Union

import numpy as np
from numpy import ndarray

Threshold = Union[float, ndarray]  # one, or one for each exit, [E]

EPSILON = 1e-6
DIFFERENCES = ("relative", "l2", "cosine", "kl")


def softmax(logits: ndarray, temperature: float = 1.0) -> ndarray:
    z = logits.astype(np.float64) / temperature
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def root_mean_square(x: ndarray) -> ndarray:
    return np.sqrt((x * x).mean(-1))


def differences(features: ndarray, logits: ndarray) -> Dict[str, ndarray]:
    """Between neighbours along the first axis, by rule [steps, n]; NaN at the first.

    features [steps, n, D], logits [steps, n, classes].  With F the later and G the earlier:
    relative |F - G| / (|G| + eps) and l2 |F - G|, by roots of mean squares; cosine 1 - cos(F, G);
    kl KL(softmax of the later logits || softmax of the earlier).
    """
    f, g = features[1:].astype(np.float64), features[:-1].astype(np.float64)
    p = softmax(logits)
    log = np.log(np.maximum(p, 1e-30))
    moved = root_mean_square(f - g)
    size = root_mean_square(f) * root_mean_square(g)
    made = {"relative": moved / (root_mean_square(g) + EPSILON), "l2": moved,
            "cosine": 1 - (f * g).mean(-1) / np.maximum(size, EPSILON ** 2),
            "kl": (p[1:] * (log[1:] - log[:-1])).sum(-1)}
    return {name: np.concatenate([np.full((1, d.shape[1]), np.nan), d])
            for name, d in made.items()}


def settled(difference: ndarray) -> ndarray:
    """A measure of a difference."""
    return np.where(np.isnan(difference), -np.inf, -difference)


def confidence(logits: ndarray, temperatures: Sequence[float]) -> ndarray:
    """Largest probability, after each exit's temperature."""
    return np.stack([softmax(z, t).max(-1) for z, t in zip(logits, temperatures)])


def certainty(logits: ndarray, temperatures: Sequence[float]) -> ndarray:
    """1 - entropy / ln(classes), after each exit's temperature."""
    p = np.stack([softmax(z, t) for z, t in zip(logits, temperatures)])
    return 1 + (p * np.log(np.maximum(p, 1e-30))).sum(-1) / np.log(p.shape[-1])


def patience(logits: ndarray) -> ndarray:
    """How many exits in a row, before this one, have said the same."""
    said = logits.argmax(-1)
    streak = np.zeros(said.shape)
    for e in range(1, len(said)):
        streak[e] = np.where(said[e] == said[e - 1], streak[e - 1] + 1, 0)
    streak[0] = -np.inf
    return streak


def temperature_of(logits: ndarray, labels: ndarray) -> float:
    """Of the least cross-entropy, by golden section on its logarithm between 0.05 and 20."""
    ratio, rows = (np.sqrt(5) - 1) / 2, np.arange(len(labels))

    def loss(t: float) -> float:
        return -np.log(np.maximum(softmax(logits, np.exp(t))[rows, labels], 1e-30)).mean()

    low, high = np.log(0.05), np.log(20)
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


@dataclass
class Outcome:
    """What a threshold gives."""

    accuracy: float
    saved: float        # share of the computation of going to the last exit
    shares: List[float]  # of the samples, by exit


def leave(measure: ndarray, threshold: Threshold) -> ndarray:
    """The exit of every sample."""
    reached = measure >= np.reshape(threshold, (-1, 1))
    reached[-1] = True
    return reached.argmax(0)


def outcome(measure: ndarray, threshold: Threshold, logits: ndarray, labels: ndarray,
            until: Sequence[float]) -> Outcome:
    """`until` is the cost of a sample that leaves at each exit."""
    at = leave(measure, threshold)
    said = logits.argmax(-1)[at, np.arange(len(labels))]
    shares = np.bincount(at, minlength=len(until)) / len(labels)
    return Outcome(float((said == labels).mean()),
                   float(1 - shares @ np.asarray(until, float) / until[-1]), shares.tolist())


def candidates(early: ndarray, count: int = 400) -> ndarray:
    """Thresholds worth trying: quantiles of what early exits measure, and never."""
    values = np.unique(early[np.isfinite(early)])
    if len(values) > count:
        values = np.unique(np.quantile(values, np.linspace(0, 1, count)))
    return np.append(values, np.inf)


def choose(measure: ndarray, logits: ndarray, labels: ndarray, until: Sequence[float],
           loss: float) -> float:
    """The threshold that saves most with at most `loss` less accuracy than the last exit."""
    least = (logits[-1].argmax(-1) == labels).mean() - loss
    best, chosen = -1.0, np.inf
    for threshold in candidates(measure[:-1]):
        found = outcome(measure, threshold, logits, labels, until)
        if found.accuracy >= least - 1e-12 and found.saved > best:
            best, chosen = found.saved, float(threshold)
    return chosen


def climb(start: ndarray, exits: Sequence[int], candidate: Sequence[ndarray],
          try_out: Callable[[ndarray], Outcome], least: float) -> Tuple[float, ndarray]:
    """Better the threshold of one exit after the other; what is saved then, and all thresholds."""
    best, chosen = try_out(start).saved, start
    for e in exits:
        for threshold in candidate[e]:
            tried = chosen.copy()
            tried[e] = threshold
            found = try_out(tried)
            if found.accuracy >= least - 1e-12 and found.saved > best:
                best, chosen = found.saved, tried
    return best, chosen


def choose_each(measure: ndarray, logits: ndarray, labels: ndarray, until: Sequence[float],
                loss: float, rounds: int = 3) -> ndarray:
    """The same with a threshold for each exit, [E].

    One exit after the other is bettered, from the best single threshold and from none at all, early
    exits first and late ones first: what the first one takes of the allowed loss, the others lack.
    More numbers chosen on the same samples: what is lost on others may be more.
    """
    early = list(range(len(measure) - 1))
    candidate = [candidates(measure[e], 100) for e in early]
    starts = [np.full(len(measure), t)
              for t in (choose(measure, logits, labels, until, loss), np.inf)]

    def try_out(thresholds: ndarray) -> Outcome:
        return outcome(measure, thresholds, logits, labels, until)

    least = (logits[-1].argmax(-1) == labels).mean() - loss
    climbs = [climb(start, exits * rounds, candidate, try_out, least)
              for start in starts for exits in (early, early[::-1])]
    return max(climbs, key=lambda climbed: climbed[0])[1]
