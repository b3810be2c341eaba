#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 8 bits on links where they shorten the period and tables say that they lose little: plan, run and
# simulate choose alike, and say what they chose and what it costs.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

model=$source_dir/io/models/modulation.h5
[[ -e $model ]] || skip "io/models has no modulation.h5"
edgeexit generate modulation --samples 300 --seed 9 --snr 0:20 -o data.h5
edgeexit score -o exits.h5 "$model" data.h5 > out
for cut in 5 10 15; do
  edgeexit score -o cut$cut.h5 "$model" data.h5 --link-values int8 --cuts $cut > out
done
tables=cut5.h5,cut10.h5,cut15.h5
cat > fleet.yaml << 'FLEET'
devices: [{name: camera, flops: 2G}, {name: hub, flops: 2G}]
links: {default: {bandwidth: 2Mbit/s, latency: 100us}}
FLEET
policy=(--exits exits.h5 --policy threshold:value=0.8)
allowed=("${policy[@]}" --link-values auto --exits-int8 "$tables" --max-accuracy-loss 0.05)

# loss TABLE: what policy says that its rounding loses
loss() {
  edgeexit policy "$1" --policy threshold:value=0.8 --against exits.h5 --json > against.json
  tool json_value accuracy_loss < against.json
}
accuracy() {
  edgeexit policy "$1" --policy threshold:value=0.8 --json > alone.json
  tool json_value accuracy < alone.json
}
for cut in 5 10 15; do
  awk -v loss="$(loss cut$cut.h5)" -v whole="$(accuracy exits.h5)" \
    -v rounded="$(accuracy cut$cut.h5)" \
    'BEGIN { exit !((whole - rounded - loss) ^ 2 < 1e-20) }' ||
    fail "policy says that cut $cut loses $(loss cut$cut.h5)"
done

# plan: halves without tables, bytes with them, and the loss is the table's
plan() {
  edgeexit plan "$model" --fleet fleet.yaml "$@" --json > plan.json
}
plan "${policy[@]}" --link-values auto
expect "link without tables" "$(tool json_value plans.1.link_values.0 < plan.json)" f16
halves=$(tool json_value plans.1.period_s < plan.json)
plan "${allowed[@]}"
expect "link with tables" "$(tool json_value plans.1.link_values.0 < plan.json)" int8
bytes=$(tool json_value plans.1.period_s < plan.json)
awk -v a="$halves" -v b="$bytes" 'BEGIN { exit !(b < 0.95 * a) }' || fail "$bytes after $halves"
cut=$(tool json_value plans.1.plan < plan.json | sed 's/.*| \([0-9]*\)-.*/\1/')
awk -v said="$(tool json_value plans.1.int8_accuracy_loss < plan.json)" -v table="$(loss "cut$cut.h5")" \
  'BEGIN { exit !((said - (table > 0 ? table : 0)) ^ 2 < 1e-20) }' || fail "$(cat plan.json)"
edgeexit plan "$model" --fleet fleet.yaml "${allowed[@]}" > out
grep -q "^links, on 2: camera -> hub int8; int8 loses 0\.0" out || fail "plan says: $(cat out)"

# by force, and nobody measured what it costs
plan "${policy[@]}" --link-values int8
expect "link by force" "$(tool json_value plans.1.link_values.0 < plan.json)" int8
expect "loss that nobody measured" "$(tool json_value plans.1.int8_accuracy_loss < plan.json)" null

# run and simulate choose the same
start_ranks 2 run "$model" data.h5 --fleet fleet.yaml "${allowed[@]}" --rebalance off --samples 60 \
  --json > out 2> err || fail "run: $(cat err)"
expect "link of the run" "$(tool json_value link_values.0 < out)" int8
grep -q "values on links have 16 bits, 8 at cut $cut:" err || fail "run says: $(cat err)"
if [[ -e $bin/edgeexit-simulated ]]; then
  edgeexit simulate "$model" --fleet fleet.yaml --outcomes exits.h5 "${allowed[@]}" \
    --rebalance off --epoch 40 --control-delay 3 --json > out 2> err || fail "simulate: $(cat err)"
  expect "link of the simulation" "$(tool json_value link_values.0 < out)" int8
  awk -v p="$bytes" -v m="$(tool json_value period_measured_s < out)" \
    'BEGIN { exit !(m > 0.9 * p && m < 1.15 * p) }' || fail "$(cat out), but $bytes was planned"
fi

# refused CODE EXPECTED COMMAND...: what does not go together
refused() {
  code=0
  edgeexit "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -qF -e "$2" err || fail "${*:3} says: $(cat err)"
}
bad() {
  refused "$1" "$2" plan "$model" "${@:3}"
}
bad 2 "expected f32, f16, int8 or auto" --link-values int4
bad 2 "needs --exits," --link-values int8 --exits-int8 cut5.h5
bad 2 "is for --link-values auto or int8" --exits exits.h5 --exits-int8 cut5.h5
bad 2 "needs --link-values auto" --link-values auto --max-accuracy-loss 0.1
bad 2 "only with --max-accuracy-loss" --link-values auto --exits exits.h5 --exits-int8 cut5.h5
for list in "," "cut5.h5," ,cut5.h5 cut5.h5,,cut6.h5; do
  bad 2 "--exits-int8 is $list; a path is missing" --link-values int8 --exits exits.h5 --exits-int8 "$list"
done
bad 2 "front shows all periods" --link-values auto --front
bad 2 "auto makes the period short" --link-values auto --planner latency --max-period 0.1
bad 1 "not scored with int8 at one cut" --link-values int8 --exits exits.h5 --exits-int8 exits.h5
bad 1 "second table" --link-values int8 --exits exits.h5 --exits-int8 cut5.h5,cut5.h5
edgeexit generate modulation --samples 300 --seed 10 -o others.h5
edgeexit score -o others5.h5 "$model" others.h5 --link-values int8 --cuts 5 > out
bad 1 "of other samples" --link-values int8 --exits exits.h5 --exits-int8 others5.h5
edgeexit score -o few5.h5 "$model" data.h5 --samples 100 --link-values int8 --cuts 5 > out
bad 1 "cannot be compared" --link-values int8 --exits exits.h5 --exits-int8 few5.h5
refused 2 "--against compares one --policy" policy cut5.h5 --front --against exits.h5
refused 2 "needs --link-values auto" run "$model" data.h5 --link-values f16 --max-accuracy-loss 0.1
