/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c - what TCP promises, checked on every frame.
 *
 * check_sent() sees a frame when it leaves an adapter, check_delivered() just
 * before the other one gets it.  So for each direction of a connection it is
 * known what the receiver can have (flow.there, flow.spans) and what the
 * sender can know (flow.edge, flow.acked), and:
 *
 *  - each payload byte sent is the stream's byte at that sequence number, also
 *    when it is sent again, and was given to the adapter by then;
 *  - nothing lies beyond the right edge of the widest window that reached the
 *    sender, but a zero-window probe's one byte (RFC 9293 3.8.6.1) and a FIN,
 *    which the engine sends without a window, as BSD does;
 *  - an acknowledgment covers only bytes that arrived whole, without a gap, and
 *    that the application can read or has read; it does not move back;
 *  - the window's right edge does not move back by a scaling unit (RFC 7323
 *    2.4), nor beyond the receive buffer;
 *  - FIN stands behind the last byte, after a shutdown or close;
 *  - ECT is on new data of connections whose SYNs agreed on ECN, and on all of
 *    it (and on DCTCP's SYN, SYN-ACK and RST); a mark is echoed until CWR, no
 *    echo is without a mark, and the next new data after an echo says CWR (RFC
 *    3168 6.1);
 *  - new data goes no faster than the application's limit;
 *  - while nothing arrives, the same bytes are repeated ever more slowly (RFC
 *    6298 5.5), and ACKs need a cause.
 */
#include "nop/tcp/tcp.h"
#include "sim.h"

#define ETH		14
#define IP		20

static uint8_t scale_of(const struct conn *c, unsigned side)
{
	return c->end[0].flow.wscale_offered && c->end[1].flow.wscale_offered
	       ? c->end[side].flow.wscale : 0;
}

static int64_t offset(const struct flow *f, uint32_t seq)
{
	return (int32_t)(seq - f->iss - 1);
}

/* ---- Sent ---- */

static void syn_options(struct flow *f, const uint8_t *tcp, size_t hlen)
{
	size_t i = 20;

	f->wscale_offered = false;
	while (i < hlen && tcp[i]) {
		if (tcp[i] == 1) {
			i++;
			continue;
		}
		if (tcp[i] == 3) {
			f->wscale_offered = true;
			f->wscale = tcp[i + 2];
		}
		i += tcp[i + 1];
	}
}

static uint64_t paws_drops(const struct sim *s, unsigned side)
{
	return s->side[side].counters.v[TOE_CTR_TCP_PAWS_DROPS];
}

static bool wants_ecn(const struct seg *seg)
{
	uint8_t bits = seg->flags & (ECE | CWR);

	return bits == (seg->flags & ACK ? ECE : ECE | CWR);
}

static void sent_syn(struct sim *s, struct end *e, const struct seg *seg,
		     const uint8_t *tcp, size_t hlen)
{
	struct flow *f = &e->flow;

	if (f->syn && f->iss != seg->seq) {
		if (e->up)
			sim_fail(s, e->conn, "side %u sends a SYN with another "
				 "ISN in the middle", e->side);
		/* A listener lost its half-open one and made another. */
		memset(f, 0, sizeof(*f));
		e->conn->end[!e->side].flow.said = false;
	}
	if (!f->syn) {
		f->syn = true;
		f->iss = seg->seq;
		f->fin = -1;
		f->again = -2;
		f->cwr = -1;
		f->ecn = true;
	}
	f->ecn = f->ecn && wants_ecn(seg);
	syn_options(f, tcp, hlen);
	if (seg->len && !(e->conn->fast && e->side == e->conn->initiator))
		sim_fail(s, e->conn, "side %u sends data on a SYN", e->side);
}

/* The IP header's ECN field, and CWR.  Before the flow knows of the data. */
static void sent_ecn(struct sim *s, struct end *e, const struct seg *seg)
{
	struct flow *f = &e->flow, *back = &e->conn->end[!e->side].flow;
	bool dctcp = e->cc == TOE_CC_DCTCP ||
		     (!e->handle && s->p.cc[e->side] == TOE_CC_DCTCP);
	int64_t off = offset(f, seg->seq);
	/* A byte without ECT may be a window probe. */
	bool fresh = seg->len > !seg->ecn && off >= f->end;

	if (seg->ecn == CE || seg->ecn == 1)
		sim_fail(s, e->conn, "side %u sends ECN field %u", e->side,
			 seg->ecn);
	if (seg->flags & (SYN | RST)) {
		if (seg->ecn && !dctcp)
			sim_fail(s, e->conn, "side %u: ECT on flags 0x%02x",
				 e->side, seg->flags);
		return;
	}
	if (seg->ecn && !fresh)
		sim_fail(s, e->conn, "side %u: ECT on %u bytes from %" PRId64
			 ", sent are %" PRId64, e->side, seg->len, off, f->end);
	if (seg->ecn && !(f->ecn && back->ecn_once))
		sim_fail(s, e->conn, "side %u: ECT, not agreed on", e->side);
	/* What was sent into a link that is down was new to it, not to us. */
	if (!seg->ecn && fresh && f->ecn && back->ecn_once &&
	    back->ecn_there && !s->p.flaps)
		sim_fail(s, e->conn, "side %u: agreed, but no ECT", e->side);
	if (seg->flags & CWR) {
		if (!seg->ecn)
			sim_fail(s, e->conn, "side %u: CWR on what is not new",
				 e->side);
		f->cwr = off;
		f->owes_cwr = false;
	}
	/* Frames that wait for ARP come too late to know. */
	/* What PAWS dropped was not seen. */
	if (fresh && f->owes_cwr && !s->p.arp &&
	    f->owes_paws == paws_drops(s, e->side))
		sim_fail(s, e->conn, "side %u: no CWR after an echo", e->side);
}

/* The same bytes again: since when has the sender heard nothing? */
static void sent_again(struct sim *s, struct end *e, int64_t off)
{
	struct flow *f = &e->flow;
	int64_t base = s->p.max_segment ? 5 * MS : 200 * MS, t;
	unsigned most = 4;

	if (f->again != off) {
		f->again = off;
		f->again_since = s->now;
		f->again_count = 1;
		return;
	}
	for (t = s->now - f->again_since; t > base; t /= 2)
		most++;
	/* The back-off has a limit (RFC 6298 2.5). */
	most += (unsigned)((s->now - f->again_since) / (60 * SEC));
	if (++f->again_count > most)
		sim_fail(s, e->conn, "side %u sends offset %" PRId64
			 " %u times in %.3f s without having heard anything",
			 e->side, off, f->again_count,
			 (double)(s->now - f->again_since) / SEC);
}

/*
 * New data and the application's limit: what it allows since the first byte,
 * and a burst of what time was not used.
 */
static void sent_paced(struct sim *s, struct end *e, int64_t end)
{
	int64_t mss = MAX(s->p.mtu, s->p.max_segment), most;

	if (!e->paced) {
		e->paced = true;
		e->paced_since = s->now;
	}
	most = (int64_t)((s->now - e->paced_since + 3 * MS) / 1000 * e->pace /
			 1000000) + 13 * mss;
	if (end > most)
		sim_fail(s, e->conn, "side %u has sent %" PRId64 " bytes at %u a "
			 "second, %" PRId64 " would be the most", e->side, end,
			 e->pace, most);
}

static void sent_data(struct sim *s, struct end *e, const struct seg *seg,
		      const uint8_t *data)
{
	struct flow *f = &e->flow;
	int64_t off = offset(f, seg->seq) + !!(seg->flags & SYN);
	int64_t end = off + seg->len;
	uint32_t i;

	if (off < 0 || end > e->sent)
		sim_fail(s, e->conn, "side %u sends offsets %" PRId64 " to %"
			 PRId64 " of a stream of %u bytes", e->side, off, end,
			 e->sent);
	for (i = 0; i < seg->len; i++)
		if (data[i] != app_byte(e->conn, e->side, (uint32_t)off + i))
			sim_fail(s, e->conn, "side %u sends a wrong byte at "
				 "offset %" PRId64 " (segment from %" PRId64
				 ", %u bytes)", e->side, off + i, off,
				 seg->len);
	/* Of Fast Open's data a SYN cannot know the window. */
	if (end > f->edge && !(seg->len == 1 && off <= f->edge) &&
	    !(seg->flags & SYN))
		sim_fail(s, e->conn, "side %u sends offsets %" PRId64 " to %"
			 PRId64 ", the window ends at %" PRId64, e->side, off,
			 end, f->edge);
	if (f->fin >= 0 && end > f->fin)
		sim_fail(s, e->conn, "side %u sends data behind its FIN",
			 e->side);
	if (off < f->end)
		sent_again(s, e, off);
	else if (e->pace)
		sent_paced(s, e, end);
	f->end = MAX(f->end, end);
}

static void sent_fin(struct sim *s, struct end *e, const struct seg *seg)
{
	struct flow *f = &e->flow;
	int64_t off = offset(f, seg->seq) + seg->len;

	if (off != e->sent || !e->shut)
		sim_fail(s, e->conn, "side %u sends FIN at offset %" PRId64
			 " of %u%s", e->side, off, e->sent,
			 e->shut ? "" : ", and was not asked to");
	f->fin = off;
}

static void sent_ack(struct sim *s, struct end *e, const struct seg *seg)
{
	struct end *peer = &e->conn->end[!e->side];
	struct flow *f = &peer->flow;
	struct side *w = &s->side[e->side];
	unsigned scale = seg->flags & SYN ? 0 : scale_of(e->conn, e->side);
	uint32_t buffer = MAX(s->p.rcvbuf, s->p.tuned);
	int64_t ack, edge, most;

	if (!f->syn_there)
		sim_fail(s, e->conn, "side %u acknowledges a SYN that never "
			 "came", e->side);
	ack = offset(f, seg->ack);
	most = f->there + (f->fin_there && f->there == f->fin);
	if (ack > most)
		sim_fail(s, e->conn, "side %u acknowledges offset %" PRId64
			 ", only %" PRId64 " arrived", e->side, ack, most);
	if (e->handle && !e->let_go && e->up) {
		int64_t have = (int64_t)e->got +
			       toe_stream_rx(w->n, e->handle)->len;

		if (ack > have + (f->fin_there && have == f->fin))
			sim_fail(s, e->conn, "side %u acknowledges offset %"
				 PRId64 ", the application has %" PRId64,
				 e->side, ack, have);
	}
	if (f->said && ack < f->ack)
		sim_fail(s, e->conn, "side %u acknowledges offset %" PRId64
			 " after %" PRId64, e->side, ack, f->ack);
	edge = ack + ((int64_t)seg->wnd << scale);
	/* A SYN says at most 65535 (RFC 7323 2.2). */
	if (f->said && edge <= f->adv - (1 << scale) && !(seg->flags & SYN))
		sim_fail(s, e->conn, "side %u takes its window back from %"
			 PRId64 " to %" PRId64, e->side, f->adv, edge);
	if (!e->let_go && edge > (int64_t)e->got + buffer + 1 + (1 << scale))
		sim_fail(s, e->conn, "side %u offers a window up to %" PRId64
			 ", read are %u and the buffer has %u", e->side, edge,
			 e->got, buffer);
	if (!(seg->flags & SYN)) {
		bool ece = seg->flags & ECE;

		if (ece && !f->ce_once)
			sim_fail(s, e->conn, "side %u echoes a mark that never "
				 "came", e->side);
		/* What PAWS dropped was not seen. */
		if (!ece && f->ce_there && e->cc != TOE_CC_DCTCP &&
		    f->ce_paws == paws_drops(s, e->side))
			sim_fail(s, e->conn, "side %u does not echo a mark",
				 e->side);
	}
	f->adv = f->said ? MAX(f->adv, edge) : edge;
	f->ack = ack;
	f->said = true;
	if (!seg->len && !(seg->flags & (SYN | FIN))) {
		e->pure_acks++;
		/* Probes, keepalives and timers make some by themselves. */
		/* DCTCP's receiver has two for each change of marking. */
		if (e->pure_acks > (e->cc == TOE_CC_DCTCP ? 2 : 1) * e->heard +
				   e->reads + 30 +
		    (uint64_t)(sim_time(s) / (100 * MS)))
			sim_fail(s, e->conn, "side %u sent %" PRIu64 " ACKs, "
				 "received %" PRIu64 " segments", e->side,
				 e->pure_acks, e->heard);
	}
}

void check_sent(struct side *w, const uint8_t *frame, size_t len,
		struct seg *seg)
{
	struct sim *s = w->sim;
	const uint8_t *ip = frame + ETH, *tcp = ip + IP;
	struct end *e;
	uint16_t port[2];
	size_t ip_len, hlen;

	memset(seg, 0, sizeof(*seg));
	if (!w->link)
		sim_fail(s, NULL, "side %u sends without a link", w->number);
	if (toe_get16(frame + 12) != 0x0800)
		return;
	ip_len = toe_get16(ip + 2);
	if (MAX(ip_len + ETH, 60) != len || ip_len > MAX(s->p.mtu, s->p.max_segment))
		sim_fail(s, NULL, "side %u sends a packet of %zu bytes in a "
			 "frame of %zu", w->number, ip_len, len);
	if (ip[9] != TOE_PROTO_TCP)
		return;
	port[w->number] = toe_get16(tcp);
	port[!w->number] = toe_get16(tcp + 2);
	hlen = (tcp[12] >> 4) * 4u;
	seg->conn = app_find(s, port);
	seg->from = w->number;
	seg->seq = toe_get32(tcp + 4);
	seg->ack = toe_get32(tcp + 8);
	seg->flags = tcp[13];
	seg->ecn = ip[1] & 3;
	seg->wnd = toe_get16(tcp + 14);
	seg->len = (uint32_t)(ip_len - IP - hlen);
	if (!seg->conn)
		sim_fail(s, NULL, "side %u sends a segment of no connection, "
			 "ports %u and %u", w->number, port[0], port[1]);
	if (seg->flags & RST) {
		if (seg->len)
			sim_fail(s, seg->conn, "side %u sends data on a RST",
				 w->number);
		return;
	}
	e = &seg->conn->end[w->number];
	if (seg->flags & SYN && e->let_go && e->flow.syn &&
	    e->flow.iss != seg->seq)
		e->ghost = true;
	if (e->ghost || (!(seg->flags & SYN) && !e->flow.syn &&
			 e->conn->again)) {
		/*
		 * Of an old SYN that came again when all was over, or of the
		 * last connection on these ports.
		 */
		seg->conn = NULL;
		return;
	}
	if (seg->flags & SYN)
		sent_syn(s, e, seg, tcp, hlen);
	else if (!e->flow.syn)
		sim_fail(s, e->conn, "side %u sends before its SYN", w->number);
	sent_ecn(s, e, seg);
	if (seg->len)
		sent_data(s, e, seg, tcp + hlen);
	if (seg->flags & FIN)
		sent_fin(s, e, seg);
	if (seg->flags & ACK)
		sent_ack(s, e, seg);
	else if (!(seg->flags & SYN))
		sim_fail(s, e->conn, "side %u sends a segment without ACK",
			 w->number);
}

/* ---- Delivered ---- */

static void add_span(struct flow *f, int64_t from, int64_t to)
{
	unsigned i = 0, k;

	if (from <= f->there) {
		f->there = MAX(f->there, to);
	} else {
		while (i < f->nspans && f->spans[i].to < from)
			i++;
		/* Merge with all that it touches. */
		for (k = i; k < f->nspans && f->spans[k].from <= to; k++) {
			from = MIN(from, f->spans[k].from);
			to = MAX(to, f->spans[k].to);
		}
		if (k == i && f->nspans == SPANS_MAX)
			return;			/* forgotten: no matter */
		memmove(&f->spans[i + 1], &f->spans[k],
			(f->nspans - k) * sizeof(f->spans[0]));
		f->spans[i] = (struct span){ from, to };
		f->nspans = f->nspans + 1 - (k - i);
	}
	for (i = 0; i < f->nspans && f->spans[i].from <= f->there; i++)
		f->there = MAX(f->there, f->spans[i].to);
	memmove(f->spans, &f->spans[i], (f->nspans - i) * sizeof(f->spans[0]));
	f->nspans -= i;
}

void check_delivered(struct sim *s, const struct seg *seg)
{
	struct end *from, *to;
	struct flow *f;
	int64_t off;
	bool in_turn;

	if (!seg->conn || seg->flags & RST)
		return;
	from = &seg->conn->end[seg->from];
	to = &seg->conn->end[!seg->from];
	f = &from->flow;
	to->heard++;
	to->flow.again = -2;
	off = offset(f, seg->seq);
	if (seg->flags & SYN) {
		f->ecn_there = (f->ecn_there || !f->syn_there) &&
			       wants_ecn(seg);
		f->ecn_once = f->ecn_once || wants_ecn(seg);
		f->syn_there = true;
		off = 0;
	}
	if (seg->len && seg->flags & CWR)
		f->ce_there = false;
	if (seg->len && seg->ecn == CE) {
		f->ce_once = true;
		/*
		 * What is next in turn, and so surely in the window; if there
		 * is memory for it, a listener had room for the connection, and
		 * its ACK is not too old (RFC 5961 5.2).
		 */
		if (off <= f->there && off + seg->len > f->there && to->up &&
		    s->p.profile != LITTLE_MEMORY &&
		    offset(&to->flow, seg->ack) + 2048 >= to->flow.acked) {
			f->ce_there = true;
			f->ce_paws = paws_drops(s, !seg->from);
		}
	}
	/*
	 * An echo about data behind the last CWR, on a segment that cannot lie
	 * outside the window.
	 */
	in_turn = !(seg->flags & (SYN | FIN)) && off <= f->there &&
		  s->p.profile != LITTLE_MEMORY;
	if (seg->len)
		add_span(f, off, off + seg->len);
	if (seg->flags & FIN && off + seg->len == f->fin)
		f->fin_there = true;
	f = &to->flow;
	if (seg->flags & ACK && f->syn) {
		unsigned scale = seg->flags & SYN
				 ? 0 : scale_of(seg->conn, seg->from);
		int64_t ack = offset(f, seg->ack);

		if (seg->flags & ECE && in_turn && f->ecn &&
		    from->flow.ecn_there && ack >= f->acked && ack > f->cwr) {
			f->owes_cwr = true;
			f->owes_paws = paws_drops(s, !seg->from);
		}
		f->acked = MAX(f->acked, ack);
		f->edge = MAX(f->edge, ack + ((int64_t)seg->wnd << scale));
	} else if (seg->flags & SYN) {
		f->edge = MAX(f->edge, seg->wnd);
	}
}

/* ---- At the end ---- */

static void no_leak(struct side *w)
{
	struct sim *s = w->sim;
	ToeTcp *t = w->n->tcp;
	const uint64_t *v = w->counters.v;
	uint32_t i, ranges = 0;

	if (v[TOE_CTR_TCP_NCBS] || v[TOE_CTR_TCP_TIME_WAIT] ||
	    v[TOE_CTR_TCP_ORPHANS] || t->conns || t->synq.count)
		sim_fail(s, NULL, "side %u has left: %" PRIu64 " NCBs, %" PRIu64
			 " in TIME-WAIT, %" PRIu64 " orphans, %u counted, %u "
			 "half open", w->number, v[TOE_CTR_TCP_NCBS],
			 v[TOE_CTR_TCP_TIME_WAIT], v[TOE_CTR_TCP_ORPHANS],
			 t->conns, t->synq.count);
	if (toe_lmem_avail(w->lm, TOE_LMEM_IN) != toe_lmem_total(w->lm))
		sim_fail(s, NULL, "side %u has lost %u buflets of %u",
			 w->number, toe_lmem_total(w->lm) -
			 toe_lmem_avail(w->lm, TOE_LMEM_IN),
			 toe_lmem_total(w->lm));
	for (i = 0; i <= 65535; i++)
		if (toe_ports_refs(&w->n->tcp_ports, (uint16_t)i))
			sim_fail(s, NULL, "side %u has port %u left", w->number,
				 i);
	for (i = t->ranges_free; i != TOE_NONE; i = t->ranges[i].next)
		ranges++;
	if (ranges != t->ranges_size)
		sim_fail(s, NULL, "side %u has lost %u ranges", w->number,
			 t->ranges_size - ranges);
	if (toe_nop_deadline(w->n) != NEVER)
		sim_fail(s, NULL, "side %u has a timer left", w->number);
	if (t->out_first != TOE_NONE || t->replies_count ||
	    t->tw_first != TOE_NONE)
		sim_fail(s, NULL, "side %u has work left", w->number);
}

void check_end(struct sim *s)
{
	unsigned i, both = 0;

	for (i = 0; i < s->p.conns; i++)
		both += s->conn[i].both;
	for (i = 0; i < 2; i++) {
		struct side *w = &s->side[i];
		const uint64_t *v = w->counters.v;

		no_leak(w);
		if (!s->p.corrupt &&
		    (v[TOE_CTR_TCP_BAD_CHECKSUM] || v[TOE_CTR_TCP_BAD] ||
		     v[TOE_CTR_IP_BAD_CHECKSUM] || v[TOE_CTR_IP_BAD_HEADER]))
			sim_fail(s, NULL, "side %u was sent bad checksums or "
				 "headers", i);
		/*
		 * A probe's byte that was not taken is sent again, and so is
		 * the SYN of a simultaneous open; and the data of a SYN if the
		 * listener has too many such already.
		 */
		if (s->p.profile == CLEAN && !s->p.fastopen &&
		    (v[TOE_CTR_TCP_RETRANSMITS] > v[TOE_CTR_TCP_PROBES] + both ||
		     v[TOE_CTR_TCP_RTO]))
			sim_fail(s, NULL, "side %u sent %" PRIu64 " segments "
				 "again where nothing is ever lost, %" PRIu64
				 " time-outs, %" PRIu64 " probes", i,
				 v[TOE_CTR_TCP_RETRANSMITS],
				 v[TOE_CTR_TCP_RTO], v[TOE_CTR_TCP_PROBES]);
	}
}
