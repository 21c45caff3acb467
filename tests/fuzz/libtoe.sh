#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The library against an adapter that writes anything into the shared memory.
# See fuzz_libtoe.c for what must hold.

set -eu
. "$(dirname "$0")/lib.sh"

fuzz libtoe 100000
