#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When a network of parallel branches may stop: computation saved against accuracy by each rule,
# from stage to stage and from branch to branch (of three or more), and accuracy by the number of
# branches present.  A reconstruction of DistrEE (docs/distree.md).
#
#   CIFAR10_DIR=DIR jobs/experiments/distree_rules.sh OUT TRAINED [NAME]
#
# TRAINED: what apps/train/distree.sh has made.  NAME: of the network there; default k4.
# LOSSES: of accuracy, allowed on the kept samples.  Limits and temperatures are found on these; the
# figures are of batch 5.  PYTHON: a Python with PyTorch and ONNX; default /usr/bin/python3.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
LOSSES=${LOSSES:-0 0.0025 0.005 0.01 0.015 0.02 0.03}
python=${PYTHON:-/usr/bin/python3}
[ $# -ge 2 ] || die "usage: CIFAR10_DIR=DIR $0 OUT TRAINED [NAME]"
trained=$2 name=${3:-k4}
[ -r "$trained/$name.ckpt" ] ||
  die "$trained/$name.ckpt cannot be read; apps/train/distree.sh makes it"
need_cifar10
cifar10_data

# quiet COMMAND...: say something only if it fails
quiet() {
  "$@" > "$out/said.txt" 2>&1 || die "$(tail -1 "$out/said.txt")"
}

# tables VIEW [EXPORT_OPTION...]: OUT/VIEW-kept.h5 and OUT/VIEW-new.h5, the exit tables of the network
# seen so, calibrated on the kept samples
tables() {
  [ ! -e "$out/$1-new.h5" ] || return 0
  quiet "$python" -B apps/train/edgetrain.py --threads 1 export "$trained/$name.ckpt" "${@:2}" \
    --out "$out/$1.onnx"
  quiet edgeexit import onnx "$out/$1.onnx" -o "$out/$1.h5"
  quiet edgeexit calibrate "$out/$1.h5" "$out/kept.h5"
  quiet edgeexit score "$out/$1.h5" "$out/kept.h5" -o "$out/$1-kept.h5"
  quiet edgeexit score "$out/$1.h5" "$out/batch5.h5" -o "$out/$1-new.h5"
}

# limits VIEW POLICY LOSS: the policy that saves most on the kept samples and loses no more
limits() {
  local n least
  if [ "$2" != patience ]; then
    edgeexit policy "$out/$1-kept.h5" --policy "$2" --accuracy-loss "$3" | awk 'NR == 2 { print $3 }'
    return
  fi
  least=$(awk -v whole="$(of "$1-kept" final accuracy)" -v loss="$3" 'BEGIN { print whole - loss }')
  for n in 1 2; do
    if awk -v a="$(of "$1-kept" "patience:value=$n" accuracy)" -v least="$least" \
      'BEGIN { exit !(a >= least - 1e-9) }'; then
      echo "patience:value=$n"
      return
    fi
  done
  echo final
}

# of TABLE POLICY KEY [FACTOR]: a figure of the replay
of() {
  edgeexit policy "$out/$1.h5" --policy "$2" --json > "$out/policy.json"
  figure "$out/policy.json" "$3" "${4:-1}"
}

# row RULE VIEW POLICY LOSS: its figures on the samples that are reported
row() {
  local found
  found=$(limits "$2" "$3" "$4")
  edgeexit policy "$out/$2-new.h5" --policy "$found" --json > "$out/policy.json"
  awk -v rule="$1" -v loss="$4" -v a="$(figure "$out/policy.json" accuracy)" -v whole="$whole" \
    -v f="$(figure "$out/policy.json" mean_flops)" -v flops="$flops" -v policy="$found" \
    -v exits="$(sed 's/.*"exit_share":\[\([^]]*\)\].*/\1/; s/,/ /g' "$out/policy.json" |
      xargs printf '%.3f ')" 'BEGIN {
    printf "%-18s %7s %9.4f %7.2f %7.1f  %-26s %s\n", rule, loss, a, 100 * (whole - a),
      100 * (1 - f / flops), exits, policy
  }'
}

