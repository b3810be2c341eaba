#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A stream that stays as it is: how often does a controller move layers for nothing?  The shipped
# network on four unequal simulated devices over 200 epochs, by our rule, by its parts, and by that of
# Petals (at random times, move when throughput is below 0.75 of what it could be).
#
#   jobs/experiments/stationary.sh [OUT]
#
# EPOCHS: default 200.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
EPOCHS=${EPOCHS:-200}
MODEL=io/models/modulation.h5
FLEET=jobs/fleets/quickstart.yaml
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

printf '%-36s %6s %8s %10s\n' rule epoch switches samples/s
for size in 8 32 128; do
  edgeexit generate modulation --samples $((EPOCHS * size)) --snr -6:20 --seed 6 -o "$out/frames.h5" \
    > /dev/null
  edgeexit score "$MODEL" "$out/frames.h5" -o "$out/exits.h5" > /dev/null
  shares=$(edgeexit policy "$out/exits.h5" --policy threshold:value=0.8 --json |
    sed 's/.*"exit_share":\[\([^]]*\)\].*/\1/' | tr , /)
  while IFS=: read -r name options; do
    read -ra words <<< "$options"
    edgeexit simulate "$MODEL" --outcomes "$out/exits.h5" --fleet "$FLEET" --shares "$shares" \
      --policy threshold:value=0.8 --epoch "$size" --batch 4 --json "${words[@]}" \
      > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
    printf '%-36s %6s %8s %10.1f\n' "$name" "$size" "$(figure "$out/run.json" moves_done)" \
      "$(figure "$out/run.json" throughput_per_s)"
  done << RULES
ours:
without error bars:--error-bars 0
without error bars, wait, cool-down:--error-bars 0 --hold 1 --cooldown 0
Petals, every 2 epochs:--rule petals --look-every 2
Petals, every 8 epochs:--rule petals --look-every 8
RULES
done
