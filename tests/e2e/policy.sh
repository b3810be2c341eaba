#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Policies on exit tables: what is imported is replayed, targets and sweeps, and what is refused.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

# policy TABLE OPTION...: JSON to out.json
policy() {
  edgeexit policy --json "$@" > out.json 2> err || fail "policy $*: $(cat err)"
}

of() {
  tool json_value "$1" < out.json
}

# same NAME PATH WANTED: one number of out.json, to six digits
same() {
  expect "$1" "$(printf %.6g "$(of "$2")")" "$3"
}

# refuse CODE WANTED ARGUMENT...: exit code, and a sentence with WANTED
refuse() {
  local code=0
  edgeexit "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -qF -- "$2" err || fail "${*:3} says: $(cat err)"
}

# four samples, wide: two leave at exit 0 of 0.8
cat > wide.csv << 'END'
p0,c0,p1,c1,y
0,0.9,0,0.9,0
1,0.6,0,0.9,0
1,0.8,0,0.7,0
0,0.5,1,1,1
END
edgeexit import exits wide.csv --prediction p0,p1 --confidence c0,c1 --label y -o wide.h5 > out
policy wide.h5 --policy threshold:value=0.8
same "accuracy" accuracy 0.75
same "mean cost" mean_cost 0.15
same "mean layers" mean_layers 1.5
same "share of exit 0" exit_share.0 0.5

# long, the rows in another order: the same table
cat > long.tsv << 'END'
sample	exit	p	c	y
3	1	1	1	1
0	0	0	0.9	0
0	1	0	0.9	0
2	0	1	0.8	0
1	0	1	0.6	0
1	1	0	0.9	0
2	1	0	0.7	0
3	0	0	0.5	1
END
edgeexit import exits long.tsv --sample sample --exit exit --prediction p --confidence c --label y \
  -o long.h5 > out
cp out.json first.json
policy long.h5 --policy threshold:value=0.8
cmp -s first.json out.json || fail "the long table differs from the wide one"

# predictions only
edgeexit import exits wide.csv --prediction p0,p1 --layers 3,12 -o bare.h5 > out
policy bare.h5 --policy uee-ucb
expect "accuracy without labels" "$(of accuracy)" null
refuse 1 "needs the confidence of every exit" policy bare.h5 --policy threshold:value=0.8
refuse 1 "needs the probabilities of every exit" policy wide.h5 --policy margin:value=0.5

# learned scores: two above a half at exit 0
awk 'NR == 1 { print $0 ",h0" } NR > 1 { print $0 "," (NR - 2) / 3 }' wide.csv > scored.csv
edgeexit import exits scored.csv --prediction p0,p1 --confidence c0,c1 --label y --score h0 \
  -o scored.h5 > out
policy scored.h5 --policy eenet:value=0.5
same "mean layers by scores" mean_layers 1.5
same "accuracy by scores" accuracy 0.5
refuse 1 "needs learned scores" policy wide.h5 --policy eenet:value=0.5

# what is wrong in a table is named by line and column
sed 's/0.6/nan/' wide.csv > nan.csv
refuse 1 "nan.csv:3: column 'c0' is 'nan'" import exits nan.csv --prediction p0,p1 \
  --confidence c0,c1 -o refused.h5
sed 5d long.tsv > gap.tsv
refuse 1 "sample 2, which begins here, has no exit 0" import exits gap.tsv --sample sample \
  --exit exit --prediction p -o refused.h5
[[ ! -e refused.h5 ]] || fail "a wrong table was written"

# targets: met, and not to be met
policy wide.h5 --accuracy 0.75
same "the cheapest cost of accuracy 0.75" mean_cost 0.15
policy wide.h5 --cost 0.2
same "the best accuracy within cost 0.2" accuracy 1
refuse 1 "the best that can be had is accuracy 0.75 at mean cost 0.15" policy wide.h5 \
  --accuracy 1 --cost 0.15
