#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The network side against any sequence of frames, time and calls of the host side.
# See fuzz_frames.c for what must hold.

set -eu
. "$(dirname "$0")/lib.sh"

fuzz frames 4500
