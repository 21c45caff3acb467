#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole adapter against any sequence of register accesses, commands, requests, RAM contents and frames.
# See fuzz_adapter.c for what must hold.

set -eu
. "$(dirname "$0")/lib.sh"

fuzz adapter 4000
