#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One sample on four unequal devices at once, next to the chain of the same network: latency and
# throughput, predicted and measured, over bandwidth, with and without early exit; and what happens
# when one of the four falls silent for a while.
#
#   jobs/experiments/branches.sh [OUT]
#
# NETWORK: a model with branches, and its exit table TABLE; default a generated network whose exits
# take 30, 30, 20 and 20 % of the samples.  POLICY: default threshold:value=0.5, by which they do.
# BANDWIDTHS: in Mbit/s, default "1 3 10 30 100 1000".  STREAM: samples, default 200.
# CLOCKS: "simulated", "paced" or both; default simulated.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
BANDWIDTHS=${BANDWIDTHS:-1 3 10 30 100 1000}
STREAM=${STREAM:-200}
CLOCKS=${CLOCKS:-simulated}
POLICY=${POLICY:-threshold:value=0.5}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

# draw_outcomes: TABLE, where 30, 30, 20 and 20 % of the samples leave at NETWORK's exits
draw_outcomes() {
  local layers
  layers=$(edgeexit info "$NETWORK" | awk '/^exit  name/ { on = 1; next } on && NF < 5 { exit }
    on { printf "%s%d", sep, $3 + 1; sep = "," }')
  awk -v n="$STREAM" 'BEGIN {
    srand(1)
    print "p0,c0,p1,c1,p2,c2,p3,c3"
    for (i = 0; i < n; i++) {
      x = rand()
      printf "0,%d,0,%d,0,%d,0,1\n", x < 0.3, x < 0.6, x < 0.8
    }
  }' > "$out/outcomes.csv"
  edgeexit import exits "$out/outcomes.csv" --prediction p0,p1,p2,p3 --confidence c0,c1,c2,c3 \
    --layers "$layers" --classes 10 -o "$TABLE" > /dev/null
}

if [ -z "${NETWORK-}" ]; then
  NETWORK=$out/branches.h5
  TABLE=$out/outcomes.h5
  edgeexit generate network branches --blocks 4 --exits 1,2,3 -o "$NETWORK" > /dev/null
  draw_outcomes
fi

# fleet BANDWIDTH [AWAY]: four unequal devices, of which the last may be away
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: a, flops: 40M}
  - {name: b, flops: 30M}
  - {name: c, flops: 20M}
  - {name: d, flops: 40M${2:+, away: [$2]}}
links: {default: {bandwidth: $1Mbit/s, latency: 1ms}}
FLEET
}

# go CLOCK OPTION...: a run, its figures in OUT/run.json
go() {
  local how=(simulate)
  [ "$1" = paced ] && how=(run --devices 4)
  edgeexit "${how[@]}" "$NETWORK" --outcomes "$TABLE" --samples "$STREAM" \
    --fleet "$out/fleet.yaml" --rebalance off --epoch 40 --control-delay 3 --batch 1 \
    --json "${@:2}" > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
}

# alone CLOCK PLANNED OPTION...: latency of samples that do not meet, by the planner and measured [ms]
alone() {
  local slow
  slow=$(awk -v p="$2" 'BEGIN { print 0.3 / p }')
  go "$1" --rate "$slow" "${@:3}"
  awk -v p="$2" -v m="$(figure "$out/run.json" latency_mean_s)" \
    'BEGIN { printf " %9.1f %9.1f", 1000 * p, 1000 * m }'
}

# compare BANDWIDTH POLICY: a row for each clock
compare() {
  local clock branches chain verdict
  fleet "$1"
  edgeexit plan "$NETWORK" --fleet "$out/fleet.yaml" --batch 1 --exits "$TABLE" --policy "$2" \
    --branches --json > "$out/plan.json" 2> "$out/err" || die "$(cat "$out/err")"
  branches=$(figure "$out/plan.json" branches_latency_s)
  chain=$(figure "$out/plan.json" chain_latency_s)
  verdict=$(awk -v b="$branches" -v c="$chain" 'BEGIN { print b < 0.99 * c ? "branches" : c < 0.99 * b ? "chain" : "alike" }')
  for clock in $CLOCKS; do
    printf '%-10s %6s %-22s' "$clock" "$1" "${2%%:*}"
    alone "$clock" "$branches" --branches latency --exits "$TABLE" --policy "$2"
    alone "$clock" "$chain" --planner latency --exits "$TABLE" --policy "$2"
    printf '  %s\n' "$verdict"
  done
}

printf '%-10s %6s %-22s %9s %9s %9s %9s  %s\n' '' '' '' branches '' chain '' ''
printf '%-10s %6s %-22s %9s %9s %9s %9s  %s\n' clock Mbit/s leaving planned measured planned \
  measured 'sooner, by plan'
for bandwidth in $BANDWIDTHS; do
  compare "$bandwidth" final
  compare "$bandwidth" "$POLICY"
done

# Device d is silent for a third of the stream: samples per 10 % of it, and how many lack its branch.
fleet 100
go simulated --branches 0/1/2/3@0 --exits "$TABLE" --policy "$POLICY" --rate 1
latency=$(figure "$out/run.json" latency_p99_s)
fleet 100 "{from: $((STREAM / 3)), to: $((2 * STREAM / 3))}"
go simulated --branches 0/1/2/3@0 --exits "$TABLE" --policy "$POLICY" --rate 1 --late 0.5
printf '\nsilent for %d of %d s: %d of %d answered, %d without its branch; p99 %.1f ms, %.1f undisturbed\n' \
  $((2 * STREAM / 3 - STREAM / 3)) "$STREAM" "$(figure "$out/run.json" answered)" "$STREAM" \
  "$(figure "$out/run.json" answered_in_part)" \
  "$(figure "$out/run.json" latency_p99_s 1000)" "$(awk -v p="$latency" 'BEGIN { print 1000 * p }')"
