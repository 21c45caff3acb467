#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 2000 seeds of the simulation (tests/sim/main.c), each twentieth of them twice.

set -eu
exec "${TOE_BUILD:-build}/sim/toe-sim" --seeds 2000
