#!/usr/bin/env bash
# Shows the whole of pawl in a minute: a new image tag in a real registry becomes a commit in a real git repository and
# an applied manifest. Installs what it needs from Debian, builds, plays, and leaves nothing running.
#
# See --help.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source-path=SCRIPTDIR source=packages.sh
. scripts/packages.sh

usage() {
    cat <<END
usage: scripts/quickstart.sh [--keep] [--cluster]

Starts a registry on a free loopback port and a git repository in a temporary folder, lets \`pawl serve\` watch both, pushes
newer images, and shows the commits that follow and what is applied.

  --keep      leave registry, repository and pawl up, and say how to stop them
  --cluster   apply to the cluster of the current kubeconfig context (namespace pawl-quickstart, no replicas, removed
              again at the end) instead of a directory; needs kubectl
  --help      this text
END
}

keep=""
cluster=""
while (($# > 0)); do
    case "$1" in
        --keep) keep=yes ;;
        --cluster) cluster=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

space="pawl-quickstart"
registry_pid=""
pawl_pid=""
created_space=""
play="" # the temporary folder

step() { printf '\n== %s\n' "$*"; }
fail() {
    printf '\nquickstart: failed: %s\n' "$*" >&2
    if [[ -n "$play" && -s "$play/pawl.log" ]]; then
        printf 'the end of what pawl said:\n' >&2
        tail -n 20 "$play/pawl.log" >&2
    fi
    exit 1
}

# Stops a process by its id and waits for it.
stop() {
    [[ -n "$1" ]] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    local rc=$?
    if [[ -n "$keep" && "$rc" == 0 ]]; then return; fi
    stop "$pawl_pid"
    stop "$registry_pid"
    if [[ -n "$created_space" ]]; then kubectl delete namespace "$space" --wait=false >/dev/null 2>&1 || true; fi
    if [[ -n "$play" ]]; then rm -rf "$play"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A port that nobody listens on. (Opening it succeeds only where somebody does.)
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 10000))
        if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
    return 1
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local until=$((SECONDS + $1)) what="$2"
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || fail "waited too long for $what"
        sleep 0.2
    done
}

start_registry() {
    port="$(free_port)" || fail "no free port between 20000 and 30000"
    registry="127.0.0.1:$port"
    cat >"$play/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $play/registry}}
http: {addr: "$registry", secret: quickstart}
END
    docker-registry serve "$play/registry.yml" >"$play/registry.log" 2>&1 &
    registry_pid=$!
    wait_for 20 "the registry; see $play/registry.log" curl -fsS "http://$registry/v2/"
}

# upload NAME FILE: puts a blob into the registry and prints its digest.
upload() {
    local digest place
    digest="sha256:$(sha256sum <"$2" | cut -d ' ' -f 1)"
    place="$(curl -fsS -o /dev/null -D - -X POST "http://$registry/v2/$1/blobs/uploads/" |
        tr -d '\r' | sed -n 's/^[Ll]ocation: //p')"
    curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" \
        "$place&digest=$digest"
    echo "$digest"
}

# push_image NAME TAG MINUTES: an image of one empty layer, created MINUTES after the hour that everything here begins at.
push_image() {
    local created config layer
    created="$(date -u -d "2026-01-01T12:00:00Z + $3 minutes" +%Y-%m-%dT%H:%M:%SZ)"
    head -c 1024 /dev/zero | gzip -n >"$play/layer.tgz"
    printf '{"architecture":"amd64","os":"linux","created":"%s","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$created" "$(head -c 1024 /dev/zero | sha256sum | cut -d ' ' -f 1)" >"$play/config.json"
    layer="$(upload "$1" "$play/layer.tgz")"
    config="$(upload "$1" "$play/config.json")"
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":"%s"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":%d,"digest":"%s"}]}' \
        "$(stat -c %s "$play/config.json")" "$config" "$(stat -c %s "$play/layer.tgz")" "$layer" >"$play/manifest.json"
    curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
        --data-binary "@$play/manifest.json" "http://$registry/v2/$1/manifests/$2"
    printf '   pushed %s/%s:%s\n' "$registry" "$1" "$2"
}

# deployment APP TAG ANNOTATIONS: a manifest as people write it, comments and all.
deployment() {
    local folder="$play/checkout/releases/staging/$1"
    mkdir -p "$folder"
    cat >"$folder/deployment.yaml" <<END
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $1
  namespace: $space
  annotations:
$3
spec:
  replicas: 0   # this is a play
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      containers:
      - name: $1
        image: "$registry/shop/$1:$2"   # edited by pawl, and nothing else is
END
}

make_repository() {
    git init -q --bare "$play/gitops.git"
    git -C "$play/gitops.git" symbolic-ref HEAD refs/heads/main
    git init -q "$play/checkout"
    git -C "$play/checkout" symbolic-ref HEAD refs/heads/main
    deployment web main-1 '    fluxcd.io/automated: "true"
    fluxcd.io/tag.web: glob:main-*'
    deployment api 1.2.3 '    fluxcd.io/automated: "true"
    fluxcd.io/tag.api: semver:~1.2'
    deployment db 14.1 '    fluxcd.io/automated: "true"
    fluxcd.io/tag.db: semver:*
    fluxcd.io/locked: "true"
    fluxcd.io/locked_user: jane
    fluxcd.io/locked_msg: migration on Thursday'
    mkdir -p "$play/checkout/releases/staging/base"
    printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n' "$space" \
        >"$play/checkout/releases/staging/base/namespace.yaml"
    git -C "$play/checkout" add -A
    git -C "$play/checkout" -c user.name=you -c user.email=you@example.com commit -q -m "Releases of staging"
    git -C "$play/checkout" push -q "$play/gitops.git" main
}

head_of() { git -C "$play/gitops.git" rev-parse main; }
in_git() { git -C "$play/gitops.git" show "main:releases/staging/$1/deployment.yaml"; }
git_has() { in_git "$1" | grep -q ":$2\""; }
applied() {
    if [[ -n "$cluster" ]]; then
        kubectl -n "$space" get deployment "$1" -o "jsonpath={.spec.template.spec.containers[0].image}{'\n'}"
    else
        sed -n 's/^ *image: "\(.*\)".*/\1/p' "$play/manifests/$1/deployment.yaml"
    fi
}
is_applied() { applied "$1" | grep -q ":$2\$"; }

began=$SECONDS
step "packages and build"
packages_install build quickstart
if [[ -n "$cluster" ]] && ! command -v kubectl >/dev/null; then fail "--cluster needs kubectl, to show and remove what was applied"; fi
{ cmake --preset release && cmake --build --preset release; } >build.log 2>&1 || { tail -n 40 build.log >&2; fail "the build; see build.log"; }
rm -f build.log
pawl="$PWD/build/pawl"
printf '   %s (%s)\n' "$pawl" "$("$pawl" version)"

play="$(mktemp -d "${TMPDIR:-/tmp}/pawl-quickstart.XXXXXX")"
# The play is the same whoever you are: none of your settings, keys or credentials are used.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null DOCKER_CONFIG="$play/docker"
unset PAWL_CONFIG PAWL_GIT_URL
target="dir:$play/manifests"
if [[ -n "$cluster" ]]; then
    target=kubernetes
    if kubectl get namespace "$space" >/dev/null 2>&1; then fail "the cluster has a namespace $space already; remove it first"; fi
    created_space=yes
fi

step "a registry with three images, and a repository that runs them"
start_registry
push_image shop/web main-1 0
push_image shop/api 1.2.3 0
push_image shop/db 14.1 0
make_repository
(cd "$play/checkout" && find releases -name '*.yaml' | sort | sed 's/^/   /')

step "pawl serve watches both"
options=(--git-url "$play/gitops.git" --git-path releases/staging --deploy-to "$target" --data-dir "$play/data")
printf '   pawl serve %s\n' "${options[*]}"
"$pawl" serve "${options[@]}" --listen 127.0.0.1:0 --git-poll-interval 2s --registry-poll-interval 1s >"$play/pawl.log" 2>&1 &
pawl_pid=$!
wait_for 30 "the first commit to be applied" is_applied web main-1
printf '   applied: %s\n' "$(applied web)"

step "newer images are pushed"
first="$(head_of)"
push_image shop/web main-2 5
push_image shop/api 1.2.4 5
push_image shop/api 2.0.0 6
push_image shop/db 15.0 5

step "the tags that pawl sees"
"$pawl" tags "$registry/shop/api" --policy semver:~1.2 --data-dir "$play/data" 2>&1 | sed 's/^/   /'

step "the commits that followed"
wait_for 30 "web:main-2 in git" git_has web main-2
wait_for 30 "api:1.2.4 in git" git_has api 1.2.4
git -C "$play/gitops.git" log --reverse --format='   %h %an: %s' "$first..main"
git -C "$play/gitops.git" diff -U0 "$first" main | grep -E '^[-+] ' | sed 's/^/   /'

step "what was applied"
wait_for 30 "web:main-2 to be applied" is_applied web main-2
wait_for 30 "api:1.2.4 to be applied" is_applied api 1.2.4
for app in web api db; do printf '   %-4s %s\n' "$app" "$(applied "$app")"; done

step "the locked one is untouched, and why"
git_has db 14.1 || fail "the locked workload was changed"
"$pawl" once --dry-run "${options[@]}" | sed -n '/held/,/locked/p'
lines="$(git -C "$play/gitops.git" diff -U0 "$first" main | grep -cE '^[-+] ')"
((lines == 4)) || fail "expected two lines to change, git says $lines"

printf '\nquickstart: ok (%d s)\n' $((SECONDS - began))
cat <<END

Try next, on your own repository; it changes nothing:

   build/pawl once --dry-run --deploy-to none --git-url git@github.com:you/gitops --git-path releases/staging

END
if [[ -n "$keep" ]]; then
    cat <<END
Left up in $play: push an image to $registry/shop/web, and watch $play/pawl.log and
   git -C $play/gitops.git log -p main
Stop it with: kill $pawl_pid $registry_pid; rm -rf $play
END
    if [[ -n "$created_space" ]]; then printf 'and: kubectl delete namespace %s\n' "$space"; fi
fi
