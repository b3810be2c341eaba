#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stages that several devices share against one device per stage, in samples per second, predicted
# and simulated.  Six equal convolutions in a row on 4, 8 and 16 equal devices: without replicas no
# plan is faster than one of them.  ResNet-50 whose exits after blocks 4 and 8 take 50 and 20 % of
# the samples, on 16 devices that cannot hold it whole.
#
#   jobs/experiments/replicas.sh [OUT]
#
# PARTS: numbers of devices for the convolutions, default "4 8 16".  STREAM: samples, default 4800;
# a sixth of them for ResNet-50, and none if RESNET is 0.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-4800}
PARTS=${PARTS:-4 8 16}
RESNET=${RESNET:-1}

# fleet P FLOPS MEMORY: OUT/fleet.yaml, P equal devices with so much memory
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: d, count: $1, flops: $2, memory: $3}
links: {default: {bandwidth: 1Gbit/s, latency: 200us}}
FLEET
}

# rates PLANNER DEVICES: predicted and simulated samples per second, and how many devices each stage has
rates() {
  edgeexit plan "$model" --fleet "$out/fleet.yaml" --planner "$1" "${options[@]}" --json |
    tr '{' '\n' | grep "\"devices\":$2,.*stage_devices" > "$out/one.json"
  predicted=$(figure "$out/one.json" throughput_per_s)
  widths=$(sed 's/.*"stage_devices":\[\([0-9,]*\)\].*/\1/' "$out/one.json")
  edgeexit simulate "$model" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" --planner "$1" \
    "${options[@]}" --rebalance off --epoch "$epoch" --control-delay 3 --policy threshold:value=0.5 \
    --json > "$out/run.json" 2> "$out/err"
  simulated=$(awk -v s="$(figure "$out/run.json" period_measured_s)" 'BEGIN { print 1 / s }')
}

# compare NAME DEVICES
compare() {
  local alone
  rates exact "$2"
  alone=$simulated
  printf '%-12s %2d | %9.2f %9.2f' "$1" "$2" "$predicted" "$simulated"
  rates replicate "$2"
  awk -v p="$predicted" -v s="$simulated" -v a="$alone" -v w="$widths" \
    'BEGIN { printf " | %9.2f %9.2f | %5.2f  %s\n", p, s, s / a, w }'
}

printf '%-12s %2s | %9s %9s | %9s %9s | %5s  %s\n' network P exact simulated replicate simulated \
  ratio "devices of each stage"
model=$out/plain.h5
edgeexit generate network plain --blocks 6 -o "$model" > /dev/null
awk -v n="$STREAM" 'BEGIN { print "p0,c0"; for (i = 0; i < n; i++) print "0,1" }' > "$out/outcomes.csv"
edgeexit import exits "$out/outcomes.csv" --prediction p0 --confidence c0 --layers 7 --classes 10 \
  -o "$out/outcomes.h5" > /dev/null
options=(--batch 1 --slots 4) epoch=$((STREAM / 12))
for devices in $PARTS; do
  fleet "$devices" 100M 10MB
  compare convolutions "$devices"
done

[ "$RESNET" = 1 ] || exit 0
model=$out/resnet50.h5
resnet50_with_exits 0.5 0.2 "$((STREAM / 6))"
options=(--batch 1 --slots 2 --shares 0.5/0.2/0.3) epoch=$((STREAM / 72))
fleet 16 16.4G 75MB
compare ResNet-50 16
