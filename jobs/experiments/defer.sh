#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# DEFER's curve: ResNet-50 in eight parts on eight equal devices, each of which needs half a second
# for a whole image, over the bandwidth between them.  DEFER's own cuts with one message in flight
# and with eight, and the cuts that the exact planner finds; throughput against one device, as
# predicted and as simulated.
#
#   jobs/experiments/defer.sh [OUT]
#
# STREAM: images, default 240, in epochs of 40, of which the first and last are not measured.
# BANDWIDTHS: in Mbit/s, default "50 100 125 200 400 1000".
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-240}
BANDWIDTHS=${BANDWIDTHS:-50 100 125 200 400 1000}
CUTS=11/18/24/31/37/43/50  # DEFER's list: after blocks 3, 5, 7, 9, 11, 13 and 15
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

edgeexit generate network resnet50 -o "$out/resnet50.h5" > /dev/null
awk -v n="$STREAM" 'BEGIN { print "p,c"; for (i = 0; i < n; i++) print "0,1" }' > "$out/all.csv"
edgeexit import exits "$out/all.csv" --prediction p --confidence c --layers 54 --classes 1000 \
  -o "$out/all.h5" > /dev/null

# fleet P BANDWIDTH
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices: [{name: d, count: $1, flops: 16.4G}]
links: {default: {bandwidth: $2, latency: 200us}}
FLEET
}

# rates OPTION...: images per second once the pipeline is full, predicted and simulated
rates() {
  edgeexit simulate "$out/resnet50.h5" --outcomes "$out/all.h5" --fleet "$out/fleet.yaml" \
    --rebalance off --policy final --batch 1 --epoch 40 --json "$@" > "$out/run.json" 2> "$out/err"
  awk -v predicted="$(figure "$out/run.json" period_predicted_s)" \
    -v measured="$(figure "$out/run.json" period_measured_s)" 'BEGIN { print 1 / predicted, 1 / measured }'
}

fleet 1 1Gbit/s
read -r _ alone < <(rates)
printf 'one device: %.3f images/s\n%-12s %22s %22s %22s\n' "$alone" Mbit/s \
  'DEFER cuts, 1 message' 'DEFER cuts, 8 messages' 'exact cuts, 8 messages'
for bandwidth in $BANDWIDTHS; do
  fleet 8 "${bandwidth}Mbit/s"
  {
    rates --cuts "$CUTS" --slots 1
    rates --cuts "$CUTS" --slots 8
    rates --slots 8
  } | awk -v mbit="$bandwidth" -v alone="$alone" '
    BEGIN { printf "%-12s", mbit }
    { printf " %13.2f / %6.2f", $1 / alone, $2 / alone }
    END { print "" }'
done
