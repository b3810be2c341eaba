#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Exit tables with holes, numbers that are none and classes that do not exist: in text (wide, long,
# commas, tabs) and in HDF5 under a seal that holds, each named with row and column; targets that
# cannot be met give the best that can be had.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"
cd "$scratch"

# three samples at two exits
cat > wide.csv << 'END'
y,p0,c0,p1,c1
0,0,0.9,0,0.8
1,0,0.6,1,0.7
2,1,0.5,2,0.95
END
cat > long.csv << 'END'
s,e,y,p,c
7,0,0,0,0.9
7,1,0,0,0.8
8,0,1,0,0.6
8,1,1,1,0.7
9,0,2,1,0.5
9,1,2,2,0.95
END
tr , '\t' < wide.csv > wide.tsv
tr , '\t' < long.csv > long.tsv

# import_of FORM FILE: sets the command that imports a file of this form
import_of() {
  command=(import exits "$2" -o refused.h5 --label y --classes 3)
  if [[ $1 == wide ]]; then
    command+=(--prediction "p0,p1" --confidence "c0,c1")
  else
    command+=(--sample s --exit e --prediction p --confidence c)
  fi
}

# good ones are taken, and are the same table
for table in wide.csv wide.tsv long.csv long.tsv; do
  import_of "${table%.*}" $table
  edgeexit "${command[@]}" > out
  edgeexit policy refused.h5 --policy threshold:value=0.75 --json > $table.json
  cmp -s wide.csv.json $table.json || fail "$table differs from wide.csv"
  rm refused.h5
done

# spoilt FORM LINE FIELD VALUE PATTERN: with this value there, commas and tabs are refused alike
spoilt() {
  local ending separator
  for ending in csv tsv; do
    separator=,
    [[ $ending == csv ]] || separator=$'\t'
    awk -F "$separator" -v OFS="$separator" -v line="$2" -v field="$3" -v value="$4" \
      'NR == line { $field = value } { print }' "$1.$ending" > "bad.$ending"
    import_of "$1" "bad.$ending"
    refused 1 "*bad.$ending:$2: $5" "${command[@]}"
    [[ ! -e refused.h5 ]] || fail "a table with '$4' was written"
  done
}

for value in nan inf -nan x "" 0.5x; do
  spoilt wide 3 3 "$value" "column 'c0' is '$value', expected a number"
  spoilt long 3 5 "$value" "column 'c' is '$value', expected a number"
done
for value in 1.5 -0.1 1e30; do
  spoilt wide 3 5 $value "column 'c1' is $value, expected a confidence from 0 to 1"
  spoilt long 3 5 $value "column 'c' is $value, expected a confidence from 0 to 1"
done
for value in 3 -1 0.5 1e9; do
  spoilt wide 2 4 $value "column 'p1' is $value, expected a whole number from 0 to 2"
  spoilt long 2 4 $value "column 'p' is $value, expected a whole number from 0 to 2"
done
for value in 3 -2 0.5; do
  spoilt wide 4 1 $value "column 'y' is $value, expected a whole number from -1 to 2"
  spoilt long 4 3 $value "column 'y' is $value, expected a whole number from -1 to 2"
done
spoilt long 3 3 2 'sample 7 has label 2, in line 2 it is 0'
spoilt long 3 2 0 'sample 7 has exit 0 for the second time, after line 2'
spoilt long 4 1 7.5 "column 's' is 7.5, expected a whole number*"

# exits and fields that are missing
for ending in csv tsv; do
  sed 5d long.$ending > bad.$ending
  import_of long bad.$ending
  refused 1 "*bad.$ending:4: sample 8, which begins here, has no exit 1" "${command[@]}"
  sed '3s/[,\t][^,\t]*$//' wide.$ending > bad.$ending
  import_of wide bad.$ending
  refused 1 "*bad.$ending:3: the row has fewer than the 5 fields of the header" "${command[@]}"
done
sed 1s/c1/d1/ wide.csv > bad.csv
import_of wide bad.csv
refused 1 "*bad.csv:1: no column 'c1'; there are: 'y', 'p0', 'c0', 'p1', 'd1'" "${command[@]}"

# probabilities that do not add up to one, in a row per sample and in one per sample and exit
cat > shares.csv << 'END'
y,a0,b0,a1,b1
0,0.75,0.25,1,0
1,0.5,0.5,0.25,0.75
END
wide_shares=(--probability "a0,b0,a1,b1" --classes 2 --label y -o refused.h5)
edgeexit import exits shares.csv "${wide_shares[@]}" > out
edgeexit policy refused.h5 --policy entropy:value=0.6 --json > shares.json
expect "share that is sure at once" "$(tool json_value exit_share.0 < shares.json)" 0.5
edgeexit threshold refused.h5 --loss hellinger --method naive --epsilon 0.9 > out
rm refused.h5
sed '3s/0.25,/0.5,/' shares.csv > bad.csv
refused 1 "*bad.csv:3: the probabilities in columns 'a1' to 'b1' add up to 1.25, expected 1" \
  import exits bad.csv "${wide_shares[@]}"
sed '2s/0.75,/nan,/' shares.csv > bad.csv
refused 1 "*bad.csv:2: column 'a0' is 'nan', expected a number" import exits bad.csv \
  "${wide_shares[@]}"
printf 's\te\ta\tb\n1\t0\t0.5\t0.5\n1\t1\t0.5\t0.4\n' > bad.tsv
refused 1 "*bad.tsv:3: the probabilities in columns 'a' to 'b' add up to 0.9, expected 1" \
  import exits bad.tsv --sample s --exit e --probability "a,b" --classes 2 -o refused.h5
refused 2 '*--probability needs --classes' import exits bad.tsv --probability "a,b" -o refused.h5
refused 2 '*--probability is given; *' import exits bad.tsv --probability "a,b" --classes 2 \
  --prediction s -o refused.h5
