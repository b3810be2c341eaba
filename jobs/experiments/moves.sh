#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Three ways to move layers when a device becomes free: gaps between answers at the change of plans
# and elsewhere.  ResNet-50 with two early exits on three simulated devices; the first one becomes
# four times as fast on the way, so that layers come back to it.
#
#   jobs/experiments/moves.sh [OUT]
#
# CLOCK: simulated (default) or paced, on which each way takes a minute and a half.
# LINK: bandwidth between devices, default 200Mbit/s.  STREAM: number of samples, default 900, of
# which about 10 are answered in a second.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
LINK=${LINK:-200Mbit/s}
STREAM=${STREAM:-900}
CLOCK=${CLOCK:-simulated}
export_mpi_settings
case $CLOCK in
  paced) start=(run) ;;
  simulated)
    [ -e "$BUILD/bin/edgeexit-simulated" ] ||
      die "built without SimGrid; jobs/setup.sh sim installs it"
    start=(simulate)
    ;;
  *) die "CLOCK is $CLOCK; expected paced or simulated" ;;
esac

resnet50_with_exits 0.3 0.3 "$STREAM"
cat > "$out/fleet.yaml" << FLEET
name: three devices, one of which becomes free
devices:
  - {name: a, flops: 10G, speed: [{at: $((STREAM * 2 / 45)), factor: 4}]}
  - {name: b, flops: 20G}
  - {name: c, flops: 20G}
links: {default: {bandwidth: $LINK, latency: 1ms}}
FLEET

printf '%-6s %9s %9s %10s | %10s %10s | %10s %10s\n' move answered 'moved MB' samples/s 'gap p99 ms' \
  'max ms' 'change p99' 'max ms'
for how in live build drain; do
  edgeexit "${start[@]}" "$out/resnet50.h5" --outcomes "$out/outcomes.h5" --fleet "$out/fleet.yaml" \
    --shares 0.3/0.3/0.4 --batch 1 --slots 8 --epoch 20 --move "$how" --trace "$out/$how.h5" \
    > "$out/run.txt" 2> "$out/err" < /dev/null || die "$(cat "$out/err")"
  edgeexit report "$out/$how.h5" > "$out/$how.txt"
  awk -v how="$how" '
    { gsub(",", "") }
    /^answered/ { answered = $2 }
    /^throughput/ { speed = $2 }
    /^gaps ms/ { gap = $8; most = $10 }
    /^plan  from/ { plans = 1; next }
    /^$/ { plans = 0 }
    plans && $5 != "-" { p99 = $5 > p99 ? $5 : p99; worst = $6 > worst ? $6 : worst }
    / moved / { moved = $2 / 1e6 }
    END { printf "%-6s %9s %9.1f %10s | %10s %10s | %10s %10s\n", how, answered, moved, speed, gap,
          most, p99, worst }' "$out/$how.txt"
done
