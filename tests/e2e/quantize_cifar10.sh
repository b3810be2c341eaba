#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The networks for CIFAR-10 that ship, in 8 bits by samples they were trained on: no exit loses more
# than half a point on batch 5.  EE_TEST_SAMPLES: how many of it; default all.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

need_data cifar10/data_batch_5.bin.xz
need_data cifar10/data_batch_1.bin.xz
command -v xz > "$scratch/out" || skip "there is no xz"
cd "$scratch"
for batch in 1 5; do
  xz -dc "$EE_TEST_DATA/cifar10/data_batch_$batch.bin.xz" > "data_batch_$batch.bin"
  edgeexit import cifar10 "data_batch_$batch.bin" -o "batch$batch.h5"
done

# accuracies MODEL BACKEND: of its three exits on batch 5
accuracies() {
  edgeexit score --samples "${EE_TEST_SAMPLES:-10000}" --backend "$2" --json "$1" batch5.h5 \
    -o exits.h5 > score.json
  local exit
  for exit in 0 1 2; do tool json_value exits.$exit.accuracy < score.json; done | tr '\n' ' '
}

for name in resnet_cifar10 balexnet_cifar10; do
  edgeexit quantize --json "$source_dir/io/models/$name.h5" batch1.h5 -o int8.h5 > quantize.json
  expect "nodes of $name left in float32" "$(tool json_value given_back < quantize.json)" 0
  float32=$(accuracies int8.h5 simd)
  int8=$(accuracies int8.h5 int8)
  echo "$name: float32 $float32 int8 $int8"
  awk -v a="$float32" -v b="$int8" 'BEGIN {
    n = split(a, x); split(b, y)
    for (i = 1; i <= n; i++) if (y[i] < x[i] - 0.005) exit 1
    exit n != 3
  }' || fail "$name loses more than half a point: $float32, in 8 bits $int8"
done
