#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where to split a network between a device and a server while a mobile network between them goes up
# and down as it was recorded: fixed splits, the controller, Petals' rule, and an oracle that has in
# each stretch of time the split that answered most in it.  Simulated.
#
#   jobs/experiments/mobile_split.sh [OUT]
#
# TRACES: files of recorded bandwidths; default two of LTE below EE_TEST_DATA.
# STREAM: samples, default 13000.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=splits.sh
. jobs/experiments/splits.sh
STREAM=${STREAM:-13000}
SLOW=1.5 FAST=15  # of the devices [GFLOP/s]
LATENCY=0.02      # of the link [s]
STRETCHES='1 10'  # in which an oracle keeps its split [s]
name=balexnet shares=0.5/0.2/0.3
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"
command -v h5dump > /dev/null || die "h5dump is not there; jobs/setup.sh test installs it"
if [ -z "${TRACES-}" ]; then
  recorded=${EE_TEST_DATA-}/network-traces/mahimahi
  TRACES="$recorded/Verizon-LTE-short.up $recorded/ATT-LTE-driving-2016.down"
  if [ -z "${EE_TEST_DATA-}" ] || [ ! -d "$recorded" ]; then
    echo "no recorded networks: neither TRACES nor EE_TEST_DATA says where they are; left out"
    exit 0
  fi
fi

# The splits that have the shortest period at some bandwidth, or hardly more: layers on the device,
# and from which bandwidth on [Mbit/s] another one is worse by a fiftieth, to OUT/bands.
find_bands() {
  awk '{ s[NR] = $1; slow[NR] = $2; fast[NR] = $3; bytes[NR] = $4 }
    END {
      for (mbit = 0.05; mbit < 100; mbit *= 1.001) {
        best = 0
        for (k = 1; k <= NR; k++) {
          period[k] = bytes[k] * 8e-6 / mbit
          if (slow[k] > period[k]) period[k] = slow[k]
          if (fast[k] > period[k]) period[k] = fast[k]
          if (!best || period[k] < period[best] * (1 - 1e-9)) best = k
        }
        if (at && period[at] < 1.02 * period[best]) continue
        if (best != at) printf "%d %.2f\n", s[best], mbit
        at = best
      }
    }' "$out/splits" > "$out/bands"
}

# seconds_between FILE LOW HIGH: share of the seconds of a record of packets that have such a mean
# bandwidth [Mbit/s]
seconds_between() {
  awk -v low="$2" -v high="$3" '{ packets[int($1 / 1000)]++; last = int($1 / 1000) }
    END {
      for (k = 0; k < last; k++) n += packets[k] * 0.012 >= low && packets[k] * 0.012 < high
      printf "%.2f", n / last
    }' "$1"
}

# fleet TRACE [LAYERS]: OUT/fleet.yaml; a device that is to have none of so many layers has no memory
fleet() {
  local nothing='memory: 1kB, ' slow='' fast='' last
  last=$(tail -n 1 "$out/splits" | cut -d' ' -f1)
  [ "${2-}" != 0 ] || slow=$nothing
  [ "${2-}" != "$last" ] || fast=$nothing
  cat > "$out/fleet.yaml" << FLEET
devices:
  - {name: device, ${slow}flops: ${SLOW}G}
  - {name: server, ${fast}flops: ${FAST}G}
links: {default: {trace: $1, latency: ${LATENCY}s}}
FLEET
}

# serve EPOCH [OPTION...]: OUT/run.json, and seconds of each answer in OUT/answered
serve() {
  local moving=(--weights file)
  [[ " $* " != *" --rebalance off "* ]] || moving=()
  rm -f "$out/run.h5"*
  edgeexit simulate "$out/$name.h5" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" \
    --shares "$shares" --policy threshold:value=0.5 --batch 4 "${moving[@]}" --epoch "$1" \
    --trace "$out/run.h5" --json "${@:2}" > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  h5dump -y -w 0 -d /samples "$out/run.h5.part0" | awk '
    /^ *H5T_/ { members++; if (/"answered"/) answered = members }
    /^ *-?[0-9n]/ && ++member == answered { print $1 * 1e-9 }
    /}/ { member = 0 }' > "$out/answered"
}

