#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs/hardware.md says what toe_hw.h says, and the check of it can fail: a copy of the document with one value changed,
# and one with a field taken out, must be refused.

set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$root/scripts/check-docs"

refused() {
    if "$root/scripts/check-docs" --doc "$dir/doc.md" >"$dir/out"; then
        echo "check-docs accepts a document in which $1"
        exit 1
    fi
    grep -q "$2" "$dir/out" || { echo "check-docs does not name $2 when $1:"; cat "$dir/out"; exit 1; }
}
sed 's/| `TOE_ST_RESET` | `17` |/| `TOE_ST_RESET` | `18` |/' "$root/docs/hardware.md" >"$dir/doc.md"
refused "a value is wrong" TOE_ST_RESET
sed '/| `rq_looking` |/d' "$root/docs/hardware.md" >"$dir/doc.md"
refused "a field is missing" rq_looking
