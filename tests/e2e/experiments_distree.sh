#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The comparison of rules for networks of parallel branches runs, on one that is hardly trained, and
# prints a row for each thing that docs/experiments.md has a row for.
# shellcheck source=experiments_common.sh
. "$(dirname "$0")/experiments_common.sh"
need_data cifar10/data_batch_5.bin.xz
command -v xz > "$scratch/out" || skip "there is no xz"
/usr/bin/python3 -c 'import torch, onnx, h5py' 2> "$scratch/err" ||
  skip "/usr/bin/python3 lacks torch, onnx or h5py"
for batch in 1 2 3 4 5; do
  xz -dc "$EE_TEST_DATA/cifar10/data_batch_$batch.bin.xz" > "$scratch/data_batch_$batch.bin"
done
export CIFAR10_DIR=$scratch SAMPLES=512

distree() {
  /usr/bin/python3 -B "$source_dir/apps/train/distree.py" "$@" --data "$scratch" --first 256 \
    --epochs 1 > "$scratch/out" 2>&1 || fail "distree.py $1: $(tail -1 "$scratch/out")"
}
mkdir "$scratch/trained"
distree student --teacher "$source_dir/io/models/resnet_cifar10.h5" --branches 3 --width 8 \
  --features 16 --out "$scratch/trained/k3.ckpt"
LOSSES='0 0.02' PYTHON=/usr/bin/python3 experiment distree_rules "$scratch/trained" k3
rows '^(feature(-l2|-cosine)?|kl|l2|cosine|confidence|margin|entropy|patience) +(0|0\.02) ' 40
rows '^(feature|confidence|margin|entropy) +-?[0-9.]+(, with -?[0-9.]+ points lost)?$' 8
rows '^ +[123]( +[0-9.]+ \([0-9.]+ to [0-9.]+\)){4}' 3
