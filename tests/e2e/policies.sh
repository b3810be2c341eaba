# SPDX-License-Identifier: Apache-2.0
# What scripts share that compare a run's decisions with their replay.
# shellcheck shell=bash

# Every policy that can run live, and every rule of those that learn, with values at which samples
# of the test's model part.  Read by the scripts that source this file.
# shellcheck disable=SC2034,SC2054  # commas belong to the values
every_policy=(
  final
  threshold:value=0.4
  threshold:values=0.5/0.35
  margin:value=0.15
  entropy:value=1.6
  entropy:value=0.7,normalised=1
  patience:value=1
  beem:value=0.5,weights=1/1
  budgeted:budget=0.8
  offload:value=0.5
  offload:value=0.35,exits=1
  splitee:alpha=0.4
  splitee-s:alpha=0.4
  isplitee:alpha=0.4
  kl:value=2
  l2:value=0.7
  cosine:value=0.7
  uee-ucb
  adaee
  ucbee
  ceebert
  splitee:alpha=0.4,arm=1
  splitee:alpha=0.4,rule=ucbv
  splitee:alpha=0.4,rule=ucb-tuned
  splitee:alpha=0.4,rule=discounted,gamma=0.98
  splitee:alpha=0.4,rule=window,window=48
  splitee:alpha=0.4,rule=thompson
  adaee:rule=thompson
  ceebert:rule=discounted
)

# options_for POLICY: what a run needs with it, to the array `options`: the table that budgeted is
# fitted to
# shellcheck disable=SC2034
options_for() {
  options=()
  if [[ $1 == budgeted:* ]]; then options=(--exits exits.h5); fi
}

# as_replayed [OPTION...]: the trace against the replay
# shellcheck disable=SC2120  # some scripts need no option
as_replayed() {
  tool compare_replay "$@" trace.h5 exits.h5 > differences ||
    fail "$(edgeexit report --json trace.h5 | tool json_value policy) $*: $(cat differences)"
}

# check_every_policy: that the list has every policy there is, but for those that read scores, which
# that model has not (score.sh, shipped_score.sh)
check_every_policy() {
  local name known
  known=$({ edgeexit policy exits.h5 --policy none-such 2>&1 || true; } | sed 's/.*there are: //; s/,//g')
  [[ $known == *splitee* ]] || fail "no list of policies in: $known"
  for name in $known; do
    [[ $name == eenet || $name == feature || " ${every_policy[*]} " =~ " $name"[:\ ] ]] || fail "$name is not tried"
  done
}
