#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The simulated clock against the paced one on four and on eight devices, in what does not depend on
# how busy this machine is: the same decisions, answers at each exit, samples and bytes on each link;
# and as a paced device can be late but not early, the paced run takes no less than the simulated.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid"
cd "$scratch"
export TMPDIR=$scratch
HEADER=40  # bytes of a message without samples

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 240 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out

# Unequal devices that take some 50 ms for a sample together, on links whose round trip takes as long.
fleet() {
  cat > fleet.yaml << FLEET
devices:
  - {name: camera, flops: 4M}
  - {name: hub, count: $(($1 - 2)), flops: 12M}
  - {name: server, flops: 30M}
links:
  default: {bandwidth: 2Mbit/s, latency: 30ms}
  pairs: [{from: camera, to: server, bandwidth: 1Mbit/s, latency: 20ms}]
FLEET
}

# carried TRACE: each link with the bytes that samples have on it
carried() {
  local report i
  report=$(edgeexit report --json "$1")
  for ((i = 0; i < $(tool json_value links.# <<< "$report"); i++)); do
    awk -v header=$HEADER -v messages="$(tool json_value "links.$i.messages" <<< "$report")" \
      -v bytes="$(tool json_value "links.$i.bytes" <<< "$report")" \
      -v from="$(tool json_value "links.$i.from" <<< "$report")" \
      -v to="$(tool json_value "links.$i.to" <<< "$report")" \
      'BEGIN { print from, to, bytes - header * messages }'
  done
}

# both DEVICES OPTION...: paced.h5 and simulated.h5
both() {
  local options=(model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml --rebalance off --epoch 40
    --control-delay 3 "${@:2}")
  rm -f paced.h5 simulated.h5
  edgeexit simulate "${options[@]}" --trace simulated.h5 > out 2> err || fail "simulate: $(cat err)"
  start_ranks "$1" run "${options[@]}" --trace paced.h5 > out 2> err || fail "run: $(cat err)"
  local trace
  for trace in simulated.h5 paced.h5; do
    tool compare_replay "$trace" exits.h5 > differences || fail "$trace, $*: $(cat differences)"
  done
  for e in 0 1 2; do
    expect "paced answers at exit $e with $*" "$(value paced.h5 exits.$e.answers)" \
      "$(value simulated.h5 exits.$e.answers)"
  done
  carried simulated.h5 > simulated.links
  carried paced.h5 > paced.links
  [[ $(wc -l < simulated.links) -ge $1 ]] || fail "few links in $(cat simulated.links)"
  diff simulated.links paced.links > differences || fail "links with $*: $(cat differences)"
  awk -v paced="$(value paced.h5 duration_s)" -v simulated="$(value simulated.h5 duration_s)" \
    'BEGIN { exit !(simulated > 1 && paced >= 0.97 * simulated) }' ||
    fail "$*: paced $(value paced.h5 duration_s) s, simulated $(value simulated.h5 duration_s) s"
}

fleet 4
both 4 --policy final --cuts 2/4/7 --batch 1 --slots 4
both 4 --policy threshold:value=0.4 --cuts 2/4/7 --batch 4 --slots 2
fleet 8
both 8 --policy final --cuts 1/2/3/4/5/6/7 --batch 4 --slots 1
both 8 --policy threshold:value=0.4 --cuts 1/2/3/4/5/6/7 --batch 1 --slots 2
