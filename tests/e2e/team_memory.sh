#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Devices that share samples need as much memory as is said, on every clock: with that they run, with a
# byte less they are refused with the number, and planners keep to what there is.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

edgeexit generate network branches --blocks 2 --exits 1 -o model.h5 > out
edgeexit generate input model.h5 --samples 4 -o data.h5 > out
edgeexit score -o exits.h5 model.h5 data.h5 > out

# fleet BYTES...: four devices that differ, with so much memory; 0: as much as they like
fleet() {
  local d
  echo "devices:"
  for d in 0 1 2 3; do
    echo "  - {name: d$d, flops: $((100 - 10 * d))M${1:+, memory: ${1}B}}" | sed 's/, memory: 0B//'
    shift
  done
  echo "links: {default: {bandwidth: 1GB/s, latency: 1us}}"
}

# run CLOCK OPTION...: the run on that clock, to json
run() {
  case $1 in
    simulated) edgeexit simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml --json "${@:2}" ;;
    paced) start_ranks 4 run model.h5 data.h5 --fleet fleet.yaml --json "${@:2}" ;;
  esac > json 2> err
}
of() {
  tool json_value "$1" < json
}
needs() {
  local d
  for d in 0 1 2 3; do of devices.$d.memory_bytes; done | tr '\n' ' '
}

clocks=paced
[[ ! -e $bin/edgeexit-simulated ]] || clocks="paced simulated"

# refused BYTES OPTION...: on all clocks, with the number
refused() {
  local code
  for clock in $clocks; do
    code=0
    run $clock "${@:2}" || code=$?
    [[ $code != 0 ]] || fail "$clock ${*:2}: accepted with a byte less than $1"
    grep -q "needs $1\b" err || fail "$clock ${*:2}: refused without $1: $(cat err)"
  done
}

# exactly OPTION...: what is needed without a limit is enough, and less is not
exactly() {
  local bytes less d
  fleet 0 0 0 0 > fleet.yaml
  run paced "$@" || fail "$*: $(cat err)"
  read -ra bytes <<< "$(needs)"
  fleet "${bytes[@]}" > fleet.yaml
  for clock in $clocks; do
    run $clock "$@" || fail "$clock $* with just enough memory: $(cat err)"
    expect "memory of $* on the $clock clock" "$(needs)" "${bytes[*]} "
  done
  for d in 0 3; do
    less=("${bytes[@]}")
    less[d]=$((bytes[d] - 1))
    fleet "${less[@]}" > fleet.yaml
    refused "${bytes[d]}" "$@"
  done
}

# within BYTES OPTION...: what is planned for devices with so much each is run, within that
within() {
  local bytes
  fleet "$1" "$1" "$1" "$1" > fleet.yaml
  for clock in $clocks; do
    run $clock "${@:2}" || fail "$clock ${*:2} with $1 byte each: $(cat err)"
    for bytes in $(needs); do
      ((bytes <= $1)) || fail "$clock ${*:2}: a device takes $bytes of $1"
    done
  done
}

exactly --branches 1/2/3/3@0 --window 3
exactly --branches 0/1/2/3@3
fleet 0 0 0 0 > fleet.yaml
run paced --branches period || fail "$(cat err)"
largest=$(needs | tr ' ' '\n' | sort -n | tail -1)
within $((largest * 9 / 10)) --branches period
within $((largest * 9 / 10)) --branches latency

# nothing of branches fits: planner and run name the same bytes of the same device
fleet 90000 90000 90000 90000 > fleet.yaml
edgeexit plan model.h5 --fleet fleet.yaml --branches > out
said=$(sed -n 's/^verdict: \(no placement of .* has 90000\)$/\1/p' out)
[[ -n $said ]] || fail "the planner says: $(tail -1 out)"
for clock in $clocks; do
  ! run $clock --branches latency || fail "a run with too little memory is accepted on $clock"
  grep -qF "$said" err || fail "$clock says '$(cat err)', the planner '$said'"
done

# pictures in bands of rows
edgeexit generate network plain --blocks 4 --exits 2 -o model.h5 > out
edgeexit generate input model.h5 --samples 4 -o data.h5 > out
edgeexit score -o exits.h5 model.h5 data.h5 > out
exactly --bands 2/1/1/1
exactly --bands 0/1/0/1 --borders apart --window 3
fleet 0 0 0 0 > fleet.yaml
run paced --bands auto || fail "$(cat err)"
free=$(of latency_predicted_s)
largest=$(needs | tr ' ' '\n' | sort -n | tail -1)
within $((largest * 8 / 10)) --bands auto
awk -v a="$(of latency_predicted_s)" -v b="$free" 'BEGIN { exit !(a > b) }' ||
  fail "with less memory a sample takes $(of latency_predicted_s) s, with more $free s"
edgeexit plan model.h5 --fleet fleet.yaml --bands --json > json
expect "fits" "$(of bands.3.fits)" true
for d in 0 1 2 3; do
  (($(of bands.3.memory_bytes.$d) <= largest * 8 / 10)) || fail "planned: $(of bands.3.memory_bytes.$d)"
done

# none fit
fleet 90000 90000 90000 90000 > fleet.yaml
edgeexit plan model.h5 --fleet fleet.yaml --bands > out
grep -q '^verdict: .*no bands were found that fit: in the nearest d[0-3] needs [0-9]* byte and has 90000' out ||
  fail "the planner says: $(tail -1 out)"
for clock in $clocks; do
  ! run $clock --bands auto || fail "bands that do not fit are accepted on $clock"
  grep -q 'no bands were found that fit into the memories of 4 devices; in the nearest .* has 90000$' err ||
    fail "$clock says '$(cat err)'"
done
