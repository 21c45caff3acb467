#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 100 other seeds of the simulation, in a build with sanitizers.

set -eu
exec "${TOE_BUILD:-build}/sim/toe-sim-asan" --seed 100001 --seeds 100
