#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edgeexit bench: its figures hang together.  How fast this machine is, is no matter.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 5 --seed 3 -o data.h5

# bench OPTION...: to bench.json; of PATH: one value of it
bench() {
  edgeexit bench --json "$@" > bench.json 2> err || fail "bench $* says: $(cat err)"
  expect "lines of JSON" "$(wc -l < bench.json | tr -d ' ')" 1
}
of() {
  tool json_value "$1" < bench.json
}
# close NAME A B: equal but for rounding
close() {
  awk -v a="$2" -v b="$3" 'BEGIN { d = a - b; exit !(d < 0 ? -d <= 1e-9 * b : d <= 1e-9 * b) }' ||
    fail "$1 is $2; expected $3"
}
# no_more NAME A B
no_more() {
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a <= b * (1 + 1e-9)) }' || fail "$1: $2 is more than $3"
}
# sum LIST KEY: over the parts of this list
sum() {
  local i n total=0
  n=$(of "$1.#")
  for ((i = 0; i < n; i++)); do
    total=$(awk -v a="$total" -v b="$(of "$1.$i.$2")" 'BEGIN { printf "%.17g", a + b }')
  done
  echo "$total"
}

for batch in 1 3; do
  bench model.h5 --batch $batch --repeats 5 --per-layer
  expect "batch" "$(of batch)" $batch
  expect "passes" "$(of passes)" 5
  expect "heads of early exits" "$(of early_heads)" true
  for key in cpu vectors peak_gflops model backend backend_uses input cpu_share ms_per_sample \
    cpu_ms_per_sample ms_min gflop gflops peak_share memory.weight_bytes memory.packed_bytes memory.arena_bytes \
    kernels.0.operator kernels.0.backend; do
    [[ -n $(of "$key") ]] || fail "there is no $key"
  done
  close "rate" "$(of gflops)" "$(awk -v f="$(of gflop)" -v t="$(of ms_per_sample)" \
    'BEGIN { printf "%.17g", f / (t * 1e-3) }')"
  close "share of the peak" "$(of peak_share)" "$(awk -v f="$(of gflops)" -v p="$(of peak_gflops)" \
    'BEGIN { printf "%.17g", f / p }')"
  no_more "least and median" "$(of ms_min)" "$(of ms_per_sample)"

  close "operations of all parts" "$(awk -v a="$(sum layers gflop)" -v b="$(sum heads gflop)" \
    'BEGIN { printf "%.17g", a + b }')" "$(of gflop)"
  close "weights of all layers" "$(sum layers weight_bytes)" "$(of memory.weight_bytes)"
  close "packed weights of all layers" "$(sum layers packed_bytes)" "$(of memory.packed_bytes)"
  close "memory" "$(of memory.bytes)" "$(awk -v a="$(of memory.weight_bytes)" \
    -v b="$(of memory.packed_bytes)" -v c="$(of memory.arena_bytes)" 'BEGIN { print a + b + c }')"
  no_more "arena of layer 0 and of all" "$(of layers.0.arena_bytes)" "$(of memory.arena_bytes)"
done

# every layer and every head is there, with its operators and who runs them
edgeexit info --json model.h5 > info.json
expect "layers" "$(of layers.#)" "$(tool json_value layers.# < info.json)"
expect "heads" "$(of heads.#)" 2  # the last classifier stands in the layers
expect "operator of the first node" "$(of layers.0.nodes.0.operator)" Conv
expect "nodes by kernel" "$(sum kernels nodes)" \
  "$(($(grep -o '"operator"' bench.json | wc -l) - $(of kernels.#)))"
