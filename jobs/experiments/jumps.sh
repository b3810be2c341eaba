#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How soon a jump of the shares that leave at exits is noticed, by one epoch that is four standard
# errors away, by cumulative sums, and by both; and how often there seems to be one where there is none.
#
#   jobs/experiments/jumps.sh [OUT]
#
# STREAMS: drawn for each figure, default 1000.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAMS=${STREAMS:-1000}
jumps=$BUILD/bin/e2e.jumps
[ -x "$jumps" ] || die "$jumps is not there; build the tests too"

printf '%-8s %-7s' samples sigmas
printf ' | %-24s' 'none: error' 'epoch: seen delay error' 'sum: seen delay error' 'both: seen delay error'
echo
for samples in 8 32 128 600; do
  for sigmas in 0 1 2 4 8; do
    printf '%-8s %-7s' "$samples" "$sigmas"
    while read -r name seen delay error; do
      if [ "$name" = none ]; then
        printf ' | %-24s' "$error"
      else
        printf ' | %6.1f %% %6.1f %8s' "$(awk -v s="$seen" 'BEGIN { print 100 * s }')" "$delay" "$error"
      fi
    done < <("$jumps" "$samples" "$sigmas" "$STREAMS")
    echo
  done
done
