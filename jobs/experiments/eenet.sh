#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# EENets' learned scores beside the greatest probability, on one network: what an accuracy costs by
# one limit of the scores, by one threshold of the probability, and by a threshold for each exit.
#
#   jobs/experiments/eenet.sh [OUT [MODEL.h5...]]
#
# MODEL.h5: networks of radio frames with scores; default the one that ships.
# TARGETS: accuracies that are asked for.  Limits are the cheapest that reach them on KEPT frames;
# the figures are of FRAMES others.  Neither were trained on.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
TARGETS=${TARGETS:-0.74 0.75 0.76 0.765 0.77 0.775 0.78}
KEPT=${KEPT:-8000} FRAMES=${FRAMES:-22000}
models=("${@:2}")
[ ${#models[@]} -gt 0 ] || models=(io/models/modulation_scored.h5)

# cheapest NAME POLICY TARGET: the policy with the least of 201 values that reaches the target, or
# nothing; cost rises with the value
cheapest() {
  local sweep=$out/$1-$2.txt
  [ -e "$sweep" ] ||
    edgeexit policy "$out/$1-kept.h5" --policy "$2" --sweep value=0:1:201 > "$sweep"
  awk -v policy="$2" -v target="$3" 'NR > 1 && $2 >= target {
    print policy ":value=" $1
    exit
  }' "$sweep"
}

# each_exit NAME TARGET: the thresholds that reach the target at the least cost, or nothing
each_exit() {
  edgeexit policy "$out/$1-kept.h5" --accuracy "$2" > "$out/found.txt" || return 0
  awk 'NR == 2 { print $3 }' "$out/found.txt"
}

# row TARGET NAME POLICY: its figures on the frames that are reported
row() {
  [ -n "$3" ] || return 0
  edgeexit policy "$out/$2-new.h5" --policy "$3" --json > "$out/policy.json"
  printf '%6s %9.4f %8.3f  %-30s %s\n' "$1" "$(figure "$out/policy.json" accuracy)" \
    "$(figure "$out/policy.json" mean_flops 1e-6)" \
    "$(sed 's/.*"exit_share":\[\([^]]*\)\].*/\1/; s/,/ /g' "$out/policy.json" |
      xargs printf '%.3f ')" "$3"
}

# frames NAME SAMPLES SEED: drawn as the training frames were, with another seed
frames() {
  edgeexit generate modulation --samples "$2" --seed "$3" --snr -10:20 -o "$out/$1.h5" > /dev/null
}

frames kept "$KEPT" 3
frames new "$FRAMES" 6
for model in "${models[@]}"; do
  name=$(basename "$model" .h5)
  rm -f "$out/$name"-{eenet,threshold}.txt
  for data in kept new; do
    edgeexit score "$model" "$out/$data.h5" -o "$out/$name-$data.h5" > /dev/null
  done
  printf '\n%s, %s frames\n%6s %9s %8s  %-30s %s\n' "$name" "$FRAMES" \
    asked accuracy MFLOP exits policy
  row - "$name" final
  row - "$name" eenet:value=0.5
  for target in $TARGETS; do
    row "$target" "$name" "$(cheapest "$name" eenet "$target")"
    row "$target" "$name" "$(cheapest "$name" threshold "$target")"
    row "$target" "$name" "$(each_exit "$name" "$target")"
  done
done
