#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Predicted, simulated and paced periods: ResNet-50 with exits after blocks 4 and 8, which take 30 %
# of the samples each, balanced for its full depth over 2, 4 and 8 equal devices; where computing,
# bandwidth or latency is the limit.
#
#   jobs/experiments/clocks.sh [OUT]
#
# PARTS: numbers of devices, default "2 4 8".  STREAM: samples, default 280, in epochs of 40, of
# which the last four full ones are measured.  CLOCKS: "simulated paced" or one of them.
# A paced run is only worth something while this machine keeps up, which the last column says.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
PARTS=${PARTS:-2 4 8}
STREAM=${STREAM:-280}
CLOCKS=${CLOCKS:-simulated paced}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"
resnet50_with_exits 0.3 0.3 "$STREAM"

# periods CLOCK OPTION...: predicted and measured [ms], and whether the machine kept up
periods() {
  local how=(simulate)
  [ "$1" = paced ] && how=(run --devices "$devices")
  edgeexit "${how[@]}" "$out/resnet50.h5" --outcomes "$out/outcomes.h5" \
    --fleet "$out/fleet.yaml" --planner flops --whole-blocks --rebalance off --epoch 40 \
    --control-delay 3 --policy threshold:value=0.5 --json "${@:2}" > "$out/run.json" 2> "$out/err" ||
    die "$(cat "$out/err")"
  echo "$(figure "$out/run.json" period_predicted_s 1000)" \
    "$(figure "$out/run.json" period_measured_s 1000)" \
    "$(grep -o '"honest":[a-z]*' "$out/run.json" | cut -d: -f2)"
}

# compare LIMIT BANDWIDTH LATENCY OPTION...: a row
compare() {
  local clock predicted measured honest
  cat > "$out/fleet.yaml" << FLEET
devices: [{name: d, count: $devices, flops: 65.6G}]
links: {default: {bandwidth: $2, latency: $3}}
FLEET
  printf '%-10s %3s' "$1" "$devices"
  for clock in $CLOCKS; do
    read -r predicted measured honest < <(periods "$clock" "${@:4}")
    [ "$clock" = "${CLOCKS%% *}" ] && printf ' %10.2f' "$predicted"
    awk -v p="$predicted" -v m="$measured" 'BEGIN { printf " %10.2f %6.3f", m, m / p }'
  done
  echo "  $honest"
}

printf '%-10s %3s %10s' limit P predicted
for clock in $CLOCKS; do printf ' %10s %6s' "$clock" ratio; done
echo '  kept up'
for devices in $PARTS; do
  compare computing 10Gbit/s 1ms --batch 1 --slots 8
  compare bandwidth "$((25 * devices))Mbit/s" 1ms --batch 1 --slots 8
  compare latency 10Gbit/s "$((400 / devices))ms" --batch 2 --slots 2
done
