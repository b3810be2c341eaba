#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calibration from data and from an exit table: the same temperatures, measured on what was not
# fitted on, stored with where they come from.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 200 --seed 3 -o data.h5
edgeexit generate modulation --samples 90 --seed 4 -o other.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out

# calibrate NAME OPTION...: to calibrated-NAME.h5 and NAME.json
calibrate() {
  edgeexit calibrate --json -o "calibrated-$1.h5" model.h5 "${@:2}" > "$1.json" 2> err ||
    fail "calibrate ${*:2}: $(cat err)"
}

# of NAME PATH: one value of what calibrate told
of() {
  tool json_value "$2" < "$1.json"
}

# less A B: A < B, numbers as JSON has them
less() {
  awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 < b + 0) }'
}

temperature_of() {
  edgeexit info --json "$1" | tool json_value "exits.$2.temperature"
}

# refuse WANTED OPTION...: exit code not 0, and a sentence with WANTED
refuse() {
  ! edgeexit calibrate -o refused.h5 "${@:2}" > out 2> err || fail "${*:2} was not refused"
  grep -qF -- "$1" err || fail "${*:2} says: $(cat err)"
  [[ ! -e refused.h5 ]] || fail "${*:2} wrote a model"
}

# from data or from a table; the same table in, the same words out
calibrate data data.h5
calibrate exits --exits exits.h5
expect "the report on a table" "$(sed s/exits.h5/data.h5/g exits.json)" "$(cat data.json)"
expect "samples fitted on" "$(of data fitted_samples)" 100
expect "samples measured on" "$(of data measured_samples)" 100
expect "what was measured on" "$(of data unseen)" true

# the temperature is in the model, and makes better what it was fitted to make better
calibrate whole --exits exits.h5 --holdout 0
expect "what was measured on" "$(of whole unseen)" false
for exit in 0 1 2; do
  stored=$(temperature_of calibrated-whole.h5 $exit)
  expect "temperature of exit $exit" "$(printf %.6g "$stored")" \
    "$(printf %.6g "$(of whole "exits.$exit.temperature")")"
  less "$(of whole "exits.$exit.nll")" "$(of whole "exits.$exit.nll_before")" ||
    fail "exit $exit has no lower NLL on what it was fitted on"
  expect "temperature before of exit $exit" "$(of whole "exits.$exit.temperature_before")" \
    "$(temperature_of model.h5 $exit)"
done

# each mode fits on its own part of the samples
calibrate reach --exits exits.h5 --holdout 0 --mode reach --target 0.15
calibrate leave --exits exits.h5 --holdout 0 --mode leave --target 0.15
calibrate global --exits exits.h5 --holdout 0 --mode global --target 0.15
calibrate offloading --exits exits.h5 --holdout 0 --mode offloading --target 0.15 --beta 0.5
expect "samples that reach the first exit" "$(of reach exits.0.fitted)" 200
less "$(of reach exits.1.fitted)" 200 || fail "all samples reach the second exit"
left=$(($(of leave exits.0.fitted) + $(of leave exits.1.fitted) + $(of leave exits.2.fitted)))
expect "samples that leave" "$left" 200
expect "the second temperature" "$(of global exits.1.temperature)" \
  "$(of global exits.0.temperature)"
expect "the last temperature" "$(of offloading exits.2.temperature)" 1

# a search that ends at its bound says so; tables show temperatures that are small
calibrate fast --exits exits.h5 --holdout 0 --mode offloading --target 0.99 --beta 0
expect "temperature where only time counts" "$(printf %.6g "$(of fast exits.0.temperature)")" 0.05
grep -qF "warning: exit 0: the search went to the bound, temperature 0.05 is stored" err ||
  fail "the search at its bound says: $(cat err)"
edgeexit calibrate -o out.h5 --exits exits.h5 calibrated-fast.h5 > out 2> err
grep -q "^ *0 .* 0\.05 -> " out || fail "the table of temperatures is: $(cat out)"

# other data to measure on, other scalings to compare with
calibrate test data.h5 --test other.h5 --compare
expect "samples fitted on" "$(of test fitted_samples)" 200
expect "samples measured on" "$(of test measured_samples)" 90
less 0 "$(of test exits.0.vector.nll)" || fail "there is no vector scaling"
less -1 "$(of test exits.0.isotonic.ece)" || fail "there is no isotonic regression"

