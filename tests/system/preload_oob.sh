#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Urgent data (MSG_OOB) of an unmodified program through libtoe-preload, both ways, with the host's kernel as the peer.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

tap_preload "$(dirname "$SELF")/oob.py" 1 "$@"
