#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SplitEE live on a device and a server, with the network that ships, over a link that becomes forty
# times slower in mid-stream.  The cost of offloading is measured on the link while the stream runs.
# Bandits that forget follow the change, one that does not stays where it was.
#
#   jobs/experiments/splitee_live.sh [OUT]
#
# Prints each run's report by tenths of the stream, beside a replay that is told the same costs.
# LIVE_SAMPLES: length of the stream, 9000.  CLOCK: paced, or simulated, where nothing is computed and
# the figures do not depend on the machine.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
LIVE_SAMPLES=${LIVE_SAMPLES:-9000}
FLEET=${FLEET:-jobs/fleets/camera-server.yaml}
CLOCK=${CLOCK:-paced}
MODEL=io/models/modulation.h5
DATA=$out/live.h5
export_mpi_settings
edgeexit generate modulation --samples "$LIVE_SAMPLES" --snr -4:20 --seed 5 -o "$DATA" > /dev/null
edgeexit score "$MODEL" "$DATA" -o "$out/live-exits.h5" > /dev/null

case $CLOCK in
  paced) start=(run) ;;
  simulated) start=(simulate --outcomes "$out/live-exits.h5") ;;
  *) die "CLOCK is $CLOCK; expected paced or simulated" ;;
esac

for rule in ucb1 discounted,gamma=0.998 window,window=1000; do
  name=$out/live-${rule%%,*}
  policy=splitee:alpha=0.7,arms=3,c=0.3,rule=$rule
  edgeexit "${start[@]}" --fleet "$FLEET" --cuts 15 --offload on --rebalance off --policy "$policy" \
    --lambda 0.01 --offload-cost link --epoch 100 --trace "$name.h5" --json "$MODEL" "$DATA" \
    > "$name.json"
  edgeexit report "$name.h5" > "$name.txt"
  edgeexit policy "$out/live-exits.h5" --policy "$policy" --lambda 0.01 --offload-cost "$name.h5" \
    --epoch 100 --delay 1 --json > "$name-replay.json"
  printf '\n%s\n' "$policy"
  sed -n '/^tenth/,/^$/p' "$name.txt"
  printf 'live: accuracy %s, %s samples/s; replay told the same costs: accuracy %s, mean cost %s\n' \
    "$(figure "$name.json" accuracy)" "$(figure "$name.json" throughput_per_s)" \
    "$(figure "$name-replay.json" accuracy)" "$(figure "$name-replay.json" mean_cost)"
done
