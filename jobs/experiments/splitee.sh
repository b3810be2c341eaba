#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SplitEE and SplitEE-S over the cost of offloading: what they save and what it costs in accuracy, on
# the networks that ship and on other exit tables, beside the published curves.
#
#   [CIFAR10_DIR=DIR] jobs/experiments/splitee.sh [OUT [EXITS.h5...]]
#
# As published, running all layers costs 1.2, and SplitEE pays a fifth of a layer less for each exit
# that it does not ask.  ALPHA: confidence to leave at; default 0.8.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
ALPHA=${ALPHA:-0.8}
STREAM=${STREAM:-resample:50000}

print_published() {
  printf 'published\n%-10s %-10s %8s %10s %10s\n' dataset policy o saving accuracy
  awk -F '\t' '/^#/ || $1 == "dataset" { next }
    { printf "%-10s %-10s %8s %9.1f%% %10s\n", $1, $3, $4, 100 - $5 * 1e6 / (12 * $2), $6 }' \
    $published/splitee.tsv
}

# curve NAME TABLE LAYERS FINAL POLICY HEAD_SHARE
curve() {
  edgeexit policy "$2" --policy "$5:alpha=$ALPHA" --lambda "$(awk "BEGIN { print 1.2 / $3 }")" \
    --head-share "$6" --sweep offload-cost=0.1:0.6:6 --stream "$STREAM" --seeds "$SEEDS" \
    -o "$out/splitee-$1-$5.h5" |
    awk -v name="$1" -v policy="$5" -v final="$4" 'NR > 1 {
      printf "%-22s %-10s %5s %8.4f %8.1f%% %9.4f %+9.4f %9.4f %8.0f %5d\n", name, policy, $1, $3,
        100 - 100 * $3 / 1.2, $2, $2 - final, $6, $10, $11 }'
}

# study NAME TABLE
study() {
  local layers final
  layers=$(layers_of "$2")
  final=$(figure "$out/final.json" accuracy)
  curve "$1" "$2" "$layers" "$final" splitee 0.2
  curve "$1" "$2" "$layers" "$final" splitee-s 0
}

# rules NAME TABLE: regret against the best fixed arm over the stream, by index rule
rules() {
  local layers rule
  layers=$(layers_of "$2")
  for rule in ucb1 ucbv ucb-tuned discounted window thompson; do
    edgeexit policy "$2" --policy "splitee:alpha=$ALPHA,rule=$rule" --offload-cost 0.3 \
      --lambda "$(awk "BEGIN { print 1.2 / $layers }")" --stream "$STREAM" --seeds "$SEEDS" |
      awk -v name="$1" -v rule="$rule" '$1 == "regret" {
        printf "%-22s %-10s %10.1f +- %.1f\n", name, rule, $2, $4 }'
  done
}

tables=()
edgeexit generate modulation --samples 10000 --seed 11 -o "$out/frames.h5" > /dev/null
edgeexit score io/models/modulation.h5 "$out/frames.h5" -o "$out/modulation.h5" > /dev/null
tables+=("$out/modulation.h5")
if [ -n "${CIFAR10_DIR-}" ]; then
  need_cifar10
  cifar10_data
  for name in resnet_cifar10 balexnet_cifar10; do
    score io/models/$name.h5 $name
    tables+=("$out/$name.h5")
  done
else
  echo "CIFAR10_DIR is not set: without the CIFAR-10 networks" >&2
fi
[ $# -le 1 ] || tables+=("${@:2}")

print_published
printf '\nhere, alpha %s, %s, %s streams\n' "$ALPHA" "$STREAM" "$SEEDS"
printf '%-22s %-10s %5s %8s %9s %9s %9s %9s %8s %5s\n' table policy o cost saving accuracy 'to final' \
  offloaded regret best
for table in "${tables[@]}"; do study "$(basename "$table" .h5)" "$table"; done
printf '\nregret at o = 0.3 by index rule\n'
for table in "${tables[@]}"; do rules "$(basename "$table" .h5)" "$table"; done
