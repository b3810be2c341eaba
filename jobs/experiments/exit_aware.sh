#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plans that know where samples leave against plans balanced for the full depth, in samples per
# second: ResNet-50 whose exits after blocks 4 and 8 take 30 and 30 %, or 50 and 20 %, of the
# samples, and our residual network for CIFAR-10 with the exits that it takes; on 2, 4 and 8 equal
# devices.
#
#   jobs/experiments/exit_aware.sh [OUT]
#
# CLOCKS: "simulated paced" or one of them, default both.  PARTS: numbers of devices, default
# "2 4 8".  STREAM: samples of ResNet-50, default 1800; through all layers one device needs half a
# second for each.  The part of CIFAR-10 needs CIFAR10_DIR and is left out without.
# EXITS: shares that leave ResNet-50, default "0.3/0.3 0.5/0.2"; none if empty.
# SPEED: devices and links so many times as fast, and rates divided by it, default 1; a paced stream
# takes minutes for each row.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-1800}
CLOCKS=${CLOCKS:-simulated paced}
PARTS=${PARTS:-2 4 8}
EXITS=${EXITS-0.3/0.3 0.5/0.2}
SPEED=${SPEED:-1}
slower=$(awk -v speed="$SPEED" 'BEGIN { print 1 / speed }')
export_mpi_settings

# fleet P FLOPS: OUT/fleet.yaml, P equal devices on links of 1 Gbit/s
fleet() {
  awk -v n="$1" -v gflops="$2" -v speed="$SPEED" 'BEGIN {
    printf "devices:\n  - {name: d, count: %d, flops: %gG}\n", n, gflops * speed
    printf "links: {default: {bandwidth: %gGbit/s, latency: %gus}}\n", speed, 200 / speed
  }' > "$out/fleet.yaml"
}

# rate CLOCK PLANNER: samples per second, of $model with $options, over SPEED
rate() {
  local how=(simulate)
  [ "$1" = paced ] && how=(run --devices "$devices")
  if [ "$1" = predicted ]; then
    edgeexit plan "$model" --fleet "$out/fleet.yaml" --planner "$2" "${options[@]}" --json \
      > "$out/plan.json"
    tr '{' '\n' < "$out/plan.json" | grep "\"devices\":$devices," > "$out/one.json"
    figure "$out/one.json" throughput_per_s "$slower"
  else
    edgeexit "${how[@]}" "$model" --outcomes "$outcomes" --fleet "$out/fleet.yaml" --planner "$2" \
      "${options[@]}" --rebalance off --epoch 300 --policy "$policy" --json > "$out/run.json" 2> "$out/err"
    [ "$1" != paced ] || grep -q '"honest":true' "$out/run.json" ||
      echo "$devices devices, $2: this machine is too slow for the paced clock" >&2
    figure "$out/run.json" throughput_per_s "$slower"
  fi
}

# compare NAME: a row for each number of devices
compare() {
  local clock blind aware
  for devices in $PARTS; do
    fleet "$devices" "$gflops"
    printf '%-16s %2d' "$1" "$devices"
    for clock in predicted $CLOCKS; do
      blind=$(rate "$clock" flops)
      aware=$(rate "$clock" exact)
      awk -v blind="$blind" -v aware="$aware" \
        'BEGIN { printf " | %9.2f %9.2f %5.2f", blind, aware, aware / blind }'
    done
    echo
  done
}

printf '%-16s %2s' exits P
for clock in predicted $CLOCKS; do
  printf ' | %9s %9s %5s' "$clock" aware ratio
done
echo

gflops=16.4 policy=threshold:value=0.5 model=$out/resnet50.h5 outcomes=$out/outcomes.h5
for exits in $EXITS; do
  a=${exits%/*} b=${exits#*/}
  resnet50_with_exits "$a" "$b" "$STREAM"
  shares=$exits/$(awk -v a="$a" -v b="$b" 'BEGIN { print 1 - a - b }')
  options=(--batch 1 --slots 8 --shares "$shares" --whole-blocks)
  compare "$exits, blocks"
  options=(--batch 1 --slots 8 --shares "$shares")
  compare "$exits, layers"
done

[ -n "${CIFAR10_DIR-}" ] || exit 0
need_cifar10
cifar10_data
gflops=1.64 policy=threshold:value=0.8 model=io/models/resnet_cifar10.h5 outcomes=$out/resnet.h5
score "$model" resnet
options=(--batch 1 --slots 8 --exits "$outcomes")
compare "CIFAR-10, layers"
