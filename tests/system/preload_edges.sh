#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Edge-triggered epoll, and a reader that another thread's shutdown() must wake, through libtoe-preload, with the host's kernel as
# the peer.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

tap_preload "$(dirname "$SELF")/edges.py" 5 "$@"
