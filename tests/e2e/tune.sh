#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edgeexit tune: what it stores is what runs, here and when wanted, and on all ranks or on none.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

cp "$source_dir/io/models/resnet_cifar10.h5" plain.h5
edgeexit generate input --samples 40 plain.h5 -o data.h5
edgeexit tune --batch 2 --seconds 0.02 --json plain.h5 -o tuned.h5 > tune.json 2> err ||
  fail "tune says: $(cat err)"
expect "batch" "$(tool json_value batch < tune.json)" 2
for key in cpu vectors ratio ratio_upper stored faster cpu_share; do
  [[ -n $(tool json_value "$key" < tune.json) ]] || fail "there is no $key"
done
edgeexit info --json tuned.h5 > info.json
expect "tuned" "$(tool json_value runs.tuned.counts < info.json)" here
expect "batch in the file" "$(tool json_value runs.tuned.batch < info.json)" 2
awk -v s="$(tool json_value layers.0.seconds < info.json)" 'BEGIN { exit !(s > 0) }' ||
  fail "tune stored no costs"

# count MODEL KERNEL OPTION...: nodes that the kernel runs
count() {
  edgeexit bench --per-layer --repeats 1 --json "${@:3}" "$1" 2> err |
    grep -o "\"kernel\":[[:space:]]*\"$2\"" | wc -l
}
# kernels[] names each kind once, and then come the nodes
tool set_method plain.h5 two.h5 "Winograd 2x2"
many=$(count plain.h5 "Winograd 4x4")
((many > 5)) || fail "only $many nodes of the plain model run Winograd 4x4"
expect "nodes that run the stored method" "$(count two.h5 "Winograd 2x2")" "$many"
expect "nodes that go by rule beside them" "$(count two.h5 "Winograd 4x4")" 0
expect "nodes with --tuned off" "$(count two.h5 "Winograd 4x4" --tuned off)" "$many"
expect "nodes with EE_TUNED" "$(EE_TUNED=off count two.h5 "Winograd 4x4")" "$many"
expect "nodes with an option above EE_TUNED" \
  "$(EE_TUNED=off count two.h5 "Winograd 2x2" --tuned on)" "$many"
expect "nodes with --winograd off" "$(count two.h5 "Winograd 2x2" --winograd off)" 0

# another processor's methods are left alone, and that is said
tool set_method plain.h5 other.h5 "Winograd 2x2" "Abacus 3000"
expect "nodes by rule elsewhere" "$(count other.h5 "Winograd 4x4")" "$many"
grep -q "was tuned on Abacus 3000" err || fail "nothing is said of the other processor"

# table NAME MODEL OPTION...: an exit table of this name; it tells the name of the model file
table() {
  cp "$2" model.h5
  edgeexit score "${@:3}" model.h5 data.h5 -o "$1.exits" > out 2> err || fail "score $*: $(cat err)"
}
table plain plain.h5
table two two.h5
table off two.h5 --tuned off
table other other.h5
cmp -s plain.exits two.exits && fail "the stored method has the bits of the rule"
cmp -s plain.exits off.exits || fail "--tuned off does not have the bits of the plain model"
cmp -s plain.exits other.exits || fail "another processor's methods change bits"

# ranks NAME LAST MODEL: three of them, of which the last has LAST in its environment
ranks() {
  local run=("$bin/edgeexit" run --logits --policy threshold:value=0.5 --cuts 5/10 "$3" data.h5)
  "${EE_MPIRUN:-mpirun}" -n 2 "${run[@]}" --trace "$1.h5" : \
    -n 1 env "$2" "${run[@]}" --trace "$1.h5" < /dev/null > out 2> err
}
same() {
  tool compare_traces --exits "$1" --threshold 0.5 "$2" > differences || fail "$2: $(cat differences)"
}
ranks all EE_NOTHING=1 two.h5 || fail "three ranks say: $(cat err)"
same two.exits all.h5
ranks none EE_TUNED=off two.h5 || fail "three ranks, one not tuned, say: $(cat err)"
grep -q "do not count alike on rank 2" err || fail "nothing is said of the rank that is not tuned"
same plain.exits none.h5
ranks refused EE_WINOGRAD=off two.h5 && fail "another rule of Winograd convolutions is accepted"
grep -q "rank 2 has backend simd and Winograd convolutions off, rank 0 has simd and on" err ||
  fail "another rule of Winograd convolutions is refused with: $(cat err)"
ranks refused EE_BACKEND=ref two.h5 && fail "another backend is accepted"
ranks base EE_SIMD=base two.h5 || fail "three ranks, one with other vectors, say: $(cat err)"
if [[ $(tool json_value runs.vectors < info.json) != base ]]; then
  grep -q "rank 2 has our own kernels for base" err || fail "nothing is said of other vectors"
fi

# options that cannot be are refused
code=0
edgeexit tune --batch 0 plain.h5 > out 2> err || code=$?
expect "exit code of a batch of 0" "$code" 2
code=0
EE_TUNED=maybe edgeexit score plain.h5 data.h5 -o no.exits > out 2> err || code=$?
expect "exit code of EE_TUNED=maybe" "$code" 2
grep -q "the environment's EE_TUNED is maybe; expected on or off" err || fail "EE_TUNED: $(cat err)"
