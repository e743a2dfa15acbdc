#!/usr/bin/env bash
# All tests of pawl, with one command. Installs what they need, then runs the stages below one after the other and ends
# with a line "N passed, N failed". A stage that does not build counts as a failure and the others go on.
#
# See --help.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"
# shellcheck source-path=SCRIPTDIR source=packages.sh
. scripts/packages.sh

stages=(lint gcc clang asan tsan fuzz)
declare -A about=(
    [lint]="clang-format, shellcheck, layers, headers, names"
    [gcc]="build with gcc, warnings are errors, the programs of tests/bench too; unit tests"
    [clang]="build with clang, warnings are errors; clang-tidy on every source file"
    [asan]="unit and integration tests under AddressSanitizer and UndefinedBehaviorSanitizer"
    [tsan]="unit and integration tests under ThreadSanitizer"
    [fuzz]="every fuzz target: its corpus, then \${PAWL_FUZZ_SECONDS:-60} seconds of new inputs"
)
parts=(registry memcached ssh https kubernetes)
python=/usr/bin/python3 # Debian's, which has Debian's pytest; another may come first in PATH
jobs="$(nproc)"
logs="$root/build/test-logs"

passed=0
failed=0
failures=()  # what failed, for the summary
unsteady=()  # what failed at its first run, a line a stage
summary=()   # one line a stage
without=()
only=()
apiserver_pid=""
ticker=""

usage() {
    cat <<END
usage: scripts/test.sh [--only STAGE]… [--without PART]… [--list]

Runs all tests of pawl against real parts. What is missing is installed from Debian's packages.

  --only STAGE     run this stage alone (may be given several times)
  --without PART   leave out the tests that need PART (may be given several times): ${parts[*]}
                   Without this, a part that is missing is a failure.
  --list           list the stages
  --help           this text

Environment: PAWL_FUZZ_SECONDS (60), PAWL_FUZZ_SEED (1; 0: another each time),
PAWL_TEST_CACHE (~/.cache/pawl-tests: the Kubernetes API server, built once),
PYTEST_ADDOPTS (more options for pytest, as in PYTEST_ADDOPTS="-k ssh").
Logs are kept in build/test-logs/.
END
}

is_one_of() { local wanted="$1" one; shift; for one in "$@"; do [[ "$one" != "$wanted" ]] || return 0; done; return 1; }
die() { printf 'test: %s\n' "$*" >&2; exit 2; }
say() { printf 'test: %s %s\n' "$(clock "$SECONDS")" "$*"; }
clock() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }

# Says every 15 seconds that we are still at something. The sleep goes with the ticker: left behind, it would hold the
# caller's pipe open.
start_ticker() {
    (trap 'kill $! 2>/dev/null; exit' TERM
        while sleep 15 & wait $!; do say "$stage: still at: $*"; done) &
    ticker=$!
}
stop_ticker() { [[ -z "$ticker" ]] || { kill "$ticker" 2>/dev/null || true; ticker=""; }; }

clean_up() {
    stop_ticker
    # Its own process group: the build goes down with it.
    [[ -z "$apiserver_pid" ]] || kill -- "-$apiserver_pid" 2>/dev/null || true
}

# count PASSED FAILED [WHAT]: adds to the totals; WHAT names the failures in the summary.
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    if (($2 > 0)); then failures+=("$stage: ${3:-}"); fi
}

# quietly WHAT COMMAND…: runs a command with its output in a log; says every 15 seconds that it is at it, and shows
# the log's end when it fails. Returns the command's exit code.
quietly() {
    local what="$1" log rc=0
    shift
    log="$logs/$stage-$(tr -cs '[:alnum:]' - <<<"$what" | sed 's/-$//').log"
    say "$stage: $what"
    start_ticker "$what"
    "$@" >"$log" 2>&1 || rc=$?
    stop_ticker
    if ((rc != 0)); then
        say "$stage: $what: failed with $rc; the end of ${log#"$root"/}:"
        tail -n 60 "$log" | sed 's/^/    /'
    fi
    return "$rc"
}

