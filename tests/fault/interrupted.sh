#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C and SIGTERM in mid-run, of mpirun and of a run without it: it ends at once and in order,
# says how many samples were answered and where they are, and its trace holds just these.  A rank
# that is killed can say nothing, so the run that started it says so.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"
cd "$scratch"
export OMPI_MCA_orte_tmpdir_base=$scratch OMPI_MCA_btl_vader_backing_directory=$scratch

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 6000 --seed 6 -o data.h5
printf 'devices: [{name: a, flops: 8e6}]\n' > one.yaml
printf 'devices: [{name: a, count: 3, flops: 8e6}]\n' > three.yaml

has_answers() {
  local answered
  answered=$(value "$1" answered 2> answers.err) && ((answered >= 20))
}

# interrupted SIGNAL NAME COMMAND...: with exit code `code`; SIGNAL-group is for the whole process group
interrupted() {
  local pid try code=0 signal=${1%-group} name=$2 answered
  set -m
  "${@:3}" --policy final --backend ref --trace "$name.h5" model.h5 data.h5 < /dev/null > "$name.txt" 2> "$name.err" &
  pid=$!
  set +m
  for ((try = 0; try < 300; try++)); do
    if has_answers "$name.h5"; then break; fi
    sleep 0.1
  done
  kill -"$signal" "$pid"
  if [[ $1 == *-group ]]; then kill -"$signal" -- "-$pid"; fi
  wait "$pid" || code=$?
  ((code != 0)) || fail "$name was interrupted, but its exit code is 0"
  for ((try = 0; try < 100; try++)); do  # timeout may end before the run that it was told to end
    if grep -qs '^edgeexit: interrupted: ' "$name.err"; then break; fi
    sleep 0.1
  done
  last_code=$code
  answered=$(value "$name.h5" answered)
  grep -qF "edgeexit: interrupted: $answered of 6000 samples were answered, which are in $name.h5" "$name.err" ||
    fail "$name with $answered answers says: $(cat "$name.err")"
  grep -q "^answered   $answered of 6000 samples" "$name.txt" || fail "$name prints: $(cat "$name.txt")"
  expect "the end of $name" "$(value "$name.h5" complete)" false
}

interrupted INT alone "$bin/edgeexit" run --fleet one.yaml
expect "exit code of a run without mpirun" "$last_code" 130
interrupted TERM terminated "$bin/edgeexit" run --fleet one.yaml
interrupted INT ranks "${EE_MPIRUN:-mpirun}" -n 3 "$bin/edgeexit" run --fleet three.yaml
interrupted TERM started "$bin/edgeexit" run --fleet three.yaml
interrupted TERM-group group "$bin/edgeexit" run --fleet three.yaml
interrupted INT-group group-too "$bin/edgeexit" run --fleet three.yaml
interrupted TERM-group limited timeout 60 "$bin/edgeexit" run --fleet three.yaml
interrupted INT started-too "$bin/edgeexit" run --fleet three.yaml
expect "exit code of a run that started mpirun" "$last_code" 130

command -v pgrep > out || exit 0
"$bin/edgeexit" run --fleet three.yaml --policy final --backend ref --trace killed.h5 model.h5 data.h5 \
  < /dev/null > out 2> err &
run=$! code=0
for ((try = 0; try < 300; try++)); do
  if has_answers killed.h5; then break; fi
  sleep 0.1
done
launcher=$(pgrep -P "$run")
kill -KILL "$(pgrep -P "$launcher" | tail -n 1)"
wait "$run" || code=$?
expect "exit code of a run with a killed rank" "$code" 1
grep -q "^edgeexit: signal 9 (Killed) ended a device's process.* is in killed.h5$" err ||
  fail "a run with a killed rank says: $(cat err)"
