#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of jobs/experiments that simulate fleets, on a small share of their streams: they print
# a row for each thing that they promise, and what does not depend on the length of the stream holds.
# shellcheck source=experiments_common.sh
. "$(dirname "$0")/experiments_common.sh"
[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid"

CLOCK=simulated LIVE_SAMPLES=1000 experiment splitee_live
rows '^ +[0-9]+ +100 ' 30
rows '^live: ' 3
same=$(awk '/^live: / { n += $3 == $12 } END { print n }' "$scratch/out")
expect "runs as accurate as their replay" "$same" 3

CLOCKS=simulated STREAM=200 PARTS=4 experiment exit_aware
rows '^0\.[35]/0\.[32], (blocks|layers) +4 ' 4
awk '/^0.5\/0.2, blocks +4/ { exit !($NF > 1.5) }' "$scratch/out" ||
  fail "exit-aware plans gain too little: $(cat "$scratch/out")"
EPOCHS=40 experiment stationary
rows '^(ours|without error bars) +(8|32) +0 ' 4
STREAM=7200 experiment drift
rows '^(oracle|controller|fixed), .* [0-9.]+ +[0-9.]+' 7
awk '/^controller/ { controller = $(NF - 1) } /exit-blind +[0-9]/ { blind = $(NF - 1) }
  END { exit !(controller > 1.2 * blind) }' "$scratch/out" ||  # nine epochs a phase are few
  fail "the controller is no better than the plan it began with: $(cat "$scratch/out")"
STREAM=120 BANDWIDTHS=100 experiment defer
rows '^100 +1\.9[0-9] / +1\.[34][0-9] +1\.9[0-9] / +1\.9[0-9] +3\.8[0-9] / +3\.8[0-9]$' 1
STREAM=90 SPEEDS=0.25 experiment pipeedge
rows '^(48 blocks|ResNet-50, exits) +[24] \+ [24] ' 4
awk '/^48 blocks/ { exit !($8 == $9 && $11 > 2 && $16 > 2) }' "$scratch/out" ||
  fail "the recurrence is not the optimum, or its release loses little: $(cat "$scratch/out")"
RESNET=0 STREAM=800 PARTS=8 experiment replicas
awk '/^convolutions +8 / { good = $5 / $4 > 0.97 && $8 / $7 > 0.97 && $8 / $7 < 1.03 && $10 > 1.3 }
  END { exit !good }' "$scratch/out" || fail "replicas gain too little: $(cat "$scratch/out")"
STREAM=60 BANDWIDTHS=100 experiment branches
rows '^simulated +100 (final|threshold) ' 2
awk '/^simulated/ { bad = bad || !($5 < 1.02 * $4 && $5 > 0.98 * $4 && $9 < 1.02 * $8 && $9 > 0.98 * $8) }
  END { exit bad }' "$scratch/out" || fail "branches or chains are not as planned: $(cat "$scratch/out")"
rows '^silent for a third of the stream: 60 of 60 answered, 2[0-3] without' 1
edgeexit generate network plain --blocks 8 -o "$scratch/plain.h5" > /dev/null
NETWORK=$scratch/plain.h5 SPEED=0.02 BANDWIDTHS="10 100" PACED='' experiment bands
rows '^simulated +[23] +(10|100) ' 4
awk '/^simulated/ { for (i = 5; i < NF; i += 2) bad = bad || !($(i + 1) < 1.02 * $i && $(i + 1) > 0.98 * $i)
    bad = bad || $9 < $7 || $9 < $5 }
  /^simulated +3 +100/ { many = $9 } END { exit bad || !(many > 2) }' "$scratch/out" ||
  fail "bands are not as planned, or gain too little: $(cat "$scratch/out")"
rows '^published: 1.7 ' 1
SIZES="8 16" experiment scale
rows '^ +(8 +17 +8|16 +33 +16) ' 2
awk '/^ +(8|16) / { bad = bad || !($7 > 0.9 && $7 < 1.1 && $12 < 1) } END { exit bad }' \
  "$scratch/out" || fail "periods are not as predicted, or control takes long: $(cat "$scratch/out")"
STREAM=360 LINK=400Mbit/s experiment moves
rows '^(live|build|drain) +360 ' 3
awk '/^live/ { exit !($3 > 0 && $9 <= 2 * $6) }' "$scratch/out" ||
  fail "layers did not move, or the gap at the move is not within twice the others': $(cat "$scratch/out")"
CLOCKS=simulated PARTS=8 STREAM=200 experiment clocks
rows '^(computing|bandwidth|latency) +8 +[0-9.]+ +[0-9.]+ +(0\.9[5-9]|1\.0[0-5])' 3

# a network that carries 12 Mbit/s for two seconds, then 1.2
awk 'BEGIN { for (ms = 0; ms < 4000; ms += ms < 2000 ? 1 : 10) print ms }' > "$scratch/packets"
TRACES=$scratch/packets STREAM=900 experiment mobile_split
rows '^from +[0-9.]+ Mbit/s on: [028] layers on the device$' 3
rows '^fixed, [028] layers on the device +[0-9.]+ ' 3
rows "^(controller|Petals' rule).* [0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+$" 6
awk '/^oracle.* 1 s/ { oracle = $NF } /^fixed/ { if ($7 > oracle) bad = 1 } /epochs of 32/ { if ($5 > oracle) bad = 1 }
  END { exit bad || oracle == 0 }' "$scratch/out" || fail "an oracle is beaten: $(cat "$scratch/out")"
EE_TEST_DATA='' LASTS=30 experiment split_trace
rows '^link: drawn, since EE_TEST_DATA has no LTE trace$' 1
rows '^ +[0-9]+ +[0-9.]+ +(0|13) +(0|13) +[0-9.]+ +[0-9.]+$' 6
rows '^(with live moves|stays: (0|13) layers) +[0-9.]+ +[0-9.]+ +[0-9]+$' 3
EE_TEST_DATA='' TRACES='' experiment mobile_split
rows '^no recorded networks' 1
