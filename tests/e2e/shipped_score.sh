#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The modulation network with learned scores that ships: PyTorch's logits and scores, what its scores
# are worth on frames that it was not trained on, and on several devices, live and simulated, the
# decisions of a replay.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=policies.sh
. "$(dirname "$0")/policies.sh"
cd "$scratch"
export TMPDIR=$scratch

model=$source_dir/io/models/modulation_scored.h5
reference=$source_dir/io/models/modulation_scored_reference.h5
[[ -e $model && -e $reference ]] || skip "io/models has no modulation_scored.h5 and reference"

# the frames that apps/train/ship.sh gave to PyTorch
edgeexit generate modulation --samples 300 --seed 4 --snr -10:20 -o data.h5
for backend in ref blis; do
  edgeexit score --backend $backend -o exits.h5 "$model" data.h5 > out
  tool compare_reference exits.h5 "$reference" 300 0.8 > out || fail "$backend: $(cat out)"
  grep -q "^scores differ by" out || fail "$backend: no scores were compared"
done

# 22,000 new frames are answered right in 0.767 of all cases at 0.43 of the whole cost; 4,000 tell it
# to two hundredths
edgeexit generate modulation --samples 4000 --seed 6 --snr -10:20 -o new.h5
edgeexit score -o new-exits.h5 "$model" new.h5 > out

# figure POLICY KEY: of the replay on the new frames
figure() {
  edgeexit policy new-exits.h5 --policy "$1" --json | tool json_value "$2"
}

right=$(figure eenet:value=0.5 accuracy) cost=$(figure eenet:value=0.5 mean_flops)
sure=$(figure threshold:value=0.8 accuracy) dear=$(figure threshold:value=0.8 mean_flops)
awk -v right="$right" -v cost="$cost" -v whole="$(figure final mean_flops)" \
  'BEGIN { exit !(right > 0.747 && right < 0.787 && cost / whole > 0.41 && cost / whole < 0.45) }' ||
  fail "by scores $right are right at a cost of $cost"
awk -v right="$right" -v cost="$cost" -v sure="$sure" -v dear="$dear" \
  'BEGIN { exit !(right > sure && cost < 0.8 * dear) }' ||
  fail "$right right at $cost by scores, $sure at $dear by probabilities"

# each early exit answers some
for exit in 0 1 2; do
  share=$(figure eenet:value=0.8 exit_share.$exit)
  awk -v share="$share" 'BEGIN { exit !(share > 0.1) }' || fail "exit $exit answers $share"
done

eenet=eenet:values=0.8/0.8/0.9
for ranks in 1 3 4; do
  start_ranks $ranks run "$model" data.h5 --backend blis --epoch 64 --control-delay 1 \
    --policy $eenet --logits --trace trace.h5 > out 2> err || fail "$ranks ranks: $(cat err)"
  as_replayed
  mv trace.h5 $ranks.h5
done
tool compare_traces 1.h5 3.h5 4.h5 > differences || fail "$(cat differences)"

cat > fleet.yaml << 'FLEET'
name: three devices in a row
devices: [{name: camera, flops: 0.1G}, {name: hub, flops: 0.1G}, {name: server, flops: 0.2G}]
links:
  default: {bandwidth: 80Mbit/s, latency: 100us}
FLEET
# by the difference that a score stands for, 1 / score - 1, the same samples leave
for ranks in 1 2 3 4; do
  start_ranks $ranks run "$model" data.h5 --backend blis --epoch 64 --control-delay 1 \
    --policy feature:values=0.25/0.25/0.111 --trace trace.h5 > out 2> err || fail "$ranks: $(cat err)"
  as_replayed
done
for policy in $eenet feature:values=0.25/0.25/0.111; do
  edgeexit policy exits.h5 --policy "$policy" --json | tool json_value exit_share
done > shares
expect "kinds of shares" "$(sort -u shares | wc -l | tr -d ' ')" 1

[[ -e $bin/edgeexit-simulated ]] || exit 0
edgeexit simulate "$model" --outcomes exits.h5 --fleet fleet.yaml --policy $eenet --epoch 64 \
  --control-delay 1 --trace trace.h5 > out 2> err || fail "simulated: $(cat err)"
as_replayed
expect "clock" "$(value trace.h5 run.clock)" simulated
expect "answers" "$(value trace.h5 answered)" 300
