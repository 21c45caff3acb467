#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A guest that gives no sign of life is started once more, with a warning that says what QEMU was about; the command runs once and
# its input is whole. A guest that is silent twice is an error.

set -eu
. "$(dirname "$0")/../guest/lib.sh"

QEMU=$(dirname "$TOE_BUILD/qemu-system-x86_64")/qemu/qemu-system-x86_64
cat >"$TMP/qemu" <<SH
#!/bin/sh
echo started >>"$TMP/starts"
[ "\$(wc -l <"$TMP/starts")" -gt \${SILENT_STARTS:-1} ] || exec sleep 1000
exec "$QEMU" -L "$(dirname "$QEMU")/roms" "\$@"
SH
chmod +x "$TMP/qemu"
export TOE_BOOT_SIGN=1

status=0
echo words | "$TOE_VM" --accel tcg --qemu "$TMP/qemu" --no-toe -- sh -c 'cat; exit 5' >"$TMP/out" 2>"$TMP/err" || status=$?
cat "$TMP/err"
equal "the command's status" "$status" 5
equal "the command's output" "$(cat "$TMP/out")" words
equal "QEMU was started twice" "$(wc -l <"$TMP/starts")" 2
check "it says so" grep -q "no sign of the guest after 1 seconds (QEMU's threads: .*sleep S .*); starting it once more" "$TMP/err"

: >"$TMP/starts"
status=0
SILENT_STARTS=2 "$TOE_VM" --accel tcg --qemu "$TMP/qemu" --no-toe --timeout 4 -- true </dev/null 2>"$TMP/err" || status=$?
cat "$TMP/err"
equal "silent twice is an error" "$status" 124
equal "and there is no third start" "$(wc -l <"$TMP/starts")" 2
