// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libflow.c - see libflow.h.
 *
 * A direction is three parts one after the other: what comes before the
 * payload (the client's header), the payload, what comes after it (the
 * server's verdict).  Positions count through all three.
 */
#include <stdio.h>
#include <string.h>

#include "libflow.h"

#define MIN(a, b)	((a) < (b) ? (a) : (b))

/* The stream's word number i: a mixer, so that no two places look alike. */
static uint64_t word(uint64_t seed, uint64_t i)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + i;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

void stream_fill(uint64_t seed, uint64_t offset, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		uint64_t w = word(seed, offset / 8);
		size_t skip = offset % 8, n = MIN(8 - skip, len);

		memcpy(p, (uint8_t *)&w + skip, n);
		p += n;
		offset += n;
		len -= n;
	}
}

size_t stream_check(uint64_t seed, uint64_t offset, const void *buf,
		    size_t len)
{
	const uint8_t *p = buf;
	size_t done = 0, i;

	while (done < len) {
		uint64_t w = word(seed, (offset + done) / 8);
		size_t skip = (offset + done) % 8;
		size_t n = MIN(8 - skip, len - done);

		if (memcmp(p + done, (uint8_t *)&w + skip, n)) {
			for (i = 0; p[done + i] == ((uint8_t *)&w)[skip + i];)
				i++;
			return done + i;
		}
		done += n;
	}
	return len;
}

static bool wrong(struct flow *f, const char *fmt, uint64_t a, uint64_t b)
{
	if (!f->wrong)
		snprintf(f->why, sizeof(f->why), fmt, (unsigned long long)a,
			 (unsigned long long)b);
	f->wrong = true;
	return false;
}

void flow_client(struct flow *f, uint64_t seed, uint64_t up, uint64_t down,
		 uint32_t flags)
{
	memset(f, 0, sizeof(*f));
	f->known = true;
	f->hdr = (struct flow_header){
		.magic = FLOW_MAGIC,
		.flags = flags,
		.seed = seed,
		.up = up,
		.down = down,
	};
}

void flow_server(struct flow *f)
{
	memset(f, 0, sizeof(*f));
	f->server = true;
}

/* Lengths of the three parts of a direction; up: client to server. */
static void parts(const struct flow *f, bool up, uint64_t *pre, uint64_t *mid,
		  uint64_t *post)
{
	*pre = up ? sizeof(f->hdr) : 0;
	*mid = up ? f->hdr.up : f->hdr.down;
	*post = !up && f->hdr.flags & FLOW_F_VERDICT ? sizeof(f->verdict) : 0;
}

static uint64_t seed_of(const struct flow *f, bool up)
{
	return up ? f->hdr.seed : ~f->hdr.seed;
}

/* All of the client's payload is here. */
static bool up_came(const struct flow *f)
{
	return f->known && f->rx_pos >= sizeof(f->hdr) + f->hdr.up;
}

size_t flow_next(const struct flow *f, void *buf, size_t cap)
{
	uint64_t pre, mid, post, pos = f->tx_pos;
	struct flow_verdict v = { .magic = FLOW_MAGIC };
	bool up = !f->server;
	size_t n;

	if (!f->known)
		return 0;
	parts(f, up, &pre, &mid, &post);
	if (pos < pre) {
		n = MIN(pre - pos, cap);
		memcpy(buf, (uint8_t *)&f->hdr + pos, n);
		return n;
	}
	pos -= pre;
	if (f->server && f->hdr.flags & FLOW_F_HOLD && !up_came(f))
		return 0;
	if (pos < mid) {
		n = MIN(mid - pos, cap);
		stream_fill(seed_of(f, up), pos, buf, n);
		return n;
	}
	pos -= mid;
	/* The verdict cannot be known before all is here. */
	if (pos >= post || (!up_came(f) && !f->eof && !f->wrong))
		return 0;
	v.received = flow_bytes_up(f);
	v.ok = !f->wrong;
	n = MIN(post - pos, cap);
	memcpy(buf, (uint8_t *)&v + pos, n);
	return n;
}

void flow_sent(struct flow *f, size_t n)
{
	f->tx_pos += n;
}

bool flow_received(struct flow *f, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		uint64_t pre, mid, post, pos = f->rx_pos;
		bool up = f->server;
		size_t n, bad;

		parts(f, up, &pre, &mid, &post);
		if (pos < pre) {
			n = MIN(pre - pos, len);
			memcpy((uint8_t *)&f->hdr + pos, p, n);
			if (pos + n == pre) {
				if (f->hdr.magic != FLOW_MAGIC || f->hdr.rsvd)
					return wrong(f, "not a header: %#llx %llu",
						     f->hdr.magic, f->hdr.rsvd);
				f->known = true;
			}
		} else if (pos - pre < mid) {
			pos -= pre;
			n = MIN(mid - pos, len);
			bad = stream_check(seed_of(f, up), pos, p, n);
			if (bad < n)
				return wrong(f, "wrong byte at %llu of %llu",
					     pos + bad, mid);
		} else if (pos - pre - mid < post) {
			pos -= pre + mid;
			n = MIN(post - pos, len);
			memcpy((uint8_t *)&f->verdict + pos, p, n);
			if (pos + n == post &&
			    (f->verdict.magic != FLOW_MAGIC || !f->verdict.ok ||
			     f->verdict.received != f->hdr.up))
				return wrong(f, "peer's verdict: %llu bytes came, ok %llu",
					     f->verdict.received,
					     f->verdict.ok);
		} else {
			return wrong(f, "%llu bytes too many after %llu", len,
				     pos);
		}
		f->rx_pos += n;
		p += n;
		len -= n;
	}
	return true;
}

bool flow_ended(struct flow *f)
{
	uint64_t pre, mid, post;

	f->eof = true;
	if (flow_rx_done(f) || f->wrong)
		return !f->wrong;
	parts(f, f->server, &pre, &mid, &post);
	return wrong(f, "the stream ended after %llu of %llu bytes", f->rx_pos,
		     f->known ? pre + mid + post : pre);
}

bool flow_tx_done(const struct flow *f)
{
	uint64_t pre, mid, post;

	parts(f, !f->server, &pre, &mid, &post);
	return f->known && f->tx_pos >= pre + mid + post;
}

bool flow_rx_done(const struct flow *f)
{
	uint64_t pre, mid, post;

	parts(f, f->server, &pre, &mid, &post);
	return f->known && !f->wrong && f->rx_pos >= pre + mid + post;
}

static uint64_t payload(uint64_t pos, uint64_t pre, uint64_t mid)
{
	return pos < pre ? 0 : MIN(pos - pre, mid);
}

uint64_t flow_bytes_up(const struct flow *f)
{
	return payload(f->server ? f->rx_pos : f->tx_pos, sizeof(f->hdr),
		       f->hdr.up);
}

uint64_t flow_bytes_down(const struct flow *f)
{
	return payload(f->server ? f->tx_pos : f->rx_pos, 0, f->hdr.down);
}
