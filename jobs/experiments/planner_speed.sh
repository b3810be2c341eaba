#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long planners take for large fleets, on one core, and how far from the lower bound they end.
#
#   jobs/experiments/planner_speed.sh [OUT]
#
# Chains are drawn: layers of 0.5 to 1.5 FLOP and as many bytes, of which 60 % of the samples see the
# last two thirds; devices of a number of types, speeds 1 to 2; links none, all equal, one kind for
# each two types (unequal) or all different (any).  Processor time, median of REPEATS; of a model and
# a fleet of your own `edgeexit plan --json` tells it as planner_s.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
REPEATS=${REPEATS:-5}
speed=$BUILD/bin/e2e.plan_speed
[ -x "$speed" ] || die "$speed is not there; build the tests too"

printf '%-12s %6s %7s %5s  %-8s %12s %12s\n' planner layers devices types links seconds 'above bound'
# measure PLANNER LAYERS DEVICES TYPES LINKS
measure() {
  local result seconds above
  result=$("$speed" "$@" "$REPEATS")
  read -r seconds _ above _ <<< "$result"
  printf '%-12s %6d %7d %5d  %-8s %12s %10s %%\n' "$@" "$seconds" "$above"
}
measure exact 1000 1000 1000 none
measure exact 1000 1000 1000 equal
measure exact 1000 1000 1000 any
measure latency 1000 1000 1000 equal
measure free-order 200 64 4 none
measure free-order 200 64 4 equal
measure free-order 200 64 4 unequal
measure free-order 200 64 64 any
measure pipeedge 200 32 2 equal
measure deepspeed 200 64 4 none
