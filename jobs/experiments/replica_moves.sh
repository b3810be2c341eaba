#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stages that unequal devices share, and one of these that slows down to 0.3 of its speed: samples per
# second of the whole stream on the simulated clock, of the controller with replicas and with one
# device per stage, of a plan that stays, and of the plan that knows the change from the start; and how
# often the controller moves on a stream of 200 epochs that stays as it is.
#
#   jobs/experiments/replica_moves.sh [OUT]
#
# STREAM: samples, default 12000.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-12000}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

# fleet NAME [CHANGE]: OUT/NAME.yaml, four unequal devices, of which the second may change
fleet() {
  cat > "$out/$1.yaml" << FLEET
devices:
  - {name: a, flops: 100M}
  - {name: b, flops: 100M${2:+, speed: [$2]}}
  - {name: c, flops: 60M}
  - {name: d, flops: 40M}
links: {default: {bandwidth: 1Gbit/s, latency: 200us}}
FLEET
}

# serve TEXT FLEET PLANNER REBALANCE: a row
serve() {
  edgeexit simulate "$out/plain.h5" --outcomes "$out/outcomes.h5" --fleet "$out/$2.yaml" \
    --planner "$3" --rebalance "$4" --batch 1 --slots 4 --epoch $((STREAM / 200)) --control-delay 3 \
    --policy threshold:value=0.5 --json > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  printf '%-44s %10.2f %6s\n' "$1" "$(figure "$out/run.json" throughput_per_s)" \
    "$(figure "$out/run.json" moves_done)"
}

edgeexit generate network plain --blocks 6 -o "$out/plain.h5" > /dev/null
awk -v n="$STREAM" 'BEGIN { print "p0,c0"; for (i = 0; i < n; i++) print "0,1" }' > "$out/outcomes.csv"
edgeexit import exits "$out/outcomes.csv" --prediction p0 --confidence c0 --layers 7 --classes 10 \
  -o "$out/outcomes.h5" > /dev/null
fleet still
fleet early '{at: 2, factor: 0.3}'
fleet known '{at: 0, factor: 0.3}'

printf '%-44s %10s %6s\n' plan samples/s moves
serve 'nothing changes: controller, replicas' still replicate on
serve 'slow from 2 s on: the plan that knows it' known replicate off
serve 'slow from 2 s on: controller, replicas' early replicate on
serve 'slow from 2 s on: replicas that stay' early replicate off
serve 'slow from 2 s on: controller, exact' early exact on