for ((l = 0; l < $(of layers.#); l++)); do
  expect "name of layer $l" "$(of layers.$l.name)" "$(tool json_value layers.$l.name < info.json)"
  close "operations of layer $l" "$(of layers.$l.gflop)" \
    "$(awk -v f="$(tool json_value layers.$l.flops < info.json)" 'BEGIN { printf "%.17g", f * 1e-9 }')"
done
layers=$(sum layers gflop)

# without early heads: the layers alone
bench model.h5 --repeats 2 --heads off --per-layer
expect "heads" "$(of heads.#) $(of early_heads)" "0 false"
close "operations without early heads" "$(of gflop)" "$layers"
bench model.h5 --repeats 2
if of layers > out 2> err; then fail "layers are told without --per-layer"; fi

# a time instead of a number of passes, and samples of a file, fewer than the batch
bench model.h5 data.h5 --batch 8 --seconds 0.01
(($(of passes) >= 7)) || fail "$(of passes) passes are fewer than 7"
expect "input" "$(of input)" data.h5
grep -q "data.h5 has 5 samples for a batch of 8: some are in it more than once" err ||
  fail "a batch of 8 of 5 samples says: $(cat err)"
bench model.h5 data.h5 --batch 5 --repeats 1
! grep -q 'more than once' err || fail "a batch of all samples says: $(cat err)"

# the backend: the option before the environment before the best; what it cannot run, ref does
bench model.h5 --repeats 1
best=$(of backend)
expect "backend by itself" "$best" "$(edgeexit bench --backend x model.h5 2>&1 | sed 's/.*are: //; s/ .*//')"
EE_BACKEND=ref bench model.h5 --repeats 1
expect "backend by the environment" "$(of backend)" ref
EE_BACKEND=ref bench model.h5 --repeats 1 --backend "$best"
expect "backend by the option" "$(of backend)" "$best"
EE_BACKEND='' bench model.h5 --repeats 1
expect "backend by an empty environment" "$(of backend)" "$best"

# its vectors: lesser ones by the environment, which the peak is then of; not if that is empty
vectors=$(of vectors)
EE_SIMD='' bench model.h5 --repeats 1
expect "vectors by an empty environment" "$(of vectors)" "$vectors"
EE_SIMD=base bench model.h5 --repeats 1
expect "vectors by the environment" "$(of vectors)" base
EE_SIMD=base bench --peak
expect "vectors of the limits" "$(of vectors) $(of limits.vectors)" "base base"
expect "vectors in info" "$(EE_SIMD=base edgeexit info --json model.h5 | tool json_value runs.vectors)" \
  base
EE_SIMD=base bench model.h5 --repeats 1 --backend blis
expect "vectors of a backend that EE_SIMD is not for" "$(of vectors)" "$vectors"
bench model.h5 --repeats 1 --backend blis --per-layer
expect "who runs the convolution and the sum of layer 2" \
  "$(of layers.2.nodes.0.backend) $(of layers.2.nodes.1.backend)" "blis ref"

# the limits, alone and with a model
bench --peak
for key in flops int8_ops vnni read_bytes_per_s.l1 read_bytes_per_s.memory; do
  [[ -n $(of "limits.$key") ]] || fail "there is no limits.$key"
done
close "peak" "$(of limits.flops)" "$(awk -v p="$(of peak_gflops)" 'BEGIN { printf "%.17g", p * 1e9 }')"
(($(of limits.reads.#) > 10)) || fail "$(of limits.reads.#) sizes were read"
expect "second size" "$(of limits.reads.1.bytes)" 32768
bench --peak --repeats 1 --per-layer --batch 2 model.h5
k=0
while (($(of limits.reads.$k.bytes) < $(of memory.packed_bytes))); do k=$((k + 1)); done
for ((l = 0; l < $(of layers.#); l++)); do
  close "limit of layer $l" "$(of layers.$l.limit_ms)" "$(awk -v f="$(of layers.$l.gflop)" \
    -v p="$(of peak_gflops)" -v b="$(of layers.$l.packed_bytes)" \
    -v r="$(of limits.reads.$k.bytes_per_s)" \
    'BEGIN { x = f / p; y = b / r / 2; printf "%.17g", 1e3 * (x > y ? x : y) }')"
done
edgeexit bench --peak --repeats 1 model.h5 > out
grep -q '^peak ' out || fail "limits are not told with a model: $(cat out)"
grep -q '^memory ' out || fail "the model is not told with limits: $(cat out)"
edgeexit bench --repeats 1 --per-layer model.h5 > table
expect "rows of the table" "$(grep -c -E '^([0-9]+|exit [0-9]) ' table)" $(($(tool json_value layers.# < info.json) + 2))

# the table of the networks that ship
BUILD=$bin/.. TIME=0.001 BATCHES='1 2' "$source_dir/jobs/bench.sh" > table 2> err ||
  fail "jobs/bench.sh says: $(cat err)"
expect "rows of the table" "$(grep -c " $best " table)" \
  $((2 * $(find "$source_dir/io/models" -name '*.h5' ! -name '*_reference.h5' | wc -l)))

# its options: without Winograd's weights there is less in memory
small() {
  BUILD=$bin/.. TIME=0.001 BATCHES=1 "$source_dir/jobs/bench.sh" "$@" \
    "$source_dir/io/models/resnet_cifar10.h5" | awk 'NR == 2 { print $NF }'
}
awk -v off="$(small --winograd off)" -v on="$(small --winograd on)" 'BEGIN { exit !(off < on) }' ||
  fail "Winograd convolutions cannot be switched off in jobs/bench.sh"
code=0
"$source_dir/jobs/bench.sh" --wide > out 2> err || code=$?
expect "exit code of an unknown option" $code 2
grep -q -- '--wide is no option' err || fail "jobs/bench.sh says: $(cat err)"
for setting in ROUNDS={0,x,1.5,'2 3'} TIME={0,x,-1,1e,.} BATCHES={' ',0,'1 x','1 08'}; do
  wrong_setting bench.sh "$setting"
done

# random samples for a model: of its shape, by seed, places in a table where it takes ids
edgeexit generate input model.h5 -n 5 --seed 7 -o input.h5 > out
edgeexit generate input model.h5 -n 5 --seed 7 -o again.h5 > out
edgeexit generate input model.h5 -n 5 --seed 8 -o other.h5 > out
cmp input.h5 again.h5 || fail "the same seed makes other samples"
if cmp -s input.h5 other.h5; then fail "another seed makes the same samples"; fi
edgeexit score model.h5 input.h5 -o exits.h5 > out 2> err || fail "random samples: $(cat err)"
edgeexit info --json exits.h5 > info.json
expect "samples scored" "$(tool json_value samples < info.json)" 5
edgeexit generate network bert_tiny -o bert.h5 > out
edgeexit generate input bert.h5 -n 2 -o ids.h5 > out
edgeexit score bert.h5 ids.h5 -o exits.h5 > out 2> err || fail "random ids: $(cat err)"
code=0
edgeexit generate input model.h5 > out 2> err || code=$?
expect "exit code without an output" $code 2
grep -q -- '-o DATA.h5 is missing' err || fail "generate input says: $(cat err)"

# every method of a layer that has several, a line each
edgeexit tune --seconds 0.001 --batch 1 --json "$source_dir/io/models/resnet_cifar10.h5" -o tuned.h5 \
  > bench.json 2> err || fail "tune says: $(cat err)"
edgeexit tune --seconds 0.001 --batch 1 --all "$source_dir/io/models/resnet_cifar10.h5" -o tuned.h5 \
  > table 2> err || fail "tune --all says: $(cat err)"
expect "lines of the methods" "$(grep -c '\*' table)" "$(of tried.#)"
of tried.0.name | grep -qF -- "$(sed -n 2p table | cut -d' ' -f1)" ||
  fail "the first of the methods is not of $(of tried.0.name): $(cat table)"

# refusals
refused() {
  local code=0
  edgeexit bench "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -q -- "$2" err || fail "${*:3} says: $(cat err)"
  [[ ! -s out ]] || fail "${*:3} prints: $(cat out)"
}
refused 2 'MODEL.h5 is missing; only --peak may stand alone'
refused 2 '--repeats and --seconds say the same' --repeats 3 --seconds 1 model.h5
refused 2 '--backend is x; there are: ' --backend x model.h5
EE_BACKEND=y refused 2 "the environment's EE_BACKEND is y; there are: " model.h5
EE_SIMD=mmx refused 2 "the environment's EE_SIMD is mmx; expected avx512, avx2 or base" model.h5
refused 2 '--batch is 0' --batch 0 model.h5
for words in '--backend foo' '--winograd bla' '--batch 4' --per-layer; do
  # shellcheck disable=SC2086 # an option and its value
  refused 2 'without MODEL.h5 --peak takes no other option than --json' --peak $words
done
refused 2 '--heads' --heads maybe model.h5
refused 1 'missing.h5' missing.h5
refused 1 'data.h5' data.h5
echo "figures of bench hang together"
