#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train networks of parallel branches on CIFAR-10, and measure when they may stop.

  distree.py teacher --data DIR --out teacher.ckpt
  distree.py student --data DIR --teacher teacher.ckpt --branches 4 --out k4.ckpt
  distree.py student --data DIR --teacher resnet_cifar10.h5 --fusion concat --out k4-concat.ckpt
  distree.py costs k4.ckpt
  distree.py answers k4.ckpt --data DIR --out k4       writes k4_kept.npz and k4_test.npz
  distree.py tables k4_kept.npz k4_test.npz --out k4   writes k4_rules.csv and k4_branches.csv

`edgetrain.py export` and `reference` take the checkpoints.  A training keeps its state after every
epoch in OUT.state and goes on from there when it is started again.
"""

import argparse
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import h5py
import numpy as np
import torch

import answers
import arguments
import branches
import checkpoint
import data
import distill
import loop
import models
import shipped
import tables
import views
from checkpoint import Checkpoint

PLAIN_WIDTH = 32  # of a plain network of the same cost: K branches have its width over sqrt(K)


def width_of(count: int) -> int:
    """First width of one of so many branches, a multiple of 8."""
    return max(8, round(PLAIN_WIDTH / count ** 0.5 / 8) * 8)


def recipe_of(args: argparse.Namespace, weights: Any) -> loop.Recipe:
    return loop.Recipe(epochs=args.epochs, rate=args.rate, exit_weights=weights, seed=args.seed,
                       bf16=not args.no_bf16, clip=5.0)


def train(args: argparse.Namespace, name: str, options: Dict[str, Any], losses_of: Any,
          recipe: loop.Recipe, plan: str, pre: Optional[data.Preprocess] = None) -> None:
    """Train or go on, and save the checkpoint after the last epoch; batch 5 is read then only.

    Without `pre` the statistics of the training images are used.
    """
    samples, kept, report = data.read_cifar(args.data)
    samples = samples[:args.first]
    pre = pre or data.channel_statistics(samples.x, 1 / 255)
    loop.seed_everything(recipe.seed, args.threads)
    model = models.build(name, **options)
    losses = losses_of(model)
    if not distill.fit(model, losses, pre, samples, kept, data.crop_and_flip(4), recipe,
                       args.out.with_suffix(".state"), plan, args.until):
        return
    figures = {part: loop.accuracy(loop.logits_of(model, pre, s.x), s.y)
               for part, s in (("batch 5", report), ("kept 2000", kept))}
    text = "; ".join(f"{part} " + " ".join(f"{a:.4f}" for a in said)
                     for part, said in figures.items())
    split = data.CIFAR10_SPLIT
    if args.first is not None:
        split += f"; train: only the first {len(samples)} of these"
    provenance = (f"distree.py {plan}; threads {torch.get_num_threads()}; "
                  f"torch {torch.__version__}; {split}; accuracy per exit: {text}")
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    Checkpoint(name, state, pre, data.CIFAR10_CLASSES, tuple(samples.x.shape[1:]), provenance,
               options).save(args.out)
    print(provenance, flush=True)


def planned(command: str, args: argparse.Namespace, *parts: Any) -> str:
    """What a training depends on, in words."""
    said = [f"{k} {v}" for part in parts for k, v in part.items()]
    return (f"{command}; seed {args.seed}; epochs {args.epochs}; rate {args.rate:g}; "
            f"bf16 {not args.no_bf16}; first {args.first}; " + "; ".join(said))


def command_teacher(args: argparse.Namespace) -> None:
    options = {"depth": args.depth, "widen": args.widen}
    recipe = recipe_of(args, (1.0,))
    train(args, "wide_resnet", options, lambda m: distill.TeacherLoss(m, recipe.bf16), recipe,
          planned("teacher", args, options))


def teacher_of(path: Path) -> Tuple[distill.Teacher, data.Preprocess, str]:
    """The network, what it does to an image, which its student then does too, and its name."""
    if h5py.is_hdf5(path):
        return (*shipped.load(path), "resnet_cifar10")
    made = checkpoint.load(path)
    if made.name != "wide_resnet":
        raise SystemExit(f"{path} holds a network called {made.name}, expected wide_resnet or a "
                         "model file of resnet_cifar10")
    return made.model(), made.pre, f"wide_resnet {made.options}"


def command_student(args: argparse.Namespace) -> None:
    options = {"branches": args.branches, "width": args.width or width_of(args.branches),
               "features": args.features, "fusion": args.fusion}
    lessons = distill.Lessons(**{f.name: getattr(args, f.name)
                                 for f in fields(distill.Lessons)})
    teacher, pre, what = teacher_of(args.teacher)
    recipe = recipe_of(args, lessons.exit_weights)
    train(args, "branches", options,
          lambda m: distill.StudentLoss(m, teacher, lessons, recipe.bf16), recipe,
          planned("student", args, options, asdict(lessons), {"of": what}), pre)


def branched(path: Path) -> Checkpoint:
    """A checkpoint of a student."""
    made = checkpoint.load(path)
    if made.name != "branches":
        raise SystemExit(f"{path} holds a network called {made.name}, expected branches")
    return made


def command_costs(args: argparse.Namespace) -> None:
    made = branched(args.checkpoint)
    costs = branches.costs_of(made.model(), torch.zeros(1, *made.input_shape))
    for k, stages in enumerate(costs.branch, 1):
        print(f"branch {k}: stages " + " ".join(f"{m / 1e6:.2f}" for m in stages)
              + f", whole {sum(stages) / 1e6:.2f} million multiply-adds")
    until = costs.until(range(len(costs.branch)))
    print("until exit: " + " ".join(f"{m / 1e6:.2f}" for m in until)
          + " million multiply-adds; shares " + " ".join(f"{m / until[-1]:.3f}" for m in until))


def order_of(text: Optional[str], count: int) -> List[int]:
    """Branches from 0; given from 1, with commas."""
    order = views.numbered(text, count, "--order") or list(range(count))
    if len(order) < count:
        raise SystemExit(f"--order {text}: expected every branch from 1 to {count}")
    return order


def command_answers(args: argparse.Namespace) -> None:
    made = branched(args.checkpoint)
    order = order_of(args.order, made.options["branches"])
    _, kept, report = data.read_cifar(args.data)
    for part, samples in (("kept", kept), ("test", report)):
        said = answers.answers_of(made, samples, order)
        np.savez_compressed(f"{args.out}_{part}.npz", **said)
        right = (said["logits"][-1].argmax(-1) == said["label"]).mean(-1)
        print(f"{part}: {len(samples)} samples, accuracy per exit "
              + " ".join(f"{a:.4f}" for a in right), flush=True)


def arrays_of(path: Path) -> tables.Arrays:
    """What `answers` has written."""
    try:
        said = dict(np.load(path))
    except (OSError, TypeError, ValueError):
        said = {}
    if "branch_macs" not in said:
        raise SystemExit(f"{path} holds nothing that `distree.py answers` has written")
    return said


def command_tables(args: argparse.Namespace) -> None:
    kept, test = arrays_of(args.kept), arrays_of(args.test)
    if not np.array_equal(kept["branch_macs"], test["branch_macs"]):
        raise SystemExit(f"{args.kept} and {args.test} are of different networks")
    for row in tables.write(Path(f"{args.out}_rules.csv"), tables.rule_rows(kept, test)):
        if row["chosen"] != "sweep":
            print("{rule:20} {chosen:15} threshold {threshold:32} accuracy {accuracy} of "
                  "{no_exit}, saved {saved}".format(**row))
    for row in tables.write(Path(f"{args.out}_branches.csv"), tables.branch_rows(test)):
        print("{present} branches, exit {exit}: {mean} ({least} to {most})".format(**row))


def add_training(p: argparse.ArgumentParser, epochs: int) -> None:
    p.add_argument("--data", type=Path, required=True,
                   help="folder with data_batch_1.bin ... data_batch_5.bin")
    p.add_argument("--first", type=arguments.whole(loop.Recipe.batch),
                   help="only so many of the training images")
    p.add_argument("--epochs", type=arguments.whole(1), default=epochs)
    p.add_argument("--until", type=arguments.whole(1),
                   help="end after this epoch, to go on another time")
    p.add_argument("--rate", type=arguments.POSITIVE, default=0.1, help="peak learning rate")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--no-bf16", action="store_true", help="train in float32 throughout")
    p.add_argument("--out", type=arguments.NEW_FILE, required=True)


def add_lessons(p: argparse.ArgumentParser) -> None:
    own = distill.Lessons()
    p.add_argument("--exit-weights", type=arguments.weights(len(branches.STAGES)),
                   default=own.exit_weights, help="of the exits' losses, with commas")
    p.add_argument("--temperature", type=arguments.POSITIVE, default=own.temperature,
                   help="of distillation")
    p.add_argument("--distill", type=arguments.SHARE, default=own.distill,
                   help="share of distillation in an exit's loss, the rest is cross-entropy")
    p.add_argument("--attention", type=arguments.NOT_NEGATIVE, default=own.attention,
                   help="weight of the attention maps")
    p.add_argument("--transfer", type=arguments.NOT_NEGATIVE, default=own.transfer,
                   help="weight of the fused features' distance to the teacher's")
    p.add_argument("--drop", type=arguments.SHARE, default=own.drop,
                   help="probability that a batch goes without a branch")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--threads", type=arguments.whole(1), default=1)
    commands = top.add_subparsers(dest="command", required=True)

    p = commands.add_parser("teacher", help="train a wide residual network")
    add_training(p, epochs=20)
    p.add_argument("--depth", type=arguments.checked(
        int, lambda d: d >= 10 and d % 6 == 4, "6 blocks + 4: 10, 16, 22, ..."), default=16)
    p.add_argument("--widen", type=arguments.whole(1), default=3)
    p.set_defaults(run=command_teacher)

    p = commands.add_parser("student", help="train a network of branches")
    add_training(p, epochs=24)
    add_lessons(p)
    p.add_argument("--teacher", type=Path, required=True,
                   help="what `teacher` has made, or io/models/resnet_cifar10.h5")
    p.add_argument("--branches", type=arguments.whole(2), default=4)
    p.add_argument("--width", type=arguments.whole(1),
                   help=f"first width of a branch; default {PLAIN_WIDTH} / sqrt(branches)")
    p.add_argument("--features", type=arguments.whole(1), default=64,
                   help="numbers of a branch's feature")
    p.add_argument("--fusion", choices=branches.FUSIONS, default="mean")
    p.set_defaults(run=command_student)

    p = commands.add_parser("costs", help="multiply-adds per branch and stage")
    p.add_argument("checkpoint", type=Path)
    p.set_defaults(run=command_costs)

    p = commands.add_parser("answers", help="logits and differences with all choices of branches")
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--order", help="of the branches, from 1, with commas; default as numbered")
    p.add_argument("--out", type=arguments.NEW_FILE, required=True,
                   help="beginning of the files' names")
    p.set_defaults(run=command_answers)

    p = commands.add_parser("tables", help="accuracy against computation saved and branches")
    p.add_argument("kept", type=Path, help="where thresholds are chosen")
    p.add_argument("test", type=Path, help="what is reported")
    p.add_argument("--out", type=arguments.NEW_FILE, required=True,
                   help="beginning of the files' names")
    p.set_defaults(run=command_tables)
    return top


def main() -> None:
    args = parser().parse_args()
    torch.set_num_threads(args.threads)
    args.run(args)


if __name__ == "__main__":
    main()
