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
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-1800}
CLOCKS=${CLOCKS:-simulated paced}
PARTS=${PARTS:-2 4 8}

# fleet P FLOPS: OUT/fleet.yaml, P equal devices on links of 1 Gbit/s
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: d, count: $1, flops: $2}
links: {default: {bandwidth: 1Gbit/s, latency: 200us}}
FLEET
}

# rate CLOCK PLANNER: samples per second, of $model with $options
rate() {
  local how=(simulate)
  [ "$1" = paced ] && how=(run --devices "$devices")
  if [ "$1" = predicted ]; then
    edgeexit plan "$model" --fleet "$out/fleet.yaml" --planner "$2" "${options[@]}" --json \
      > "$out/plan.json"
    tr '{' '\n' < "$out/plan.json" | grep "\"devices\":$devices," > "$out/one.json"
    figure "$out/one.json" throughput_per_s
  else
    edgeexit "${how[@]}" "$model" --outcomes "$outcomes" --fleet "$out/fleet.yaml" --planner "$2" \
      "${options[@]}" --rebalance off --epoch 300 --policy "$policy" --json > "$out/run.json" 2> "$out/err"
    figure "$out/run.json" throughput_per_s
  fi
}

# compare NAME: a row for each number of devices
compare() {
  local clock blind aware
  for devices in $PARTS; do
    fleet "$devices" "$flops"
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

flops=16.4G policy=threshold:value=0.5 model=$out/resnet50.h5 outcomes=$out/outcomes.h5
for exits in 0.3/0.3 0.5/0.2; do
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
flops=1.64G policy=threshold:value=0.8 model=io/models/resnet_cifar10.h5 outcomes=$out/resnet.h5
score "$model" resnet
options=(--batch 1 --slots 8 --exits "$outcomes")
compare "CIFAR-10, layers"