# check WHAT COMMAND…: a command that is one test case.
check() {
    if quietly "$@"; then count 1 0; else count 0 1 "$1"; fi
}

# build PRESET: configures and builds; a failure is counted.
build() {
    if quietly "configure" cmake --preset "$1" && quietly "build" cmake --build --preset "$1" -j "$jobs"; then
        return 0
    fi
    count 0 1 "does not build"
    return 1
}

# Adds up a JUnit file: "tests failures errors skipped".
junit_totals() {
    "$python" - "$1" <<'END'
import sys, xml.etree.ElementTree as tree
suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
print(*(sum(int(suite.get(key) or 0) for suite in suites) for key in ("tests", "failures", "errors", "skipped")))
END
}

# The names of the cases of a JUnit file that failed.
junit_names() {
    "$python" - "$1" <<'END'
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
    if any(case.find(kind) is not None for kind in ("failure", "error", "skipped")):
        print(case.get("name"))
END
}

# count_junit FILE RC WHAT: counts the cases of a JUnit file. A skipped case is a failed one: what may be left out is
# left out with --without. A runner that failed without a failed case failed itself.
count_junit() {
    local tests failures_ errors skipped bad
    if ! read -r tests failures_ errors skipped < <(junit_totals "$1" 2>/dev/null); then
        count 0 1 "$3 left no result (exit code $2)"
        return
    fi
    bad=$((failures_ + errors + skipped))
    if (($2 != 0 && bad == 0)); then count 0 1 "$3 ended with exit code $2"; fi
    count $((tests > bad ? tests - bad : 0)) "$bad" "$3: $bad of $tests failed, $skipped of them by being skipped"
}

run_ctest() {
    local rc=0 result="$logs/$stage-ctest.xml"
    rm -f "$result"
    say "$stage: unit tests"
    "${relaxed[@]}" ctest --test-dir "build/$1" -j "$jobs" --output-on-failure --no-tests=error --timeout 300 \
        --repeat until-pass:2 --output-junit "$result" </dev/null || rc=$?
    count_junit "$result" "$rc" "unit tests"
}

# one_pytest RESULT PROGRAM OPTION…: the integration tests, once. Every wait in them ends; the limit is for a test that
# was written without one.
one_pytest() {
    local result="$1" binary="$2"
    shift 2
    rm -f "$result"
    PAWL_BIN="$root/$binary" timeout --kill-after=10 30m "${relaxed[@]}" "$python" -B -m pytest tests/integration -v \
        --junitxml "$result" -o "cache_dir=$logs/$stage-pytest-cache" "$@" </dev/null
}

