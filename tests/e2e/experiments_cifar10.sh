#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of jobs/experiments that need CIFAR-10 run, on a small share of it, and print a row for
# each thing that docs/experiments.md has a row for.
# shellcheck source=experiments_common.sh
. "$(dirname "$0")/experiments_common.sh"
need_data cifar10/data_batch_5.bin.xz
command -v xz > "$scratch/out" || skip "there is no xz"
for batch in 1 2 3 4 5; do
  xz -dc "$EE_TEST_DATA/cifar10/data_batch_$batch.bin.xz" > "$scratch/data_batch_$batch.bin"
done
export CIFAR10_DIR=$scratch SAMPLES=512

STREAM=resample:2000 SEEDS=2 experiment splitee
rows '^(modulation|resnet_cifar10|balexnet_cifar10) +splitee(-s)? +0\.[1-6] ' 36

REPEATS=1 THRESHOLDS='0.1/0.5 1/1' experiment branchynet
rows '^B-AlexNet ' 3
rows '^(-|0\.1/0\.5|1/1) +0\.[0-9]+ ' 3

models=("$source_dir/io/models/balexnet_cifar10.h5")
if /usr/bin/python3 -c 'import torch, onnx, h5py' 2> "$scratch/err"; then
  EPOCHS=1 PYTHON=/usr/bin/python3 experiment overconfident
  models+=("$scratch/of-overconfident/balexnet_overconfident.h5")
  [[ -e $scratch/of-overconfident/resnet_overconfident.h5 ]] || fail "no residual network was made"
fi
TARGETS=0.8 DEADLINES=0.1:0.2:3 experiment calibrated_offloading "${models[@]}"
rows '^ 0\.800 (stored|all|global|leave) ' $((4 * ${#models[@]}))
rows '^ +0\.(1|15|2) +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$' $((3 * ${#models[@]}))

REPEATS=1 SAMPLES=1500 experiment two_cores
rows '^(final|threshold:value=0.8)( +[0-9.]+){6}$' 2

if [[ -e $bin/edgeexit-simulated ]]; then
  CUTS='5 10' BANDWIDTHS='10 50' STREAM=200 experiment link_values
  rows '^ +(5|10) (f32|f16|int8) +(\| [0-9.]+ +[0-9.-]+ +[0-9.]+ +[0-9.]+ ?){2}$' 6
  rows '^(final|threshold:value=0.8) +(10|50)( +[0-9.]+){4}  [fi].*0-' 4
fi
