#!/usr/bin/env bash
# Builds kube-apiserver and kube-controller-manager from Debian's own source package, once, and prints the folder that
# holds them. The integration tests run them as a real control plane; no container engine and no cluster is needed.
#
#   scripts/apiserver.sh          build if there is nothing in the cache yet (several minutes), print the folder
#   scripts/apiserver.sh --find   print the folder, or fail at once when there is none
#
# The result goes to ${PAWL_TEST_CACHE:-~/.cache/pawl-tests}/kubernetes-<source version>, outside the checkout so that it
# outlives it. It is built in a folder beside it, under a lock, and moved into place whole: a folder that is there is
# complete. To build anew, remove it.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

cache="${PAWL_TEST_CACHE:-${HOME:?HOME is not set; set it or PAWL_TEST_CACHE}/.cache/pawl-tests}"
go_root=/usr/lib/go-1.19 # Debian's; another Go may come first in PATH, and a newer one does not build this source
programs=(kube-apiserver kube-controller-manager)
started=$SECONDS
step="starting"
work=""
ticker=""

say() { printf 'apiserver: %s\n' "$*" >&2; }
elapsed() { printf '%dm%02ds' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }

# The newest complete build in the cache, if any.
find_built() {
    local newest
    newest="$(find "$cache" -maxdepth 1 -type d -name 'kubernetes-*' 2>/dev/null | sort -V | tail -n 1)"
    [[ -n "$newest" ]] && printf '%s\n' "$newest"
}

stop_ticker() {
    [[ -z "$ticker" ]] || kill "$ticker" 2>/dev/null || true
    ticker=""
}

# Says which step we are in, now and then again every 15 seconds (every second, in place, on a terminal).
announce() {
    step="$*"
    stop_ticker
    say "$(elapsed) $step"
    # The sleep goes with the ticker: left behind, it would hold the caller's pipe open.
    if [[ -t 2 ]]; then
        (trap 'kill $! 2>/dev/null; exit' TERM
            while sleep 1 & wait $!; do printf '\rapiserver: %s %s' "$(elapsed)" "$step" >&2; done) &
    else
        (trap 'kill $! 2>/dev/null; exit' TERM
            while sleep 15 & wait $!; do say "$(elapsed) still $step"; done) &
    fi
    ticker=$!
}

clean_up() {
    local rc=$?
    stop_ticker
    if ((rc != 0)) && [[ -n "$work" && -s "$work/log" ]]; then
        cp "$work/log" "$cache/apiserver-build.log"
        say "failed while $step; the end of the log ($cache/apiserver-build.log):"
        tail -n 30 "$work/log" >&2
    fi
    [[ -z "$work" ]] || rm -rf "$work"
}

# Writes private source entries to $1: this machine's entries for its own Debian release, as deb-src. Entries of
# other vendors are left out: they hold no Kubernetes source and often no sources at all.
write_sources() {
    local folder="$1" codename
    codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:?this Debian does not tell its code name}")"
    find /etc/apt/sources.list.d -name '*.sources' -exec cat {} \; -exec echo \; 2>/dev/null |
        awk -v RS= -v code="$codename" '
            !/(^|\n)Enabled:[ \t]*no/ && $0 ~ "(^|\n)Suites:[^\n]*[ \t]" code "(-updates|-security)?([ \t]|\n|$)" {
                sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); sub(/^\n/, ""); print $0 "\n"
            }' >"$folder/pawl.sources"
    { cat /etc/apt/sources.list 2>/dev/null || true; find /etc/apt/sources.list.d -name '*.list' -exec cat {} \; ; } |
        awk -v code="$codename" '
            $1 == "deb" && $0 ~ "[ \t]" code "(-updates|-security)?[ \t]+main" { $1 = "deb-src"; print }
        ' >"$folder/pawl.list"
    if [[ ! -s "$folder/pawl.sources" && ! -s "$folder/pawl.list" ]]; then
        say "found no source entry for Debian $codename under /etc/apt; the tests build Kubernetes from Debian's source"
        return 1
    fi
}

# Everything that prints goes to the log; the caller shows its end when a step fails.
build() {
    local version upstream tree reflect apt
    mkdir -p "$work"/{sources,lists/partial,fetch,home,src/k8s.io}
    write_sources "$work/sources"
    apt=(apt-get -q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/sources"
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
        -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Retries=3")

    announce "fetching the list of source packages"
    "${apt[@]}" update >>"$work/log" 2>&1
    announce "fetching the sources of Kubernetes (34 MB)"
    (cd "$work/fetch" && "${apt[@]}" source --only-source kubernetes golang-github-modern-go-reflect2) \
        >>"$work/log" 2>&1

    version="$(sed -n 's/^Version: //p' "$work"/fetch/kubernetes_*.dsc)"
    upstream="${version%-*}"
    upstream="v${upstream##*really}"
    tree="$work/src/k8s.io/kubernetes"
    mv "$work"/fetch/kubernetes-*/ "$tree"

    # The vendored reflect2 1.0.1 crashes under Go 1.18 and later; Debian's 1.0.2 does not. Replaced, not merged.
    reflect="$tree/vendor/github.com/modern-go/reflect2"
    rm -rf "${reflect:?}"/*
    (cd "$work"/fetch/golang-github-modern-go-reflect2-*/ && cp ./*.go ./*.s "$reflect/")
    rm -f "$reflect"/*_test.go

    cat >"$work/version" <<END
KUBE_GIT_COMMIT='unknown'
KUBE_GIT_TREE_STATE='archive'
KUBE_GIT_VERSION='$upstream'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='$(cut -d. -f2 <<<"$upstream")'
END
    announce "building ${programs[*]} $upstream (5 minutes on two free cores)"
    (cd "$tree" && nice -n "${PAWL_BUILD_NICE:-10}" env -u GOROOT -u GOBIN HOME="$work/home" GOPATH="$work" GOFLAGS= \
        GO111MODULE=off GOPROXY=off GOCACHE="$work/gocache" PATH="$go_root/bin:$PATH" CGO_ENABLED=0 \
        KUBE_GIT_VERSION_FILE="$work/version" make WHAT="${programs[*]/#/cmd/}") >>"$work/log" 2>&1

    announce "stripping"
    mkdir "$work/result"
    for program in "${programs[@]}"; do
        strip -o "$work/result/$program" "$tree/_output/bin/$program" >>"$work/log" 2>&1
        "$work/result/$program" --version >>"$work/log" 2>&1
    done
    mv "$work/result" "$cache/kubernetes-$version"
    stop_ticker
    say "$(elapsed) built $upstream"
}

case "${1:-}" in
    --find)
        find_built || { say "there is no build in $cache; make one with scripts/apiserver.sh"; exit 1; }
        exit ;;
    "") ;;
    *) say "usage: scripts/apiserver.sh [--find]"; exit 2 ;;
esac

if find_built; then exit 0; fi

packages_install test
mkdir -p "$cache"
exec 9>"$cache/apiserver.lock"
if ! flock -n 9; then
    say "another build is under way; waiting for it"
    flock 9
fi
if find_built; then exit 0; fi

trap clean_up EXIT
trap 'exit 130' INT TERM
rm -rf "$cache"/apiserver-work.* # left by a build that was killed; we hold the lock
work="$(mktemp -d "$cache/apiserver-work.XXXXXX")"
build 9>&-
find_built
