#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edgeexit quantize: 8 bits lose little, say what they lose, have the same bits everywhere, and are
# taken only where somebody asks for them.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

cp "$source_dir/io/models/modulation.h5" plain.h5
edgeexit generate modulation --samples 400 -o data.h5 > out
edgeexit quantize --samples 300 --json plain.h5 data.h5 -o int8.h5 > quantize.json 2> err ||
  fail "quantize says: $(cat err)"
nodes=$(tool json_value int8_nodes < quantize.json)
((nodes >= 4)) || fail "only $nodes nodes have scales"
expect "nodes given back" "$(tool json_value given_back < quantize.json)" 0
expect "samples" "$(tool json_value samples < quantize.json)" 300
for e in 0 1; do
  awk -v a="$(tool json_value exits.$e.accuracy_float32 < quantize.json)" \
    -v b="$(tool json_value exits.$e.accuracy_int8 < quantize.json)" \
    -v s="$(tool json_value exits.$e.same_answers < quantize.json)" \
    'BEGIN { exit !(a > 0.2 && b > a - 0.03 && s > 0.93) }' || fail "exit $e: $(cat quantize.json)"
done
edgeexit info --json int8.h5 > info.json
expect "nodes in the file" "$(tool json_value runs.quantized.nodes < info.json)" "$nodes"
edgeexit info int8.h5 | grep -q "8 bits: $nodes of $nodes nodes have scales" || fail "info is silent"
edgeexit info --json int8.h5 | grep -q "quantized: $nodes nodes, ranges by" ||
  fail "the provenance does not tell"

# table NAME MODEL OPTION...: an exit table of this name; it tells the name of the model file
table() {
  cp "$2" model.h5
  edgeexit score "${@:3}" model.h5 data.h5 -o "$1.exits" > out 2> err || fail "score $*: $(cat err)"
}
table plain plain.h5
table float32 int8.h5
table int8 int8.h5 --backend int8
[[ ! -s err ]] || fail "8 bits say: $(cat err)"
table one int8.h5 --backend int8 --batch 1
EE_BACKEND=int8 table environment int8.h5
best=$(edgeexit info --json plain.exits | tool json_value backend)
expect "backend of the table" "$best" \
  "$(edgeexit bench --backend x plain.h5 2>&1 | sed 's/.*are: //; s/ .*//')"
expect "backend of the table of 8 bits" "$(edgeexit info --json int8.exits | tool json_value backend)" int8
edgeexit info int8.exits | grep -q '^computed by: backend int8$' || fail "info is silent on int8"
echo 'devices: [{name: one, flops: 1000G}]' > fast.yaml
# run TABLE OPTION...: on one device, with a table of exits or of outcomes; it tells what was said
run() {
  edgeexit run "${@:2}" "$1" --fleet fast.yaml int8.h5 data.h5 > out 2> err || fail "run: $(cat err)"
  grep 'has the answers of backend' err || true
}
for exits in --outcomes --exits; do
  expect "what run $exits says of another backend" "$(run int8.exits $exits)" \
    "edgeexit: rank 0: int8.exits has the answers of backend int8, and $best is what runs here"
  expect "what run $exits says of its own" "$(run int8.exits --backend int8 $exits)" ""
done
cmp -s plain.exits float32.exits || fail "scales change what float32 computes"
cmp -s plain.exits int8.exits && fail "8 bits have the bits of float32"
cmp -s int8.exits one.exits || fail "8 bits depend on the batch"
cmp -s int8.exits environment.exits || fail "EE_BACKEND=int8 computes something else"
for vectors in avx2 base; do
  EE_SIMD=$vectors edgeexit info int8.h5 > out 2> err || continue
  EE_SIMD=$vectors table $vectors int8.h5 --backend int8
  cmp -s int8.exits $vectors.exits || fail "8 bits on $vectors have other bits"
done

# three devices, and a device that has other scales or another backend
run=("$bin/edgeexit" run --logits --policy threshold:value=0.5 --cuts 2/4)
# start NAME SETTING FOLDER: the last rank has SETTING in its environment, and begins in FOLDER
start() {
  local run=("${run[@]}" --trace "$1.h5" int8.h5 data.h5)
  "${EE_MPIRUN:-mpirun}" -n 2 "${run[@]}" : \
    -n 1 env --chdir "$3" "$2" "${run[@]}" < /dev/null > out 2> err
}
export EE_BACKEND=int8
start ranks EE_NOTHING=1 . || fail "three ranks say: $(cat err)"
tool compare_traces --exits int8.exits --threshold 0.5 ranks.h5 > differences ||
  fail "three ranks: $(cat differences)"
