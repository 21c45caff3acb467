#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs/conformance.md is what scripts/conformance makes of the tests, each requirement of RFC 9293 has a row with a test or a
# reason in it, and the check of that can fail: copies with a case renamed, a case without a tag, a tag that names no
# requirement, and a requirement taken out or left without a reason must be refused.

set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$root/scripts/conformance" --check
# A floor, so that cases do not get lost unseen.
cases=$(cat "$root"/tests/unit/tcp/*.seg | grep -c '^== ')
test "$cases" -ge 250 || { echo "only $cases scripted cases"; exit 1; }

copy() {
    rm -rf "$dir/unit"
    mkdir "$dir/unit"
    cp "$root"/tests/unit/*.c "$dir/unit"
    cp -r "$root/tests/unit/tcp" "$dir/unit/tcp"
}
refused() {
    if "$root/scripts/conformance" --check --tests "$dir/unit" >"$dir/out"; then
        echo "conformance accepts $1"
        exit 1
    fi
    grep -q "$2" "$dir/out" || { echo "conformance does not say '$2' about $1:"; cat "$dir/out"; exit 1; }
}
copy
sed -i 's/^== an active open$/== an active opening/' "$dir/unit/tcp/rfc9293-open.seg"
refused "a document that is not up to date" "not up to date"
copy
sed -i '/^# RFC 9293 3.5; MUST-4 MUST-14$/d' "$dir/unit/tcp/rfc9293-open.seg"
refused "a case without a tag" "has no tag"
copy
sed -i 's/; MUST-4 MUST-14$/; MUST-70/' "$dir/unit/tcp/rfc9293-open.seg"
refused "a tag with an unknown number" "has no MUST-70"
copy
sed -i '/^MUST-13 /d' "$dir/unit/tcp/rfc9293.requirements"
refused "a list that lacks a requirement" "MUST-13 is not in"
copy
sed -i '/source routes are refused/d' "$dir/unit/tcp/rfc9293.requirements"
refused "a requirement without test and reason" "MUST-51 has neither"