[[ ! -e refused.h5 ]] || fail "a table with wrong probabilities was written"

# spoilt_h5 TABLE DATASET INDEX VALUE PATTERN: the same in HDF5, where only the contents are wrong
import_of wide wide.csv
edgeexit "${command[@]}" > out
mv refused.h5 answers.h5
spoilt_h5() {
  local command
  cp "$1" bad.h5
  tool spoil bad.h5 "$2" "$3" "$4"
  for command in "policy --policy final" "policy --accuracy 0.5" "offload --batch 2" threshold \
    "plan model.h5 --exits"; do
    # shellcheck disable=SC2086 # several words
    refused 1 "*bad.h5: $5" $command bad.h5
  done
  refused 1 "*bad.h5: $5" run --fleet fleet.yaml --outcomes bad.h5 model.h5 data.h5
}
tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 20 --seed 6 -o data.h5
echo "devices: [{name: one, flops: 1e9}]" > fleet.yaml
edgeexit score -o exits.h5 model.h5 data.h5 > out
edgeexit generate modulation --samples 20 --seed 7 -o others.h5
refused 1 '*sample *others.h5*exits.h5: these are outcomes of other data' run --fleet fleet.yaml \
  --outcomes exits.h5 model.h5 others.h5

for value in nan 1.5 -0.1 inf; do
  spoilt_h5 answers.h5 /confidence 3 $value "row 1, exit 1: confidence is *$value, not in ?0, 1?"
done
spoilt_h5 answers.h5 /prediction 4 3 'row 2, exit 0: prediction is 3, expected 0 to 2'
spoilt_h5 answers.h5 /prediction 4 -1 'row 2, exit 0: prediction is -1, expected 0 to 2'
spoilt_h5 answers.h5 /labels 2 3 'label of sample 2 is 3, outside ?-1, 2?'
spoilt_h5 exits.h5 /labels 19 11 'label of sample 19 is 11, outside ?-1, 10?'
for value in nan inf; do # exit 2 of row 1, class 4
  spoilt_h5 exits.h5 /logits 59 $value "row 1, exit 2: the logit of class 4 is $value"
  refused 1 "*bad.h5: exit 2: sample 1 has logit $value for class 4*" calibrate model.h5 \
    --exits bad.h5 -o refused.h5
done
spoilt_h5 exits.h5 /temperature 1 0 'exit 1 has temperature 0, expected a positive number'
spoilt_h5 exits.h5 /temperature 1 nan 'exit 1 has temperature nan, expected a positive number'
spoilt_h5 exits.h5 /attach 1 1 'exit 1 follows layer 1, not in ?2, 8?'
spoilt_h5 exits.h5 /layer_flops 2 nan 'element 2 of /layer_flops is nan'
spoilt_h5 exits.h5 /cut_bytes 0 -1 'element 0 of /cut_bytes is -1'

# a label that is not known is no fault, but where it is needed
cp exits.h5 bad.h5
tool spoil bad.h5 /labels 19 -1
edgeexit policy bad.h5 --policy final > out
refused 1 "*bad.h5: row 19 has no label, expected one" offload --batch 2 bad.h5
refused 1 "*bad.h5: row 19 has no label, expected one" threshold --loss gap bad.h5
edgeexit threshold --loss consistency --method naive --epsilon 0.999 bad.h5 > out
refused 1 "*answers.h5: the table has no probabilities, which the loss is made of*" threshold \
  --loss brier answers.h5

# targets that cannot be met: the best that can be had, in text and in JSON, and exit code 1
impossible() {
  local code=0
  edgeexit policy answers.h5 --json "${@:3}" > best.json 2> err || code=$?
  expect "exit code of ${*:3}" $code 1
  expect "what can be had with ${*:3}" "$(tool json_value feasible < best.json)" false
  expect "$1 that can be had" "$(printf %.6g "$(tool json_value "$1" < best.json)")" "$2"
  refused 1 "*the targets cannot be met; the best that can be had is accuracy *" policy \
    answers.h5 "${@:3}"
}
edgeexit policy answers.h5 --policy final --json > final.json
expect "the best accuracy" "$(tool json_value accuracy < final.json)" 1
impossible accuracy 0.333333 --accuracy 1 --cost 0.1
impossible mean_cost 0.1 --cost 0.05
impossible accuracy 0.333333 --latency 0.001 --accuracy 1 --exit-seconds 0.001/0.005
refused 1 "*no threshold keeps the gap loss within 1e-06 by ltt; nobody may leave early" threshold \
  --method ltt --epsilon 1e-6 exits.h5

# answers of a network that looks the same but for its weights
tool make_model one.h5 2 1 128 11 1
tool make_model two.h5 2 1 128 11 2
edgeexit generate modulation --samples 20 --seed 4 -o frames.h5
edgeexit score one.h5 frames.h5 -o of_one.h5 > out
printf 'devices: [{name: a, flops: 1e9}]\n' > one.yaml
others="*of_one.h5 has the answers of *network*"
refused 1 "$others" plan two.h5 --exits of_one.h5 --policy final
refused 1 "$others" run two.h5 frames.h5 --exits of_one.h5 --policy final
refused 1 "$others" run two.h5 frames.h5 --outcomes of_one.h5 --fleet one.yaml --policy final
refused 1 "$others" calibrate two.h5 of_one.h5 -o refused.h5
edgeexit run one.h5 frames.h5 --outcomes of_one.h5 --exits of_one.h5 --fleet one.yaml --policy final > out 2> err ||
  fail "answers of the same network: $(cat err)"
expect "what is said of the same network" "$(grep -c "does not tell" err)" 0
echo "refused $n_refused times"
