#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Take the kernel proper, an ELF file, out of a compressed bzImage.

QEMU starts it directly (PVH), so that an emulated processor does not have to unpack it: two seconds less at each boot.
Exit status 1, and no file, if that cannot be done: the bzImage works as well.

usage: extract-vmlinux.py BZIMAGE OUT
"""
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys


def payload(data):
    if data[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", data, 0x206)[0] < 0x208:
        return None
    setup = (data[0x1f1] or 4) + 1
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = setup * 512 + offset
    return data[start:start + length]


def unpack(data):
    if data.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(data)
    if data.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=io.BytesIO(data[:-4])).read()
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return subprocess.run(["zstd", "-dcq"], input=data[:-4], check=True, stdout=subprocess.PIPE).stdout
    return None


def has_pvh(elf):
    """A PT_NOTE with XEN_ELFNOTE_PHYS32_ENTRY (18) is how QEMU finds the entry."""
    if not elf.startswith(b"\x7fELF\x02\x01"):
        return False
    offset, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", elf, offset + i * size)
        end = at + length
        while kind == 4 and at + 12 <= end:
            namesz, descsz, what = struct.unpack_from("<III", elf, at)
            if what == 18 and elf[at + 12:at + 15] == b"Xen":
                return True
            at += 12 + (namesz + 3) // 4 * 4 + (descsz + 3) // 4 * 4
    return False


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    try:
        with open(sys.argv[1], "rb") as f:
            data = payload(f.read())
        elf = unpack(data) if data else None
    except (OSError, EOFError, struct.error, lzma.LZMAError, subprocess.CalledProcessError):
        elf = None
    if not elf or not has_pvh(elf):
        sys.exit(1)
    tmp = "%s.%d" % (sys.argv[2], os.getpid())
    with open(tmp, "wb") as f:
        f.write(elf)
    os.replace(tmp, sys.argv[2])


if __name__ == "__main__":
    main()
