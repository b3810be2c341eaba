#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Any number of ranks, moving layers or not, any batch and both backends: the answers of one device.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# run NAME RANKS OPTION...: a run with a trace of this name
run() {
  edgeexit run --devices "$2" --policy threshold:value=0.5 --epoch 32 --logits \
    --trace "$scratch/$1.h5" "${@:3}" "$scratch/model.h5" "$scratch/data.h5" < /dev/null \
    > "$scratch/out" 2> "$scratch/err" || fail "run $*: $(cat "$scratch/err")"
}

tool make_model "$scratch/model.h5" 2 1 128 11 1
edgeexit generate modulation --samples 300 --seed 3 -o "$scratch/data.h5"

# ranks, batch and moving, each pair of them at least once; 12 ranks are more than there are layers
for backend in ref blis; do
  edgeexit score --backend "$backend" -o "$scratch/exits.h5" \
    "$scratch/model.h5" "$scratch/data.h5" > "$scratch/out"
  traces=()
  while read -r ranks batch rebalance; do
    name=$backend-$ranks-$batch-$rebalance
    moving=(--rebalance off)
    [[ $rebalance == off ]] || moving=(--min-gain 0)
    run "$name" "$ranks" --backend "$backend" --batch "$batch" "${moving[@]}"
    traces+=("$scratch/$name.h5")
  done << 'CASES'
1 8 on
1 33 off
2 1 on
2 8 off
3 33 on
3 1 off
4 8 on
4 1 off
7 33 on
7 8 off
12 8 on
12 33 off
CASES
  tool compare_traces --exits "$scratch/exits.h5" --threshold 0.5 "${traces[@]}"
done

for exit in 0 1 2; do
  left=$(value "$scratch/blis-7-33-on.h5" "exits.$exit.answers")
  ((left >= 30)) || fail "only $left of 300 samples left at exit $exit"
done

# the shortest streams: one sample, and none
run one 4 --samples 1
expect "answers of a stream of one" "$(value "$scratch/one.h5" answered)" 1
tool make_data "$scratch/data.h5" 2 1 128 0 0
run none 4
expect "answers of an empty stream" "$(value "$scratch/none.h5" answered)" 0
expect "an empty stream's end" "$(value "$scratch/none.h5" complete)" true
