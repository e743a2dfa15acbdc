#!/usr/bin/env bash
# The layers of docs/architecture.md, checked: a folder includes only what lies below it, headers are named from the
# repository's root, and every header compiles alone.
#
#   scripts/check-layers.sh [--includes | --headers]     both checks, or one
#
# Prints every violation as file:line: text; exits 1 if there was one.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# folder → what it may include besides itself. The order of the folders is the order of the layers.
folders=(base model cache scanner git updater deploy daemon cli)
declare -A may_include=(
    [base]=""
    [model]="base"
    [cache]="base model"
    [scanner]="base model cache"
    [git]="base model"
    [updater]="base model git"
    [deploy]="base model git"
    [daemon]="base model cache scanner git updater deploy"
    [cli]="base model daemon"
)

sources() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [[ ! -f "$file" ]] || echo "$file"; done; }

check_includes() {
    local folder file line text wanted target bad=0
    for folder in "${folders[@]}"; do
        while IFS=: read -r file line text; do
            wanted="$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<<"$text")"
            target="${wanted%%/*}"
            if [[ "$wanted" != */* || "$wanted" == *..* ]]; then
                echo "$file:$line: \"$wanted\": write the path from the repository's root, as in \"$folder/$wanted\""
            elif [[ "$target" != "$folder" && " ${may_include[$folder]} " != *" $target "* ]]; then
                echo "$file:$line: $folder/ may not include $target/ (only: ${may_include[$folder]:-nothing of ours})"
            elif [[ ! -f "$wanted" ]]; then
                echo "$file:$line: there is no $wanted"
            else
                continue
            fi
            bad=1
        done < <(sources "$folder/*.[ch]" | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"')
    done
    return "$bad"
}

# A header in the middle of a change elsewhere must not need a lucky order of includes.
check_headers() {
    local headers
    headers="$(for folder in "${folders[@]}"; do sources "$folder/*.h"; done)"
    [[ -n "$headers" ]] || { echo "no headers found: is this the repository's root?"; return 1; }
    # shellcheck disable=SC2016  # expanded by the inner shell
    xargs -P "$(nproc)" -n 1 bash -c '
        text="$(printf "#include \"%s\"\n#include \"%s\"\n" "$1" "$1" | gcc -std=gnu17 -D_GNU_SOURCE -fsyntax-only \
            -Wall -Wextra -Werror -fmax-errors=3 -fdiagnostics-plain-output -I . -x c - 2>&1)" ||
            { printf "%s: does not compile alone\n%s\n" "$1" "$text"; exit 1; }' bash <<<"$headers"
}

case "${1:-}" in
    --includes) check_includes ;;
    --headers) check_headers ;;
    "") rc=0; check_includes || rc=1; check_headers || rc=1; exit "$rc" ;;
    *) echo "usage: scripts/check-layers.sh [--includes | --headers]" >&2; exit 2 ;;
esac
