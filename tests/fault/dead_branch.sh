#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of a device that computes a branch: with --late the run goes on without the branch and
# loses no sample, and gives it to another device where a planner places; of one that cannot be done
# without: the others end and say so.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"
cd "$scratch"
# What a killed process leaves in memory and in its temporary folder goes away with ours.
export TMPDIR=$scratch OMPI_MCA_orte_tmpdir_base=$scratch
export OMPI_MCA_btl_vader_backing_directory=$scratch
launcher=
late=20
trap '[ -z "$launcher" ] || kill -9 "$launcher" 2> err || true; rm -rf "$scratch"' EXIT

# processes: of this test's run, rank and process number in each line
processes() {
  local stat process rank
  for stat in /proc/[0-9]*/environ; do
    process=${stat//[^0-9]/}
    grep -qzx "EE_TEST_RUN=$scratch" "$stat" 2> err || continue
    rank=$(tr '\0' '\n' < "$stat" 2> err | sed -n 's/^OMPI_COMM_WORLD_RANK=//p') || continue
    [[ -z $rank ]] || echo "$rank $process"
  done
}

# patiently WHAT COMMAND...: until the command succeeds, for up to a minute
patiently() {
  local try
  for ((try = 0; try < 600; try++)); do
    "${@:2}" && return
    sleep 0.1
  done
  fail "waited in vain for $1: $(cat out err)"
}

has_answers() {
  local answered
  answered=$(value "$1.h5" answered 2> err) && ((answered >= 20))
}

# kill_in NAME RANK,... [SIGNAL]: kill these ranks in mid-run of what was started with that trace; and
# send the signal to the program once that was noticed
kill_in() {
  local rank process
  patiently "answers of $1" has_answers "$1"
  while read -r rank process; do
    [[ ",$2," != *",$rank,"* ]] || kill -9 "$process"
  done < <(processes)
  if [[ -n ${3-} ]]; then
    patiently "word of the death" grep -q "device $2 died" "$1.err"
    kill "-$3" "$launcher"
  fi
  code=0
  wait "$launcher" || code=$?
  launcher=
  [[ -z $(processes) ]] || fail "processes are left after $1: $(processes)"
}

# start NAME OPTION...: five devices of which four compute branches
start() {
  EE_TEST_RUN=$scratch timeout --foreground 120 "$bin/edgeexit" run --fleet fleet.yaml --logits \
    --late "$late" --policy threshold:value=1 --trace "$1.h5" "${@:2}" model.h5 data.h5 < /dev/null \
    > "$1.out" 2> "$1.err" &
  launcher=$!
}

# went_on NAME: it ended well, and every sample was answered once
went_on() {
  expect "exit code of $1" "$code" 0
  expect "end of $1" "$(value "$1.h5" complete)" true
  expect "answers of $1" "$(value "$1.h5" answered)" 400
}

fleet() {
  cat << FLEET
devices:
  - {name: hub, flops: 1e9}
  - {name: a, flops: 3e8}
  - {name: b, flops: 3e8$1}
  - {name: c, flops: 3e8}
  - {name: d, flops: 3e8}
FLEET
}
fleet "" > fleet.yaml
fleet ", away: [{from: 0}]" > silent.yaml

edgeexit generate network branches --blocks 4 --exits 1,2,3 -o model.h5 > out
edgeexit generate input model.h5 --samples 400 -o data.h5 > out
run="run --logits --policy threshold:value=1 model.h5 data.h5"
# shellcheck disable=SC2086  # several words
edgeexit $run --trace all.h5 > out
# shellcheck disable=SC2086
edgeexit $run -n 5 --branches 1/2/3/4@0 --fleet silent.yaml --late 5 --window 1 \
  --trace without.h5 > out 2> err || fail "$(cat err)"

start branch --branches 1/2/3/4@0
kill_in branch 2
went_on branch
grep -q "device 2 died; samples go on without it" branch.err || fail "$(cat branch.err)"
grep -q "^died  *device 2" branch.out || fail "$(cat branch.out)"
tool compare_traces --either branch.h5 all.h5 without.h5 > out || fail "$(cat out)"
mapfile -t as < <(sed -n 's/ as in .*//p' out)
((as[0] >= 20 && as[1] >= 20)) || fail "before and after the death: $(cat out)"

# Ctrl-C after a death ends the run as ever.
start interrupted --branches 1/2/3/4@0
kill_in interrupted 4 INT
expect "exit code of an interrupted run" "$code" 130
grep -q "interrupted: [0-9]* of 400 samples were answered" interrupted.err || fail "$(cat interrupted.err)"
! grep -q "and with it the run" interrupted.err || fail "blames a device: $(cat interrupted.err)"

# A process that is stopped takes no messages: it is done without, and ended.
late=0.5
start stopped --branches 1/2/3/4@0
late=20
patiently "answers of stopped" has_answers stopped
while read -r rank process; do
  [[ $rank != 1 ]] || kill -STOP "$process"
done < <(processes)
kill_in stopped none
went_on stopped
grep -q "device 1 has taken no message for 10 s" stopped.err || fail "$(cat stopped.err)"

# Two at once, and each node writes a part of the trace: that of the dead is left out.
EE_RANKS_PER_NODE=2 start two --branches 1/2/3/4@0
kill_in two 2,4
went_on two

# Where a planner places, others take over what the dead one had, and answers are whole again.
start moved --branches period --epoch 16
kill_in moved 3
went_on moved
tool compare_traces --either moved.h5 all.h5 > out 2> err || true
whole=$(sed -n 's/ as in all.h5$//p' out)
((whole >= 300 && whole < 400)) || fail "$whole of 400 answers have all branches"

# What joins the branches is needed, and so is one branch.
start joins --branches 0/1/2/4@3
kill_in joins 3
expect "exit code without what joins" "$code" 1
expect "what is said of it" "$(grep -c '^edgeexit: .*device 3 died, and samples wait' joins.err)" 1
expect "end of that run" "$(value joins.h5 complete)" false
start all_of_them --branches 1/2/3/4@0
kill_in all_of_them 1,2,3,4
expect "exit code without any branch" "$code" 1
start source --branches 1/2/3/4@0
kill_in source 0
expect "exit code without the source" "$code" 1
grep -q "^edgeexit: device 0 (process .*) died, and with it the run" source.err ||
  fail "$(cat source.err)"

# Without --late nothing is left out.
EE_TEST_RUN=$scratch edgeexit run --fleet fleet.yaml --policy threshold:value=1 --trace exact.h5 \
  --branches 1/2/3/4@0 model.h5 data.h5 < /dev/null > exact.out 2> exact.err &
launcher=$!
kill_in exact 2
expect "exit code without --late" "$code" 1

# A run's own code is told also where mpirun, asked by the environment, would end with 0.
code=0
OMPI_MCA_orte_enable_recovery=1 edgeexit run -n 2 none.h5 data.h5 > out 2> err || code=$?
expect "exit code without a model" "$code" 1
