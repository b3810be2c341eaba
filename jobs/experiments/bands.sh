#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# VGG-16 in bands of rows over 2 and 3 equal devices, the picture on the first, over the ratio of link
# to compute speed: as HALP does it, exchanging rows after every layer, with rows at borders computed
# together with the others or apart while they travel; and with layers fused as is best.  Planned and
# simulated, and for one bandwidth paced.  Figures are times as fast as one device.
#
#   jobs/experiments/bands.sh [OUT]
#
# NETWORK: default a generated VGG-16.  SPEED: of a device in GFLOP/s, default 39.86, which takes
# 0.77 s for the convolutions.  BANDWIDTHS: in Mbit/s, default "10 25 50 100 200 400 1000".
# WORKERS: default "2 3".  PACED: bandwidth of the paced check, none if empty; default 100.  It is
# SLOWER times slower, links and devices alike, default 4, so that this host's own time is small, and
# the median of five samples.
# WINOGRAD: on or off, default off.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
SPEED=${SPEED:-39.86}
BANDWIDTHS=${BANDWIDTHS:-10 25 50 100 200 400 1000}
WORKERS=${WORKERS:-2 3}
PACED=${PACED-100}
SLOWER=${SLOWER:-4}
PUBLISHED=1.7  # HALP (arXiv 2211.13778): three Raspberry Pis, one of which hands out the rows
STREAM=8       # samples, one after the other
export EE_WINOGRAD=${WINOGRAD:-off}
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"
if [ -z "${NETWORK-}" ]; then
  NETWORK=$out/vgg16.h5
  [ -e "$NETWORK" ] || edgeexit generate network vgg16 -o "$NETWORK" > /dev/null
fi

# Every sample goes to the end, which is the only exit.
edgeexit info "$NETWORK" --json > "$out/info.json"
awk -v n=$STREAM 'BEGIN { print "p0,c0"; for (i = 0; i < n; i++) print "0,1" }' > "$out/outcomes.csv"
edgeexit import exits "$out/outcomes.csv" --prediction p0 --confidence c0 \
  --layers "$(grep -o '"flops"' "$out/info.json" | wc -l)" \
  --classes "$(figure "$out/info.json" classes)" -o "$out/outcomes.h5" > /dev/null

# times A B: their product
times() {
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.6g", a * b }'
}

# fleet WORKERS BANDWIDTH [SLOWER]
fleet() {
  local part
  part=$(awk -v s="${3:-1}" 'BEGIN { print 1 / s }')
  cat > "$out/fleet.yaml" << FLEET
devices: [{name: pi, flops: $(times "$SPEED" "$part")G, count: $1}]
links: {default: {bandwidth: $(times "$2" "$part")Mbit/s, latency: ${3:-1}ms}}
FLEET
}

# go CLOCK WORKERS OPTION...: a run whose samples do not meet, its figures in OUT/run.json
go() {
  local how=(simulate) slower=1
  [ "$1" = paced ] && how=(run --devices "$2" --samples 5) && slower=$SLOWER
  edgeexit "${how[@]}" "$NETWORK" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" \
    --policy final --rate "$(awk -v a="$ALONE" -v s="$slower" 'BEGIN { print 0.5 / a / s }')" --json "${@:3}" > "$out/run.json" 2> "$out/err" ||
    die "$(cat "$out/err")"
}

# gain FIGURE [SLOWER]: how many times as fast as one device
gain() {
  awk -v alone="$(times "$ALONE" "${2:-1}")" -v s="$(figure "$out/run.json" "$1")" \
    'BEGIN { printf "%.2f", alone / s }'
}

# ways CLOCK WORKERS BANDWIDTH: a row, and what was simulated to OUT/gains
ways() {
  local way planned measured slower=1 what=latency_mean_s
  [ "$1" = paced ] && slower=$SLOWER what=latency_p50_s
  fleet "$2" "$3" "$slower"
  printf '%-9s %7d %7s %9s' "$1" "$2" "$3" \
    "$(awk -v b="$3" -v s="$SPEED" 'BEGIN { printf "%.2f", b / s }')"
  for way in '--fuse 1 --borders together' '--fuse 1 --borders apart' '--borders auto'; do
    # shellcheck disable=SC2086 # several words
    go "$1" "$2" --bands auto $way
    planned=$(gain latency_predicted_s "$slower") measured=$(gain "$what" "$slower")
    printf '   %7s %8s' "$planned" "$measured"
    [ "$1" = paced ] || echo "$2 $3 ${way// /_} $measured" >> "$out/gains"
  done
  printf '\n'
}

# reached WORKERS WAY: from which bandwidth on it is as fast as published
reached() {
  awk -v w="$1" -v way="$2" -v p="$PUBLISHED" '$1 == w && $3 == way && $4 >= p { print "from " $2 " Mbit/s on"; found = 1; exit }
    END { if (!found) print "at none of these" }' "$out/gains"
}

fleet 1 1000
edgeexit plan "$NETWORK" --bands --fleet "$out/fleet.yaml" --json > "$out/plan.json" 2> "$out/err" ||
  die "$(cat "$out/err")"
ALONE=$(figure "$out/plan.json" latency_s)  # the first: on one device
: > "$out/gains"

printf 'one device takes %s s\n\n' "$ALONE"
printf '%-9s %7s %7s %9s   %-16s   %-16s   %s\n' '' '' '' '' 'each, together' 'each, apart' 'as is best'
printf '%-9s %7s %7s %9s   %7s %8s   %7s %8s   %7s %8s\n' clock workers Mbit/s bit/kFLOP planned \
  measured planned measured planned measured
for workers in $WORKERS; do
  for bandwidth in $BANDWIDTHS; do ways simulated "$workers" "$bandwidth"; done
  [ -z "$PACED" ] || ways paced "$workers" "$PACED"
done
printf '\npublished: %s with three Raspberry Pis\n' "$PUBLISHED"
for workers in $WORKERS; do
  printf '%d workers: exchange after each layer, borders together %s, apart %s; as is best %s\n' \
    "$workers" "$(reached "$workers" --fuse_1_--borders_together)" \
    "$(reached "$workers" --fuse_1_--borders_apart)" "$(reached "$workers" --borders_auto)"
done
