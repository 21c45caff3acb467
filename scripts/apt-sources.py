#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a private copy of the system's apt sources in which source packages are enabled.

Reads /etc/apt/sources.list and /etc/apt/sources.list.d (one-line and deb822 formats) and writes the entries that
belong to the distribution itself, with types "deb deb-src", to the folder given with --out. Third-party
repositories are left out: they do not carry QEMU or the kernel, and need not be reachable. Backports are left out
as well, so that the default is what the release ships.
"""
import argparse
import glob
import os
import re
import sys


def wanted_suite(suite, codename):
    """The release itself, its updates and its security fixes."""
    base = suite.rstrip("/")
    if base.endswith("-backports") or "-backports-" in base:
        return False
    names = {codename, "stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"}
    for name in names:
        if base == name or base in (name + "-updates", name + "-security", name + "/updates"):
            return True
    return False


def stanzas(text):
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in block.split("\n") if line.strip() and not line.lstrip().startswith("#")]
        if lines:
            yield lines


def fields(lines):
    """A deb822 stanza as an ordered list of [name, value]; a continuation line stays in its value."""
    out = []
    for line in lines:
        if line[0] in " \t" and out:
            out[-1][1] += "\n" + line
        elif ":" in line:
            name, value = line.split(":", 1)
            out.append([name.strip(), value.strip()])
    return out


def chosen(suites, codename, other):
    """What becomes of a list of suites; OTHER replaces the release (not its updates), from the same mirror."""
    suites = [s for s in suites if wanted_suite(s, codename)]
    if other:
        suites = [other] if any("-" not in s and "/" not in s for s in suites) else []
    return suites


def from_deb822(text, codename, other):
    result = []
    for lines in stanzas(text):
        entry = fields(lines)
        byname = {name.lower(): value for name, value in entry}
        if byname.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if "deb" not in byname.get("types", "").split():
            continue
        suites = chosen(byname.get("suites", "").split(), codename, other)
        if not suites or "main" not in byname.get("components", "").split():
            continue
        out = []
        for name, value in entry:
            if name.lower() == "types":
                value = "deb deb-src"
            elif name.lower() == "suites":
                value = " ".join(suites)
            elif name.lower() == "components":
                value = "main"
            out.append("%s: %s" % (name, value))
        result.append("\n".join(out))
    return "\n\n".join(result) + "\n" if result else ""


def from_list(text, codename, other):
    result = []
    for line in text.split("\n"):
        line = line.split("#", 1)[0].strip()
        match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$", line)
        if not match:
            continue
        options, uri, suite, components = match.groups()
        suites = chosen([suite], codename, other)
        if not suites or "main" not in components.split():
            continue
        for kind in ("deb", "deb-src"):
            result.append("%s %s%s %s main" % (kind, options or "", uri, suites[0]))
    return "\n".join(result) + "\n" if result else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--codename", required=True)
    parser.add_argument("--suite", help="another suite of the same mirror instead of the release's, e.g. its backports")
    parser.add_argument("--etc", default="/etc/apt", help="where the system's sources are")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    found = 0
    files = [os.path.join(args.etc, "sources.list")]
    files += sorted(glob.glob(os.path.join(args.etc, "sources.list.d", "*.list")))
    files += sorted(glob.glob(os.path.join(args.etc, "sources.list.d", "*.sources")))
    for path in files:
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            text = f.read()
        make = from_deb822 if path.endswith(".sources") else from_list
        text = make(text, args.codename, args.suite)
        if text:
            found += 1
            with open(os.path.join(args.out, os.path.basename(path)), "w", encoding="utf-8",
                      errors="surrogateescape") as f:
                f.write(text)
    if not found:
        sys.exit("apt-sources.py: no apt source of this distribution (suite '%s', component 'main') found in %s; "
                 "give the sources yourself: ./configure --qemu-src=DIR --guest-kernel=FILE --guest-headers=DIR"
                 % (args.codename, args.etc))


if __name__ == "__main__":
    main()
