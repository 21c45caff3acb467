// SPDX-License-Identifier: MIT
/*
 * info.c - what the adapter's TCP says of a connection.
 *
 * The adapter writes its answer to a page of the context's memory that nothing
 * else uses; there is one, because the caller waits for it.  toe.h's structure
 * is the contract's, field by field, and the build fails if they come apart.
 */
#include <stddef.h>
#include <string.h>

#include "internal.h"

_Static_assert(sizeof(struct toe_tcp_info) == sizeof(struct toe_hw_tcp_info),
	       "struct toe_tcp_info is not what the adapter writes");
#define SAME(field) \
	_Static_assert(offsetof(struct toe_tcp_info, field) == \
		       offsetof(struct toe_hw_tcp_info, field), #field)
SAME(options);
SAME(rto);
SAME(unacked);
SAME(last_data_sent);
SAME(pmtu);
SAME(rtt);
SAME(snd_cwnd);
SAME(rcv_space);
SAME(segs_in);
SAME(pacing_rate);
SAME(notsent_bytes);
SAME(delivery_rate);
SAME(sndbuf_limited);
SAME(delivered_ce);
SAME(bytes_retrans);
SAME(rcv_ooopack);
SAME(congestion);
SAME(app_limited);
_Static_assert(TOE_STATE_TIME_WAIT == TOE_TCP_TIME_WAIT, "states");
_Static_assert(TOE_INFO_SYN_DATA == TOE_INFO_OPT_SYN_DATA, "options");

int toe_tcp_info(struct toe_conn *c, struct toe_tcp_info *info, size_t size)
{
	struct toe *t = c->toe;
	struct toe_hw_req req = {
		.opcode = TOE_OP_INFO, .npieces = 1,
		.u.piece[0] = {
			.key = t->key, .length = sizeof(*info),
			.offset = t->info_off,
		},
	};
	struct toe_tcp_info answer = { 0 };
	uint32_t n;
	int err;

	if (!size || size > sizeof(answer))
		return -EINVAL;
	err = toe_handle_wait(c);
	if (err)
		return err;
	req.handle = c->handle;
	err = toe_ctl(t, &req);
	if (err)
		return err == -EINVAL ? -EOPNOTSUPP : err;
	n = t->ctl.bytes;
	if (n > sizeof(answer)) {		/* the adapter never does that */
		t->stats.bad++;
		return -EIO;
	}
	memcpy(&answer, (const uint8_t *)t->mem + t->info_off, n);
	memcpy(info, &answer, size);
	return 0;
}
