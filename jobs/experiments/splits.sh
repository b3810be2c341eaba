# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# Two devices, of SLOW and FAST GFLOP/s, and a network whose samples leave at its exits in the given
# shares: what each split takes.  To be sourced after common.sh; `name` is the network, OUT/NAME.h5,
# and `shares` are 0.3/0.3/0.4.

# outcomes N [CLASSES]: OUT/outcomes.h5, N samples in a drawn order
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
  edgeexit import exits "$out/outcomes.csv" --classes "${2:-1000}" \
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
