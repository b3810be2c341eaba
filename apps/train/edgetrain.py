#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train the networks of EdgeExit, export them to ONNX, write reference logits.

  edgetrain.py train resnet_cifar10 --data DIR --out resnet_cifar10.ckpt
  edgetrain.py train modnet --train TRAIN.h5 --holdout HOLD.h5 --out modnet.ckpt
  edgetrain.py resnet20 --weights resnet20-12fca82f.th --data DIR --out resnet20.ckpt
  edgetrain.py export resnet_cifar10.ckpt --out resnet_cifar10.onnx
  edgetrain.py reference resnet_cifar10.ckpt --data DIR --out resnet_cifar10_ref.h5
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

import arguments
import branches
import checkpoint
import data
import export
import loop
import models
import views
from checkpoint import Checkpoint
from loop import Recipe

RECIPES: Dict[str, Recipe] = {
    "resnet_cifar10": Recipe(epochs=30, rate=0.15, exit_weights=(0.3, 0.5, 1.0), bf16=True),
    "balexnet_cifar10": Recipe(epochs=30, rate=0.03, exit_weights=(0.3, 0.5, 1.0), clip=5.0,
                               bf16=True),
    "modnet": Recipe(epochs=10, rate=0.1, exit_weights=(0.3, 0.4, 0.6, 1.0), batch=256,
                     decay=1e-4, bf16=True),
    "modnet_scored": Recipe(epochs=10, rate=0.1, exit_weights=(0.3, 0.4, 0.6, 1.0), batch=256,
                            decay=1e-4, price=0.5, joint=4),
}
MODULATION = ("modnet", "modnet_scored")  # trained on frames, the others on CIFAR-10
CROP = {"resnet_cifar10": 4, "balexnet_cifar10": 2}


def spoken(values: List[float]) -> str:
    """Accuracies for people and for the provenance line."""
    return " ".join(f"{v:.4f}" for v in values)


def train_cifar(name: str, args: argparse.Namespace, recipe: Recipe) -> Checkpoint:
    """Train a CIFAR-10 network; batch 5 is read once, at the end."""
    train, kept, report = data.read_cifar(args.data)
    split, augment = data.CIFAR10_SPLIT, data.crop_and_flip(CROP[name])
    if args.first is not None:
        train = train[:args.first]
        split = f"{split}; train: only the first {len(train)} of these"
    if args.plain:
        augment, split = data.as_it_is, f"{split}; images as they are, no weight decay"
    pre = data.channel_statistics(train.x, 1 / 255)
    model = models.build(name)
    loop.fit(model, pre, train, kept, augment, recipe)
    figures = (f"batch 5 {spoken(measure(model, pre, report))}; "
               f"kept 2000 {spoken(measure(model, pre, kept))}")
    return finished(name, model, pre, data.CIFAR10_CLASSES, train, recipe,
                    split, figures)


