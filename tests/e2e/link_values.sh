#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Values between stages of 16 bits: half the bytes, nearly the same answers, and chosen where the
# link is what a run waits for.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

model=$source_dir/io/models/modulation.h5
[[ -e $model ]] || skip "io/models has no modulation.h5"
edgeexit generate modulation --samples 400 --seed 9 --snr 0:20 -o data.h5
edgeexit score -o exits.h5 "$model" data.h5 > out

# fleet BANDWIDTH
fleet() {
  cat > fleet.yaml << FLEET
devices: [{name: d, count: 3, flops: 2G}]
links: {default: {bandwidth: $1, latency: 100us}}
FLEET
}

# run VALUES OPTION...: figures to out, trace.h5
run() {
  rm -f trace.h5
  start_ranks 3 run "$model" data.h5 --policy threshold:value=0.8 --link-values "$1" \
    --trace trace.h5 --json "${@:2}" > out 2> err || fail "$*: $(cat err)"
  expect "answers of $*" "$(tool json_value answered < out)" 400
}
answers() {
  edgeexit report --json trace.h5 | tool json_value accuracy
}

# three devices, with cuts: what stages send halves but for records of ids
run f32 --rebalance off --cuts 6/12
whole=$(tool json_value devices.1.sent_bytes < out) exact=$(answers)
run f16 --rebalance off --cuts 6/12
half=$(tool json_value devices.1.sent_bytes < out) rounded=$(answers)
awk -v whole="$whole" -v half="$half" 'BEGIN { exit !(half > 0.4 * whole && half < 0.6 * whole) }' ||
  fail "$half bytes were sent in place of $whole"
awk -v a="$exact" -v b="$rounded" 'BEGIN { exit !((a - b) ^ 2 <= 0.01 ^ 2 && a > 0.5) }' ||
  fail "accuracy $rounded in place of $exact"
same=$(edgeexit report --json trace.h5 | tool json_value exits.0.share)
awk -v share="$same" 'BEGIN { exit !(share > 0.1) }' || fail "hardly anybody left: $same"

# layers move, and every sample is answered
fleet 100Mbit/s
run f16 --fleet fleet.yaml --epoch 40 --planner flops --hold 1 --cooldown 0 --error-bars 0

# what planners reckon with
fleet 2Mbit/s
slow=$(edgeexit plan "$model" --fleet fleet.yaml --planner uniform --json |
  tool json_value plans.2.period_s)
fast=$(edgeexit plan "$model" --fleet fleet.yaml --planner uniform --halves --json |
  tool json_value plans.2.period_s)
awk -v a="$slow" -v b="$fast" 'BEGIN { exit !(b < 0.6 * a) }' || fail "period $fast in place of $slow"
run auto --fleet fleet.yaml --rebalance off --planner uniform
grep -q "values on links have 16 bits" err || fail "on a slow link: $(cat err)"
fleet 10Gbit/s
run auto --fleet fleet.yaml --rebalance off --planner uniform
grep -q "values on links have 32 bits" err || fail "on a fast link: $(cat err)"

# without a fleet links can be measured
run f32 --measure-links
grep -q "links measured: [0-9.]* to" err || fail "--measure-links says: $(cat err)"

code=0
edgeexit run "$model" data.h5 --measure-links --fleet fleet.yaml > out 2> err || code=$?
expect "exit code of --measure-links with a fleet" "$code" 2
code=0
edgeexit run "$model" data.h5 --link-values f8 > out 2> err || code=$?
expect "exit code of f8" "$code" 2
grep -qF "expected f32, f16 or auto" err || fail "f8 says: $(cat err)"
