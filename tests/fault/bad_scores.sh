#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What edgeexit score makes of labels that are not known and of numbers that are none, and that its
# table is not taken for one of another network.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 40 --seed 6 -o data.h5

# a sample whose label is not known is not wrong: as a replay counts, and as if it were not there
cp data.h5 labelled.h5
for i in 3 4 20 39; do tool spoil data.h5 /labels $i -1; done
edgeexit score --json -o exits.h5 model.h5 data.h5 > score.json
expect "samples" "$(tool json_value samples < score.json)" 40
expect "labelled samples" "$(tool json_value labelled < score.json)" 36
for exit in 0 1 2; do
  values=0/0
  [[ $exit == 0 ]] || values=1/0
  [[ $exit != 2 ]] || values=1/1
  edgeexit policy exits.h5 --policy threshold:values=$values --json > replay.json
  expect "accuracy of exit $exit" \
    "$(printf %.6f "$(tool json_value exits.$exit.accuracy < score.json)")" \
    "$(printf %.6f "$(tool json_value accuracy < replay.json)")"
done
edgeexit score -o exits.h5 model.h5 data.h5 > out
grep -qF "of the 40 samples, 36 are labelled" out || fail "score says: $(cat out)"
tool make_data none.h5 2 1 128 1 -1
edgeexit score --json -o unlabelled.h5 model.h5 none.h5 > score.json
expect "accuracy on unlabelled samples" "$(tool json_value exits.0.accuracy < score.json)" null
edgeexit score -o unlabelled.h5 model.h5 none.h5 > out
[[ ! -s out ]] || fail "score on unlabelled samples says: $(cat out)"

# the table tells which model said it of which data
expect "provenance" "$(edgeexit info --json exits.h5 | tool json_value provenance)" \
  "model.h5 on data.h5"

# samples that are no numbers: the first one is named, and there is no table
tool make_data real.h5 2 1 128 50 0
for value in nan inf -inf; do
  cp real.h5 bad.h5
  tool spoil bad.h5 /samples $((41 * 256 + 7)) $value
  refused 1 "*bad.h5: value 7 of sample 41 is *${value#-}, expected a finite number" score model.h5 \
    bad.h5 -o refused.h5
done

# scores of one network are refused for another one with as many exits and classes
cp exits.h5 other.h5
tool spoil other.h5 /attach 1 4
whose="*other.h5 has exit 1 after layer 4, model random1 after layer 5; *"
refused 1 "$whose" calibrate model.h5 --exits other.h5 -o refused.h5
refused 1 "$whose" calibrate model.h5 labelled.h5 --test other.h5 -o refused.h5
refused 1 "$whose" plan model.h5 --exits other.h5
refused_by_ranks 1 "$whose" model.h5 data.h5 --exits other.h5
tool make_model few.h5 2 1 128 5 1
refused 1 "*exits.h5 has 3 exits and 11 classes, model random1 has 3 and 5" plan few.h5 \
  --exits exits.h5
refused 1 "*model.h5 holds edgeexit-model, expected edgeexit-exits" calibrate model.h5 \
  --exits model.h5 -o refused.h5
refused 1 "*data.h5 holds edgeexit-data, expected edgeexit-exits" calibrate model.h5 \
  --exits data.h5 -o refused.h5
[[ ! -e refused.h5 ]] || fail "something was written from what was refused"
edgeexit plan model.h5 --exits exits.h5 > out
echo "refused $n_refused times"
