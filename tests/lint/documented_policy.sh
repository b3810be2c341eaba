#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The policy that docs/policies.md adds as an example is under 80 lines and compiles with today's
# headers, and the page names every list that a policy has to be added to.  EE_INCLUDE_FLAGS: as for public_headers.sh.
source "$(dirname "$0")/sources.sh"

page=docs/policies.md
[ -e "$page" ] || skip "there is no $page"
command -v cc > /dev/null || skip "cc is not there"
read -ra include_flags <<< "${EE_INCLUDE_FLAGS-}"
code=$(awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$page")
grep -q 'ee_policy_ops ee_policy_' <<< "$code" || violation "$page: no example of a policy"
[ "$(wc -l <<< "$code")" -lt 80 ] || violation "$page: the example has 80 lines or more"
for list in lib/exits/policies.c tests/unit/exits/test_policies.c tests/e2e/policies.sh; do
  grep -qF "\`$list\`" "$page" || violation "$page: a new policy has to be added to $list, too"
done
cc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -fsyntax-only -x c - -Ilib/include \
  -Ilib/exits "${include_flags[@]}" <<< "$code" || violation "$page: the example does not compile"
finish
