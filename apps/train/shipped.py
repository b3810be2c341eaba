# SPDX-License-Identifier: Apache-2.0
"""The residual network that ships as a teacher, read from a model file of EdgeExit.

Batch normalisation is folded into the convolutions there, and weights are numbered in the order in
which the graph computes: each layer's weights, then its biases.
"""

from pathlib import Path
from typing import List, Tuple

import h5py
import torch
from torch import Tensor, nn

import models
from data import CIFAR10_CLASSES, Preprocess
from wide_resnet import Lesson


class ShippedTeacher(nn.Module):
    """A resnet_cifar10; its early exits teach nothing."""

    def __init__(self, network: models.MultiExit):
        super().__init__()
        self.network, self.linear = network, network.heads[-1].linear

    def teach(self, x: Tensor) -> Lesson:
        maps: List[Tensor] = []
        for part in self.network.parts:
            x = part(x)
            maps.append(x)
        features = x.mean((2, 3))
        return Lesson(self.linear(features), features, maps)


def without_normalisation(model: nn.Module) -> nn.Module:
    """In place: what batch normalisation did is in the convolutions' weights and biases."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
    return model


@torch.no_grad()
def computed_layers(model: nn.Module, sample: Tensor) -> List[nn.Module]:
    """Convolutions and linear layers in the order in which they compute."""
    order: List[nn.Module] = []
    layers = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [m.register_forward_hook(lambda layer, *_: order.append(layer)) for m in layers]
    model(sample)
    for hook in hooks:
        hook.remove()
    return order


def take_weights(model: nn.Module, weights: List[Tensor]) -> bool:
    """Give `model` the weights and biases of all its layers; False if they are not of its kind."""
    layers = computed_layers(model, torch.zeros(1, 3, 32, 32))
    shapes = [s for m in layers for s in (m.weight.shape, m.weight.shape[:1])]
    if [w.shape for w in weights] != shapes or any(w.dtype != torch.float32 for w in weights):
        return False
    for layer, weight, bias in zip(layers, weights[::2], weights[1::2]):
        layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return True


def read(file: h5py.File) -> Tuple[List[Tensor], Preprocess, Tuple[str, ...]]:
    """Weights in the order of the graph, preprocessing, classes."""
    group = file["weights"]
    names = sorted(group, key=lambda name: int(name.split("_")[0]))
    said = file["preprocess"]
    mean, std = (tuple(round(v, 4) for v in said[key][:].tolist()) for key in ("mean", "std"))
    pre = Preprocess(mean, std, float(said["scale"][()]))
    return ([torch.as_tensor(group[name][()]) for name in names], pre,
            tuple(name.decode() for name in file["class_names"][:]))


def load(path: Path) -> Tuple[ShippedTeacher, Preprocess]:
    """The teacher in evaluation mode, and what it does to an image."""
    try:
        with h5py.File(path, "r") as file:
            weights, pre, classes = read(file)
    except (OSError, KeyError, ValueError) as error:
        raise SystemExit(f"{path} cannot be read as a model file of EdgeExit: {error}") from None
    network = without_normalisation(models.build("resnet_cifar10")).eval()
    if classes != CIFAR10_CLASSES or not take_weights(network, weights):
        raise SystemExit(f"{path} holds another network; of model files, only "
                         "those of resnet_cifar10 can teach, as io/models/resnet_cifar10.h5")
    return ShippedTeacher(network).eval(), pre
