/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.c - the network between the adapters: a router with a link to each.
 *
 * A frame that an adapter sends goes, in this order, through: the path's MTU
 * (ICMP "fragmentation needed" comes back), the bottleneck's queue, loss and
 * bursts, corruption of one byte behind the Ethernet header, delay, jitter and
 * reordering, duplication.  On the way ECT becomes CE, by chance or for a long
 * queue.  The router decrements the TTL and writes the
 * Ethernet addresses of the other link.  It answers ARP for itself.
 *
 * One flipped byte is what the checksums of IPv4, ICMP and TCP are sure to
 * see; more may pass them, which would say nothing about TCP.  ARP has no
 * checksum and is left alone.
 */
#include "sim.h"

#define ETH		14

/* ---- Frames under way: a heap by time, then by order of sending ---- */

static bool before(const struct flight *a, const struct flight *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void heap_push(GPtrArray *h, struct flight *f)
{
	guint i = h->len;

	g_ptr_array_add(h, f);
	while (i && before(f, h->pdata[(i - 1) / 2])) {
		h->pdata[i] = h->pdata[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->pdata[i] = f;
}

static struct flight *heap_pop(GPtrArray *h)
{
	struct flight *top = h->pdata[0], *last = h->pdata[h->len - 1];
	guint i = 0;

	g_ptr_array_set_size(h, (gint)h->len - 1);
	while (2 * i + 1 < h->len) {
		guint k = 2 * i + 1;

		if (k + 1 < h->len && before(h->pdata[k + 1], h->pdata[k]))
			k++;
		if (!before(h->pdata[k], last))
			break;
		h->pdata[i] = h->pdata[k];
		i = k;
	}
	if (h->len)
		h->pdata[i] = last;
	return top;
}

static struct flight *fly(struct sim *s, unsigned to, int64_t when,
			  const uint8_t *data, size_t len)
{
	struct flight *f = g_malloc(sizeof(*f) + len);

	memset(f, 0, sizeof(*f));
	memcpy(f->data, data, len);
	f->len = len;
	f->to = to;
	f->when = when;
	f->order = s->order++;
	heap_push(s->heap, f);
	return f;
}

/* ---- What the router says itself ---- */

static uint16_t sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void ip_checksum(uint8_t *ip)
{
	toe_put16(ip + 10, 0);
	toe_put16(ip + 10, sum16(ip, 20));
}

static void arp(struct side *w, const uint8_t *frame, size_t len)
{
	uint8_t out[60] = { 0 };
	const uint8_t *a = frame + ETH;

	/* Requests for the gateway only; announcements need no answer. */
	if (len < ETH + 28 || toe_get16(a + 6) != 1 ||
	    memcmp(a + 24, w->gw_ip, 4) || !w->sim->net_up)
		return;
	memcpy(out, frame + 6, 6);
	memcpy(out + 6, w->gw_mac, 6);
	toe_put16(out + 12, 0x0806);
	memcpy(out + ETH, a, 8);
	toe_put16(out + ETH + 6, 2);
	memcpy(out + ETH + 8, w->gw_mac, 6);
	memcpy(out + ETH + 14, w->gw_ip, 4);
	memcpy(out + ETH + 18, a + 8, 10);
	fly(w->sim, w->number, w->sim->now + MS / 10, out, sizeof(out));
}

static void too_big(struct side *w, const uint8_t *frame)
{
	struct sim *s = w->sim;
	uint8_t out[ETH + 20 + 8 + 28] = { 0 };
	uint8_t *ip = out + ETH, *icmp = ip + 20;

	memcpy(out, w->mac, 6);
	memcpy(out + 6, w->gw_mac, 6);
	toe_put16(out + 12, 0x0800);
	ip[0] = 0x45;
	toe_put16(ip + 2, sizeof(out) - ETH);
	ip[8] = 64;
	ip[9] = 1;
	memcpy(ip + 12, w->gw_ip, 4);
	memcpy(ip + 16, w->ip, 4);
	ip_checksum(ip);
	icmp[0] = 3;
	icmp[1] = 4;
	/* A router of before RFC 1191 does not say how big. */
	if (!chance(&s->rng, 50))
		toe_put16(icmp + 6, (uint16_t)s->path_mtu);
	memcpy(icmp + 8, frame + ETH, 28);
	toe_put16(icmp + 2, sum16(icmp, 36));
	if (!chance(&s->rng, s->p.loss))
		fly(s, w->number, s->now + s->p.delay[w->number] / 2 + 1, out,
		    sizeof(out));
}

/* ---- Between the links ---- */

static bool faulty(const struct sim *s)
{
	return sim_time(s) < s->p.faults_end;
}

static bool is_lost(struct sim *s, struct link *l)
{
	if (!s->net_up)
		return true;
	if (!faulty(s))
		return false;
	/* By time, not by frames: few frames must not make a long burst. */
	if (chance(&s->rng, s->p.burst))
		l->burst_until = s->now + (int64_t)rnd(&s->rng,
						(uint64_t)s->p.burst_for);
	return s->now < l->burst_until || chance(&s->rng, s->p.loss);
}

static void copy_across(struct side *w, const struct seg *seg,
			const uint8_t *frame, size_t len, int64_t depart)
{
	struct sim *s = w->sim;
	struct side *to = &s->side[!w->number];
	int64_t when = depart + s->p.delay[w->number];
	struct flight *f;

	when += (int64_t)rnd(&s->rng, (uint64_t)s->p.jitter);
	if (faulty(s) && chance(&s->rng, s->p.reorder))
		when += (int64_t)rnd(&s->rng, (uint64_t)s->p.reorder_by);
	f = fly(s, to->number, when, frame, len);
	f->seg = *seg;
	memcpy(f->data, to->mac, 6);
	memcpy(f->data + 6, to->gw_mac, 6);
	f->data[ETH + 8]--;
	if (faulty(s) && seg->ecn != NOT_ECT &&
	    (chance(&s->rng, s->p.mark) ||
	     (s->p.mark_queue && depart - s->now > s->p.mark_queue))) {
		f->data[ETH + 1] |= CE;
		f->seg.ecn = CE;
		s->marked++;
	}
	ip_checksum(f->data + ETH);
	if (faulty(s) && chance(&s->rng, s->p.corrupt)) {
		/* Not in the padding of a short frame. */
		size_t at = ETH + rnd(&s->rng, toe_get16(frame + ETH + 2));

		f->data[at] ^= (uint8_t)(1 + rnd(&s->rng, 255));
		f->corrupt = true;
	}
}

void net_send(struct side *w, const uint8_t *frame, size_t len)
{
	struct sim *s = w->sim;
	struct link *l = &s->way[w->number];
	struct seg seg;
	uint32_t ip_len;

	s->frames++;
	s->bytes += len;
	s->hash = (s->hash ^ (uint64_t)sim_time(s)) * 0x100000001b3ULL;
	s->hash = (s->hash ^ toe_csum(frame, len, w->number) ^ len << 32) *
		  0x9e3779b97f4a7c15ULL;
	pcap_frame(s->pcap, w->number, false, s->now, frame, len);
	check_sent(w, frame, len, &seg);
	if (toe_get16(frame + 12) == 0x0806) {
		arp(w, frame, len);
		return;
	}
	ip_len = toe_get16(frame + ETH + 2);
	if (memcmp(frame + ETH + 16, s->side[!w->number].ip, 4))
		return;
	if (ip_len > s->path_mtu && s->net_up) {
		s->lost++;
		if (frame[ETH + 6] & 0x40 && !s->p.mute)
			too_big(w, frame);
		return;
	}
	if (l->busy_until < s->now)
		l->busy_until = s->now;
	if (s->p.rate) {
		if (l->busy_until - s->now > s->p.queue) {
			s->lost++;
			return;
		}
		l->busy_until += (int64_t)(len * 8 * 1000000000ULL / s->p.rate);
	}
	if (is_lost(s, l)) {
		s->lost++;
		return;
	}
	copy_across(w, &seg, frame, len, l->busy_until);
	if (faulty(s) && chance(&s->rng, s->p.dup))
		copy_across(w, &seg, frame, len, l->busy_until);
}

/* ---- Time ---- */

int64_t net_next(struct sim *s)
{
	int64_t when = NEVER;

	if (s->heap->len)
		when = ((struct flight *)s->heap->pdata[0])->when;
	if (s->next_event < s->nevents)
		when = MIN(when, s->event[s->next_event].when);
	return when;
}

static void happen(struct sim *s, const struct net_event *e)
{
	struct side *w = &s->side[e->side];

	switch (e->kind) {
	case NET_DOWN:
	case NET_UP:
		s->net_up = e->kind == NET_UP;
		break;
	case LINK_DOWN:
	case LINK_UP:
		w->link = e->kind == LINK_UP;
		toe_nop_link(w->n, w->link);
		side_kick(w);
		break;
	case ROUTE:
		s->p.delay[e->side] = e->delay;
		break;
	case MTU_CHANGE:
		s->path_mtu = e->mtu;
		break;
	}
}

void net_step(struct sim *s)
{
	struct side *w;
	struct flight *f;

	if (s->next_event < s->nevents &&
	    s->event[s->next_event].when <= s->now) {
		happen(s, &s->event[s->next_event++]);
		return;
	}
	f = heap_pop(s->heap);
	w = &s->side[f->to];
	if (w->link) {
		pcap_frame(s->pcap, f->to, true, s->now, f->data, f->len);
		if (!f->corrupt)
			check_delivered(s, &f->seg);
		w->in_engine = true;
		toe_nop_frame_in(w->n, f->data, f->len);
		w->in_engine = false;
		side_kick(w);
	}
	g_free(f);
}

static int by_time(const void *a, const void *b)
{
	const struct net_event *x = a, *y = b;

	return (x->when > y->when) - (x->when < y->when);
}

static void add_event(struct sim *s, struct net_event e)
{
	if (s->nevents < NET_EVENTS_MAX)
		s->event[s->nevents++] = e;
}

void net_init(struct sim *s)
{
	struct params *p = &s->p;
	struct rng *r = &s->rng;
	unsigned i;

	s->heap = g_ptr_array_new();
	s->net_up = true;
	s->path_mtu = 65535;
	for (i = 0; i < p->flaps; i++) {
		int64_t at = s->begin + (int64_t)rnd(r, (uint64_t)p->faults_end);
		int64_t len = (int64_t)rnd_log(r, 1, 8000) * MS;
		unsigned side = (unsigned)rnd(r, 2), local = (unsigned)rnd(r, 2);
		int64_t end = MIN(at + len, s->begin + p->faults_end);

		add_event(s, (struct net_event){ .when = at, .side = side,
			  .kind = local ? LINK_DOWN : NET_DOWN });
		add_event(s, (struct net_event){ .when = end, .side = side,
			  .kind = local ? LINK_UP : NET_UP });
	}
	for (i = 0; i < p->routes; i++)
		add_event(s, (struct net_event){
			.when = s->begin + (int64_t)rnd(r, 10 * SEC),
			.kind = ROUTE, .side = (unsigned)rnd(r, 2),
			.delay = (int64_t)rnd_log(r, 1, 300) * MS });
	for (i = 0; i < p->mtu_events; i++)
		add_event(s, (struct net_event){
			.when = s->begin + (int64_t)rnd(r, 3 * SEC),
			.kind = MTU_CHANGE,
			.mtu = 552 + (uint32_t)rnd(r, 1000) });
	qsort(s->event, s->nevents, sizeof(s->event[0]), by_time);
}

void net_free(struct sim *s)
{
	guint i;

	for (i = 0; i < s->heap->len; i++)
		g_free(s->heap->pdata[i]);
	g_ptr_array_free(s->heap, TRUE);
}
