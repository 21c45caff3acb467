#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make plain C trace functions from qemu-device/trace-events.

Only the adapter's front may include QEMU headers, but every block traces. An event

    toe_foo_bar(uint32_t ctx, uint64_t addr) "ctx %u addr 0x%" PRIx64

becomes toe_trace_foo_bar(ctx, addr) for the blocks. In QEMU it calls the function that QEMU's tracetool made from the
same line; in the plain build (unit tests, fuzzers) it does nothing.
"""
import argparse
import os
import re
import sys

EVENT = re.compile(r"^(?P<props>(?:[a-z-]+\s+)*?)(?P<name>[A-Za-z_]\w*)\s*\((?P<args>[^)]*)\)\s*(?P<fmt>\".*)$")

GUARD = """/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made by scripts/gen-trace.py from trace-events; do not edit. */
"""


def parse(path):
    events = []
    with open(path, encoding="utf-8") as f:
        text = f.read().replace("\\\n", " ")
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = EVENT.match(line)
        if not match:
            sys.exit("%s:%d: not a trace event: '%s'; write: toe_name(TYPE arg, ...) \"format\"" % (path, number, line))
        name = match.group("name")
        if not name.startswith("toe_"):
            sys.exit("%s:%d: the event '%s' must begin with toe_" % (path, number, name))
        args = []
        for arg in match.group("args").split(","):
            arg = arg.strip()
            if arg in ("", "void"):
                continue
            split = re.match(r"^(.*?[\s*])(\w+)$", arg)
            if not split:
                sys.exit("%s:%d: the argument '%s' of '%s' has no name" % (path, number, arg, name))
            args.append((split.group(1).strip(), split.group(2)))
        events.append((name, args, "disable" in match.group("props").split()))
    return events


def prototype(name, args):
    plain = "toe_trace_" + name[len("toe_"):]
    text = ", ".join("%s%s%s" % (t, "" if t.endswith("*") else " ", n) for t, n in args) or "void"
    return "void %s(%s)" % (plain, text)


def header(events):
    out = [GUARD, "#ifndef TOE_TRACE_H", "#define TOE_TRACE_H", "",
           "#include <inttypes.h>", "#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>", ""]
    for name, args, _ in events:
        out.append(prototype(name, args) + ";")
    out += ["", "#endif"]
    return out


def plain_header(events):
    out = [GUARD, "#ifndef TOE_TRACE_H", "#define TOE_TRACE_H", "",
           "#include <inttypes.h>", "#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>", ""]
    for name, args, _ in events:
        out.append("static inline " + prototype(name, args))
        out.append("{")
        out += ["    (void)%s;" % n for _, n in args]
        out += ["}", ""]
    out.append("#endif")
    return out


def qemu_source(events):
    out = [GUARD, '#include "qemu/osdep.h"', '#include "trace-toe.h"', '#include "toe_trace.h"', ""]
    for name, args, disabled in events:
        out.append(prototype(name, args))
        out.append("{")
        if disabled:
            out += ["    (void)%s;" % n for _, n in args]
        else:
            out.append("    trace_%s(%s);" % (name, ", ".join(n for _, n in args)))
        out += ["}", ""]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--header", action="store_const", dest="make", const=header,
                      help="prototypes, for the QEMU build")
    mode.add_argument("--qemu-source", action="store_const", dest="make", const=qemu_source,
                      help="the functions behind them, calling QEMU's trace functions")
    mode.add_argument("--plain-header", action="store_const", dest="make", const=plain_header,
                      help="functions that do nothing, for the plain build")
    parser.add_argument("input")
    parser.add_argument("output")
    args = parser.parse_args()

    events = parse(args.input) if os.path.exists(args.input) else []
    text = "\n".join(args.make(events)).rstrip("\n") + "\n"
    with open(args.output, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
