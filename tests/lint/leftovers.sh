#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No marks of unfinished work, and no path of one machine.
source "$(dirname "$0")/sources.sh"

# Written so that they do not match themselves.
marks='\<(T[O]DO|F[I]XME|X[X]X|H[A]CK)\>'
paths='(^|[^[:alnum:]_.~-])/(wor[k]|hom[e]|roo[t])/'

violation_lines < <(list_files '*' | tr '\n' '\0' | xargs -0 grep -InE "$marks|$paths")
finish
