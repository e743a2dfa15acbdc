#!/usr/bin/env bash
# Nothing in the repository depends on the machine that it was written on: no absolute paths of a private work folder
# and no hosts of package mirrors, which are the reader's own choice.
#
# Prints every violation as file:line:text; exits 1 if there was one. (The patterns are spelled so as not to find
# themselves.)

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

paths='(^|[^[:alnum:]_./-])/([w]ork|tmp/[w])/'
hosts='(deb|security|snapshot|ftp)\.[d]ebian\.org|(^|[^.])[p]ypi\.org|[r]egistry\.npmjs|[p]roxy\.golang|[r]epo\.maven|[c]rates\.io'

# An empty `found` is what we want, and git grep calls that a failure.
found="$(git grep --untracked -InE -e "$paths" -e "$hosts" || true)"
[[ -z "$found" ]] || { printf '%s\n' "$found"; exit 1; }