start refused EE_BACKEND=simd . && fail "another backend on one rank is accepted"
edgeexit quantize --method minmax --samples 50 plain.h5 data.h5 -o other.h5 > out 2> err
mkdir other
mv other.h5 other/int8.h5
cp data.h5 other
start wide EE_SIMD=base . || fail "other vectors on one rank say: $(cat err)"
! grep -q 'last bits' err || fail "all is in 8 bits, but other vectors say: $(cat err)"
tool compare_traces --exits int8.exits --threshold 0.5 wide.h5 > differences ||
  fail "other vectors on one rank: $(cat differences)"
EE_BACKEND=simd start float32 EE_SIMD=base . || fail "other vectors in float32: $(cat err)"
told=0
grep -q 'last bits' err && told=1
start refused EE_NOTHING=1 other && fail "other scales on one rank are accepted"
grep -q scales err || fail "other scales are refused with: $(cat err)"
edgeexit run --devices 3 --rebalance on --epoch 64 --min-gain 0 --cuts 1/2 --logits \
  --policy threshold:value=0.5 --trace moved.h5 int8.h5 data.h5 > out 2> err ||
  fail "layers that move: $(cat err)"
tool compare_traces --exits int8.exits --threshold 0.5 moved.h5 > differences ||
  fail "layers that move: $(cat differences)"
unset EE_BACKEND

# vectors in float32 beside 8 bits are told if they are told in float32 alone
first=$(edgeexit bench --per-layer --repeats 1 --json int8.h5 | tool json_value layers.0.nodes.0.name)
edgeexit quantize --keep "$first" plain.h5 data.h5 -o kept.h5 > out 2> err
"${EE_MPIRUN:-mpirun}" -n 2 "${run[@]}" --backend int8 kept.h5 data.h5 : \
  -n 1 env EE_SIMD=base "${run[@]}" --backend int8 kept.h5 data.h5 < /dev/null > out 2> err ||
  fail "a node in float32 says: $(cat err)"
expect "warnings of other vectors" "$(grep -c 'last bits' err || :)" "$told"

# nodes that stay in float32: by name, and for the sake of accuracy
edgeexit bench --backend int8 --per-layer --repeats 1 --json int8.h5 > bench.json 2> err
first=$(tool json_value layers.0.nodes.0.name < bench.json)
expect "who runs the first node" "$(tool json_value layers.0.nodes.0.backend < bench.json)" int8
# share FILE KEY: whether layer 0 of this bench has its share of this peak
share() {
  awk -v s="$(tool json_value layers.0.peak_share < "$1")" \
    -v r="$(tool json_value layers.0.gflops < "$1")" -v p="$(tool json_value "$2" < "$1")" \
    'BEGIN { d = s * p / r - 1; exit !(d ^ 2 < 1e-18) }' || fail "layer 0 has no share of $2: $(cat "$1")"
}
share bench.json peak_int8_gops
edgeexit quantize --keep "$first" --json plain.h5 data.h5 -o kept.h5 > kept.json 2> err
edgeexit bench --backend int8 --per-layer --repeats 1 --json kept.h5 > bench.json 2> err
share bench.json peak_gflops
edgeexit bench --repeats 1 --json kept.h5 > bench.json
if tool json_value peak_int8_gops < bench.json > out 2> err; then fail "float32 has a peak of 8 bits"; fi
expect "node kept" "$(tool json_value float32_nodes.0 < kept.json)" "$first"
expect "nodes beside it" "$(tool json_value int8_nodes < kept.json)" $((nodes - 1))
edgeexit quantize --method percentile --percentile 98 --json plain.h5 data.h5 -o poor.h5 \
  > poor.json 2> err
edgeexit quantize --method percentile --percentile 98 --max-accuracy-loss 0.03 --json plain.h5 \
  data.h5 -o limited.h5 > limited.json 2> err || fail "a limit says: $(cat err)"
back=$(tool json_value given_back < limited.json)
((back > 0 && back < nodes)) || fail "$back of $nodes nodes were given back: $(cat limited.json)"
for e in 0 1; do
  awk -v a="$(tool json_value exits.$e.accuracy_float32 < limited.json)" \
    -v b="$(tool json_value exits.$e.accuracy_int8 < limited.json)" \
    'BEGIN { exit !(b >= a - 0.03 - 1e-9) }' || fail "exit $e loses more: $(cat limited.json)"
done
table poor poor.h5 --backend int8
table limited limited.h5 --backend int8
grep -q "others run .* on simd" err || fail "nothing is said of nodes in float32: $(cat err)"

