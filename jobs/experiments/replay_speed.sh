#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How many decisions a second `edgeexit policy` takes on one core, on a drawn table of 12 exits.
#
#   jobs/experiments/replay_speed.sh [OUT]
#
# Each policy replays N and 2 N samples; the difference leaves out starting and reading.  Median of
# REPEATS such differences, policies taken in turn.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
N=${N:-2000000} REPEATS=${REPEATS:-5}
policies=(threshold:value=0.8 patience:value=3 beem:value=1 splitee splitee-s
  splitee:rule=ucbv splitee:rule=ucb-tuned splitee:rule=thompson uee-ucb)

awk 'BEGIN {
  srand(1)
  for (i = 0; i < 10000; i++) {
    line = ""
    for (e = 0; e < 12; e++) line = line (e ? "," : "") int(2 * rand()) "," 0.5 + rand() / 2
    print (i == 0 ? header() : "") line "," int(2 * rand())
  }
}
function header(  e, line) {
  for (e = 0; e < 12; e++) line = line (e ? "," : "") "p" e ",c" e
  return line ",y\n"
}' > "$out/drawn.csv"
edgeexit import exits "$out/drawn.csv" --prediction "$(seq -s, -f p%g 0 11)" \
  --confidence "$(seq -s, -f c%g 0 11)" --label y -o "$out/drawn.h5" > /dev/null

# seconds POLICY SAMPLES
seconds() {
  local begin=$EPOCHREALTIME
  edgeexit policy "$out/drawn.h5" --policy "$1" --stream "resample:$2" --json > "$out/policy.json"
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

rm -f "$out"/seconds-*
for ((i = 0; i < REPEATS; i++)); do
  for p in "${policies[@]}"; do
    once=$(seconds "$p" "$N")
    twice=$(seconds "$p" $((2 * N)))
    echo "$once $twice" >> "$out/seconds-$p"
    figure "$out/policy.json" decisions > "$out/decisions-$p"
  done
done
printf '%-26s %14s %14s\n' policy 'samples/s' 'decisions/s'
for p in "${policies[@]}"; do
  awk '{ print $2 - $1 }' "$out/seconds-$p" | sort -g | awk -v n="$N" -v p="$p" \
    -v d="$(cat "$out/decisions-$p")" '{ x[NR] = $1 } END { t = x[int((NR + 1) / 2)]
      printf "%-26s %12.2f M %12.2f M\n", p, n / t / 1e6, n * d / t / 1e6 }'
done
