#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# BranchyNet's table for B-AlexNet on CIFAR-10: thresholds of entropy, accuracy, what is saved and
# where samples leave, published and on the B-AlexNet that ships.
#
#   CIFAR10_DIR=DIR jobs/experiments/branchynet.sh [OUT [MODEL.h5]]
#
# gain: FLOP and time without early exits over those with them.  Time is that of a stream over one
# device on the real clock, one sample at a time; median of REPEATS runs, interleaved.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
THRESHOLDS=${THRESHOLDS:-0.0001/0.05 0.01/0.05 0.1/0.5 0.3/0.3 0.5/0.5 0.7/0.7 1/1}
REPEATS=${REPEATS:-3}
need_cifar10
cifar10_data
model=${2:-io/models/balexnet_cifar10.h5}
score "$model" branchynet
export_mpi_settings

policy_of() {
  [ "$1" = - ] && echo final || echo "entropy:values=$1"
}

# run THRESHOLDS: appends samples per second to a file
run() {
  edgeexit run --devices 1 --batch 1 --rebalance off --epoch 4096 --policy "$(policy_of "$1")" --json \
    "$model" "$out/batch5.h5" > "$out/run.json" 2> /dev/null
  figure "$out/run.json" throughput_per_s >> "$out/speed-${1//\//_}"
}

median() {
  sort -g "$1" | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

printf 'published\n'
awk -F '\t' '!/^#/ { printf "%-10s %-14s %8s %6s %6s  %s\n", $1, $2, $3, $4, $5, $6 }' \
  $published/branchynet.tsv

rm -f "$out"/speed-*
for ((i = 0; i < REPEATS; i++)); do
  for t in - $THRESHOLDS; do run "$t"; done
done
edgeexit policy "$out/branchynet.h5" --policy final --json > "$out/final.json"
full=$(figure "$out/final.json" mean_flops)
slow=$(median "$out/speed--")
printf '\nhere, %s, %s samples, entropy in nat\n' "$(basename "$model")" "$SAMPLES"
printf '%-14s %8s %10s %10s  %s\n' thresholds accuracy 'FLOP gain' 'time gain' exits
for t in - $THRESHOLDS; do
  edgeexit policy "$out/branchynet.h5" --policy "$(policy_of "$t")" --json > "$out/policy.json"
  printf '%-14s %8.4f %10.2f %10.2f  %s\n' "$t" "$(figure "$out/policy.json" accuracy)" \
    "$(awk "BEGIN { print $full / $(figure "$out/policy.json" mean_flops) }")" \
    "$(awk "BEGIN { print $(median "$out/speed-${t//\//_}") / $slow }")" \
    "$(sed 's/.*"exit_share":\[\([^]]*\)\].*/\1/; s/,/ /g' "$out/policy.json")"
done
