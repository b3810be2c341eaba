#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every policy decides on every sample of a live run what it decides in a replay of the exit table:
# where it leaves or is offloaded, what is answered, the arm and its reward; on any number of devices,
# whether an offloaded sample leaves its device or goes on along the chain, and while the cost of
# offloading changes.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=policies.sh
. "$(dirname "$0")/policies.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
layers=$(edgeexit info --json model.h5 | tool json_value layers.#)
edgeexit generate modulation --samples 200 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
check_every_policy

# live RANKS OPTION...: a run with a trace
live() {
  rm -f trace.h5
  start_ranks "$1" run model.h5 data.h5 --epoch 16 --control-delay 1 --rebalance off \
    --trace trace.h5 "${@:2}" > out 2> err || fail "run on $*: $(cat err)"
}

for text in "${every_policy[@]}"; do
  options_for "$text"
  live 3 --policy "$text" "${options[@]}"
  as_replayed
done

# what an exit said travels with the sample to the next one, wherever that is
for text in kl:value=2 l2:value=0.7 cosine:value=0.7; do
  for ranks in 1 2 4; do
    live $ranks --policy "$text"
    as_replayed
  done
done

# offloaded samples leave their device at once; the cuts lie before, at and behind exits
for text in splitee:alpha=0.4 splitee-s:alpha=0.4,arms=2 adaee offload:value=0.5 offload:value=0.35,exits=1; do
  live 2 --policy "$text" --offload on --cuts $((layers - 1))
  as_replayed
  edgeexit policy exits.h5 --policy "$text" --epoch 16 --delay 1 --json > replay.json
  [[ $(tool json_value offloaded < replay.json) != 0 ]] || fail "$text offloads nobody"
  live 3 --policy "$text" --offload on --cuts 2/$((layers - 1)) --batch 3
  as_replayed
  live 4 --policy "$text" --offload on --cuts 1/3/$((layers - 1)) --batch 33
  as_replayed
done

# a cost that is given by sample id, and one that is measured on a link that slows down
printf 'id,cost\n0,0.05\n60,2\n130,0.5\n' > costs.csv
live 3 --policy splitee:alpha=0.4,c=0.1,rule=window,window=32 --lambda 0.02 --offload-cost costs.csv
as_replayed --costs --lambda 0.02  # of which the trace has one for each epoch
edgeexit policy exits.h5 --policy splitee:alpha=0.4,c=0.1,rule=window,window=32 --epoch 16 --delay 1 \
  --lambda 0.02 --offload-cost costs.csv --json > replay.json
expect "share of exit 0 under given costs" \
  "$(edgeexit report --json trace.h5 | tool json_value exits.0.share)" \
  "$(tool json_value exit_share.0 < replay.json)"

cat > fleet.yaml << 'FLEET'
name: camera and server
devices:
  - {name: camera, flops: 0.1G}
  - {name: server, flops: 0.2G}
links:
  default: {bandwidth: 80Mbit/s, latency: 100us, changes: [{at: 0.3, bandwidth: 4Mbit/s}]}
FLEET
live 2 --policy splitee:alpha=0.4,c=0.1,rule=window,window=32 --lambda 0.02 --offload-cost link \
  --fleet fleet.yaml --offload on --cuts $((layers - 1))
as_replayed --costs --lambda 0.02
first=$(value trace.h5 tenths.2.offload_cost) last=$(value trace.h5 tenths.9.offload_cost)
awk -v a="$first" -v b="$last" 'BEGIN { exit !(b > 10 * a && a > 0) }' ||
  fail "the cost was $first and is $last, though the link is twenty times slower"

# what does not go together
refuse() {
  local code=0
  edgeexit run model.h5 data.h5 "${@:2}" > out 2> err || code=$?
  expect "exit code of ${*:2}" "$code" 2
  grep -qF -- "$1" err || fail "${*:2} says: $(cat err)"
}
refuse "it needs --rebalance off" --offload on
refuse "needs --fleet" --offload-cost link
refuse "--offload-cost is 9; expected 0 to 8" --offload-cost 9
refuse "at most 0 of them" --cuts 1 --rebalance off
refuse "expected rising layers" --cuts 3/2 --devices 3
refuse "expected rising layers" --cuts "2/$layers" --devices 3
