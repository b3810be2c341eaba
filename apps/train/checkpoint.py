# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: the weights and all that the later steps need to know about them."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Dict, Tuple

import torch
from torch import Tensor, nn

import models
from data import Preprocess


@dataclass
class Checkpoint:
    """A trained network, its preprocessing, its classes and where it comes from."""

    name: str
    state: Dict[str, Tensor]
    pre: Preprocess
    classes: Tuple[str, ...]
    input_shape: Tuple[int, int, int]
    provenance: str
    options: Dict[str, Any] = field(default_factory=dict)  # sizes of a network that has several

    def model(self) -> nn.Module:
        """The network in evaluation mode."""
        return models.build(self.name, self.state, **self.options).eval()

    def save(self, path: Path) -> None:
        torch.save(asdict(self), path)


def load(path: Path) -> Checkpoint:
    """Read what Checkpoint.save wrote."""
    try:
        fields = torch.load(path, map_location="cpu")
        fields["pre"] = Preprocess(**fields["pre"])
        return Checkpoint(**fields)
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error.strerror}") from None
    except (EOFError, KeyError, RuntimeError, TypeError, UnpicklingError):
        raise SystemExit(f"{path} is no checkpoint: it holds nothing that `edgetrain.py train`, "
                         "`distree.py teacher` or `distree.py student` has saved") from None
