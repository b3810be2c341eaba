#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A network on a slow device and a fast one whose link is a recorded LTE network, with live moves: the
# split of each window of time next to the one that the formula has for the bandwidth of that window,
# how long it takes to follow, and the latency next to that of splits that stay.
#
#   jobs/experiments/split_trace.sh [OUT]
#
# TRACE: milliseconds at which a packet of 1,500 bytes may cross, one a line; default the first LTE
# trace of EE_TEST_DATA, without which one is drawn.  RATE: samples per second, default 8.
# LASTS: seconds of the run, default 240.  EPOCH: samples, default 8.  WINDOW: seconds, default 5.
# MEMORY: of the slow device, default 3MB, and MOST: layers that fit into it, default 13, so that some
# samples cross the link whatever the split; with all layers there the link is not measured any more.
# The plain backend, whose weights are not packed, needs as much memory on every host.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=splits.sh
. jobs/experiments/splits.sh
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"
RATE=${RATE:-8} LASTS=${LASTS:-240} EPOCH=${EPOCH:-8} WINDOW=${WINDOW:-5}
MEMORY=${MEMORY:-3MB} MOST=${MOST:-13}
SLOW=5 FAST=50   # of the devices [GFLOP/s]
LATENCY=0.0002   # [s]
TRACE=${TRACE:-${EE_TEST_DATA:+$EE_TEST_DATA/network-traces/mahimahi/ATT-LTE-driving-2016.down}}

# A network that changes every few seconds between 1 and 9 Mbit/s, for two minutes.
draw_trace() {
  awk 'BEGIN {
    srand(7)
    for (ms = 0; ms < 120000; ms++) {
      if (ms % 4000 == 0) rate = exp(log(1) + rand() * log(9))
      for (due += rate / 12; due >= 1; due--) print ms
    }
  }'
}

if [ -n "$TRACE" ] && [ -r "$TRACE" ]; then
  cp "$TRACE" "$out/lte.trace"
  echo "link: $(basename "$TRACE")"
else
  draw_trace > "$out/lte.trace"
  echo 'link: drawn, since EE_TEST_DATA has no LTE trace'
fi
# shellcheck disable=SC2034  # for splits.sh
name=net shares=0.7/0.2/0.1
cp io/models/resnet_cifar10.h5 "$out/net.h5"
find_splits
outcomes $((RATE * LASTS)) 10
cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: slow, flops: ${SLOW}G, memory: $MEMORY}
  - {name: fast, flops: ${FAST}G}
links: {default: {trace: lte.trace, latency: ${LATENCY}s}}
FLEET

# serve NAME OPTION...: OUT/NAME.json
serve() {
  edgeexit simulate "$out/net.h5" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" --batch 1 \
    --policy threshold:value=0.5 --rate "$RATE" --epoch "$EPOCH" --planner latency --backend ref \
    --trace "$out/$1.h5" --json "${@:2}" > "$out/$1.json" 2> "$out/err" || die "$(cat "$out/err")"
}

serve moving --shares "$shares" --weights file
edgeexit report --json "$out/moving.h5" > "$out/report.json"
# layers on the slow device, and the first sample with that split
grep -o '"plan":"[^"]*","answers":[0-9]*,"first_id":[0-9]*' "$out/report.json" | tr -d '"' |
  sed 's/plan://; s/,answers:[0-9]*,first_id:/;/' |
  awk -F';' '{ n = 0; if (match($1, /^0-?[0-9]* @0/)) { split($1, end, /[- ]/); n = ($1 ~ /^0-/ ? end[2] : 0) + 1 }
    print n, $2 }' > "$out/held"
awk -v rate="$RATE" -v window="$WINDOW" -v long="$LASTS" -v most="$MOST" -v latency="$LATENCY" '
  FILENAME ~ /splits$/ && $1 > most { next }
  FILENAME ~ /splits$/ { s[NR] = $1; fixed[NR] = $2 + $3 + $5 * latency; bytes[NR] = $4; splits = NR; next }
  FILENAME ~ /held$/ { from[plans] = $2 / rate; held[plans++] = $1; next }
  { at[packets++] = $1; period = $1 + 1 }
  function crossed(ms, low, high, middle) {  # packets before the time, over and over
    low = 0; high = packets
    while (low < high) { middle = int((low + high) / 2); if (at[middle] < ms % period) low = middle + 1; else high = middle }
    return int(ms / period) * packets + low
  }
  function seconds(k, mbit) { return fixed[k] + bytes[k] * 8e-6 / mbit }
  END {
    printf "%6s %9s %8s %8s %10s %10s\n", "at s", "Mbit/s", "formula", "held", "formula ms", "held ms"
    for (t = 0; t + window <= long; t += window) {
      mbit = (crossed(1000 * (t + window)) - crossed(1000 * t)) * 0.012 / window
      if (mbit < 0.012) mbit = 0.012
      for (best = k = 1; k <= splits; k++) if (seconds(k, mbit) < seconds(best, mbit)) best = k
      for (now = p = 0; p < plans; p++) if (from[p] <= t + window / 2) now = p
      for (mine = k = 1; k <= splits; k++) if (s[k] == held[now]) mine = k
      windows++
      same += mine == best
      near += seconds(mine, mbit) <= 1.05 * seconds(best, mbit)
      ideal += seconds(best, mbit); had += seconds(mine, mbit)
      if (best != last && t > 0) { wants[changes] = best; when[changes++] = t }
      last = best
      printf "%6d %9.2f %8d %8d %10.1f %10.1f\n", t, mbit, s[best], s[mine], seconds(best, mbit) * 1e3, seconds(mine, mbit) * 1e3
    }
    printf "%d windows: the split of the formula in %d, one within 5 %% of its latency in %d; mean latency by the formula %.1f ms, with the splits held %.1f ms\n",
      windows, same, near, ideal / windows * 1e3, had / windows * 1e3
    for (c = 0; c < changes; c++) {
      end = c + 1 < changes ? when[c + 1] : long
      for (p = 0; p < plans; p++) if (held[p] == s[wants[c]] && from[p] < end && (p + 1 == plans || from[p + 1] > when[c])) {
        lag = from[p] > when[c] ? from[p] - when[c] : 0
        followed++; sum += lag; most = lag > most ? lag : most
        break
      }
    }
    if (changes) printf "the formula changes %d times, of which %d were followed before it changed again, %.1f s later in the mean and %.1f s at most\n",
      changes, followed, followed ? sum / followed : 0, most
  }' "$out/splits" "$out/held" "$out/lte.trace"

printf '\n%-24s %10s %10s %6s\n' split 'mean ms' 'p95 ms' moves
row() {
  printf '%-24s %10.1f %10.1f %6s\n' "$1" "$(awk -v x="$(figure "$out/$2.json" latency_mean_s)" 'BEGIN { print 1e3 * x }')" \
    "$(awk -v x="$(figure "$out/$2.json" latency_p95_s)" 'BEGIN { print 1e3 * x }')" "$(figure "$out/$2.json" moves_done)"
}
row 'with live moves' moving
serve "stays" --rebalance off --cuts "$MOST"
row "stays: $MOST layers" stays
sed -i 's/, memory: [^}]*/, memory: 1kB/' "$out/fleet.yaml"
serve none --rebalance off --shares "$shares"
row 'stays: 0 layers' none
