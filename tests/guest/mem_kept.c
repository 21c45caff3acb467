// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mem_kept - memory of the driver that is given back while it is mapped.
 *
 *   mem_kept MIB TIMES
 *
 * Allocates a region of MIB MiB, maps it, gives its key back and keeps the
 * mapping, TIMES times.  The user's limit must stop that; and when the mappings
 * go, all of it must be there again.  So the limit is to be set to something
 * above MIB and below MIB * TIMES.  What is mapped stays usable meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libraw.h"

#define TIMES_MAX	64

static uint8_t *kept[TIMES_MAX];

static void die(const char *what)
{
	fprintf(stderr, "mem_kept: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* How many times it goes. */
static int fill(int fd, size_t length, int times)
{
	int i;

	for (i = 0; i < times; i++) {
		struct toe_uapi_mem u = {
			.length = length, .access = TOE_MEM_READ,
		};

		if (ioctl(fd, TOE_IOC_MEM_ALLOC, &u) < 0) {
			if (errno != EDQUOT)
				die("MEM_ALLOC");
			break;
		}
		kept[i] = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, (off_t)u.mmap);
		if (kept[i] == MAP_FAILED)
			die("mmap");
		memset(kept[i], 'a' + i, length);
		if (ioctl(fd, TOE_IOC_MEM_FREE, &u) < 0)
			die("MEM_FREE");
	}
	return i;
}

/* Dropped pages come back with what was in them; a child has them, too. */
static void use(int n, size_t length)
{
	int i, status;

	for (i = 0; i < n; i++) {
		if (madvise(kept[i], length, MADV_DONTNEED))
			die("madvise");
		if (kept[i][0] != 'a' + i || kept[i][length - 1] != 'a' + i) {
			fprintf(stderr, "mem_kept: other bytes in region %d\n", i);
			exit(1);
		}
		/* In two parts. */
		if (munmap(kept[i] + 4096, 4096))
			die("munmap");
	}
	if (!fork()) {
		kept[0][0] = 'z';
		_exit(0);
	}
	wait(&status);
	if (status || kept[0][0] != 'z') {
		fprintf(stderr, "mem_kept: a child does not share it\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	size_t length;
	struct raw r;
	int i, n, times;

	if (argc != 3)
		return 2;
	length = (size_t)atoi(argv[1]) << 20;
	times = atoi(argv[2]);
	if (times > TIMES_MAX)
		return 2;
	if (raw_open(&r))
		die("no context");
	n = fill(r.fd, length, times);
	printf("%d of %d\n", n, times);
	if (!n || n == times) {
		fprintf(stderr, "mem_kept: the limit did not stop it\n");
		return 1;
	}
	use(n, length);
	for (i = 0; i < n; i++)
		if (munmap(kept[i], length))
			die("munmap");
	if (fill(r.fd, length, n) != n) {
		fprintf(stderr, "mem_kept: not all of it came back\n");
		return 1;
	}
	return 0;
}
