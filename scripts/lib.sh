# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Shared by the scripts in this folder; sourced, never run. It knows where the cache is, how errors are reported,
# and how to use apt without touching the system's configuration.

TOE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The scripts may be run by a user without HOME (a service, a bare container).
TOE_CACHE=${TOE_CACHE:-${HOME:-/root}/.cache/toe}
case $TOE_CACHE in
/*) ;;
*) TOE_CACHE=$PWD/$TOE_CACHE ;;
esac
export TOE_CACHE

# Where depmod is; an ordinary user's PATH on Debian leaves it out.
PATH=$PATH:/usr/sbin:/sbin

TOE_ME=$(basename "$0")

case $TOE_ROOT$TOE_CACHE in
*[[:space:]:]*)
    printf '%s: %s\n' "$TOE_ME" "the kernel's makefiles do not take a path with a space or a colon: move this folder ('$TOE_ROOT'), or set TOE_CACHE ('$TOE_CACHE')" >&2
    exit 1
    ;;
esac

say() {
    printf '%s: %s\n' "$TOE_ME" "$*" >&2
}

die() {
    printf '%s: %s\n' "$TOE_ME" "$*" >&2
    exit 1
}

# need COMMAND PACKAGE: stop with the command that installs what is missing.
need() {
    command -v "$1" >/dev/null 2>&1 ||
        die "the program '$1' is missing; install it with: apt-get install $2"
}

# run_logged LOG WHAT CMD...: run quietly; on failure show the end of the log and where the rest is.
run_logged() {
    local log=$1 what=$2
    shift 2
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        die "$what failed; the whole log is in $log"
    fi
}

# with_cache_lock NAME: hold the cache's lock NAME until the script ends. Two checkouts may build at the same time.
with_cache_lock() {
    mkdir -p "$TOE_CACHE/lock"
    exec 9>"$TOE_CACHE/lock/$1"
    if ! flock -n 9; then
        say "waiting for another build that uses $TOE_CACHE ($1)"
        flock 9
    fi
}

distro_id() {
    (
        # shellcheck disable=SC1091
        . /etc/os-release 2>/dev/null || true
        printf '%s' "${VERSION_CODENAME:-unknown}"
    )
}

# --- a private apt: the system's sources with deb-src added, in the cache; nothing of the system's is changed ---

# Where its state is: one folder per choice of suites.
TOE_APT=$TOE_CACHE/apt/default

apt_private() {
    local tool=$1
    shift
    "$tool" -q \
        -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$TOE_APT/sources.d" \
        -o Dir::State="$TOE_APT/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$TOE_APT/cache" \
        -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::List-Cleanup=0 \
        "$@"
}

# apt_private_update [SUITE]: refresh the private lists, at most once an hour; SUITE is taken instead of the default ones.
apt_private_update() {
    local suite=${1-} stamp
    TOE_APT=$TOE_CACHE/apt/${suite:-default}
    stamp=$TOE_APT/updated
    command -v apt-get >/dev/null 2>&1 ||
        die "this system has no apt-get; give the sources yourself: ./configure --qemu-src=DIR --guest-kernel=FILE --guest-headers=DIR"
    if [ -e "$stamp" ] && [ -n "$(find "$stamp" -mmin -60 2>/dev/null)" ]; then
        return
    fi
    rm -rf "$TOE_APT/sources.d"
    mkdir -p "$TOE_APT/sources.d" "$TOE_APT/state/lists/partial" "$TOE_APT/cache/archives/partial"
    python3 "$TOE_ROOT/scripts/apt-sources.py" --codename "$(distro_id)" ${suite:+--suite "$suite"} \
        --out "$TOE_APT/sources.d"
    say "reading the distribution's package and source lists"
    # Without the option, apt calls a list that it could not fetch a success.
    if apt_private apt-get -o APT::Update::Error-Mode=any update >"$TOE_APT/update.log" 2>&1 </dev/null; then
        touch "$stamp"
    else
        # What counts is whether the package is found afterwards; the next run tries again.
        grep -m 3 '^[EW]: ' "$TOE_APT/update.log" >&2 || true
        say "apt-get update reported an error (log: $TOE_APT/update.log); going on with the lists that did arrive"
    fi
}
