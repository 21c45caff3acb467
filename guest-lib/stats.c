// SPDX-License-Identifier: MIT
/* stats.c - what the library counted, per context and per connection. */
#include <string.h>

#include "internal.h"

static int copy_out(void *to, size_t size, const void *from, size_t have)
{
	if (!to || !size)
		return -EINVAL;
	memset(to, 0, size);
	memcpy(to, from, size < have ? size : have);
	return 0;
}

int toe_stats(const struct toe *t, struct toe_stats *stats, size_t size)
{
	return copy_out(stats, size, &t->stats, sizeof(t->stats));
}

int toe_conn_stats(const struct toe_conn *c, struct toe_conn_stats *stats,
		   size_t size)
{
	struct toe_conn_stats s = {
		.bytes_out = c->bytes_out,
		.bytes_in = c->bytes_in,
		.sends = c->sends,
		.buffers = c->buffers,
		.recv_pending = c->rx_bytes,
		.send_pending = c->send_bytes,
		.lent = c->lent,
		.handle = c->handle,
		.mss = c->mss,
	};

	return copy_out(stats, size, &s, sizeof(s));
}
