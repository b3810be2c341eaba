#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# CIFAR-10's batch 5 from its official file through the networks that ship: PyTorch's logits, by
# Winograd's convolutions and without them, and on four devices the bits, the accuracy and the exits
# of one.  EE_TEST_SAMPLES: how many of the 10,000 samples, at least 1,000; default all.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

need_data cifar10/data_batch_5.bin.xz
command -v xz > "$scratch/out" || skip "there is no xz"
models=()
for name in resnet_cifar10 balexnet_cifar10 distree_cifar10; do
  [[ ! -e $source_dir/io/models/$name.h5 ]] || models+=("$name")
done
((${#models[@]} > 0)) || skip "io/models has no network for CIFAR-10"

samples=${EE_TEST_SAMPLES:-10000}
data=$scratch/batch5.h5
xz -dc "$EE_TEST_DATA/cifar10/data_batch_5.bin.xz" > "$scratch/data_batch_5.bin"
edgeexit import cifar10 "$scratch/data_batch_5.bin" -o "$data"
edgeexit info "$data" | grep -q '^data: 10000 samples of uint8 \[3, 32, 32\]' ||
  fail "batch 5 is not what it should be: $(edgeexit info "$data")"

# run RANKS MODEL
run() {
  edgeexit run --devices "$1" --samples "$samples" --logits --policy threshold:value=0.8 \
    --trace "$scratch/$1.h5" "$2" "$data" > "$scratch/out" 2> "$scratch/err" ||
    fail "$2 on $1 devices: $(cat "$scratch/err")"
}

# check_accuracy MODEL: every exit is right as often as PyTorch said after training
check_accuracy() {
  local exit=0 right
  for right in $(edgeexit info "$1" | sed -n 's/.*accuracy per exit: batch 5 \([0-9. ]*\).*/\1/p'); do
    expect "accuracy of exit $exit" \
      "$(printf %.4f "$(tool json_value exits.$exit.accuracy < "$scratch/score.json")")" "$right"
    exit=$((exit + 1))
  done
  expect "exits that PyTorch speaks of" $exit "$(tool json_value exits.# < "$scratch/score.json")"
}

# check_branches MODEL: its branches side by side on four devices say what one device says
check_branches() {
  local digest place
  edgeexit run --devices 1 --samples 300 --logits --policy feature:value=0.5 --trace "$scratch/one.h5" \
    "$1" "$data" > "$scratch/out" 2> "$scratch/err" || fail "$1: $(cat "$scratch/err")"
  digest=$(value "$scratch/one.h5" answers_digest)
  for place in 0/1/2/3 latency; do
    edgeexit run --devices 4 --samples 300 --logits --policy feature:value=0.5 --branches $place \
      --trace "$scratch/side.h5" "$1" "$data" > "$scratch/out" 2> "$scratch/err" ||
      fail "$1, branches $place: $(cat "$scratch/err")"
    expect "digest of answers, branches $place" "$(value "$scratch/side.h5" answers_digest)" "$digest"
  done
}

for name in "${models[@]}"; do
  echo "$name"
  model=$source_dir/io/models/$name.h5
  edgeexit score --samples "$samples" --json -o "$scratch/exits.h5" "$model" "$data" \
    > "$scratch/score.json"
  ((samples < 10000)) || check_accuracy "$model"
  tool compare_reference "$scratch/exits.h5" "${model%.h5}_reference.h5" 1000 0.8
  edgeexit score --samples 1000 --winograd off -o "$scratch/direct.h5" "$model" "$data"
  tool compare_reference "$scratch/direct.h5" "${model%.h5}_reference.h5" 1000 0.8
  run 1 "$model"
  run 4 "$model"
  tool compare_traces --exits "$scratch/exits.h5" --threshold 0.8 "$scratch"/[14].h5
  [[ $name != distree* ]] || check_branches "$model"
  for what in accuracy exits.0.share exits.1.share exits.2.share; do
    expect "$what on four devices" "$(value "$scratch/4.h5" $what)" "$(value "$scratch/1.h5" $what)"
  done
done
