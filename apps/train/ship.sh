#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From trained checkpoints to the models that ship: export to ONNX, import, calibrate on samples
# that were neither trained on nor are reported on, and write PyTorch's logits of 1,000 samples
# (of modulation_scored 300) for the tests.
#
#   apps/train/ship.sh EDGEEXIT CHECKPOINTS CIFAR10
#
# EDGEEXIT: the program.  CHECKPOINTS: a folder with modnet.ckpt, modnet_scored.ckpt,
# resnet_cifar10.ckpt, balexnet_cifar10.ckpt and distree_cifar10.ckpt (any of them may be missing).
# CIFAR10: a folder with data_batch_4.bin and data_batch_5.bin.  Writes io/models; needs Debian's
# python3-torch, -onnx, -h5py (PYTHON names another one).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 3 ] || { sed -n '7,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
edgeexit=$(realpath "$1") checkpoints=$(realpath "$2") cifar=$(realpath "$3")
models=$here/../../io/models
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"  # so that models name the samples of their temperatures without a folder

# ship NAME CHECKPOINT CALIBRATION.h5 REFERENCE_DATA [SAMPLES]
ship() {
  "$python" "$here/edgetrain.py" export "$2" --out "$1.onnx"
  "$edgeexit" import onnx "$1.onnx" -o "$1.h5"
  "$edgeexit" calibrate "$1.h5" "$3" --holdout 0 -o "$models/$1.h5"
  "$python" "$here/edgetrain.py" reference "$2" --data "$4" --count "${5:-1000}" \
    --out "$models/${1}_reference.h5"
}

if [ -f "$checkpoints/modnet.ckpt" ] || [ -f "$checkpoints/modnet_scored.ckpt" ]; then
  "$edgeexit" generate modulation -o calibrate.h5 --samples 8000 --seed 3 --snr -10:20
  "$edgeexit" generate modulation -o reference.h5 --samples 1000 --seed 4 --snr -10:20
fi
if [ -f "$checkpoints/modnet.ckpt" ]; then
  ship modulation "$checkpoints/modnet.ckpt" calibrate.h5 reference.h5
fi
if [ -f "$checkpoints/modnet_scored.ckpt" ]; then
  ship modulation_scored "$checkpoints/modnet_scored.ckpt" calibrate.h5 reference.h5 300
fi
for name in resnet_cifar10 balexnet_cifar10 distree_cifar10; do
  [ -f "$checkpoints/$name.ckpt" ] || continue
  "$edgeexit" import cifar10 "$cifar/data_batch_4.bin" --range 8000:2000 -o kept.h5
  ship "$name" "$checkpoints/$name.ckpt" kept.h5 "$cifar"
done
ls -l "$models"
