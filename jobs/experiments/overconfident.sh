#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Over-confident networks for jobs/experiments/calibrated_offloading.sh: the CIFAR-10 networks trained
# on few images, as they are, without weight decay.  Minutes each on one core.
#
#   CIFAR10_DIR=DIR jobs/experiments/overconfident.sh OUT
#
# EPOCHS: of both trainings, to try the script; default 40 and 60.
# Writes OUT/balexnet_overconfident.h5 and OUT/resnet_overconfident.h5.  Needs Debian's
# python3-torch, python3-onnx and python3-h5py (PYTHON names another one), and all five batches.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -eq 1 ] || die "expected one folder to write to"
need_cifar10
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, onnx, h5py' 2> /dev/null ||
  die "$python lacks torch, onnx or h5py; apt-get install python3-torch python3-onnx python3-h5py"

# make NAME NETWORK IMAGES EPOCHS
make() {
  "$python" apps/train/edgetrain.py --threads 1 train "$2" --data "$CIFAR10_DIR" --first "$3" --plain \
    --epochs "$4" --out "$out/$1.ckpt"
  "$python" apps/train/edgetrain.py export "$out/$1.ckpt" --out "$out/$1.onnx"
  edgeexit import onnx "$out/$1.onnx" -o "$out/$1.h5"
}

make balexnet_overconfident balexnet_cifar10 10000 "${EPOCHS:-40}"
make resnet_overconfident resnet_cifar10 4000 "${EPOCHS:-60}"
