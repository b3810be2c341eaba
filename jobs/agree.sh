#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Do the engine's outputs agree with ONNX Runtime's?  A table of the largest difference at each exit,
# as a share of the largest element that ONNX Runtime has there, for every backend, every kind of
# vectors that this processor has, and Winograd convolutions on and off.
#
#   jobs/agree.sh MODEL.onnx...
#
# The same random samples go through both; the worst of them counts.  Beside it, the difference as a
# share of how far the outputs of samples are from each other: those of networks that were never
# trained may hardly differ.  Where they differ less than ours are off, or not at all, agreeing says
# nothing, and the line says so in place of ok.
# Ends with 1 if any difference is over its limit, or if a batch changes a bit.
# Needs h5dump, and Node.js with the package onnxruntime-node.
#
#   BUILD           where the program was built; default build
#   SAMPLES         random samples; default 8
#   SEED            of the samples; default 1
#   BATCHES         sizes of a batch, which must give the same bits; default "1 8"
#   LIMIT           of the difference; default 1e-4
#   WINOGRAD_LIMIT  where Winograd convolutions are on; default 1e-3
#   REF_GFLOP       plain loops run only networks of up to so much; default 1.5
#   NODE_PATH       where Node.js looks for packages
set -euo pipefail
BUILD=${BUILD:-build} SAMPLES=${SAMPLES:-8} SEED=${SEED:-1} BATCHES=${BATCHES:-1 8}
LIMIT=${LIMIT:-1e-4} WINOGRAD_LIMIT=${WINOGRAD_LIMIT:-1e-3} REF_GFLOP=${REF_GFLOP:-1.5}
models=()
for model in "$@"; do models+=("$(realpath "$model")"); done
BUILD=$(realpath "$BUILD")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=steps.sh
. jobs/steps.sh
need_program
need_count SAMPLES
need_counts BATCHES
need_number LIMIT
need_number WINOGRAD_LIMIT
[ ${#models[@]} -gt 0 ] || die "MODEL.onnx is missing"
command -v h5dump > /dev/null || die "h5dump is missing; Debian has it in hdf5-tools"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
node -e 'require("onnxruntime-node")' 2> "$out/err" ||
  die "Node.js does not find onnxruntime-node; NODE_PATH tells it where packages are"

# values FILE.h5 DATASET: its bytes, in FILE.DATASET
values() {
  h5dump -d "/$2" -b LE -o "${1%.h5}.${2//\//.}" "$1" > "$out/h5dump" 2>&1
}

# small MODEL.h5: plain loops are soon done with it
small() {
  edgeexit info --json "$1" | grep -oE '"(head_)?flops":[0-9.e+]+' |
    awk -F: -v most="$REF_GFLOP" '{ sum += $2 } END { exit !(sum <= most * 1e9) }'
}

# ways MODEL.h5: who computes it, one a line: backend, vectors, Winograd
ways() {
  local vectors
  for vectors in avx512 avx2 base; do
    EE_SIMD=$vectors edgeexit info "$1" > "$out/info" 2>&1 || continue
    printf 'simd %s on\nsimd %s off\n' $vectors $vectors
  done
  printf 'blis - -\n'
  if small "$1"; then printf 'ref - -\n'; fi
}

# score BACKEND VECTORS WINOGRAD: logits of every batch, in WAY.BATCH.logits
score() {
  local batch way=$1.$2.$3
  for batch in $BATCHES; do
    if [ "$2" != - ]; then export EE_SIMD=$2; fi
    edgeexit score --backend "$1" --winograd "${3/-/off}" --batch "$batch" \
      -o "$out/$way.$batch.h5" "$out/model.h5" "$out/input.h5" > "$out/score" 2>&1 ||
      die "$(cat "$out/score")"
    unset EE_SIMD
    values "$out/$way.$batch.h5" logits
    rm "$out/$way.$batch.h5"
  done
}

# rows NAME: of the ways in OUT/ways, each with its exits
rows() {
  local backend vectors winograd bits limit batch first=${BATCHES%% *}
  while read -r backend vectors winograd; do
    bits=same
    for batch in $BATCHES; do
      cmp -s "$out/$backend.$vectors.$winograd."{"$first","$batch"}.logits || bits=differ
    done
    limit=$LIMIT
    [ "$winograd" != on ] || limit=$WINOGRAD_LIMIT
    node jobs/agree_onnxruntime.js compare "$out" "$backend.$vectors.$winograd.$first.logits" |
      awk -v name="$1" -v b="$backend" -v v="$vectors" -v w="$winograd" -v limit="$limit" \
        -v bits="$bits" '{
          over = !($2 <= limit) || bits != "same"
          blind = $3 == "none" || !($3 < 1)
          printf "%-20s %-16s %-7s %-7s %-8s %10s %7s %9s %6s  %s\n", name, $1, b, v, w, $2,
            limit, $3, bits, over ? "OVER" : blind ? "says nothing: samples hardly differ" : "ok"
          bad += over
        } END { exit bad > 0 }' || agree=no
  done < "$out/ways"
}

agree=yes
printf '%-20s %-16s %-7s %-7s %-8s %10s %7s %9s %6s\n' \
  model exit backend vectors Winograd difference limit 'of spread' bits
for model in "${models[@]}"; do
  rm -f "$out"/*
  edgeexit import onnx "$model" -o "$out/model.h5" > "$out/import"
  edgeexit generate input "$out/model.h5" --samples "$SAMPLES" --seed "$SEED" -o "$out/input.h5" \
    > "$out/input"
  edgeexit info --json "$out/model.h5" > "$out/model.json"
  values "$out/input.h5" samples
  for part in scale mean std; do values "$out/model.h5" preprocess/$part || true; done
  node jobs/agree_onnxruntime.js run "$out" "$model"
  ways "$out/model.h5" > "$out/ways"
  while read -r backend vectors winograd; do
    score "$backend" "$vectors" "$winograd"
  done < "$out/ways"
  rows "$(basename "${model%.onnx}")"
done
[ $agree = yes ]