# note NAME: one more row of the table, whose answers by time are OUT/N.answered
note() {
  rows=$((rows + 1))
  mv "$out/answered" "$out/$rows.answered"
  printf '%s|%s|%s\n' "$1" "$(figure "$out/run.json" latency_mean_s)" \
    "$(figure "$out/run.json" moves_done)" >> "$out/rows"
}

# Answers within the time that all runs have in common, row by row; the first FIXED rows are those
# of the oracle.
table() {
  local end row
  for row in $(seq "$rows"); do sort -g "$out/$row.answered" | tail -n 1; done |
    sort -g | head -n 1 | cut -d. -f1 > "$out/end"
  end=$(($(cat "$out/end") / 10 * 10))
  for row in $(seq "$rows"); do awk -v row="$row" '{ print row, $1 }' "$out/$row.answered"; done |
    awk -v end="$end" -v fixed="$1" -v stretches="$STRETCHES" -v file="$out/rows" '
    $2 < end {
      n[$1]++
      for (i = split(stretches, stretch, " "); i > 0; i--) in_stretch[i, int($2 / stretch[i]), $1]++
    }
    END {
      n_oracles = split(stretches, stretch, " ")
      for (i = 1; i <= n_oracles; i++) {
        for (k = 0; k * stretch[i] < end; k++) {
          most = 0
          for (row = 1; row <= fixed; row++) {
            if (in_stretch[i, k, row] > most) most = in_stretch[i, k, row]
          }
          oracle[i] += most
        }
        printf("oracle, keeps a split for %2d s      %7.1f\n", stretch[i], oracle[i] / end)
      }
      for (row = 1; (getline line < file) > 0; row++) {
        split(line, field, "|")
        printf "%-34s %7.1f", field[1], n[row] / end
        for (i = 1; i <= n_oracles; i++) printf " %6.3f", n[row] / oracle[i]
        printf " %8.0f %6d\n", field[2] * 1e3, field[3]
      }
    }'
}

# compare TRACE: the table of one record
compare() {
  local layers low high epoch every last splits
  last=$(tail -n 1 "$out/splits" | cut -d' ' -f1)
  mapfile -t splits < <(cut -d' ' -f1 "$out/bands" | sort -nu)
  rows=0
  : > "$out/rows"
  printf '\n%s: seconds at bandwidths of' "$(basename "$1")"
  while read -r layers low high; do
    printf '  %s layers on the device %s' "$layers" "$(seconds_between "$1" "$low" "$high")"
  done < <(awk '{ if (NR > 1) print layers, low, $2; layers = $1; low = NR > 1 ? $2 : 0 }
    END { print layers, low, 1e9 }' "$out/bands")
  printf '\n%-34s %7s %6s %6s %8s %6s\n' plan samples/s 'of 1 s' '10 s' 'mean ms' moves
  for layers in "${splits[@]}"; do
    fleet "$1" "$layers"
    case $layers in
      0 | "$last") serve 32 --rebalance off ;;
      *) serve 32 --rebalance off --cuts "$layers" ;;
    esac
    note "fixed, $layers layers on the device"
  done
  fixed=$rows
  fleet "$1"
  for epoch in 16 32 128; do
    serve "$epoch"
    note "controller, epochs of $epoch"
  done
  serve 32 --hold 1 --cooldown 0
  note 'controller that does not wait'
  for every in 2 8; do
    serve 32 --rule petals --look-every "$every"
    note "Petals' rule, every $every epochs"
  done
  table "$fixed"
}

cp io/models/balexnet_cifar10.h5 "$out/$name.h5"
find_splits
find_bands
outcomes "$STREAM" 10
awk '{ printf "from %6.2f Mbit/s on: %d layers on the device\n", $2, $1 }' "$out/bands"
for trace in $TRACES; do compare "$(realpath "$trace")"; done
