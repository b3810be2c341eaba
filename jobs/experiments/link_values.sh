#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Values of 32, 16 and 8 bits between two devices: what they cost in accuracy and gain on a slow link,
# at several cuts of our residual network for CIFAR-10, with early exits and without; and what
# --link-values auto makes of that.
#
#   jobs/experiments/link_values.sh [OUT]
#
# Needs CIFAR10_DIR and a build with SimGrid.  CUTS: layers in front of which the network is cut,
# default "3 5 8 10 13".  BANDWIDTHS [Mbit/s] of the second table, default "5 10 20 50 100", of which the
# first table has the second.  STREAM: simulated samples, default 1000.  LOSS: that auto may cost,
# default 0.002.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
CUTS=${CUTS:-3 5 8 10 13}
BANDWIDTHS=${BANDWIDTHS:-5 10 20 50 100}
STREAM=${STREAM:-1000}
LOSS=${LOSS:-0.002}
policies=(final threshold:value=0.8)
model=io/models/resnet_cifar10.h5
[ -e "$BUILD/bin/edgeexit-simulated" ] ||
  die "built without SimGrid; jobs/setup.sh sim installs it"
need_cifar10
cifar10_data
score "$model" f32

# fleet BANDWIDTH
fleet() {
  cat > "$out/fleet.yaml" << FLEET
devices: [{name: camera, flops: 20G}, {name: hub, flops: 20G}]
links: {default: {bandwidth: $1Mbit/s, latency: 1ms}}
FLEET
}

# table VALUES CUT: the name of its exit table
table() {
  if [ "$1" = f32 ]; then
    echo f32
  else
    [ -e "$out/$1-$2.h5" ] || edgeexit score "$model" "$out/batch5.h5" --link-values "$1" \
      --cuts "$2" -o "$out/$1-$2.h5" > /dev/null
    echo "$1-$2"
  fi
}

# accuracy TABLE POLICY
accuracy() {
  edgeexit policy "$out/$1.h5" --policy "$2" --json > "$out/policy.json"
  figure "$out/policy.json" accuracy
}

# simulated TABLE VALUES CUT POLICY: samples per second, and kB that the camera sends per sample
simulated() {
  edgeexit simulate "$model" --outcomes "$out/$1.h5" --fleet "$out/fleet.yaml" --cuts "$3" \
    --link-values "$2" --policy "$4" --samples "$STREAM" --rebalance off --epoch 50 --json \
    > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  echo "$(figure "$out/run.json" throughput_per_s)" "$(awk -v b="$(figure "$out/run.json" sent_bytes)" \
    -v n="$(figure "$out/run.json" samples)" 'BEGIN { print b / n / 1000 }')"
}

read -r _ slow _ <<< "$BANDWIDTHS"
fleet "$slow"
printf 'samples/s on a link of %s Mbit/s\n%3s %-6s' "$slow" cut values
for policy in "${policies[@]}"; do printf ' | %-19s %8s %9s %8s' "$policy" loss samples/s kB; done
echo
for cut in $CUTS; do
  for values in f32 f16 int8; do
    name=$(table "$values" "$cut")
    printf '%3d %-6s' "$cut" "$values"
    for policy in "${policies[@]}"; do
      read -r rate bytes < <(simulated "$name" "$values" "$cut" "$policy")
      awk -v a="$(accuracy "$name" "$policy")" -v whole="$(accuracy f32 "$policy")" -v r="$rate" \
        -v b="$bytes" 'BEGIN { printf " | %-19.4f %8.4f %9.1f %8.2f", a, whole - a, r, b }'
    done
    echo
  done
done

# planned BANDWIDTH POLICY OPTION...: samples per second that plan promises for two devices
planned() {
  edgeexit plan "$model" --fleet "$out/fleet.yaml" --exits "$out/f32.h5" --policy "$2" "${@:3}" \
    --json > "$out/plan.json"
  sed 's/.*"devices":2,"period_s"/{"period_s"/' "$out/plan.json" > "$out/two.json"
  figure "$out/two.json" throughput_per_s
}

tables=$(for cut in $CUTS; do echo "$out/int8-$cut.h5"; done | paste -sd,)
printf '\n%-19s %8s %9s %9s %9s %9s  %s\n' policy Mbit/s f32 f16 int8 auto "auto's links and plan"
for policy in "${policies[@]}"; do
  for bandwidth in $BANDWIDTHS; do
    fleet "$bandwidth"
    printf '%-19s %8s' "$policy" "$bandwidth"
    for values in f32 f16 int8; do
      printf ' %9.1f' "$(planned "$bandwidth" "$policy" --link-values $values)"
    done
    printf ' %9.1f' "$(planned "$bandwidth" "$policy" --link-values auto --exits-int8 "$tables" \
      --max-accuracy-loss "$LOSS")"
    sed 's/.*"link_values":\[\([^]]*\)\].*"plan":"\([^"]*\)".*/  \1  \2/; s/"//g' "$out/two.json"
  done
done
