#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 in mid-run, of the launcher, of all ranks and of one: the trace opens, says that the run
# did not end, and holds what was answered; no process stays behind.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"

# What a killed process leaves in memory and in its temporary folder goes away with ours.
export OMPI_MCA_orte_tmpdir_base=$scratch OMPI_MCA_btl_vader_backing_directory=$scratch
started=()
trap 'stop_started; rm -rf "$scratch"' EXIT

stop_started() {
  local pid
  for pid in "${started[@]}"; do
    ! is_alive "$pid" || kill -9 "$pid"
  done
}

# A process that is dead but not waited for is gone.
is_alive() {
  local stat
  kill -0 "$1" 2> "$scratch/err" || return 1
  ! read -r stat 2> "$scratch/err" < "/proc/$1/stat" || [[ ${stat##*) } != Z* ]]
}

# patiently WHAT COMMAND...: until the command succeeds, for up to a minute
patiently() {
  local try
  for ((try = 0; try < 600; try++)); do
    "${@:2}" && return
    sleep 0.1
  done
  fail "waited in vain for $1"
}

has_answers() {
  local answered
  answered=$(value "$1" answered 2> "$scratch/err") && ((answered >= 20))
}

all_alive() {
  local pid
  for pid in "$@"; do
    is_alive "$pid" || return 1
  done
}

all_gone() {
  local pid
  for pid in "$@"; do
    ! is_alive "$pid" || return 1
  done
}

# As each rank's program: says which process it is, and becomes edgeexit.
cat > "$scratch/rank.sh" << 'RANK'
echo $$ > "$1.$OMPI_COMM_WORLD_RANK"
exec "${@:2}"
RANK

# start NAME: a run that would take minutes; sets launcher and ranks (process ids)
start() {
  "${EE_MPIRUN:-mpirun}" -n 4 bash "$scratch/rank.sh" "$scratch/$1" "$bin/edgeexit" run \
    --fleet "$scratch/fleet.yaml" --policy threshold:value=0.5 --backend ref --logits \
    --trace "$scratch/$1.h5" "$scratch/model.h5" "$scratch/data.h5" \
    < /dev/null > "$scratch/$1.txt" 2>&1 &
  launcher=$!
  started+=("$launcher")
  patiently "answers of run $1" has_answers "$scratch/$1.h5"
  mapfile -t ranks < <(cat "$scratch/$1".[0-3])
  started+=("${ranks[@]}")
  expect "ranks of run $1" "${#ranks[@]}" 4
  all_alive "$launcher" "${ranks[@]}" || fail "run $1 is not under way: $(cat "$scratch/$1.txt")"
}

# check NAME: after the kill
check() {
  local code=0
  patiently "the end of run $1" all_gone "$launcher" "${ranks[@]}"
  wait "$launcher" || code=$?
  ((code != 0)) || fail "run $1 was killed, but its exit code is 0"
  expect "the end of run $1" "$(value "$scratch/$1.h5" complete)" false
  edgeexit report "$scratch/$1.h5" > "$scratch/report"
  grep -q "did not end by itself" "$scratch/report" || fail "run $1 counts as one that ended"
  tool compare_traces --partial --exits "$scratch/exits.h5" --threshold 0.5 "$scratch/$1.h5"
}

cat > "$scratch/fleet.yaml" << 'FLEET'
devices:
  - {name: a, flops: 8e6}
  - {name: b, flops: 8e6}
  - {name: c, flops: 8e6}
  - {name: d, flops: 8e6}
FLEET
tool make_model "$scratch/model.h5" 2 1 128 11 1
edgeexit generate modulation --samples 6000 --seed 6 -o "$scratch/data.h5"
edgeexit score --backend ref -o "$scratch/exits.h5" "$scratch/model.h5" "$scratch/data.h5" \
  > "$scratch/out"

start launcher
kill -9 "$launcher"
check launcher

start ranks
kill -9 "${ranks[@]}"
check ranks

start one
kill -9 "${ranks[2]}"
check one
grep -q "^edgeexit: device 2 (process ${ranks[2]} on .*) died, .* is in $scratch/one.h5$" "$scratch/one.txt" ||
  fail "a run whose device 2 was killed says: $(cat "$scratch/one.txt")"
expect "sentences of that run" "$(grep -c '^edgeexit:' "$scratch/one.txt")" 1

start first
kill -9 "${ranks[0]}" "${ranks[3]}"
check first
for rank in 0 3; do
  grep -q "^edgeexit: device $rank (process ${ranks[rank]} on .*) died, " "$scratch/first.txt" || fail "$rank is not named: $(cat "$scratch/first.txt")"
done
