#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where to split a network between a slow device and a fast one, over the bandwidth between them, when
# samples come one at a time: ResNet-50 with exits after blocks 4 and 8, or 2, 4 and 8.  Bandwidths at
# which the best split changes, by formula from the model's figures, and on the paced clock.
#
#   jobs/experiments/dynamic_split.sh [OUT]
#
# ALONE: samples of each run, default 20; shares that leave at the exits are whole twentieths.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=splits.sh
. jobs/experiments/splits.sh
ALONE=${ALONE:-20}
SLOW=100 FAST=1000  # of the devices [GFLOP/s]
LATENCY=0.0002      # of the link [s]
export_mpi_settings

# network NAME SHARES EXITS: OUT/NAME.h5, ResNet-50 with exits after these blocks, which take these
# shares of the samples; what follows is about it
network() {
  name=$1 shares=$2
  edgeexit generate network resnet50 --exits "$3" -o "$out/$name.h5" > /dev/null
  find_splits
}

# The lower envelope of the splits with one sample at a time: pairs of neighbours, the better one
# above and below a bandwidth [Mbit/s].
find_switches() {
  awk -v latency="$LATENCY" '
    { s[NR] = $1; fixed[NR] = $2 + $3 + $5 * latency; bytes[NR] = $4 }
    END {
      for (k = 1; k <= NR; k++) if (!at || fixed[k] < fixed[at]) at = k
      while (bytes[at] > 0) {
        best = 0
        for (k = 1; k <= NR; k++) {
          if (bytes[k] >= bytes[at]) continue
          x = (fixed[k] - fixed[at]) / (bytes[at] - bytes[k])
          if (!best || x < least) { best = k; least = x }
        }
        printf "%d %d %.9g\n", s[at], s[best], 8e-6 / least
        at = best
      }
    }' "$out/splits"
}

# alone LAYERS MBIT: mean latency of samples that meet no other, with so many layers on the slow
# device; a device that is to have none has no memory for one
alone() {
  local nothing='memory: 1kB, ' slow='' fast='' last rate cuts=()
  last=$(tail -n 1 "$out/splits" | cut -d' ' -f1)
  case $1 in
    0) slow=$nothing ;;
    "$last") fast=$nothing ;;
    *) cuts=(--cuts "$1") ;;
  esac
  rate=$(awk -v s="$1" -v mbit="$2" '$1 == s { print 0.2 / ($2 + $3 + $4 * 8e-6 / mbit) }' \
    "$out/splits")
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: slow, ${slow}flops: ${SLOW}G}
  - {name: fast, ${fast}flops: ${FAST}G}
links: {default: {bandwidth: ${2}Mbit/s, latency: ${LATENCY}s}}
FLEET
  edgeexit run --devices 2 "$out/$name.h5" --outcomes "$out/outcomes.h5" --rate "$rate" \
    --fleet "$out/fleet.yaml" --batch 1 --policy threshold:value=0.5 --shares "$shares" \
    --rebalance off "${cuts[@]}" --json > "$out/run.json" 2> "$out/err" < /dev/null ||
    die "$(cat "$out/err")"
  figure "$out/run.json" latency_mean_s
}

# A row for each bandwidth at which the best split changes, to the one with more layers on the slow
# device: mean latencies of both at 5 % less and 5 % more, and where they would be equal.
compare_switches() {
  local less more mbit factor at
  find_switches > "$out/switches"
  while read -r less more mbit; do
    for factor in 0.95 1.05; do
      at=$(awk -v mbit="$mbit" -v factor="$factor" 'BEGIN { printf "%.9g", factor * mbit }')
      alone "$less" "$at"
      alone "$more" "$at"
    done > "$out/alone"
    paste -sd' ' "$out/alone" | awk -v name="$name" -v less="$less" -v more="$more" -v mbit="$mbit" '{
      low = $1 - $2
      high = $3 - $4
      x = 1 / 0.95 + (1 / 1.05 - 1 / 0.95) * low / (low - high)
      printf "%-12s %4d %4d %9.4f %9.4f %6.2f %% | %9.2f %9.2f | %9.2f %9.2f\n", name, less, more,
        mbit, mbit / x, 100 / x - 100, $1 * 1e3, $2 * 1e3, $3 * 1e3, $4 * 1e3 }'
  done < "$out/switches"
}

printf '%-12s %4s %4s %9s %9s %8s | %9s %9s | %9s %9s\n' ResNet-50 less more formula measured \
  'off' 'less -5 %' 'more -5 %' 'less +5 %' 'more +5 %'
network 'two exits' 0.3/0.3/0.4 4,8
outcomes "$ALONE"
compare_switches
network 'three exits' 0.6/0.25/0.05/0.1 2,4,8
outcomes "$ALONE"
compare_switches
