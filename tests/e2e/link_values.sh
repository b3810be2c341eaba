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

# three devices, with cuts: what stages send halves but for records of ids, and again
run f32 --rebalance off --cuts 6/12
whole=$(tool json_value devices.1.sent_bytes < out) exact=$(answers)
run f16 --rebalance off --cuts 6/12
half=$(tool json_value devices.1.sent_bytes < out) rounded=$(answers)
run int8 --rebalance off --cuts 6/12
quarter=$(tool json_value devices.1.sent_bytes < out) coarse=$(answers)
awk -v half="$half" -v quarter="$quarter" \
  'BEGIN { exit !(quarter > 0.45 * half && quarter < 0.65 * half) }' ||
  fail "$quarter bytes were sent in place of $half"
awk -v a="$exact" -v b="$coarse" 'BEGIN { exit !((a - b) ^ 2 <= 0.02 ^ 2 && a > 0.5) }' ||
  fail "accuracy $coarse in place of $exact"
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
fast=$(edgeexit plan "$model" --fleet fleet.yaml --planner uniform --link-values f16 --json |
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
grep -qF "expected f32, f16, int8 or auto" err || fail "f8 says: $(cat err)"

# what a run answers over rounded links is what the table says that was scored with these cuts
for values in f16 int8; do
  edgeexit score -o rounded.h5 "$model" data.h5 --link-values $values --cuts 6/12 > out
  run $values --rebalance off --cuts 6/12 --logits
  tool compare_traces --exits rounded.h5 --threshold 0.8 trace.h5 > out || fail "$values: $(cat out)"
  if tool compare_traces --exits exits.h5 --threshold 0.8 trace.h5 > out 2> err; then
    fail "$values changed no bit"
  fi
  edgeexit info --json rounded.h5 > out
  expect "values noted" "$(tool json_value link_values < out)" $values
  expect "second cut noted" "$(tool json_value link_cuts.1 < out)" 12
done
# answers of a table are those of links only if it was scored with what they carry
told() {
  edgeexit run "$model" --outcomes "$1" --fleet one_of_three.yaml --policy threshold:value=0.8 --rebalance off \
    --cuts 6/12 --devices 3 --link-values "$2" > out 2> err || fail "outcomes of $1: $(cat err)"
  grep -q "^accuracy   as in $1, which was scored with" out
}
printf 'devices: [{name: a, count: 3, flops: 1e12}]\n' > one_of_three.yaml
told exits.h5 int8 || fail "a table of floats is taken for one of int8: $(cat out)"
grep -qF "scored with f32 at cut 6, where this plan has int8" out || fail "which table: $(cat out)"
told rounded.h5 f32 || fail "a table of int8 is taken for one of floats"
if told rounded.h5 int8; then fail "a table of int8 is not taken for what it is: $(cat out)"; fi
if told exits.h5 f32; then fail "a table of floats is not taken for what it is: $(cat out)"; fi

edgeexit info rounded.h5 > out
grep -qF "in front of layer 6, in front of layer 12, to int8" out || fail "info says: $(cat out)"

# refused EXPECTED OPTION...: a table that cannot be
refused() {
  code=0
  edgeexit score -o none.h5 "$model" data.h5 "${@:2}" > out 2> err || code=$?
  expect "exit code of score ${*:2}" "$code" 2
  grep -qF -e "$1" err || fail "score ${*:2} says: $(cat err)"
  [[ ! -e none.h5 ]] || fail "score ${*:2} left a table"
}
refused "go together" --link-values int8
refused "go together" --cuts 3
refused "expected f16 or int8" --link-values f32 --cuts 3
refused "expected f16 or int8" --link-values int4 --cuts 3
refused "expected rising layers from 1 to 20" --link-values int8 --cuts 0
refused "expected rising layers from 1 to 20" --link-values int8 --cuts 21
refused "expected rising layers from 1 to 20" --link-values int8 --cuts 5/5
refused "expected rising layers from 1 to 20" --link-values int8 --cuts nowhere
