#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two devices that are the two cores of this machine, on the real clock: our residual network for
# CIFAR-10 over two ranks against one, with early exits and without, runs of both in turn.
#
#   jobs/experiments/two_cores.sh [OUT]
#
# Needs CIFAR10_DIR.  REPEATS: runs of each, default 5.  SAMPLES: images of each run, default 2000.
SAMPLES=${SAMPLES:-2000}
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
REPEATS=${REPEATS:-5}
need_cifar10
cifar10_data
cp io/models/resnet_cifar10.h5 "$out/model.h5"
edgeexit profile "$out/model.h5" > "$out/profile.txt"
score "$out/model.h5" resnet

# rate P OPTION...: to OUT/run.json
rate() {
  edgeexit run --devices "$1" "$out/model.h5" "$out/batch5.h5" --batch 8 --json "${@:2}" \
    > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  figure "$out/run.json" throughput_per_s
}

median() {
  sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

printf '%-22s %10s %10s %6s %22s\n' policy 'one rank' 'two ranks' ratio 'measured / predicted'
for policy in final threshold:value=0.8; do
  rm -f "$out"/rate-*
  for ((i = 0; i < REPEATS; i++)); do
    rate 1 --policy "$policy" >> "$out/rate-1"
    rate 2 --policy "$policy" --exits "$out/resnet.h5" >> "$out/rate-2"
    awk -v m="$(figure "$out/run.json" period_measured_s)" \
      -v p="$(figure "$out/run.json" period_predicted_s)" 'BEGIN { print m / p }' >> "$out/rate-p"
  done
  awk -v policy="$policy" -v one="$(median < "$out/rate-1")" -v two="$(median < "$out/rate-2")" \
    -v period="$(median < "$out/rate-p")" \
    'BEGIN { printf "%-22s %10.1f %10.1f %6.2f %22.2f\n", policy, one, two, two / one, period }'
done