def train_modulation(name: str, args: argparse.Namespace, recipe: Recipe) -> Checkpoint:
    """Train the modulation classifier; a fixed twentieth of the file is only watched."""
    everything, report = data.read_hdf5(args.train), data.read_hdf5(args.holdout)
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0))
    watch, train = everything[order[:len(order) // 20]], everything[order[len(order) // 20:]]
    pre = data.Preprocess((0.0, 0.0), (1.0, 1.0), 1.0)
    model = models.build(name)
    loop.fit(model, pre, train, watch, data.rotate_phase, recipe)
    figures = f"holdout {spoken(measure(model, pre, report))}"
    print_by_snr(model, pre, report)
    split = f"train: {args.train.name} (95%, the rest watched); reported: {args.holdout.name}"
    classes = data.read_hdf5_classes(args.train, 11)
    return finished(name, model, pre, classes, train, recipe, split, figures)


def measure(model: nn.Module, pre: data.Preprocess, samples: data.Samples) -> List[float]:
    """Accuracy per exit."""
    return loop.accuracy(loop.logits_of(model, pre, samples.x), samples.y)


def print_by_snr(model: nn.Module, pre: data.Preprocess, samples: data.Samples) -> None:
    """Accuracy per exit for each 5 dB of signal-to-noise ratio."""
    if samples.snr is None:
        return
    logits, bins = loop.logits_of(model, pre, samples.x), torch.floor(samples.snr / 5)
    for b in bins.unique().tolist():
        rows = bins == b
        print(f"snr {5 * b:+.0f}..{5 * b + 5:+.0f} dB n {int(rows.sum())} "
              + spoken(loop.accuracy(logits[:, rows], samples.y[rows])))


def priced(recipe: Recipe) -> str:
    """What the provenance line says of the blended loss."""
    if not recipe.price:
        return ""
    return (f"joint loss for {recipe.joint} epochs, then blended with a price of the cost of "
            f"{recipe.price:g}; ")


def finished(name: str, model: nn.Module, pre: data.Preprocess, classes: Tuple[str, ...],
             train: data.Samples, recipe: Recipe, split: str, figures: str) -> Checkpoint:
    """The checkpoint of a trained network."""
    provenance = (f"edgetrain.py train {name}; seed {recipe.seed}; epochs {recipe.epochs}; "
                  f"bf16 {recipe.bf16}; threads {torch.get_num_threads()}; "
                  f"{priced(recipe)}"
                  f"torch {torch.__version__}; {split}; "
                  f"accuracy per exit: {figures}")
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    shape = tuple(train.x.shape[1:])
    return Checkpoint(name, state, pre, classes, shape, provenance)


def command_train(args: argparse.Namespace) -> None:
    recipe = RECIPES[args.model]
    given = {k: v for k, v in vars(args).items()
             if k in ("epochs", "rate", "seed", "price", "joint") and v is not None}
    recipe = replace(recipe, bf16=recipe.bf16 and not args.no_bf16,
                     decay=0.0 if args.plain else recipe.decay, **given)
    loop.seed_everything(recipe.seed, args.threads)
    start = time.time()
    work = train_modulation if args.model in MODULATION else train_cifar
    made = work(args.model, args, recipe)
    made.save(args.out)
    print(f"{made.provenance}\n{time.time() - start:.0f} s", flush=True)


def command_resnet20(args: argparse.Namespace) -> None:
    """Take over the published ResNet-20 weights."""
    state: Dict[str, Tensor] = torch.load(args.weights, map_location="cpu")["state_dict"]
    state = {k.replace("module.", "", 1): v for k, v in state.items()}
    model = models.build("resnet20", state).eval()
    pre = data.Preprocess((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1 / 255)
    figures = spoken(measure(model, pre, data.read_cifar_batch(args.data, 5)))
    provenance = (f"edgetrain.py resnet20; weights {args.weights.name} of "
                  "akamaster/pytorch_resnet_cifar10, trained by their author on batches 1-5; "
                  f"accuracy: batch 5 {figures} (training data of these weights, "
                  "not a held-out figure)")
    Checkpoint("resnet20", state, pre, data.CIFAR10_CLASSES, (3, 32, 32), provenance).save(args.out)
    print(provenance)


def seen(made: Checkpoint, args: argparse.Namespace) -> nn.Module:
    return views.view_of(made.model(), args.present, args.in_turn, args.difference)


def command_export(args: argparse.Namespace) -> None:
    made = checkpoint.load(args.checkpoint)
    export.write_onnx(made, seen(made, args), args.out)


def command_reference(args: argparse.Namespace) -> None:
    samples = data.read_cifar_batch(args.data, 5) if args.data.is_dir() \
        else data.read_hdf5(args.data)
    made = checkpoint.load(args.checkpoint)
    export.write_reference(made, seen(made, args), samples[:args.count], args.out)


def add_view(p: argparse.ArgumentParser) -> None:
    """What of a network of branches is written."""
    p.add_argument("--present", help="only these branches, from 1, with commas")
    p.add_argument("--in-turn",
                   help="one branch after the other in this order, with an exit after each")
    p.add_argument("--difference", choices=branches.DIFFERENCES, default="relative",
                   help="of features, that scores tell")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--threads", type=arguments.whole(1), default=2,
                     help="threads of PyTorch (default 2)")
    commands = top.add_subparsers(dest="command", required=True)

    p = commands.add_parser("train", help="train a network")
    p.add_argument("model", choices=sorted(RECIPES))
    p.add_argument("--data", type=Path, help="folder with data_batch_1.bin ... data_batch_5.bin")
    p.add_argument("--train", type=Path, help="HDF5 file to train on (modnet)")
    p.add_argument("--holdout", type=Path, help="HDF5 file to report on (modnet)")
    p.add_argument("--first", type=arguments.whole(Recipe.batch),
                   help="only so many of CIFAR-10's training images")
    p.add_argument("--plain", action="store_true",
                   help="CIFAR-10 images as they are and no weight decay: over-confident networks")
    p.add_argument("--epochs", type=arguments.whole(1))
    p.add_argument("--rate", type=arguments.POSITIVE, help="peak learning rate")
    p.add_argument("--seed", type=int)
    p.add_argument("--price", type=arguments.NOT_NEGATIVE,
                   help="of the mean cost, for networks with scores")
    p.add_argument("--joint", type=arguments.whole(0),
                   help="first epochs without scores in the loss")
    p.add_argument("--no-bf16", action="store_true", help="train in float32 throughout")
    p.add_argument("--out", type=arguments.NEW_FILE, required=True)
    p.set_defaults(run=command_train)

    p = commands.add_parser("resnet20", help="take over published ResNet-20 weights")
    p.add_argument("--weights", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=arguments.NEW_FILE, required=True)
    p.set_defaults(run=command_resnet20)

    p = commands.add_parser("export", help="checkpoint to ONNX")
    p.add_argument("checkpoint", type=Path)
    add_view(p)
    p.add_argument("--out", type=arguments.NEW_FILE, required=True)
    p.set_defaults(run=command_export)

    p = commands.add_parser("reference", help="logits of the first samples, from PyTorch")
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--data", type=Path, required=True, help="CIFAR-10 folder or HDF5 file")
    p.add_argument("--count", type=arguments.whole(1), default=1000)
    add_view(p)
    p.add_argument("--out", type=arguments.NEW_FILE, required=True)
    p.set_defaults(run=command_reference)
    return top


def main() -> None:
    args = parser().parse_args()
    if args.command == "train":
        need = ("train", "holdout") if args.model in MODULATION else ("data",)
        missing = [f"--{n}" for n in need if getattr(args, n) is None]
        if missing:
            parser().error(f"train {args.model} needs {' and '.join(missing)}")
    torch.set_num_threads(args.threads)
    args.run(args)


if __name__ == "__main__":
    main()