# between ROWS: what each rule saves where one point is lost, between its rows
between() {
  awk '{
    if (!($1 in x)) { order[++n] = $1; x[$1] = 0; y[$1] = 0 }
    if (!($1 in at) && $4 > 1) at[$1] = y[$1] + (1 - x[$1]) / ($4 - x[$1]) * ($5 - y[$1])
    if ($4 <= 1 && $5 >= y[$1]) { x[$1] = $4; y[$1] = $5 }
  }
  END {
    for (k = 1; k <= n; k++) {
      rule = order[k]
      if (rule in at) printf "%-18s %7.1f\n", rule, at[rule]
      else printf "%-18s %7.1f, with %.2f points lost\n", rule, y[rule], x[rule]
    }
  }' "$1"
}

# rules TITLE RULE=VIEW=POLICY...: all rows of these, and what is between them
rules() {
  local loss rest rule view
  rest=${2#*=} view=${rest%%=*}
  whole=$(of "$view-new" final accuracy) flops=$(of "$view-new" final mean_flops)
  printf '\n%s: without early exit %.4f, %.1f MFLOP\n' "$1" "$whole" \
    "$(of "$view-new" final mean_flops 1e-6)"
  printf '%-18s %7s %9s %7s %7s  %-26s %s\n' rule allowed accuracy lost saved exits policy
  for rule in "${@:2}"; do
    rest=${rule#*=}
    for loss in $LOSSES; do
      row "${rule%%=*}" "${rest%%=*}" "${rest#*=}" "$loss"
    done
  done | tee "$out/rows.txt"
  printf '\nsaved in %% where one point is lost\n'
  between "$out/rows.txt"
}

tables stages
for difference in l2 cosine; do tables "stages-$difference" --difference $difference; done
rules "from stage to stage" feature=stages=feature feature-l2=stages-l2=feature \
  feature-cosine=stages-cosine=feature kl=stages=kl l2=stages=l2 cosine=stages=cosine \
  confidence=stages=threshold margin=stages=margin entropy=stages=entropy patience=stages=patience

branches=$("$python" -c 'import sys, torch; print(torch.load(sys.argv[1])["options"]["branches"])' \
  "$trained/$name.ckpt")
if [ "$branches" -gt 2 ]; then  # of two, only the last could be compared with the one before it
  turns=$(seq -s , 1 "$branches")
  tables turns --in-turn "$turns"
  for difference in l2 cosine; do
    tables "turns-$difference" --in-turn "$turns" --difference $difference
  done
  rules "from branch to branch" feature=turns=feature feature-l2=turns-l2=feature \
    feature-cosine=turns-cosine=feature kl=turns=kl l2=turns=l2 cosine=turns=cosine \
    confidence=turns=threshold margin=turns=margin entropy=turns=entropy patience=turns=patience
fi

# every choice of branches, as a number whose bits they are
rm -f "$out/present.txt"
for ((choice = 1; choice < 1 << branches; choice++)); do
  here=""
  for ((k = 0; k < branches; k++)); do
    ((choice >> k & 1)) && here+=,$((k + 1))
  done
  here=${here#,}
  tables "present-${here//,/}" --present "$here"
  edgeexit info --json "$out/present-${here//,/}-new.h5" > "$out/info.json"
  printf '%s %s\n' "$here" \
    "$(sed 's/.*"accuracy":\[\([^]]*\)\].*/\1/; s/,/ /g' "$out/info.json")" >> "$out/present.txt"
done
printf '\naccuracy by branches present: mean of all choices (least to most)\n%8s' present
awk '{
  m = split($1, of, ",")
  n[m]++
  for (e = 2; e <= NF; e++) {
    sum[m, e] += $e
    if (n[m] == 1 || $e < low[m, e]) low[m, e] = $e
    if (n[m] == 1 || $e > high[m, e]) high[m, e] = $e
  }
  exits = NF
  if (m > most) most = m
}
END {
  for (e = 2; e <= exits; e++) printf "  %-26s", "exit " e - 1
  printf "\n"
  for (m = 1; m <= most; m++) {
    printf "%8d", m
    for (e = 2; e <= exits; e++)
      printf "  %.4f (%.4f to %.4f)  ", sum[m, e] / n[m], low[m, e], high[m, e]
    printf "\n"
  }
}' "$out/present.txt"