# The tests work with real servers and real time, on a machine that may be busy with something else. What fails is run
# once more, alone: what passes then is named as unsteady in the summary, what fails again has failed.
run_pytest() {
    local binary="$1" rc=0 again=0 result="$logs/$stage-pytest.xml" second="$logs/$stage-pytest-again.xml" part
    local tests bad options=()
    shift
    for part in "${without[@]}"; do options+=(--without "$part"); done
    rm -rf "$logs/$stage-pytest-cache"
    say "$stage: integration tests"
    one_pytest "$result" "$binary" "${options[@]}" "$@" || rc=$?
    if ((rc == 5)) && ((${#without[@]} > 0)); then return; fi # every test was left out
    if ((rc != 1)) || ! read -r tests bad < <(junit_totals "$result" | { read -r t f e s; echo "$t $((f + e + s))"; }); then
        count_junit "$result" "$rc" "integration tests"
        return
    fi
    say "$stage: once more, alone, the $bad that failed"
    one_pytest "$second" "$binary" --last-failed --last-failed-no-failures none "${options[@]}" "$@" || again=$?
    unsteady+=("$stage: $(junit_names "$result" | xargs)")
    count $((tests - bad)) 0
    count_junit "$second" "$again" "integration tests, the second time"
}

# Waits for the API server that is built beside the earlier stages.
need_apiserver() {
    local rc=0
    [[ -n "$apiserver_pid" ]] || return 0
    say "$stage: waiting for the Kubernetes API server"
    wait "$apiserver_pid" || rc=$?
    apiserver_pid=""
    ((rc == 0)) || count 0 1 "the Kubernetes API server does not build; see the message above, or use --without kubernetes"
}

format_check() { git ls-files -co --exclude-standard -- '*.c' '*.h' | xargs -r clang-format-14 --dry-run -Werror; }

shell_scripts() {
    git ls-files -co --exclude-standard | while read -r file; do
        if [[ -f "$file" ]] && head -n 1 "$file" | grep -aqE '^#!.*[ /](ba|da)?sh$'; then echo "$file"; fi
    done
}
shell_check() { shell_scripts | xargs -r shellcheck -x; }

stage_lint() {
    check "format" format_check
    check "shellcheck" shell_check
    check "layers" scripts/check-layers.sh --includes
    check "headers compile alone" scripts/check-layers.sh --headers
    check "names" scripts/check-names.sh
}

stage_gcc() {
    build dev || return 0
    run_ctest dev
}

stage_clang() {
    local sources
    build clang || return 0
    sources="$("$python" - build/clang/compile_commands.json "$root" <<'END'
import json, os, sys
root = sys.argv[2]
files = {os.path.relpath(os.path.join(entry["directory"], entry["file"]), root) for entry in json.load(open(sys.argv[1]))}
print(*sorted(file for file in files if not file.startswith(("..", "tests/", "build/"))), sep="\n")
END
)"
    rm -f "$logs/tidy.passed" "$logs/tidy.failed"
    touch "$logs/tidy.passed" "$logs/tidy.failed"
    # shellcheck disable=SC2016  # expanded by the inner shell
    quietly "clang-tidy" xargs -P "$jobs" -n 1 bash -c '
        if text="$(clang-tidy-14 -p build/clang --quiet "$2" 2>/dev/null)"; then
            echo "$2" >>"$1/tidy.passed"
        else
            printf "%s\n" "$text"
            echo "$2" >>"$1/tidy.failed"
            exit 1
        fi' bash "$logs" <<<"$sources" || true
    count "$(wc -l <"$logs/tidy.passed")" "$(wc -l <"$logs/tidy.failed")" "clang-tidy: $(xargs <"$logs/tidy.failed")"
}

# sanitizer_options NAME BASE: BASE and, where there is one, the file of known false reports.
sanitizer_options() {
    local file="$root/tests/$1.supp"
    if [[ -f "$file" ]]; then printf '%s:suppressions=%s' "$2" "$file"; else printf '%s' "$2"; fi
}

stage_asan() {
    build asan || return 0
    export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:detect_leaks=1"
    LSAN_OPTIONS="$(sanitizer_options lsan print_suppressions=0)"
    export LSAN_OPTIONS UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
    run_ctest asan
    need_apiserver
    run_pytest build/asan/pawl
    unset ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
}

stage_tsan() {
    build tsan || return 0
    TSAN_OPTIONS="$(sanitizer_options tsan second_deadlock_stack=1:print_suppressions=0)"
    export TSAN_OPTIONS
    run_ctest tsan
    need_apiserver
    # The parts have proved themselves in the stage before.
    run_pytest build/tsan/pawl --ignore tests/integration/test_parts.py
    unset TSAN_OPTIONS
}

# fuzz_one PROGRAM: exits 0 when nothing was found.
fuzz_one() {
    local program="$1" name corpus scratch options
    name="$(basename "$program")"
    name="${name#fuzz_}"
    corpus="tests/fuzz/corpora/$name"
    scratch="$logs/fuzz-$name"
    rm -rf "$scratch"
    mkdir -p "$scratch"
    options=(-timeout=10 -rss_limit_mb=2048 "-artifact_prefix=$logs/crash-$name-")
    if [[ -f "$corpus.dict" ]]; then options+=("-dict=$corpus.dict"); fi
    # PAWL_FUZZ_STRICT: tests/fuzz/refusal.h.
    if [[ -d "$corpus" ]]; then PAWL_FUZZ_STRICT=1 "$program" "${options[@]}" -runs=0 "$corpus" || return 1; else corpus=""; fi
    # One seed for all: a run that fails here fails in the same way for who looks into it. Longer searches want others.
    "$program" "${options[@]}" -seed="${PAWL_FUZZ_SEED:-1}" -max_total_time="${PAWL_FUZZ_SECONDS:-60}" -print_final_stats=1 \
        "$scratch" ${corpus:+"$corpus"} || return 1
    rm -rf "$scratch"
}

stage_fuzz() {
    local program programs=() pids=() index name
    build fuzz || return 0
    export ASAN_OPTIONS="detect_leaks=1" ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-14/bin/llvm-symbolizer
    mapfile -t programs < <(find build/fuzz -type f -name 'fuzz_*' -executable | sort)
    if ((${#programs[@]} == 0)); then count 0 1 "there is no fuzz target in build/fuzz"; fi
    for program in "${programs[@]}"; do
        # As many targets as cores at once; the oldest is waited for, as all take equally long.
        if ((${#pids[@]} >= jobs)); then wait "${pids[${#pids[@]} - jobs]}" || true; fi
        say "fuzz: $(basename "$program")"
        fuzz_one "$program" >"$logs/$(basename "$program").log" 2>&1 </dev/null &
        pids+=($!)
    done
    start_ticker "the last targets"
    for index in "${!pids[@]}"; do
        name="$(basename "${programs[$index]}")"
        if wait "${pids[$index]}"; then
            count 1 0
        else
            count 0 1 "$name: see build/test-logs/$name.log and the input beside it"
            tail -n 40 "$logs/$name.log" | sed 's/^/    /'
        fi
    done
    stop_ticker
    unset ASAN_OPTIONS ASAN_SYMBOLIZER_PATH
}

while (($# > 0)); do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --list) for stage in "${stages[@]}"; do printf '%-6s %s\n' "$stage" "${about[$stage]}"; done; exit 0 ;;
        --only)
            is_one_of "${2:-}" "${stages[@]}" || die "--only takes one of: ${stages[*]}"
            only+=("$2"); shift 2 ;;
        --without)
            is_one_of "${2:-}" "${parts[@]}" || die "--without takes one of: ${parts[*]}"
            without+=("$2"); shift 2 ;;
        *) usage >&2; exit 2 ;;
    esac
done
[[ "${PAWL_FUZZ_SECONDS:-60}" =~ ^[0-9]+$ ]] || die "PAWL_FUZZ_SECONDS is a number of seconds"
[[ "${PAWL_FUZZ_SEED:-1}" =~ ^[0-9]+$ ]] || die "PAWL_FUZZ_SEED is a number"
if ((${#only[@]} > 0)); then stages=("${only[@]}"); fi

trap clean_up EXIT
trap 'exit 130' INT TERM
mkdir -p "$logs"
packages_install build test

# gcc 12's ThreadSanitizer wants the address layout that the kernel's newest randomisation no longer gives.
relaxed=(env)
if setarch -R true 2>/dev/null; then relaxed=(setarch -R); fi

if { is_one_of asan "${stages[@]}" || is_one_of tsan "${stages[@]}"; } && ! is_one_of kubernetes "${without[@]}"; then
    if ! scripts/apiserver.sh --find >/dev/null 2>&1; then
        say "building the Kubernetes API server beside the first stages (once; kept outside the checkout)"
        setsid scripts/apiserver.sh >/dev/null </dev/null &
        apiserver_pid=$!
    fi
fi

for stage in "${stages[@]}"; do
    began=$SECONDS
    passed_before=$passed
    failed_before=$failed
    say "== $stage: ${about[$stage]}"
    "stage_$stage"
    summary+=("$(printf '%-6s %4d passed %4d failed  %s' "$stage" $((passed - passed_before)) \
        $((failed - failed_before)) "$(clock $((SECONDS - began)))")")
done

printf '\n'
printf '%s\n' "${summary[@]}"
if ((${#without[@]} > 0)); then printf 'left out: the tests that need %s\n' "${without[*]}"; fi
for one in "${unsteady[@]}"; do printf 'UNSTEADY (run twice) %s\n' "$one"; done
for failure in "${failures[@]}"; do printf 'FAILED %s\n' "$failure"; done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
