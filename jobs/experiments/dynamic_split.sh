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

# outcomes N: OUT/outcomes.h5, samples in a drawn order
outcomes() {
  awk -v shares="$shares" -v n="$1" 'BEGIN {
    srand(1)
    exits = split(shares, share, "/")
    for (e = 1; e <= exits; e++) {
      head = head (e > 1 ? "," : "") "p" e ",c" e
      for (end += share[e] * n; i < end - 1e-6; i++) leaves[i] = e
    }
    print head
    for (i = n - 1; i >= 0; i--) {
      j = int(rand() * (i + 1))
      for (e = 1; e <= exits; e++) printf("%s0,%d", e > 1 ? "," : "", e >= leaves[j])
      print ""
      leaves[j] = leaves[i]
    }
  }' > "$out/outcomes.csv"
  edgeexit import exits "$out/outcomes.csv" --classes 1000 \
    --layers "$(grep -o '"attach":[0-9]*' "$out/info" | awk -F: '{ print $2 + 1 }' | paste -sd,)" \
    --prediction "$(head -1 "$out/outcomes.csv" | tr , '\n' | grep p | paste -sd,)" \
    --confidence "$(head -1 "$out/outcomes.csv" | tr , '\n' | grep c | paste -sd,)" \
    -o "$out/outcomes.h5" > /dev/null
}

# Times of splits in OUT/splits: layers on the slow device, seconds that it is busy, that the fast
# one is, bytes over the link, and the share of samples that cross, per sample.
find_splits() {
  edgeexit info "$out/$name.h5" > "$out/info.txt"
  edgeexit info "$out/$name.h5" --json | tr '{' '\n' > "$out/info"
  awk -v slow="${SLOW}e9" -v fast="${FAST}e9" -v shares="$shares" '
    function value(key) {
      match($0, "\"" key "\":[0-9.e+]*")
      return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
    }
    FNR == NR {
      if (FNR == 1) {
        sub(/.*input \[/, ""); sub(/\].*/, "")
        bytes[0] = 4
        for (i = split($0, side, ", "); i > 0; i--) bytes[0] *= side[i]
      }
      next
    }
    /"cut_bytes"/ { work[n++] = value("flops"); bytes[n] = value("cut_bytes") }
    /"head_flops"/ { head[value("attach")] += value("head_flops"); leave[value("attach")] = ++exits }
    END {
      split(shares, share, "/")
      for (l = 0; l < n; l++) {
        reach[l] = l == 0 ? 1 : reach[l - 1] - share[leave[l - 1]]
        all += load[l] = reach[l] * (work[l] + head[l])
      }
      for (s = 0; s <= n; s++) {
        printf "%d %.12g %.12g %.12g %.12g\n", s, before / slow, (all - before) / fast,
          s < n ? reach[s] * bytes[s] : 0, s < n ? reach[s] : 0
        before += load[s]
      }
    }' "$out/info.txt" "$out/info" > "$out/splits"
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
