#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every kind of file that the program writes tells what it holds, in text and as one JSON object.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 60 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
edgeexit policy exits.h5 --policy threshold --sweep value=0:1:3 --json -o sweep.h5 > sweep.json
edgeexit policy exits.h5 --policy splitee --steps 4 --json -o learned.h5 > learned.json
edgeexit policy exits.h5 --front -o front.h5 > out
edgeexit calibrate model.h5 --exits exits.h5 --reliability reliability.h5 --json -o calibrated.h5 \
  > calibrated.json 2> err
edgeexit run --trace trace.h5 model.h5 data.h5 > out 2> err

# told FILE PATH: one value of info --json
told() {
  edgeexit info --json "$1" > info.json
  expect "lines of JSON for $1" "$(wc -l < info.json | tr -d ' ')" 1
  tool json_value "$2" < info.json
}

of() {
  tool json_value "$2" < "$1"
}

for kind in model:model data:data exits:exits sweep:result learned:result front:result \
  reliability:reliability trace:trace; do
  file=${kind%:*}.h5
  expect "format of $file" "$(told "$file" format)" "edgeexit-${kind#*:}"
  edgeexit info "$file" > out
  [[ -s out ]] || fail "info $file prints nothing"
done

# values are those that were told when the file was written
expect "first class of the data" "$(told data.h5 classes.0)" \
  "$(edgeexit info data.h5 | sed -n 's/^class 0  //p')"
expect "first attribute of the data" "$(told data.h5 attributes.0)" snr
expect "samples of the table" "$(told exits.h5 samples)" 60
expect "logits of the table" "$(told exits.h5 logits)" true
edgeexit info --json model.h5 > model.json
expect "temperature of exit 0" "$(told exits.h5 temperature.0)" \
  "$(of model.json exits.0.temperature)"

# what would run the model here, and in how much memory
edgeexit bench --json --repeats 1 --batch 8 model.h5 > bench.json 2> err
for figure in cpu vectors backend backend_uses; do
  expect "$figure of info and bench" "$(told model.h5 runs.$figure)" "$(of bench.json $figure)"
done
expect "first backend" "$(told model.h5 runs.backends.0)" "$(told model.h5 runs.backend)"
for figure in weight_bytes packed_bytes arena_bytes bytes; do
  expect "$figure at batch 8" "$(told model.h5 runs.memory.1.$figure)" \
    "$(of bench.json memory.$figure)"
done
expect "batches" "$(told model.h5 runs.memory.0.batch) $(told model.h5 runs.memory.1.batch)" "1 8"
expect "backend by the environment" "$(EE_BACKEND=ref told model.h5 runs.backend)" ref
edgeexit info model.h5 > out
grep -q '^runs on: backend ' out || fail "info does not say what runs the model: $(cat out)"
grep -q '^memory: weights .* at batch 1, .* at batch 8$' out || fail "info tells no memory: $(cat out)"

expect "table of the sweep" "$(told sweep.h5 exits)" exits.h5
expect "swept key" "$(told sweep.h5 sweep)" value
for point in 0 1 2; do
  expect "accuracy of point $point" "$(told sweep.h5 arrays.accuracy.$point)" \
    "$(of sweep.json points.$point.accuracy)"
  expect "share of exit 1 at point $point" "$(told sweep.h5 arrays.exit_share.$point.1)" \
    "$(of sweep.json points.$point.exit_share.1)"
done
expect "reward" "$(told learned.h5 arrays.mean_reward.0)" "$(of learned.json mean_reward)"
edgeexit info sweep.h5 > out
grep -q '^exit_share  *\[3, 3\] ' out || fail "the text has no shares: $(cat out)"
for exit in 0 1 2; do
  expect "ECE of exit $exit" "$(printf %.9g "$(told reliability.h5 exits.$exit.after.ece)")" \
    "$(printf %.9g "$(of calibrated.json exits.$exit.ece)")"
  expect "samples of exit $exit" "$(told reliability.h5 exits.$exit.samples)" 30
done

# a table of answers from elsewhere: right at the two exits are 11, 01, 00, 10
cat > wide.csv << 'END'
p0,c0,p1,c1,y
0,0.9,0,0.8,0
1,0.6,0,0.9,0
1,0.7,1,0.7,0
0,0.5,1,1,0
END
edgeexit import exits wide.csv --prediction p0,p1 --confidence c0,c1 --label y -o wide.h5 > out
edgeexit info wide.h5 > out
grep -qF "exit 0  after layer 0, temperature 1.0000, accuracy 0.5000, mean confidence 0.6750, ECE 0.4750" \
  out || fail "the text has no figures: $(cat out)"
grep -qF "of 4 labelled samples: 1 right at every exit, 1 right from a later exit on, 1 never right, 1 " \
  out || fail "the text does not tell the kinds of answers: $(cat out)"
expect "accuracy of exit 1" "$(told wide.h5 accuracy.1)" 0.5
expect "ECE of exit 1" "$(printf %.6g "$(told wide.h5 ece.1)")" 0.5
expect "mean confidence of exit 1" "$(printf %.6g "$(told wide.h5 mean_confidence.1)")" 0.85
for kind in all_correct good all_wrong bad; do
  expect "$kind samples" "$(told wide.h5 answers.$kind)" 1
done
edgeexit import exits wide.csv --prediction p0,p1 -o bare.h5 > out
expect "accuracy without labels" "$(told bare.h5 accuracy.0)" null
edgeexit score --json -o again.h5 model.h5 data.h5 > score.json
for exit in 0 1 2; do
  expect "accuracy of the network's exit $exit" "$(told exits.h5 accuracy.$exit)" \
    "$(of score.json exits.$exit.accuracy)"
done

# a policy of many arms: tenths without columns for them
edgeexit run --policy ceebert:grid=0/0.25/0.5/0.75/1 --trace many.h5 model.h5 data.h5 > out 2> err
edgeexit report many.h5 > out
expect "tenths of a policy of many arms" "$(sed -n '/^tenth /,/arms: /p' out | grep -c '^ *[0-9]* *6 ')" \
  10
grep -q "^25 arms: their pulls are in the JSON report" out || fail "the report says: $(cat out)"
edgeexit run --policy splitee --trace few.h5 model.h5 data.h5 > out 2> err
edgeexit report few.h5 > out
grep -q "^tenth .* arm 0   arm 1   arm 2$" out || fail "the report says: $(cat out)"

expect "answers of the trace" "$(told trace.h5 answered)" 60
expect "whether the run ended" "$(told trace.h5 complete)" true
echo "eight files told what they hold"
