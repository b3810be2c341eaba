#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From 8 simulated devices on: the period that was predicted and the one that came out, and
# what the controller takes of an epoch.  A chain of equal convolutions, two for each device but at
# most MOST_BLOCKS, on equal devices; 30 % of the samples leave after a quarter of it and 30 % after
# the half.
#
#   jobs/experiments/scale.sh [OUT]
#
# SIZES: numbers of devices, default "8 32 128 512"; 2048 take 4 GB and minutes of a core.
# EPOCHS: epochs of each run, default 3.
# PER_DEVICE: samples of an epoch for each device, default 4, but 256 in all at least.  An epoch should
# be 100 times as long as planner and sum take in it, which grow with the devices.
# BATCH: samples of a batch, default 16.
# MOST_BLOCKS: default 256.  FLOPS: of a device, default 20M.  LINK: bandwidth of a link, default
# 100Mbit/s.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
SIZES=${SIZES:-8 32 128 512}
EPOCHS=${EPOCHS:-3}
PER_DEVICE=${PER_DEVICE:-4}
MOST_BLOCKS=${MOST_BLOCKS:-256}
FLOPS=${FLOPS:-20M}
BATCH=${BATCH:-16}
LINK=${LINK:-100Mbit/s}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

# network BLOCKS SAMPLES: OUT/plain.h5 and OUT/outcomes.h5
network() {
  local first=$(($1 / 4)) second=$(($1 / 2))
  edgeexit generate network plain --blocks "$1" --exits "$first,$second" -o "$out/plain.h5" > /dev/null
  awk -v n="$2" 'BEGIN {
    srand(1)
    print "p0,c0,p1,c1,p2,c2"
    for (i = 0; i < n; i++) {
      x = rand()
      printf "0,%d,0,%d,0,1\n", x < 0.3, x < 0.6
    }
  }' > "$out/outcomes.csv"
  edgeexit import exits "$out/outcomes.csv" --prediction p0,p1,p2 --confidence c0,c1,c2 \
    --layers "$first,$second,$(($1 + 1))" --classes 10 -o "$out/outcomes.h5" > /dev/null
}

# stages FILE: devices of a run's JSON that had batches
stages() {
  grep -o '"batches":[1-9]' "$1" | wc -l
}

printf '%7s %6s %6s | %9s %9s %6s | %8s %9s %8s %7s | %9s %8s %8s | %6s\n' devices layers stages \
  'predicted' 'simulated' ratio 'epoch s' 'planner s' 'sum s' share 'vector kB' messages 'sum MB' 'took s'
for devices in $SIZES; do
  blocks=$((2 * devices < MOST_BLOCKS ? 2 * devices : MOST_BLOCKS))
  epoch=$((PER_DEVICE * devices > 256 ? PER_DEVICE * devices : 256))
  network "$blocks" $((EPOCHS * epoch))
  cat > "$out/fleet.yaml" << FLEET
name: equal devices
devices: [{name: d, count: $devices, flops: $FLOPS}]
links: {default: {bandwidth: $LINK, latency: 200us}}
FLEET
  began=$SECONDS
  edgeexit simulate "$out/plain.h5" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" \
    --shares 0.3/0.3/0.4 --policy threshold:value=0.5 --batch "$BATCH" --epoch "$epoch" --control-delay 2 \
    --json > "$out/run-$devices.json" 2> "$out/err" || die "$devices devices: $(tail -1 "$out/err")"
  run=$out/run-$devices.json
  awk -v devices="$devices" -v layers=$((blocks + 1)) -v stages="$(stages "$run")" -v n="$epoch" \
    -v predicted="$(figure "$run" period_predicted_s)" -v period="$(figure "$run" period_measured_s)" \
    -v epochs="$(figure "$run" epochs)" -v planner="$(figure "$run" controller_s)" \
    -v sum="$(figure "$run" sums_s)" -v bytes="$(figure "$run" sum_bytes)" -v took=$((SECONDS - began)) \
    'BEGIN {
      messages = 2 * (devices - 1)
      planner /= epochs
      sum /= epochs
      printf "%7d %6d %6d | %9.3f %9.3f %6.3f | %8.2f %9.5f %8.4f %5.2f %% | %9.1f %8d %8.3f | %6d\n",
        devices, layers, stages, predicted * 1e3, period * 1e3, period / predicted, period * n,
        planner, sum, 100 * (planner + sum) / (period * n), bytes / 1e3, messages,
        messages * bytes / 1e6, took
    }'
done
