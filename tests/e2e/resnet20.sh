#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A network that none of us trained: published ResNet-20 weights through PyTorch and ONNX give
# PyTorch's logits of the first 1,000 samples of CIFAR-10's batch 5, on one device and on four.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

need_data cifar10/data_batch_5.bin.xz
need_data weights/resnet20-12fca82f.th
command -v xz > "$scratch/out" || skip "there is no xz"
python=${PYTHON:-/usr/bin/python3}
"$python" -c "import h5py, onnx, torch" 2> "$scratch/err" ||
  skip "$python has no torch, onnx and h5py"

# A batch that ends after 1,000 records of 3,073 bytes is enough; xz is stopped in its course.
mkdir "$scratch/cifar10"
(xz -dc "$EE_TEST_DATA/cifar10/data_batch_5.bin.xz" 2> "$scratch/err" || true) |
  head -c 3073000 > "$scratch/cifar10/data_batch_5.bin"

train() {
  "$python" -B "$source_dir/apps/train/edgetrain.py" "$@"
}
train resnet20 --weights "$EE_TEST_DATA/weights/resnet20-12fca82f.th" --data "$scratch/cifar10" \
  --out "$scratch/resnet20.ckpt"
train export "$scratch/resnet20.ckpt" --out "$scratch/resnet20.onnx" > "$scratch/out" 2>&1 ||
  fail "export: $(cat "$scratch/out")"
train reference "$scratch/resnet20.ckpt" --data "$scratch/cifar10" --out "$scratch/reference.h5"

model=$scratch/resnet20.h5 data=$scratch/data.h5
edgeexit import onnx "$scratch/resnet20.onnx" -o "$model"
edgeexit import cifar10 "$scratch/cifar10/data_batch_5.bin" -o "$data"
edgeexit score -o "$scratch/exits.h5" "$model" "$data"
tool compare_reference "$scratch/exits.h5" "$scratch/reference.h5" 1000 0.5
edgeexit run --devices 4 --logits --trace "$scratch/trace.h5" "$model" "$data" > "$scratch/out"
tool compare_traces --exits "$scratch/exits.h5" --threshold 0.8 "$scratch/trace.h5"
