#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the process of one of four devices in mid-stream: who answers what afterwards, where the
# device computed a branch that stays absent, and where a planner gives its units to others.
#
#   jobs/experiments/dying_device.sh [OUT]
#
# NETWORK: a model with branches; default the one that ships.  DATA: labelled samples; default batch 5
# of CIFAR-10.  POLICY: default what edgeexit policy finds on samples that are
# kept from training, for a loss of at most 0.01: feature:values=-1/1.24/3.15.  UNIT: what the four devices have 4, 3, 2 and 4
# times, default 200M [FLOP/s].  STREAM: samples, default 2000.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
NETWORK=${NETWORK:-io/models/distree_cifar10.h5}
POLICY=${POLICY:-feature:values=-1/1.24/3.15}
UNIT=${UNIT:-200M}
STREAM=${STREAM:-2000}
[ -r /proc/self/environ ] || die "/proc is not there: processes of ranks are found in it"
if [ -z "${DATA-}" ]; then
  need_cifar10
  cifar10_data
  DATA=$out/batch5.h5
fi

unit=${UNIT%[MG]} scale=${UNIT##*[0-9]}
cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: a, flops: $((4 * unit))$scale}
  - {name: b, flops: $((3 * unit))$scale}
  - {name: c, flops: $((2 * unit))$scale}
  - {name: d, flops: $((4 * unit))$scale}
links: {default: {bandwidth: 100Mbit/s, latency: 1ms}}
FLEET

# process_of RANK: of the run that is under way
process_of() {
  local of
  for of in /proc/[0-9]*; do
    grep -qzx "EE_EXPERIMENT=$out" "$of/environ" 2> "$out/err" || continue
    grep -qzx "OMPI_COMM_WORLD_RANK=$1" "$of/environ" || continue
    echo "${of#/proc/}"
    return
  done
}

# answered: so far
answered() {
  edgeexit report --json "$out/trace.h5" > "$out/report.json" 2> "$out/err" &&
    figure "$out/report.json" answered
}

# kill_at_a_third: the highest device that no sample needs, once a third is answered
kill_at_a_third() {
  local n=0 needed victim=3
  while ((n < STREAM / 3)); do
    kill -0 "$run" 2> "$out/err" || die "$(cat "$out/run.err")"
    sleep 0.1
    n=$(answered) || n=0
  done
  needed=$(sed -n 's/.* on devices .*@//p' "$out/run.err")
  while [[ ",$needed," == *",$victim,"* ]]; do victim=$((victim - 1)); done
  ((victim > 0)) || die "every device joins branches: $needed"
  kill -9 "$(process_of "$victim")"
}

# row NAME KILLED OPTION...: a run, and what came of it
row() {
  rm -f "$out/trace.h5"
  EE_EXPERIMENT=$out "$BUILD/bin/edgeexit" run --devices 4 "$NETWORK" "$DATA" --samples "$STREAM" \
    --fleet "$out/fleet.yaml" --policy "$POLICY" --late 30 --trace "$out/trace.h5" --json "${@:3}" \
    > "$out/run.json" 2> "$out/run.err" < /dev/null &
  run=$!
  [ "$2" = nobody ] || kill_at_a_third
  wait "$run" || die "$(cat "$out/run.err")"
  printf '%-24s %8d %12d %9.4f %9.1f %9.1f %7.0f %5d\n' "$1" "$(figure "$out/run.json" answered)" \
    "$(figure "$out/run.json" answered_in_part)" "$(figure "$out/run.json" accuracy)" \
    "$(figure "$out/run.json" first_quarter_per_s)" "$(figure "$out/run.json" last_quarter_per_s)" \
    "$(figure "$out/run.json" longest_gap_s 1000)" "$(figure "$out/run.json" moves)"
}

printf '%-24s %8s %12s %9s %9s %9s %7s %5s\n' '' '' 'without a' '' 'first' 'last' 'longest' ''
printf '%-24s %8s %12s %9s %9s %9s %7s %5s\n' branches answered branch accuracy 'qu. 1/s' 'qu. 1/s' \
  'gap ms' moves
row 'placed, nobody dies' nobody --branches 0/1/2/3@0
row 'placed, one dies' one --branches 0/1/2/3@0
row 'planned, nobody dies' nobody --branches period --epoch 40
row 'planned, one dies' one --branches period --epoch 40
