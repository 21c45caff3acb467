# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by tests of a VM against the host's kernel over a tap. The script runs itself again in a network namespace of its own,
# where it may make a tap, whatever the host's network looks like.

# shellcheck disable=SC2034
TAP_HOST=10.9.0.1
# shellcheck disable=SC2034
TAP_GUEST=10.9.0.2

# tap_enter ARG...: go on in a namespace, or skip the test with the reason.
tap_enter() {
    local reason
    if [ -n "${TOE_TAP_NAMESPACE-}" ]; then
        return
    fi
    command -v unshare >/dev/null || fail "the program unshare is missing: apt-get install util-linux"
    command -v ip >/dev/null || fail "the program ip is missing: apt-get install iproute2"
    # The folder is the first script's; the second one makes its own.
    rm -rf "$TMP"
    export TOE_TAP_NAMESPACE=1
    if unshare -n true 2>/dev/null; then
        exec unshare -n "$0" "$@"
    fi
    if unshare -rn true 2>/dev/null; then
        exec unshare -rn "$0" "$@"
    fi
    reason=$(unshare -rn true 2>&1 || true)
    skip "network namespaces are not allowed here: $reason"
}

tap_make() {
    [ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
    ip link set dev lo up
    ip tuntap add dev tap0 mode tap 2>"$TMP/error" || skip "a tap cannot be made here: $(cat "$TMP/error")"
    ip address add $TAP_HOST/24 dev tap0
    ip link set dev tap0 up
}
