#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# PipeEdge's schedule on devices of two types: the shortest period of all orders, PipeEdge's
# recurrence, and the recurrence as released, which plans the second type with the first one's
# profile.  Samples per second, predicted and simulated, of a network of 48 equal blocks, and of
# ResNet-50 whose exits after blocks 4 and 8 take 30 and 30 % of the samples.
#
#   jobs/experiments/pipeedge.sh [OUT]
#
# STREAM: samples, default 900.  SPEEDS: of the second type, as multiples of the first's; default
# "0.78 0.195".
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-900}
SPEEDS=${SPEEDS:-0.78 0.195}
PLANNERS=(free-order pipeedge pipeedge-released)
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

# fleet EACH GFLOPS SPEED: OUT/fleet.yaml, so many devices of each type on links of 1 Gbit/s
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: a, count: $1, flops: ${2}G}
  - {name: b, count: $1, flops: $(awk -v flops="$2" -v speed="$3" 'BEGIN { print flops * speed }')G}
links: {default: {bandwidth: 1Gbit/s, latency: 200us}}
FLEET
}

# predicted PLANNER DEVICES
predicted() {
  edgeexit plan "$model" --fleet "$out/fleet.yaml" --planner "$1" "${options[@]}" --json \
    > "$out/plan.json"
  tr '{' '\n' < "$out/plan.json" | grep "\"devices\":$2," > "$out/one.json"
  figure "$out/one.json" throughput_per_s
}

# simulated PLANNER
simulated() {
  edgeexit simulate "$model" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" \
    --planner "$1" "${options[@]}" --rebalance off --epoch "$((STREAM / 3))" \
    --policy threshold:value=0.5 --json > "$out/run.json" 2> "$out/err"
  figure "$out/run.json" throughput_per_s
}

# compare NAME GFLOPS: a row for each number of devices and each speed
compare() {
  local each speed planner
  for each in 2 4; do
    for speed in $SPEEDS; do
      fleet "$each" "$2" "$speed"
      for planner in "${PLANNERS[@]}"; do predicted "$planner" "$((2 * each))"; done > "$out/rates"
      for planner in "${PLANNERS[@]}"; do simulated "$planner"; done >> "$out/rates"
      paste -sd' ' "$out/rates" | awk -v name="$1" -v hosts="$each + $each" -v speed="$speed" '{
        printf "%-20s %5s %6s | %8.2f %8.2f %8.2f %5.2f | %8.2f %8.2f %8.2f %5.2f\n", name, hosts,
          speed, $1, $2, $3, $1 / $3, $4, $5, $6, $4 / $6 }'
    done
  done
}

printf '%-20s %5s %6s | %8s %8s %8s %5s | %8s %8s %8s %5s\n' network hosts speed predicted pipeedge \
  released ratio simulated pipeedge released ratio

edgeexit generate network plain --blocks 48 -o "$out/plain.h5" > /dev/null
awk -v n="$STREAM" 'BEGIN { print "p,c"; for (i = 0; i < n; i++) print "0,1" }' > "$out/all.csv"
edgeexit import exits "$out/all.csv" --prediction p --confidence c --layers 49 --classes 10 \
  -o "$out/outcomes.h5" > /dev/null
model=$out/plain.h5 options=(--batch 1 --slots 8)
compare '48 blocks' 1

resnet50_with_exits 0.3 0.3 "$STREAM"
model=$out/resnet50.h5 options=(--batch 1 --slots 8 --shares 0.3/0.3/0.4)
compare 'ResNet-50, exits' 16.4
