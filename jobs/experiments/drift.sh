#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A stream that becomes hard and easy again: radio frames at high, low and high signal-to-noise
# ratio, on four unequal devices.  The controller, which is told nothing, against plans that stay and
# against an oracle, which has for each phase the plan of its true exit rates from its first sample;
# and against the rule of Petals.
#
#   jobs/experiments/drift.sh [OUT]
#
# CLOCK: simulated (default) or paced.  STREAM: frames, default 36000, a third for each phase.
# FLEET: the devices, default jobs/fleets/quickstart.yaml.
# PLANS: what is compared with the oracle, default "controller petals even fixed".
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-36000}
CLOCK=${CLOCK:-simulated}
FLEET=${FLEET:-jobs/fleets/quickstart.yaml}
PLANS=${PLANS-controller petals even fixed}
MODEL=io/models/modulation.h5
POLICY=threshold:value=0.8
export_mpi_settings
case $CLOCK in
  paced) start=(run) ;;
  simulated) start=(simulate) ;;
  *) die "CLOCK is $CLOCK; expected paced or simulated" ;;
esac

# stream NAME FRAMES SNR SEED: OUT/NAME.h5, what exits say of each frame
stream() {
  edgeexit generate modulation --samples "$2" --snr "$3" --seed "$4" -o "$out/frames.h5" > /dev/null
  edgeexit score "$MODEL" "$out/frames.h5" -o "$out/$1.h5" > /dev/null
}

# serve NAME STREAM [OPTION...]: OUT/NAME.json
serve() {
  edgeexit "${start[@]}" "$MODEL" --outcomes "$out/$2.h5" --fleet "$FLEET" --policy "$POLICY" \
    --json "${@:3}" > "$out/$1.json" 2> "$out/err" || die "$(cat "$out/err")"
  [ "$CLOCK" != paced ] || grep -q '"honest":true' "$out/$1.json" ||
    echo "$1: this machine is too slow for the paced clock" >&2
}

# shares_of STREAM: of the samples, at each exit
shares_of() {
  edgeexit policy "$out/$1.h5" --policy "$POLICY" --json > "$out/policy.json"
  sed 's/.*"exit_share":\[\([^]]*\)\].*/\1/' "$out/policy.json" | tr , /
}

third=$((STREAM / 3))
stream whole $((3 * third)) 0=10:20,0.3333=10:20,0.3334=-6:2,0.6666=-6:2,0.6667=10:20,1=10:20 1
stream easy "$third" 10:20 2
stream hard "$third" -6:2 3

row() {
  printf '%-40s %10.1f %6.3f %6s\n' "$1" "$(figure "$out/$2.json" throughput_per_s)" \
    "$(awk -v a="$(figure "$out/$2.json" throughput_per_s)" -v b="$oracle" 'BEGIN { print a / b }')" \
    "$(figure "$out/$2.json" moves_done)"
}

for phase in easy hard; do
  serve "$phase-oracle" "$phase" --rebalance off --shares "$(shares_of "$phase")"
done
oracle=$(awk -v easy="$(figure "$out/easy-oracle.json" throughput_per_s)" \
  -v hard="$(figure "$out/hard-oracle.json" throughput_per_s)" 'BEGIN { print 3 / (2 / easy + 1 / hard) }')
printf 'shares at the exits: easy %s, hard %s\n' "$(shares_of easy)" "$(shares_of hard)"
printf '%-40s %10s %6s %6s\n' "plan, $CLOCK clock" samples/s oracle moves
printf '%-40s %10.1f %6.3f\n' 'oracle, of the rates of each phase' "$oracle" 1

compare_controller() {
  serve controller whole
  row 'controller, from the exit-blind plan' controller
}

compare_petals() {
  local every
  for every in 2 8; do
    serve petals whole --rule petals --look-every "$every"
    row "Petals' rule, every $every epochs" petals
  done
}

compare_even() {
  serve blind whole --rebalance off --planner flops
  row 'fixed, exit-blind' blind
  serve uniform whole --rebalance off --planner uniform
  row 'fixed, as many layers for each' uniform
}

compare_fixed() {
  local phase
  for phase in easy hard whole; do
    serve "fixed-$phase" whole --rebalance off --shares "$(shares_of "$phase")"
    row "fixed, of the exit rates: $phase" "fixed-$phase"
  done
}

for plan in $PLANS; do "compare_$plan"; done
