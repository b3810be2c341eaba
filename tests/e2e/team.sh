#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One sample on several devices at once: every placement of a network's branches gives the bits of
# one device, on every clock; what is promised comes true; a device that falls silent holds nobody
# up for longer than said, and is used again when it is back.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

edgeexit generate network branches --blocks 4 --exits 1,2,3 -o model.h5 > out
edgeexit generate input model.h5 --samples 60 --seed 3 -o data.h5 > out
policy=threshold:values=0.2/0.33/0.25

# run RANKS NAME OPTION...: with a trace of that name
run() {
  start_ranks "$1" run model.h5 data.h5 --policy "$policy" --logits --trace "$2.h5" "${@:3}" \
    > "$2.out" 2> "$2.err" || fail "run $*: $(cat "$2.err")"
}

run 1 alone
for exit in 0 1 2; do
  [[ $(value alone.h5 exits.$exit.answers) != 0 ]] || fail "nobody leaves at exit $exit"
done
run 1 one --branches 0/0/0/0 --window 1 --ahead 0
run 2 two --branches 1/0/1/0@1 --window 3
run 3 three --branches 1/2/1,2/0,1,0@2 --ahead 9
run 4 four --branches latency
run 6 six --branches 1/2/3/4@5 --ahead 1
edgeexit score -o exits.h5 model.h5 data.h5 > out
tool compare_traces alone.h5 one.h5 two.h5 three.h5 four.h5 six.h5 > out || fail "$(cat out)"
digest=$(value alone.h5 answers_digest)
[[ ${#digest} == 16 ]] || fail "the digest of answers is '$digest'"
for name in one two three four six; do
  expect "digest of $name" "$(value $name.h5 answers_digest)" "$digest"
done

# what an exit said before is known to the rank that joins at the next one; ten probabilities are more
# than a state of a fixed length
policy=kl:values=-1/0.21/0.1
run 4 changes --branches 1/2/3/1@0
edgeexit policy exits.h5 --policy "$policy" --json > changes.json
for exit in 1 3; do
  share=$(tool json_value exit_share.$exit < changes.json)
  [[ $share != 0 ]] || fail "by changes nobody leaves at exit $exit"
  expect "share of exit $exit by changes" "$(value changes.h5 exits.$exit.share)" "$share"
done
tool compare_replay changes.h5 exits.h5 > out || fail "$(cat out)"
[[ $(value changes.h5 answers_digest) != "$digest" ]] || fail "other answers have the same digest"
policy=threshold:values=0.2/0.33/0.25
run 4 far --branches 1/2/3/1@0 --latency-limit 600
tool compare_traces alone.h5 far.h5 > out || fail "a limit that is far off: $(cat out)"

cat > fleet.yaml << 'FLEET'
name: four that differ, and a hub
devices:
  - {name: hub, flops: 100M}
  - {name: a, flops: 20M}
  - {name: b, flops: 15M}
  - {name: c, flops: 10M}
  - {name: d, flops: 20M}
links:
  default: {bandwidth: 100Mbit/s, latency: 1ms}
FLEET
run 5 paced --fleet fleet.yaml --branches 1/2/3/4@0 --samples 20
[[ $(value paced.h5 answered) == 20 ]] || fail "paced: $(value paced.h5 answered) of 20 answered"

[[ -e $bin/edgeexit-simulated ]] || exit 0

# simulate OPTION...: figures of a simulated run
simulate() {
  edgeexit simulate model.h5 data.h5 --outcomes exits.h5 --policy "$policy" --json "$@" \
    > json 2> err || fail "simulate $*: $(cat err)"
}
of() {
  tool json_value "$1" < json
}

# near NAME IS WANTED: within one per cent
near() {
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0.99 * b && a < 1.01 * b) }' ||
    fail "$1 is $2; expected $3"
}

# a sample alone takes as long as promised, wherever branches are
for placed in latency period 1/2/3/4 0/0/0/0 4,3/1,2,1/2,0/0@1 1,2/2,2,3,1/4/1@4,0,3; do
  simulate --fleet fleet.yaml --exits exits.h5 --branches "$placed" --rate 0.5
  near "latency of $placed" "$(of latency_mean_s)" "$(of latency_predicted_s)"
  expect "answers of $placed" "$(of answered)" 60
  [[ $placed != */* ]] || grep -qF -- "on devices $placed" err ||
    fail "$placed is told as: $(grep 'on devices' err)"
done
edgeexit plan model.h5 --fleet fleet.yaml --exits exits.h5 --policy "$policy" --branches --json > json
planned=$(of branches_latency_s)
simulate --fleet fleet.yaml --exits exits.h5 --branches latency --rate 0.5
expect "latency that run predicts" "$(of latency_predicted_s)" "$planned"
simulate --fleet fleet.yaml --exits exits.h5 --branches 1/2/3/4 --ahead 0
expect "in vain without looking ahead" "$(of team.units_in_vain)" 0
near "period" "$(of period_measured_s)" "$(of period_predicted_s)"

# device d is silent from 20 s on and back at 60 s: samples wait for it 0.5 s at most while it is
# thought to be there, and are whole again afterwards
sed 's/{name: d, flops: 20M}/{name: d, flops: 20M, away: [{from: 20, to: 60}]}/' fleet.yaml > away.yaml
simulate --fleet away.yaml --branches 1/2/3/4 --rate 0.5 --late 0.5 --trace trace.h5
expect "answers around a silence" "$(of answered)" 60
missing=$(of team.answered_in_part)
((missing >= 19 && missing <= 22)) || fail "$missing samples of 40 s at 0.5 per s had no branch 4"
expect "samples begun without a device that had been silent" "$(of team.begun_without_some)" \
  $((missing - 1))
awk -v s="$(of latency_p99_s)" -v p="$(of latency_predicted_s)" 'BEGIN { exit !(s < p + 0.6) }' ||
  fail "a sample waited for $(of latency_p99_s) s"

# what joins branches stays where nobody leaves, so nobody waits for one that does; units move while it
# is silent, and nothing is lost, on real ranks either
simulate --fleet away.yaml --exits exits.h5 --branches latency --rate 0.5 --late 0.3 --epoch 5
expect "answers around a silence, units placed" "$(of answered)" 60
awk -v s="$(of latency_p99_s)" -v p="$(of latency_predicted_s)" 'BEGIN { exit !(s < p + 0.4) }' ||
  fail "units placed: a sample waited for $(of latency_p99_s) s"
sed 's/away: .*/away: [{from: 0.5, to: 2}]}/; s/flops: \([0-9]*\)M/flops: \10M/' away.yaml > short.yaml
for turn in 1 2; do
  run 5 short --fleet short.yaml --branches latency --late 0.05 --rate 20 --epoch 10
  expect "answers around a short silence, turn $turn" "$(value short.h5 answered)" 60
done
sed 's/, to: 60//' away.yaml > gone.yaml
refused=0
edgeexit simulate model.h5 --outcomes exits.h5 --fleet gone.yaml --branches 1/2/3/4 2> err > out || refused=$?
[[ $refused != 0 ]] || fail "a device that does not come back is waited for"
grep -q "device 4 (d) is away from 20 s on and does not come back" err || fail "$(cat err)"
simulate --fleet gone.yaml --branches 1/2/3/4 --late 0.5 --rate 0.5
expect "answers when a device does not come back" "$(of answered)" 60

# samples need one branch
for placed in 4/4/4/4@0 4/1,4/2,3,4/4@0; do
  refused=0
  edgeexit simulate model.h5 --outcomes exits.h5 --fleet gone.yaml --branches $placed --late 0.5 \
    2> err > out || refused=$?
  expect "exit code without any branch that stays, $placed" $refused 1
  grep -q "every branch has a stage on a device that leaves" err || fail "$(cat err)"
done

# a stream that is too fast for so short a wait: all devices with branches are missed, and come back
for late in 0 0.001 0.05; do
  simulate --fleet fleet.yaml --branches 1/1/2/2@0 --late $late
  expect "answers with --late $late" "$(of answered)" 60
done

# a sample that would go on answers at its limit with what the exit before said, and at its first exit
# if that comes later
simulate --fleet fleet.yaml --branches 1/2/3/4@0 --policy final --rate 0.5
whole=$(of latency_mean_s)
limit() {
  simulate --fleet fleet.yaml --branches "$1" --policy final --rate 0.5 --trace limit.h5 \
    --latency-limit "$(awk -v w="$whole" -v f="$2" 'BEGIN { printf "%.9f", f * w }')"
  expect "answers with a limit of $2 of the time" "$(of answered)" 60
}
for placed in 1/2/3/4@0 1/2/3/4@2; do
  limit $placed 0.8
  expect "ended at the limit" "$(of latency_limit.ended)" 60
  expect "dropped at the limit" "$(of latency_limit.dropped)" 60
  expect "late at the limit" "$(of latency_limit.late)" 0
  near "latency at the limit" "$(of latency_p99_s)" "$(of latency_limit.seconds)"
  expect "exits at a limit of 0.8 of the time" \
    "$(value limit.h5 exits.0.answers) $(value limit.h5 exits.3.answers)" "0 0"
  limit $placed 0.01
  expect "late at a limit that is too short" "$(of latency_limit.late)" 60
  expect "ended at a limit that is too short" "$(of latency_limit.ended)" 0
  expect "exit that answers late" "$(value limit.h5 exits.0.answers)" 60
  limit $placed 2
  expect "ended by a limit that is far off" "$(of latency_limit.ended) $(of latency_limit.dropped)" "0 0"
done

# device d is slow from 20 s on and as fast as before from 60 s on: units leave it and come back
sed 's/{name: d, flops: 20M}/{name: d, flops: 20M, speed: [{at: 20, factor: 0.1}, {at: 60, factor: 1}]}/' \
  fleet.yaml > slow.yaml
slow() {
  simulate --fleet slow.yaml --exits exits.h5 --branches latency --rate 0.6 "$@"
}
slow --rebalance off
kept=$(of latency_mean_s)
expect "moves without rebalancing" "$(of team.moves)" 0
slow --epoch 4
expect "answers around moves" "$(of answered)" 60
(($(of team.moves) >= 1)) || fail "no unit left a device that became slow"
awk -v k="$kept" -v m="$(of latency_mean_s)" 'BEGIN { exit !(m < 0.8 * k) }' ||
  fail "a sample takes $(of latency_mean_s) s with moves and $kept s without"
simulate --fleet fleet.yaml --exits exits.h5 --branches latency --rate 0.6 --epoch 4
expect "moves when nothing changes" "$(of team.moves)" 0
