// SPDX-License-Identifier: MIT
/*
 * kept.c - options that were set before there was a connection.
 *
 * The kernel's socket remembers most of them, but does not tell what was set
 * and what is its default, and refuses what only the adapter has.  So they are
 * remembered here too, by descriptor, in the adapter's terms; connect() gives
 * them to the connection before its first segment.
 *
 * An entry belongs to a socket: duplicates share it.  The table is read without
 * the lock to see that there is nothing.
 */
#include <stdlib.h>

#include "preload.h"

struct kept {
	unsigned int refs;		/* descriptors */
	uint32_t count;
	struct toe_option options[TOE_OPTIONS_MAX];
};

static struct kept *table[PS_FD_MAX];	/* under ps_lock */

static struct kept *look(int fd)
{
	if (fd < 0 || fd >= PS_FD_MAX)
		return NULL;
	return __atomic_load_n(&table[fd], __ATOMIC_RELAXED);
}

void ps_keep(int fd, int option, uint64_t value)
{
	struct kept *k = look(fd);
	uint32_t i = 0;

	if (fd < 0 || fd >= PS_FD_MAX)
		return;
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return;
		k->refs = 1;
		__atomic_store_n(&table[fd], k, __ATOMIC_RELAXED);
	}
	while (i < k->count && k->options[i].option != option)
		i++;
	if (i == TOE_OPTIONS_MAX)
		return;			/* there are not as many */
	k->options[i].option = option;
	k->options[i].value = value;
	if (i == k->count)
		k->count++;
}

bool ps_kept(int fd, int option, uint64_t *value)
{
	struct kept *k = look(fd);
	uint32_t i;

	for (i = 0; k && i < k->count; i++)
		if (k->options[i].option == option) {
			*value = k->options[i].value;
			return true;
		}
	return false;
}

uint32_t ps_kept_all(int fd, struct toe_option *out)
{
	struct kept *k = look(fd);
	uint32_t i;

	for (i = 0; k && i < k->count; i++)
		out[i] = k->options[i];
	return i;
}

void ps_kept_forget(int fd)
{
	struct kept *k;

	if (!look(fd))
		return;
	pthread_mutex_lock(&ps_lock);
	k = look(fd);
	if (k) {
		__atomic_store_n(&table[fd], NULL, __ATOMIC_RELAXED);
		if (!--k->refs)
			free(k);
	}
	pthread_mutex_unlock(&ps_lock);
}

void ps_kept_share(int fd, int newfd)
{
	struct kept *k;

	if (newfd < 0 || newfd >= PS_FD_MAX || fd == newfd)
		return;
	ps_kept_forget(newfd);		/* closed where we did not see it */
	if (!look(fd))
		return;
	pthread_mutex_lock(&ps_lock);
	k = look(fd);
	if (k) {
		k->refs++;
		__atomic_store_n(&table[newfd], k, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&ps_lock);
}
