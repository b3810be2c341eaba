#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two nodes of two ranks: each writes its part of the trace, and the master file reads as one.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

tool make_model "$scratch/model.h5" 2 1 128 11 1
edgeexit generate modulation --samples 200 --seed 5 -o "$scratch/data.h5"
edgeexit score --backend ref -o "$scratch/exits.h5" "$scratch/model.h5" "$scratch/data.h5" \
  > "$scratch/out"

mkdir "$scratch/run" "$scratch/moved"
EE_RANKS_PER_NODE=2 start_ranks 4 run --policy threshold:value=0.5 --backend ref --logits \
  --trace "$scratch/run/trace.h5" "$scratch/model.h5" "$scratch/data.h5" > "$scratch/out"
expect "files of the trace" "$(cd "$scratch/run" && echo *)" "trace.h5 trace.h5.part0 trace.h5.part1"

# A master may be moved with its parts.
mv "$scratch/run"/* "$scratch/moved"
trace=$scratch/moved/trace.h5
tool compare_traces --exits "$scratch/exits.h5" --threshold 0.5 "$trace"
expect "the end of the run" "$(value "$trace" complete)" true
for rank in 0 1 2 3; do
  busy=$(value "$trace" "devices.$rank.busy")
  [[ $busy != 0 ]] || fail "the trace has no events of rank $rank"
done

# Without the second node's part its events are missing; the answers, which rank 0 has, are not.
rm "$trace.part1"
edgeexit report "$trace" > "$scratch/out" 2> "$scratch/err"
grep -q "trace.h5.part1" "$scratch/err" || fail "no warning names the missing part"
expect "answers without part 1" "$(value "$trace" answered 2> "$scratch/err")" 200
expect "busy of rank 3 without part 1" "$(value "$trace" devices.3.busy 2> "$scratch/err")" 0