refuse 1 "the targets cannot be met" policy wide.h5 --cost 0.05
policy wide.h5 --latency 0.0031 --exit-seconds 0.001/0.005
same "the best accuracy within 3.1 ms" accuracy 0.75
refuse 1 "the best that can be had is accuracy 0.75 at mean latency [s] 0.003" policy wide.h5 \
  --accuracy 1 --latency 0.003 --exit-seconds 0.001/0.005
refuse 2 "--latency needs --exit-seconds" policy wide.h5 --latency 1
refuse 2 "expected 2 numbers" policy wide.h5 --latency 1 --exit-seconds 1/2/3
refuse 1 "expected not less than before it" policy wide.h5 --latency 1 --exit-seconds 2/1
policy wide.h5 --budget 0.9
same "accuracy within nine tenths of the full cost" accuracy 1
refuse 1 "the least is" policy wide.h5 --budget 0.3
grep -q '^0.500000  0.125  threshold:values=' out || fail "the cheapest thresholds are not told: $(cat out)"
refuse 1 "the least is" policy wide.h5 --budget 0.3 --json
cp out out.json
expect "whether a budget of 0.3 can be met" "$(of feasible)" false
same "the cheapest" mean_cost 0.125
refuse 1 "cannot be had on this table" policy wide.h5 --policy budgeted:budget=0.3 --json
cp out out.json
expect "whether budgeted can have 0.3" "$(of feasible)" false
same "the cheapest by budgeted" mean_cost 0.125
refuse 1 "at 1 of the 2 values" policy wide.h5 --policy budgeted --sweep budget=0.3:1:2
expect "lines of a sweep that cannot have all" "$(wc -l < out | tr -d ' ')" 3
edgeexit policy wide.h5 --front -o front.h5 > out
policy=$(awk 'END { print $3 }' out)
policy wide.h5 --policy "$policy"
same "accuracy of the last point of the front" accuracy 1

# limits of other policies: what is found is what the replay says, and of a loss it is the cheapest
for policy in threshold eenet feature; do
  policy scored.h5 --policy $policy --accuracy-loss 0.25
  loss=$(of accuracy) found=$(of policy) share=$(of flop_share)
  [[ $found == "$policy":values=* ]] || fail "limits of $policy are $found"
  policy scored.h5 --policy "$found"
  same "accuracy by the limits of $policy" accuracy "$(printf %.6g "$loss")"
  expect "share of FLOP by the limits of $policy" \
    "$(awk -v flops="$(of mean_flops)" 'BEGIN { printf "%.6g", flops / 2 }')" \
    "$(printf %.6g "$share")"
done
edgeexit policy scored.h5 --policy feature --accuracy-loss 0 --front > out
grep -q '^accuracy  share of FLOP  policy$' out || fail "the front is headed $(head -1 out)"

# sweeps and seeds
edgeexit policy wide.h5 --policy threshold --sweep value=0:1:3 -o sweep.h5 > out
expect "lines of a sweep" "$(wc -l < out | tr -d ' ')" 4
policy wide.h5 --policy splitee --stream resample:1000 --seeds 3 --epoch 16 --delay 2 --steps 4
expect "samples" "$(of samples)" 1000
[[ $(of deviation.mean_cost) != 0 ]] || fail "three streams have the same mean cost"
edgeexit policy --policy help > out
grep -q '^splitee-s$' out || fail "the help does not name splitee-s"

# usage
refuse 2 "--policy NAME[:key=value,...] is missing" policy wide.h5
refuse 2 "--stream is sorted" policy wide.h5 --policy final --stream sorted
refuse 2 "--sweep has lambda=-1; expected numbers from 0 to 8" \
  policy wide.h5 --policy final --sweep lambda=-1:1:3
refuse 2 "--sweep has delay=5e+299; expected whole numbers from 0 to 65536" \
  policy wide.h5 --policy final --sweep delay=0:1e300:3
refuse 2 "--sweep has epoch=1.5" policy wide.h5 --policy final --sweep epoch=1:2:3
printf 'id,cost\n0,0.1\n' > changes.csv
refuse 2 "say the same" policy wide.h5 --policy final --offload-cost changes.csv \
  --sweep offload-cost=0:1:3