# one line of provenance, also after the second calibration
edgeexit calibrate -o again.h5 --exits exits.h5 --mode reach --target 0.15 calibrated-whole.h5 > out
edgeexit info --json again.h5 > again.json
of again provenance > lines
expect "lines on temperatures" "$(grep -o "temperatures: " lines | wc -l | tr -d " ")" 1
grep -qF "mode reach under confidence 0.15, fitted on 100 samples of exits.h5" lines ||
  fail "the provenance is: $(cat lines)"

# diagrams: every sample in one bin, before and after
calibrate diagrams --exits exits.h5 --reliability diagrams.h5
if command -v h5dump > /dev/null; then
  total=$(h5dump -y -w 1 -d /count diagrams.h5 |
    awk '/DATA \{/ { on = 1; next } /\}/ { on = 0 } on { sum += $1 } END { print sum }')
  expect "samples in the bins of three exits, before and after" "$total" $((100 * 2 * 3))
fi

# what the exits on the device take is what a policy with the same threshold takes there
edgeexit offload --json --target 0.8 --batch 50 --deadline 1 exits.h5 > offload.json
edgeexit policy --json --policy threshold:value=0.8 exits.h5 > policy.json
expect "share on the device" "$(printf %.6f "$(of offload points.0.on_device)")" \
  "$(awk -v x="$(of policy exit_share.2)" 'BEGIN { printf "%.6f", 1 - x }')"
! edgeexit offload --device-exits 3 exits.h5 > out 2> err || fail "three exits on the device of three"
grep -qF "has 3 exits, expected 1 to 2" err || fail "three exits on the device: $(cat err)"

# a promise that allows everything lets everyone leave; one that allows nothing, nobody
edgeexit threshold --json --loss consistency --method naive --epsilon 0.999 exits.h5 > promise.json
expect "threshold that may be wrong" "$(of promise threshold)" 0
expect "share that leaves at once" "$(of promise exit_share.0)" 1
edgeexit threshold --json --loss hellinger --method naive --epsilon 0.999 exits.h5 > promise.json
expect "threshold at which distributions may differ" "$(of promise threshold)" 0
less 0 "$(of promise risk)" || fail "early distributions are those of the last exit"
less "$(of promise risk)" 1 || fail "a Hellinger distance is above 1"
for steps in 3 100 77777 100000; do
  promise=(threshold --loss consistency --method naive --epsilon 0.3 --grid "$steps" exits.h5)
  edgeexit "${promise[@]}" --json > promise.json
  edgeexit "${promise[@]}" > out
  shown=$(sed -n 's/^threshold \([^ ]*\) .*/\1/p' out)
  awk -v a="$shown" -v b="$(of promise threshold)" \
    'BEGIN { exit !(a - b < 1e-7 && b - a < 1e-7) }' ||
    fail "of $steps steps, the threshold shown is $shown, promised is $(of promise threshold)"
done
! edgeexit threshold --json --method ltt --epsilon 0.001 exits.h5 > promise.json 2> err ||
  fail "a promise was made that cannot be kept"
expect "threshold that cannot be promised" "$(of promise threshold)" null
expect "share that goes to the end" "$(of promise exit_share.2)" 1
expect "measured risk" "$(of promise risk)" 0
! edgeexit threshold --method luck exits.h5 > out 2> err || fail "--method luck was not refused"
grep -qF "expected naive, crc, ucb or ltt" err || fail "--method luck says: $(cat err)"

! edgeexit threshold --loss anger exits.h5 > out 2> err || fail "--loss anger was not refused"
grep -qF "expected consistency, gap, brier or hellinger" err || fail "--loss anger says: $(cat err)"

refuse "expected either DATA.h5 or --exits" model.h5
refuse "expected either --holdout or --test" --test other.h5 --holdout 0.5 model.h5 data.h5
refuse "--mode is warm, expected all" --mode warm model.h5 data.h5
refuse "expected a number from 0 to 1" --target 1.5 model.h5 data.h5
refuse "one sample cannot be held out" -n 1 model.h5 data.h5
refuse "none.h5" model.h5 --exits none.h5
refuse "none/diagrams.h5" --reliability none/diagrams.h5 model.h5 data.h5
tool make_model small.h5 2 1 128 5 1
refuse "exits.h5 has 3 exits and 11 classes, model" --exits exits.h5 small.h5
tool make_data unlabelled.h5 2 1 128 20 -1
refuse "unlabelled.h5: exit 0: sample 19 has label -1" model.h5 unlabelled.h5
echo "temperatures fitted, measured, stored and refused"
