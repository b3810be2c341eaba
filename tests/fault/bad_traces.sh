#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A trace that is cut off anywhere or has any bit turned: the report refuses it in one sentence, or
# reads what there is; it never crashes or hangs.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"

model=$scratch/model.h5 data=$scratch/data.h5 trace=$scratch/trace.h5 bad=$scratch/bad.h5
read_on=0

# report_bad HOW: the report on the damaged trace
report_bad() {
  local code=0
  timeout 60 "$bin/edgeexit" report --json "$bad" < /dev/null > "$scratch/one.out" \
    2> "$scratch/one.err" || code=$?
  if [[ $code == 0 ]]; then
    (($(tool json_value answered < "$scratch/one.out") <= 40)) || fail "$1: too many answers"
    read_on=$((read_on + 1))
  else
    ended one "$code"
    judge one 1 "*$bad*" report "$1"
  fi
}

# turn BYTE BIT: one bit of a copy of the trace
turn() {
  local was
  was=$(od -An -tu1 -j "$1" -N1 "$trace")
  cp "$trace" "$bad"
  printf '%b' "\\0$(printf %o $((was ^ (1 << $2))))" |
    dd of="$bad" bs=1 seek="$1" conv=notrunc status=none
  report_bad "a trace with bit $2 of byte $1 turned"
}

tool make_model "$model" 2 1 128 11 1
edgeexit generate modulation --samples 40 --seed 6 -o "$data"
start_ranks 2 run --epoch 10 --logits --trace "$trace" "$model" "$data" > "$scratch/out"
bytes=$(wc -c < "$trace")

for ((i = 0; i < 16; i++)); do
  head -c $((bytes * i / 16)) "$trace" > "$bad"
  report_bad "a trace cut off after $((bytes * i / 16)) bytes"
done
head -c $((bytes - 1)) "$trace" > "$bad"
report_bad "a trace without its last byte"

# densely where HDF5 keeps its headers, then all over
for ((i = 0; i < 800; i += 16)); do turn $i $((i / 16 % 8)); done
for ((i = 0; i < 80; i++)); do turn $((800 + (bytes - 800) * i / 80)) $((i % 8)); done

((n_refused >= 16)) || fail "only $n_refused damaged traces were refused"
refused 1 "*$scratch/none.h5*" report "$scratch/none.h5"
refused 1 "*$scratch*" report "$scratch"
refused 1 "*$model*" report "$model"
refused 2 '*too few arguments*' report
echo "refused $n_refused times, read what there was $read_on times"