# quantising again forgets what was before
edgeexit quantize --samples 300 --json limited.h5 data.h5 -o again.h5 > again.json 2> err
table again again.h5 --backend int8
cmp -s int8.exits again.exits || fail "scales depend on those before"
expect "notes" "$(edgeexit info again.h5 | grep -c quantized:)" 1

# calibrating keeps scales and their note, whichever was first
edgeexit calibrate --samples 300 again.h5 data.h5 > out 2> err || fail "calibrate: $(cat err)"
edgeexit quantize --samples 300 again.h5 data.h5 -o both.h5 > out 2> err
edgeexit calibrate --samples 200 both.h5 data.h5 > out 2> err || fail "calibrate: $(cat err)"
for line in quantized: temperatures:; do
  expect "notes of $line" "$(edgeexit info both.h5 | grep -c "$line")" 1
done
edgeexit info both.h5 | grep -q "8 bits: $nodes of $nodes nodes have scales" ||
  fail "calibrating loses scales"

# what cannot be is refused or told
refuse() {
  local code=0
  edgeexit "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -q -- "$2" err || fail "${*:3} says: $(cat err)"
}
refuse 2 '--keep names "nothing", which is no node' \
  quantize --keep "$first,nothing" plain.h5 data.h5 -o no.h5
refuse 2 "--method is best; expected\|--method is best, expected" \
  quantize --method best plain.h5 data.h5 -o no.h5
refuse 2 "--percentile is for --method percentile, not for mse" \
  quantize -p 99 plain.h5 data.h5 -o no.h5
refuse 2 "--percentile is for --method percentile, not for minmax" \
  quantize -p 99 --method minmax plain.h5 data.h5 -o no.h5
edgeexit quantize -n 401 --method minmax plain.h5 data.h5 -o few.h5 > out 2> err
grep -q "data.h5 has 400 samples, fewer than the 401 of --samples" err || fail "too few: $(cat err)"
edgeexit quantize -n 400 --method minmax plain.h5 data.h5 -o few.h5 > out 2> err
[[ ! -s err ]] || fail "as many samples as there are say: $(cat err)"
refuse 2 "-o MODEL.h5 is missing" quantize plain.h5 data.h5
refuse 2 "would be written over while it is read" quantize plain.h5 data.h5 -o data.h5
edgeexit generate input plain.h5 -o unlabelled.h5 > out
edgeexit quantize plain.h5 unlabelled.h5 -o unlabelled_int8.h5 > out 2> err || fail "no labels: $(cat err)"
grep -q accuracy out && fail "an accuracy without labels"
refuse 1 "has no labels, so a loss of accuracy cannot be seen" \
  quantize --max-accuracy-loss 0.01 plain.h5 unlabelled.h5 -o no.h5
tool make_data wrong.h5 4 3 8 8 1
refuse 1 "wrong.h5" quantize plain.h5 wrong.h5 -o no.h5
[[ ! -e no.h5 ]] || fail "what was refused left a file"
cp int8.h5 spoiled.h5
tool spoil spoiled.h5 /quantization/scales 0 nan
refuse 1 "has the scale nan" score --backend int8 spoiled.h5 data.h5 -o no.exits
# spoiled DATASET INDEX|size VALUE REASON: refused with path and reason
spoiled() {
  cp int8.h5 spoiled.h5
  tool spoil spoiled.h5 "/quantization/$1" "$2" "$3"
  refuse 1 "spoiled.h5: $4" info spoiled.h5
  refuse 1 "spoiled.h5: $4" score --backend int8 spoiled.h5 data.h5 -o no.exits
}
edgeexit bench --per-layer --repeats 1 --json int8.h5 > bench.json
all=$(($(grep -o '"operator"' bench.json | wc -l) - $(tool json_value kernels.# < bench.json)))
spoiled zeros 0 300 ".*the zero 300"
spoiled zeros 0 -1 ".*the zero -1"
spoiled scales 0 -0.5 ".*the scale -0.5"
spoiled scales 0 inf ".*the scale inf"
spoiled scales 0 1e-45 ".*the scale 1.4013e-45"
spoiled scales 0 0 ".*the scale 0 and the zero"
for set in scales zeros; do
  for n in $((all - 1)) $((all + 1)) 1; do
    spoiled $set size "$n" "/quantization/$set has $n elements, but there are $all nodes"
  done
done
table none plain.h5 --backend int8
grep -q "has no scales, so backend int8 runs none of its nodes" err || fail "no scales: $(cat err)"
cmp -s plain.exits none.exits || fail "without scales int8 is not float32"
