#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is left of a run of a team: its trace tells which branches each answer lacked and who computed
# what, and report counts that as another program does that reads the trace.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
here=$source_dir/tests/e2e
cd "$scratch"
export TMPDIR=$scratch PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
"$python" -c 'import h5py' 2> err || skip "$python lacks h5py"

edgeexit generate network branches --blocks 4 --exits 1,2,3 -o model.h5 > out
"$python" "$here/team_report.py" pictures 60 pictures.bin
edgeexit import cifar10 pictures.bin -o data.h5 > out
policy=threshold:values=0.2/0.33/0.25

# check TRACE [RUN]: the report of a trace, and what the run said in JSON
check() {
  edgeexit report "$1" > report.txt
  edgeexit report --json "$1" > report.json
  "$python" "$here/team_report.py" check "$1" report.json "${@:2}" 2> err || fail "$*: $(cat err)"
  ! grep -q '@device\|first plan' report.txt || fail "the report of a team has plans: $(cat report.txt)"
}
says() {
  grep -q -- "$1" report.txt || fail "no '$1' in $(cat report.txt)"
}

# device d is silent for a while: some answers lack branch 4
cat > fleet.yaml << 'FLEET'
devices:
  - {name: hub, flops: 1G}
  - {name: a, flops: 200M}
  - {name: b, flops: 150M}
  - {name: c, flops: 100M}
  - {name: d, flops: 200M, away: [{from: 0.5, to: 2}]}
links:
  default: {bandwidth: 100Mbit/s, latency: 1ms}
FLEET
start_ranks 5 run model.h5 data.h5 --policy "$policy" --fleet fleet.yaml --branches 1/2/3/4 --late 0.05 \
  --rate 20 --trace silent.h5 --json > run.json 2> err || fail "$(cat err)"
check silent.h5 run.json
lacking=$(tool json_value team.answered_in_part < run.json)
((lacking > 0 && lacking < 60)) || fail "$lacking of 60 answers lack a branch"
[[ $(value silent.h5 team.placed_first) == 1/2/3/4@0 ]] || fail "placed as $(value silent.h5 team.placed_first)"
says "^branches  *4 side by side, at first --branches 1/2/3/4@0$"
says "^4 of 4  *$((60 - lacking)) "
says "^     2  branch 2 stage 1-4$"
says "^     0  fusion 1-4$"
edgeexit info silent.h5 > out
grep -q "^4 branches side by side, 20 units$" out || fail "info says $(cat out)"
expect "branches in info" "$(edgeexit info --json silent.h5 | tool json_value team.n_lanes)" 4

# all branches are there, one of them on two devices
start_ranks 3 run model.h5 data.h5 --policy "$policy" --branches 0,1/1/2/1@2 --trace whole.h5 > out 2> err ||
  fail "$(cat err)"
check whole.h5
says "at first --branches 0,1/1/2/1@2; no answer lacks any$"
says "^     1  branch 1 stage 2-4, branch 2 stage 1-4, branch 4 stage 1-4$"
! grep -q "^present" report.txt out || fail "branches present in $(cat report.txt out)"

# bands of rows
edgeexit generate network plain --blocks 3 --exits 1 -o plain.h5 > out
edgeexit generate input plain.h5 --samples 20 -o rows.h5 > out
start_ranks 3 run plain.h5 rows.h5 --bands 1/0/2 --trace bands.h5 > out 2> err || fail "$(cat err)"
check bands.h5
says "^bands  *2 of rows, side by side$"
says "^     2  layers .* rows .*, exit exit1$"
says "^     1  none$"

# a chain has no team
start_ranks 2 run model.h5 data.h5 --policy "$policy" --trace chain.h5 > out 2> err || fail "$(cat err)"
expect "team of a chain" "$(value chain.h5 team)" null
expect "team of a chain in info" "$(edgeexit info --json chain.h5 | tool json_value team)" null

[[ -e $bin/edgeexit-simulated ]] || exit 0

# units that move; an exit table does not tell answers that lack branches
edgeexit score -o exits.h5 model.h5 data.h5 > out
sed 's/away: .*/speed: [{at: 2, factor: 0.1}]}/' fleet.yaml > slow.yaml
edgeexit simulate model.h5 --outcomes exits.h5 --policy "$policy" --fleet slow.yaml --branches latency --rate 6 \
  --epoch 4 --json --trace moved.h5 > run.json 2> err || fail "$(cat err)"
moves=$(tool json_value team.moves < run.json)
((moves > 0)) || fail "no unit left a device that became slow"
check moved.h5 run.json
expect "moves in the report" "$(value moved.h5 team.moves)" "$moves"
says "^move  from sample"
edgeexit simulate model.h5 --outcomes exits.h5 --policy "$policy" --fleet fleet.yaml --branches 1/2/3/4 --rate 6 \
  --late 0.05 --trace table.h5 > out 2> err || fail "$(cat err)"
check table.h5
[[ $(value table.h5 team.present.2.answers) -gt 0 ]] || fail "no answer lacks a branch"
expect "accuracy that an exit table does not tell" "$(value table.h5 team.present.2.accuracy)" null
[[ $(value table.h5 team.present.3.accuracy) == 0.* ]] || fail "accuracy is $(value table.h5 team.present.3.accuracy)"
grep -q "an exit table stood for computing" out || fail "$(cat out)"
