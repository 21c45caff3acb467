// SPDX-License-Identifier: MIT
/*
 * mem.c - memory that the adapter may read or write, besides the context's
 * own.  The driver pins it and fills the adapter's table; a key names it.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

static int access_of(unsigned int flags, uint32_t *access)
{
	if (!flags || flags & ~(TOE_MEM_F_SEND | TOE_MEM_F_RECV))
		return -EINVAL;
	*access = (flags & TOE_MEM_F_SEND ? TOE_MEM_READ : 0) |
		  (flags & TOE_MEM_F_RECV ? TOE_MEM_WRITE : 0);
	return 0;
}

static int mem_new(struct toe *t, struct toe_uapi_mem *u, unsigned int flags,
		   struct toe_mem **mem)
{
	int err = access_of(flags, &u->access);

	if (err || !u->length)
		return -EINVAL;
	if (t->dead)
		return -ENODEV;
	*mem = calloc(1, sizeof(**mem));
	if (!*mem)
		return -ENOMEM;
	(*mem)->toe = t;
	(*mem)->length = u->length;
	(*mem)->flags = flags;
	return 0;
}

int toe_mem_register(struct toe *t, void *addr, size_t length,
		     unsigned int flags, struct toe_mem **mem)
{
	struct toe_uapi_mem u = {
		.addr = (uintptr_t)addr, .length = length,
	};
	struct toe_mem *m;
	int err = mem_new(t, &u, flags, &m);

	if (err)
		return err;
	if (ioctl(t->fd, TOE_IOC_MEM_REG, &u) < 0) {
		err = -errno;
		free(m);
		return err;
	}
	m->addr = addr;
	m->key = u.key;
	*mem = m;
	return 0;
}

int toe_mem_alloc(struct toe *t, size_t length, unsigned int flags,
		  struct toe_mem **mem)
{
	struct toe_uapi_mem u = { .length = length };
	struct toe_mem *m;
	int err = mem_new(t, &u, flags, &m);

	if (err)
		return err;
	if (ioctl(t->fd, TOE_IOC_MEM_ALLOC, &u) < 0) {
		err = -errno;
		free(m);
		return err;
	}
	m->key = u.key;
	m->ours = true;
	m->addr = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd,
		       (off_t)u.mmap);
	if (m->addr == MAP_FAILED) {
		err = -errno;
		ioctl(t->fd, TOE_IOC_MEM_FREE, &u);
		free(m);
		return err;
	}
	*mem = m;
	return 0;
}

int toe_mem_free(struct toe_mem *m)
{
	struct toe_uapi_mem u = { 0 };
	int err = 0;

	if (!m)
		return 0;
	u.key = m->key;
	if (ioctl(m->toe->fd, TOE_IOC_MEM_FREE, &u) < 0)
		err = -errno;
	if (m->ours)
		munmap(m->addr, m->length);
	free(m);
	return err;
}

void *toe_mem_addr(const struct toe_mem *m)
{
	return m->addr;
}

size_t toe_mem_length(const struct toe_mem *m)
{
	return m->length;
}

uint32_t toe_mem_key(const struct toe_mem *m)
{
	return m->key;
}
