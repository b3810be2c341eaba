#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How fast networks run on one core of this machine: a table of `edgeexit bench`.
#
#   jobs/bench.sh [--winograd on|off] [--avx2] [MODEL.h5 | MODEL.onnx]...
#
# Without a model the networks that ship.  An ONNX file is imported first, and if Node.js finds the
# package onnxruntime-node, that runs it too, on one thread, in turn with ours; the ratio is its time
# over ours.  Of a file MODEL.b1.onnx it takes MODEL.b8.onnx for a batch of 8, if that is there.
#
#   --winograd  as of `edgeexit bench`
#   --avx2      both use AVX2 and nothing wider, whatever the processor has
#
#   BUILD      where the program was built; default build
#   BATCHES    sizes of a batch; default "1 8"
#   TIME       seconds for each measurement; default 1
#   ROUNDS     of each measurement; the table has the medians; default 1
#   CORE       core to stay on, with taskset; default any
#   NODE_PATH  where Node.js looks for packages
set -euo pipefail
BUILD=${BUILD:-build} BATCHES=${BATCHES:-1 8} TIME=${TIME:-1} ROUNDS=${ROUNDS:-1}
models=() narrow=no
while [[ ${1-} == --* ]]; do
  case $1 in
    --winograd) export EE_WINOGRAD=${2:?expected on or off} && shift 2 ;;
    --avx2) export EE_SIMD=avx2 && narrow=yes && shift ;;
    *) echo "bench.sh: $1 is no option; expected --winograd on|off or --avx2" >&2 && exit 2 ;;
  esac
done
for model in "$@"; do models+=("$(realpath "$model")"); done
BUILD=$(realpath "$BUILD")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=steps.sh
. jobs/steps.sh
need_program
need_counts BATCHES
need_number TIME
need_count ROUNDS
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if [ ${#models[@]} -eq 0 ]; then
  for model in io/models/*.h5; do
    [[ $model == *_reference.h5 ]] || models+=("$model")
  done
fi
peer=no
if [[ " ${models[*]} " == *.onnx\ * ]] && node -e 'require("onnxruntime-node")' 2> "$out/err"; then
  peer=yes
fi
if [ $peer$narrow = yesyes ]; then
  ONNXRUNTIME=$(node jobs/onnxruntime_avx2.js "$out/node_modules")
  export ONNXRUNTIME
fi

on_core() {
  if [ -n "${CORE-}" ]; then taskset -c "$CORE" "$@"; else "$@"; fi
}

# middle FILE: the median of its lines
middle() {
  sort -g "$1" | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

# measure MODEL NAME BATCH: to the files of this name and batch
measure() {
  local model=$1 name=$2 batch=$3
  on_core "$BUILD/bin/edgeexit" bench --json --batch "$batch" --seconds "$TIME" "$out/$name.h5" \
    > "$out/bench.json"
  figure "$out/bench.json" ms_per_sample >> "$out/$name.$batch.ms"
  figure "$out/bench.json" gflop > "$out/$name.$batch.gflop"
  figure "$out/bench.json" peak_share 100 >> "$out/$name.$batch.share"
  figure "$out/bench.json" bytes 1e-6 > "$out/$name.$batch.memory"
  awk -F'"backend":"' '{ sub(/".*/, "", $2); print $2 }' "$out/bench.json" \
    > "$out/$name.$batch.backend"
  [[ $peer == yes && $model == *.onnx ]] || return 0
  [ ! -e "${model%.b1.onnx}.b$batch.onnx" ] || model=${model%.b1.onnx}.b$batch.onnx
  on_core node jobs/bench_onnxruntime.js "$model" "$batch" "$TIME" >> "$out/$name.$batch.peer"
}

# row NAME BATCH
row() {
  local at=$out/$1.$2 peer_ms=-
  [ ! -e "$at.peer" ] || peer_ms=$(middle "$at.peer")
  awk -v name="$1" -v batch="$2" -v ms="$(middle "$at.ms")" -v gflop="$(cat "$at.gflop")" \
    -v share="$(middle "$at.share")" -v memory="$(cat "$at.memory")" -v peer="$peer_ms" \
    -v backend="$(cat "$at.backend")" 'BEGIN {
      rate = gflop / (ms * 1e-3)
      printf "%-24s %5d %-7s %10.4f %9.1f %7.1f%% %10.2f", name, batch, backend, ms, rate,
        share, memory
      if (peer != "-") printf " %12.4f %6.2f", peer, peer / ms
      printf "\n"
    }'
}

names=()
for model in "${models[@]}"; do
  name=$(basename "${model%.*}")
  names+=("$name")
  case $model in
    *.onnx) edgeexit import onnx "$model" -o "$out/$name.h5" > "$out/import" ;;
    *) ln -s "$(realpath "$model")" "$out/$name.h5" ;;
  esac
done
printf '%-24s %5s %-7s %10s %9s %8s %10s' model batch backend ms/sample GFLOP/s 'of peak' 'memory MB'
[ $peer = no ] || printf ' %12s %6s' 'ONNX Runtime' ratio
printf '\n'
for ((i = 0; i < ${#models[@]}; i++)); do
  for batch in $BATCHES; do
    for ((r = 0; r < ROUNDS; r++)); do measure "${models[i]}" "${names[i]}" "$batch"; done
    row "${names[i]}" "$batch"
  done
done