refuse 2 "--stream is resample:99999999999999999999" \
  policy wide.h5 --policy final --stream resample:99999999999999999999
refuse 2 "--exit-seconds goes with" policy wide.h5 --budget 0.5 --exit-seconds 1/2/3
refuse 2 "--exit-seconds goes with" policy wide.h5 --cost 2 --exit-seconds 1/2/3
refuse 2 "--exit-seconds goes with" policy wide.h5 --policy final --exit-seconds 1/2/3
refuse 2 "a search looks at each sample once" policy wide.h5 --front --seeds 3
refuse 2 "--sweep is value" policy wide.h5 --policy final --sweep value
refuse 2 "--policy NAME without keys" policy wide.h5 --policy threshold:value=0.5 --front
refuse 2 "nor does --budget with --policy" policy wide.h5 --policy threshold --budget 0.5
refuse 2 "there is no policy 'thresold'" policy wide.h5 --policy thresold --front
refuse 2 "--accuracy-loss saves operations" policy wide.h5 --accuracy-loss 0.1 --accuracy 0.5
refuse 1 "policy final has no limit for each exit" policy wide.h5 --policy final --front
refuse 1 "searching limits of margin needs probabilities" policy wide.h5 --policy margin --front
refuse 2 "an exit table, EXITS.h5, is missing" policy --policy final
# a sweep that fits no file is refused before its last point, which is none of an exit
refuse 1 "a sweep over policies of 1 and 2 arms has no file" policy wide.h5 --policy splitee \
  --sweep arms=1:3:3 -o refused.h5
[[ ! -e refused.h5 ]] || fail "a sweep without a file wrote one"

# help tells the defaults that policies have
for default in splitee:0.7 splitee-s:0.7 isplitee:0.5; do
  name=${default%:*} alpha=${default#*:}
  edgeexit policy --policy help | sed -n "/^$name\$/,/arms=/p" > out
  grep -q "alpha=X .*; default $alpha\$" out || fail "the help of $name is: $(cat out)"
  policy long.h5 --policy "$name" --seeds 3 --stream resample:400
  sed 's/"policy":"[^"]*"//' out.json > default.json
  policy long.h5 --policy "$name:alpha=$alpha" --seeds 3 --stream resample:400
  sed 's/"policy":"[^"]*"//' out.json > told.json
  cmp -s default.json told.json || fail "alpha of $name is not $alpha by default"
  policy long.h5 --policy "$name:alpha=0.85" --seeds 3 --stream resample:400
  sed 's/"policy":"[^"]*"//' out.json > other.json
  ! cmp -s default.json other.json || fail "alpha of $name changes nothing"
done

refuse 2 "--prediction is missing" import exits wide.csv -o refused.h5

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 200 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out

# a plan for the exit rates of a table is the plan for those rates, and not the one for none
policy exits.h5 --policy threshold:values=0.1/0.15
shares=$(of exit_share.0)/$(of exit_share.1)/$(of exit_share.2)
edgeexit plan model.h5 --exits exits.h5 --policy threshold:values=0.1/0.15 --json > table.json
edgeexit plan model.h5 --shares "$shares" --json > told.json
edgeexit plan model.h5 --json > blind.json
for key in plans.3.plan plans.3.bottleneck verdict; do
  expect "$key for exits" "$(tool json_value $key < table.json)" "$(tool json_value $key < told.json)"
done
[[ $(tool json_value plans.3.plan < table.json) != $(tool json_value plans.3.plan < blind.json) ]] ||
  fail "exit rates change no plan"
refuse 1 "what it asks for cannot be had on exits.h5" plan model.h5 --exits exits.h5 \
  --policy budgeted:budget=0.01
refuse 1 "what it asks for cannot be had on exits.h5" run model.h5 data.h5 --exits exits.h5 \
  --policy budgeted:budget=0.01
refused=0
edgeexit plan model.h5 --exits exits.h5 --shares "$shares" 2> err || refused=$?
expect "exit code of --exits with --shares" $refused 2
