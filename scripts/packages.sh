#!/usr/bin/env bash
# The one list of Debian packages that pawl needs, by purpose, and the way to install the missing ones.
#
#   scripts/packages.sh build test      install what is missing for these purposes
#   scripts/packages.sh --missing test  print what is missing, install nothing
#
# Other scripts source this file and call `packages_install PURPOSE…`.
#
# Some of these packages (docker-registry, memcached, etcd, sshd) would start a daemon as soon as they are installed, one
# of them on every interface, and again at the next boot. We want the programs only: nothing is started during the
# install, and a service that came with a package which we ourselves added is disabled. One that was there before is
# the owner's business and is left as it is.

set -euo pipefail

# purpose → packages. `run` is what a finished binary needs; `build` brings the same libraries with their headers.
declare -A PACKAGES=(
    [run]="ca-certificates git openssh-client libcurl4 libjansson4 libgit2-1.5 libyaml-0-2 libmemcached11 liblmdb0
        libpcre2-8-0 libssl3 zlib1g libmicrohttpd12 libsmartcols1 tzdata"
    [build]="gcc libc6-dev cmake ninja-build pkg-config git openssh-client ca-certificates libcurl4-openssl-dev
        libjansson-dev libgit2-dev libyaml-dev libmemcached-dev liblmdb-dev libpcre2-dev libssl-dev zlib1g-dev
        libmicrohttpd-dev libsmartcols-dev uthash-dev tzdata"
    [quickstart]="docker-registry curl"
    [test]="clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev llvm-14 libcmocka-dev shellcheck
        python3 python3-pytest python3-yaml docker-registry apache2-utils memcached openssh-server openssl
        etcd-server golang-go rsync make dpkg-dev curl"
)

# package → the services it would start.
declare -A PACKAGE_SERVICES=(
    [docker-registry]=docker-registry
    [memcached]=memcached
    [openssh-server]=ssh
    [etcd-server]=etcd
)

packages_say() { printf 'packages: %s\n' "$*" >&2; }

packages_is_installed() {
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# packages_missing PURPOSE… prints the packages of these purposes that are not installed, one a line, each once.
packages_missing() {
    local purpose package
    for purpose in "$@"; do
        if [[ -z "${PACKAGES[$purpose]:-}" ]]; then
            packages_say "no purpose named '$purpose'; there are: $(printf '%s\n' "${!PACKAGES[@]}" | sort | xargs)"
            return 2
        fi
        for package in ${PACKAGES[$purpose]}; do
            packages_is_installed "$package" || printf '%s\n' "$package"
        done
    done | sort -u
}

# Runs a command as root: as it is when we are, through sudo when we are not.
packages_as_root() {
    if [[ "$(id -u)" == 0 ]]; then "$@"; else sudo -- "$@"; fi
}

# Runs as root, in one shell of its own so that the guard is taken away again however apt ends. invoke-rc.d asks
# policy-rc.d before it starts a service; 101 means no. A policy that the owner of the machine has is not replaced.
# shellcheck disable=SC2016  # expanded by the shell that runs it
PACKAGES_INSTALL_QUIETLY='
    set -eu
    guard=/usr/sbin/policy-rc.d
    if [ ! -e "$guard" ]; then
        trap "rm -f $guard" EXIT
        trap "exit 130" INT TERM
        printf "#!/bin/sh\nexit 101\n" >"$guard"
        chmod 755 "$guard"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
'

# Runs a command and says every 15 seconds what the last line of its output is; shows the end of it when it fails.
packages_with_progress() {
    local log ticker rc=0
    log="$(mktemp)"
    (trap 'kill $! 2>/dev/null; exit' TERM
        while sleep 15 & wait $!; do packages_say "still at it: $(tail -n 1 "$log")"; done) &
    ticker=$!
    "$@" >"$log" 2>&1 || rc=$?
    kill "$ticker" 2>/dev/null || true
    ((rc == 0)) || tail -n 20 "$log" >&2
    rm -f "$log"
    return "$rc"
}

packages_install() {
    local missing package service
    missing="$(packages_missing "$@")" || return
    [[ -n "$missing" ]] || return 0

    if ! command -v apt-get >/dev/null; then
        packages_say "this machine has no apt-get; install the counterparts of these Debian packages by hand:" \
            "$(xargs <<<"$missing")"
        return 1
    fi
    if [[ "$(id -u)" != 0 ]] && ! command -v sudo >/dev/null; then
        packages_say "packages are missing and there is neither root nor sudo to install them. As root, run:"
        packages_say "  apt-get update && apt-get install --no-install-recommends $(xargs <<<"$missing")"
        return 1
    fi

    packages_say "installing (for $*): $(xargs <<<"$missing")"
    if ! packages_as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >&2; then
        packages_say "'apt-get update' failed; going on with the package lists that are here"
    fi
    # shellcheck disable=SC2086  # one word a package
    if ! packages_with_progress packages_as_root sh -c "$PACKAGES_INSTALL_QUIETLY" packages.sh $missing; then
        packages_say "apt-get could not install: $(xargs <<<"$missing")"
        packages_say "its own message is above; a name that it does not know means that this is not Debian 12" \
            "or that its package lists are old"
        return 1
    fi

    command -v systemctl >/dev/null || return 0
    for package in $missing; do
        service="${PACKAGE_SERVICES[$package]:-}"
        [[ -n "$service" ]] || continue
        if packages_as_root systemctl disable --quiet "$service" >/dev/null 2>&1; then
            packages_say "the service '$service' that came with $package is left disabled"
        else
            packages_say "could not disable the service '$service' that came with $package;" \
                "check 'systemctl status $service'"
        fi
    done
}

packages_main() {
    local purposes
    purposes="$(printf '%s\n' "${!PACKAGES[@]}" | sort | xargs)"
    case "${1:-}" in
        "" | -h | --help)
            printf 'usage: scripts/packages.sh [--missing] PURPOSE…\npurposes: %s\n' "$purposes"
            [[ -n "${1:-}" ]] || return 2 ;;
        --missing) shift; packages_missing "$@" ;;
        *) packages_install "$@" ;;
    esac
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then packages_main "$@"; fi
