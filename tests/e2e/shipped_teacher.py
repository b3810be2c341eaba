# SPDX-License-Identifier: Apache-2.0
"""The network that ships as a teacher: shipped_teacher.py TRAIN_FOLDER MODEL.h5 WORK_FOLDER.

WORK_FOLDER holds data_batch_5.bin; teacher_reference.h5 there gets what PyTorch says of its images.
"""

import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import torch

import data
import export
import shipped
from checkpoint import Checkpoint

MODEL, WORK = Path(sys.argv[2]), Path(sys.argv[3])
teacher, pre = shipped.load(MODEL)
samples = data.read_cifar_batch(WORK, 5)
made = Checkpoint("resnet_cifar10", {}, pre, data.CIFAR10_CLASSES, (3, 32, 32), str(MODEL))
export.write_reference(made, teacher.network, samples, WORK / "teacher_reference.h5")

with torch.no_grad():
    x = pre(samples.x[:20])
    lesson = teacher.teach(x)
    assert torch.equal(lesson.logits, teacher.network(x)[-1]), "it teaches what it does not say"
    read = lesson.features @ teacher.linear.weight.T + teacher.linear.bias
    assert torch.allclose(read, lesson.logits, 1e-4, 1e-4), "the features are not what is read"
shapes = [tuple(m.shape[1:]) for m in lesson.maps]
assert shapes == [(32, 32, 32), (64, 16, 16), (128, 8, 8)], f"maps of {shapes}"
