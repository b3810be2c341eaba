#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What calibration changes for a device that answers what it is sure of and offloads the rest: its
# share, its accuracy and how often a batch misses the accuracy that was promised, over targets; and
# the missed deadlines, where calibration costs time.
#
#   CIFAR10_DIR=DIR jobs/experiments/calibrated_offloading.sh [OUT [MODEL.h5...]]
#
# MODEL.h5: by default the networks that ship; jobs/experiments/overconfident.sh makes over-confident
# ones.  Temperatures are fitted on samples kept for it, everything else is measured on batch 5.
# TARGETS, SPEED, CLOUD [FLOP/s], NETWORK [s]: of the promise and of the machines.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
TARGETS=${TARGETS:-0.5 0.6 0.7 0.8 0.9 0.95}
DEADLINE_TARGET=${DEADLINE_TARGET:-0.8}
SPEED=${SPEED:-1e9} CLOUD=${CLOUD:-1e11} NETWORK=${NETWORK:-0.2}
need_cifar10
cifar10_data
models=("${@:2}")
[ ${#models[@]} -gt 0 ] || models=(io/models/balexnet_cifar10.h5 io/models/resnet_cifar10.h5)

# table_of NAME MODEL HOW TARGET: exit table of batch 5, calibrated so; prints its path
table_of() {
  local path=$out/$1-$3.h5 fitted=$out/fitted.h5 options=(--mode "$3")
  [ "$3" = all ] || options+=(--target "$4")
  [ "$3" != leave ] && [ "$3" != global ] || path=$out/$1-$3-$4.h5
  if [ ! -e "$path" ]; then
    if [ "$3" = stored ]; then
      cp "$2" "$fitted"
    else
      edgeexit calibrate "$2" "$out/kept.h5" --holdout 0 "${options[@]}" -o "$fitted" > /dev/null
    fi
    edgeexit score "$fitted" "$out/batch5.h5" -o "$path" > /dev/null
  fi
  echo "$path"
}

# measure TABLE TARGET [OPTION...]
measure() {
  edgeexit offload "$1" --target "$2" --speed "$SPEED" --cloud-speed "$CLOUD" --network "$NETWORK" \
    "${@:3}"
}

study_targets() {
  local target how
  printf '\n%s: over the target p, batches of 256 samples\n' "$1"
  printf '%6s %-10s %10s %10s %10s %10s\n' p calibrated 'on device' accuracy outage 's/sample'
  for target in $TARGETS; do
    for how in stored all global leave; do
      measure "$(table_of "$1" "$2" $how "$target")" "$target" | awk -v how=$how 'NR == 2 {
        printf "%6s %-10s %10s %10s %10s %10s\n", $1, how, $2, $3, $6, $5 }'
    done
  done
}

study_deadlines() {
  local how
  printf '\n%s: batches that miss p = %s or the deadline\n' "$1" "$DEADLINE_TARGET"
  for how in stored all global leave; do
    measure "$(table_of "$1" "$2" $how "$DEADLINE_TARGET")" "$DEADLINE_TARGET" \
      --deadline "${DEADLINES:-0:0.24:25}" | awk '/deadline/ { print $2, $6 }' > "$out/missed-$how"
  done
  printf '%10s %8s %8s %8s %8s\n' 'deadline s' stored all global leave
  paste -d ' ' "$out"/missed-{stored,all,global,leave} |
    awk '{ printf "%10s %8s %8s %8s %8s\n", $1, $2, $4, $6, $8 }'
}

for model in "${models[@]}"; do
  name=$(basename "$model" .h5)
  edgeexit calibrate "$model" "$out/kept.h5" --holdout 0 -o "$out/fitted.h5" |
    awk -v name="$name" 'NR == 1 { print name ": " $0 } NR > 1'
  study_targets "$name" "$model"
  study_deadlines "$name" "$model"
done
