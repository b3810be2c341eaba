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
# UNIT: what the four devices have 4, 3, 2 and 4 times, default 10M [FLOP/s].
# BANDWIDTHS: in Mbit/s, default "1 3 10 30 100 1000".  STREAM: samples, default 200.
# CLOCKS: "simulated", "paced" or both; default simulated.
# DATA: labelled samples; with them the silence is repeated with real layers on the paced clock, for
# what it does to accuracy.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
UNIT=${UNIT:-10M}
BANDWIDTHS=${BANDWIDTHS:-1 3 10 30 100 1000}
STREAM=${STREAM:-200}
CLOCKS=${CLOCKS:-simulated}
POLICY=${POLICY:-threshold:value=0.5}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"

[ -z "${NETWORK-}" ] || [ -r "${TABLE-}" ] ||
  die "NETWORK is $NETWORK and TABLE '${TABLE-}', which cannot be read; expected its exit table, as edgeexit score writes it"

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
  local unit=${UNIT%[MG]} scale=${UNIT##*[0-9]}
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: a, flops: $((4 * unit))$scale}
  - {name: b, flops: $((3 * unit))$scale}
  - {name: c, flops: $((2 * unit))$scale}
  - {name: d, flops: $((4 * unit))$scale${2:+, away: [$2]}}
links: {default: {bandwidth: $1Mbit/s, latency: 1ms}}
FLEET
}

# go CLOCK OPTION...: a run, its figures in OUT/run.json
go() {
  local how=(simulate)
  [ "$1" = paced ] && how=(run --devices 4)
  edgeexit "${how[@]}" "$NETWORK" --outcomes "$TABLE" --samples "$STREAM" \
    --fleet "$out/fleet.yaml" --rebalance off --json "${@:2}" > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
}

# alone CLOCK PLANNED OPTION...: latency of samples that do not meet, by the planner and measured, mean,
# median and 95 % [ms]
alone() {
  local slow
  slow=$(awk -v p="$2" 'BEGIN { print 0.3 / p }')
  go "$1" --rate "$slow" "${@:3}"
  awk -v p="$2" -v m="$(figure "$out/run.json" latency_mean_s)" \
    -v half="$(figure "$out/run.json" latency_p50_s)" -v most="$(figure "$out/run.json" latency_p95_s)" \
    'BEGIN { printf " %8.1f %8.1f %7.1f %7.1f", 1000 * p, 1000 * m, 1000 * half, 1000 * most }'
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
    alone "$clock" "$chain" --planner latency --epoch 40 --control-delay 3 --batch 1 \
      --exits "$TABLE" --policy "$2"
    printf '  %s\n' "$verdict"
  done
}

printf '%-10s %6s %-22s %34s %34s\n' '' '' '' branches chain
printf '%-10s %6s %-22s %8s %8s %7s %7s %8s %8s %7s %7s  %s\n' clock Mbit/s leaving planned mean p50 \
  p95 planned mean p50 p95 'sooner, by plan'
for bandwidth in $BANDWIDTHS; do
  compare "$bandwidth" final
  compare "$bandwidth" "$POLICY"
done

# Device d is silent for a third of the stream, which comes at a fifth of what one sample alone allows:
# how many lack its branch, and how long samples wait for it
fleet 100
go simulated --branches 0/1/2/3@0 --exits "$TABLE" --policy "$POLICY" --rate 0.001
rate=$(awk -v l="$(figure "$out/run.json" latency_mean_s)" 'BEGIN { print 0.2 / l }')
late=$(awk -v r="$rate" 'BEGIN { print 0.3 / r }')
away=$(awk -v n="$STREAM" -v r="$rate" \
  'BEGIN { printf "{from: %.6g, to: %.6g}", n / 3 / r, 2 * n / 3 / r }')
go simulated --branches 0/1/2/3@0 --exits "$TABLE" --policy "$POLICY" --rate "$rate"
undisturbed=$(figure "$out/run.json" latency_p99_s 1000)
fleet 100 "$away"
go simulated --branches 0/1/2/3@0 --exits "$TABLE" --policy "$POLICY" --rate "$rate" --late "$late"
printf '\nsilent for a third of the stream: %d of %d answered, %d without its branch; p99 %.1f ms, %.1f undisturbed\n' \
  "$(figure "$out/run.json" answered)" "$STREAM" "$(figure "$out/run.json" answered_in_part)" \
  "$(figure "$out/run.json" latency_p99_s 1000)" "$undisturbed"

# silent AWAY: accuracy with real layers when device d is away then
silent() {
  fleet 100 "$1"
  edgeexit run --devices 4 "$NETWORK" "$DATA" --samples "$STREAM" --fleet "$out/fleet.yaml" \
    --branches 0/1/2/3@0 --policy "$POLICY" --rate "$rate" --late "$late" --rebalance off --json \
    > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  printf '%-22s %8d %12d %10.4f\n' "$2" "$(figure "$out/run.json" answered)" \
    "$(figure "$out/run.json" answered_in_part)" "$(figure "$out/run.json" accuracy)"
}

[ -n "${DATA-}" ] || exit 0
printf '\n%-22s %8s %12s %10s\n' 'device d is silent' answered 'in part' accuracy
silent '' never
silent "$away" 'for a third'
silent '{from: 0, to: 1e9}' always
