/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.c - see script.h.
 *
 * This file runs the lines; script_priv.h says what the others do.
 */
#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "script_priv.h"

static const struct sc_word statuses[] = {
	{ "ok", TOE_ST_OK }, { "invalid", TOE_ST_INVALID },
	{ "handle", TOE_ST_HANDLE }, { "state", TOE_ST_STATE },
	{ "nomem", TOE_ST_NOMEM }, { "addrinuse", TOE_ST_ADDRINUSE },
	{ "addrnotavail", TOE_ST_ADDRNOTAVAIL },
	{ "noroute", TOE_ST_NOROUTE }, { "unreach", TOE_ST_UNREACH },
	{ "refused", TOE_ST_REFUSED }, { "reset", TOE_ST_RESET },
	{ "timedout", TOE_ST_TIMEDOUT }, { "aborted", TOE_ST_ABORTED },
	{ "closed", TOE_ST_CLOSED }, { NULL, 0 }
};

static const struct sc_word states[] = {
	{ "closed", TOE_TCP_CLOSED }, { "listen", TOE_TCP_LISTEN },
	{ "syn-sent", TOE_TCP_SYN_SENT },
	{ "syn-received", TOE_TCP_SYN_RECEIVED },
	{ "established", TOE_TCP_ESTABLISHED },
	{ "fin-wait-1", TOE_TCP_FIN_WAIT_1 },
	{ "fin-wait-2", TOE_TCP_FIN_WAIT_2 },
	{ "close-wait", TOE_TCP_CLOSE_WAIT },
	{ "closing", TOE_TCP_CLOSING }, { "last-ack", TOE_TCP_LAST_ACK },
	{ "time-wait", TOE_TCP_TIME_WAIT }, { "none", -1 }, { NULL, 0 }
};

static const struct sc_word options[] = {
	{ "nodelay", TOE_OPT_NODELAY }, { "rcvbuf", TOE_OPT_RCVBUF },
	{ "sndbuf", TOE_OPT_SNDBUF }, { "keepalive", TOE_OPT_KEEPALIVE },
	{ "user_timeout", TOE_OPT_USER_TIMEOUT },
	{ "congestion", TOE_OPT_CONGESTION }, { "ecn", TOE_OPT_ECN },
	{ "ecn_agreed", TOE_OPT_ECN_AGREED }, { "cork", TOE_OPT_CORK },
	{ "keepintvl", TOE_OPT_KEEPINTVL }, { "keepcnt", TOE_OPT_KEEPCNT },
	{ "maxseg", TOE_OPT_MAXSEG }, { "quickack", TOE_OPT_QUICKACK },
	{ "notsent_lowat", TOE_OPT_NOTSENT_LOWAT },
	{ "window_clamp", TOE_OPT_WINDOW_CLAMP }, { "tos", TOE_OPT_TOS },
	{ "fastopen", TOE_OPT_FASTOPEN },
	{ "ttl", TOE_OPT_TTL }, { "uto", TOE_OPT_UTO }, { NULL, 0 }
};

static const struct sc_word params[] = {
	{ "time_wait_ms", TOE_PARAM_TIME_WAIT_MS },
	{ "port_lo", TOE_PARAM_PORT_LO }, { "port_hi", TOE_PARAM_PORT_HI },
	{ "rcvbuf", TOE_PARAM_RCVBUF }, { "sndbuf", TOE_PARAM_SNDBUF },
	{ "orphan_ms", TOE_PARAM_ORPHAN_MS },
	{ "ttl", TOE_PARAM_FORWARD_TTL },
	{ "congestion", TOE_PARAM_CONGESTION }, { "ecn", TOE_PARAM_ECN },
	{ "pacing", TOE_PARAM_PACING }, { "fastopen", TOE_PARAM_FASTOPEN },
	{ "syn_cookies", TOE_PARAM_SYN_COOKIES },
	{ "synack_retries", TOE_PARAM_SYNACK_RETRIES },
	{ "syn_backlog", TOE_PARAM_SYN_BACKLOG }, { NULL, 0 }
};

static const struct sc_word values[] = {
	{ "cubic", TOE_CC_CUBIC }, { "newreno", TOE_CC_NEWRENO },
	{ "dctcp", TOE_CC_DCTCP }, { "on", 1 }, { "off", 0 },
	{ "passive", TOE_ECN_MODE_PASSIVE }, { NULL, 0 }
};

static const struct sc_word icmp_types[] = {	/* IPv4's; IPv6's in the second byte */
	{ "unreachable", 3 | 1 << 8 }, { "too-big", 3 | 2 << 8 },
	{ "time-exceeded", 11 | 3 << 8 }, { "parameter", 12 | 4 << 8 },
	{ "quench", 4 | 200 << 8 }, { NULL, 0 }
};

static const struct sc_word counters[] = {
#define COUNTER_WORD(NAME, name, text) { #name, TOE_CTR_##NAME },
	TOE_COUNTERS(COUNTER_WORD)
	{ NULL, 0 }
};

/* The callbacks get the world; one script runs at a time. */
static struct script *running;

/* ---- Events ---- */

static void event(uint32_t handle, const char *name)
{
	struct script *s = running;

	if (s->trace)
		printf("  %10.6f   event %s\n",
		       (double)(s->w->now - s->start) / 1e9, name);
	(void)handle;
	g_queue_push_tail(&s->events, g_strdup(name));
}

static void established(void *opaque, uint32_t handle)
{
	(void)opaque;
	event(handle, "established");
}

static void incoming(void *opaque, uint32_t listener, uint32_t handle)
{
	(void)opaque, (void)listener;
	running->incoming = handle;
	event(handle, "incoming");
}

static void readable(void *opaque, uint32_t handle, bool push)
{
	(void)opaque;
	event(handle, push ? "push" : "readable");
}

static void writable(void *opaque, uint32_t handle)
{
	(void)opaque;
	event(handle, "writable");
}

static void peer_closed(void *opaque, uint32_t handle)
{
	(void)opaque;
	event(handle, "peer-closed");
}

static void closed(void *opaque, uint32_t handle, uint8_t status)
{
	char *name = g_strdup_printf("closed %s", sc_name_of(statuses, status));

	(void)opaque;
	event(handle, name);
	g_free(name);
}

static void urgent(void *opaque, uint32_t handle, uint64_t mark)
{
	char *name = g_strdup_printf("urgent %" PRIu64, mark);

	(void)opaque;
	event(handle, name);
	g_free(name);
}

static const ToeStreamOps ops = {
	.urgent = urgent,
	.established = established,
	.incoming = incoming,
	.readable = readable,
	.writable = writable,
	.peer_closed = peer_closed,
	.closed = closed,
};

static bool is_flow(const char *name)
{
	return !strcmp(name, "readable") || !strcmp(name, "push") ||
	       !strcmp(name, "writable");
}

/* Events of reading and writing need not be asked for. */
static void skip_flow(struct script *s)
{
	while (s->events.length && is_flow(g_queue_peek_head(&s->events)))
		g_free(g_queue_pop_head(&s->events));
}

static void expect_event(struct script *s, const char *want)
{
	char *got;

	world_run(s->w);
	if (!is_flow(want))
		skip_flow(s);
	got = g_queue_pop_head(&s->events);
	if (!got || strcmp(got, want))
		sc_wrong(s, "another event\n    want  %s\n    got   %s", want,
		     got ? got : "none");
	g_free(got);
	if (!strcmp(want, "incoming"))
		s->p->h = s->incoming;
}

static void no_event(struct script *s)
{
	world_run(s->w);
	skip_flow(s);
	if (s->events.length)
		sc_wrong(s, "an event\n    want  none\n    got   %s",
		     (char *)g_queue_peek_head(&s->events));
}

/* ---- The world ---- */

static struct peer *peer_get(struct script *s, const char *name)
{
	struct peer *q;
	unsigned i;

	for (i = 0; i < s->npeers; i++)
		if (!strcmp(s->peers[i].name, name))
			return &s->peers[i];
	if (s->npeers == PEERS)
		sc_wrong(s, "too many peers");
	q = &s->peers[s->npeers];
	g_strlcpy(q->name, name, sizeof(q->name));
	memcpy(q->addr, s->v6 ? P6 : PEER_IP, 16);
	q->port = (uint16_t)(RPORT + s->npeers);
	q->lport = LPORT;
	q->iss = 0x10000000;
	q->clock = 1000;
	q->wnd = 65535;
	s->npeers++;
	return q;
}

static void know_peer(struct script *s)
{
	world_know_peer(s->w);
	if (s->v6)
		world6_know_peer(s->w);
}

static void begin(struct script *s)
{
	ToeNopConfig config = world_default_config();

	if (s->w)
		return;
	config.max_segment = s->user ? 65535 : 0;
	if (s->conns)
		config.connections = s->conns;
	if (s->v6)
		s->w = world6_new_config(&config, s->ram, &ops);
	else
		s->w = world_new_config(&config, s->ram, &ops);
	s->w->peer_answers = true;
	if (s->mtu)
		ck_assert_uint_eq(toe_nop_port_set(s->w->n, s->mtu, NULL,
						   TOE_FILTER_UP, 0),
				  TOE_ST_OK);
	if (s->os_down)
		ck_assert_uint_eq(toe_nop_port_set(s->w->n, 0, NULL, 0, 0),
				  TOE_ST_OK);
	world_forget(s->w);
	know_peer(s);
	s->start = s->w->now;
	s->p = peer_get(s, "a");
}

static void finish(struct script *s)
{
	s->text = "(end of the case)";
	sc_silence(s, "and not expected");
	no_event(s);
	if (world_os_count(s->w))
		sc_wrong(s, "a frame went to the operating system");
	/* A reset must give back every buflet and every NCB. */
	toe_nop_reset(s->w->n);
	if (toe_lmem_avail(s->w->lm, TOE_LMEM_IN) !=
	    toe_lmem_total(s->w->lm))
		sc_wrong(s, "buflets leak");
	if (world_counter(s->w, TOE_CTR_TCP_NCBS) ||
	    world_counter(s->w, TOE_CTR_TCP_ORPHANS) ||
	    world_counter(s->w, TOE_CTR_TCP_TIME_WAIT))
		sc_wrong(s, "NCBs leak");
	world_free(s->w);
	g_hash_table_destroy(s->kept);
}

static void advance(struct script *s, int64_t ns)
{
	int64_t end = s->w->now + ns;

	sc_silence(s, "and not expected");
	while (s->w->now < end) {
		int64_t to = MIN(toe_nop_deadline(s->w->n), end);

		s->w->now = MAX(to, s->w->now);
		/* The neighbour's address must not be old when it is used. */
		know_peer(s);
		world_run(s->w);
		if (s->w->now < end)
			sc_silence(s, "too early");
	}
}

/* ---- Values ---- */

static bool info_of(struct script *s, struct toe_hw_conn_info *info)
{
	uint32_t index = 0;

	while (toe_stream_info(s->w->n, &index, info))
		if (info->handle == s->p->h)
			return true;
	memset(info, 0, sizeof(*info));
	return false;
}

static int64_t value(struct script *s, const char *name)
{
	struct toe_hw_conn_info i;
	const int64_t *kept = g_hash_table_lookup(s->kept, name);
	int64_t v;

	world_run(s->w);
	if (kept)
		return *kept;
	if (sc_find(counters, name, &v))
		return (int64_t)world_counter(s->w, (enum toe_counter)v);
	if (!strcmp(name, "space"))
		return toe_stream_send_space(s->w->n, s->p->h);
	if (g_ascii_isdigit(*name) || *name == '-')
		return sc_number_of(s, name);
	if (!info_of(s, &i))
		sc_wrong(s, "there is no connection");
	if (!strcmp(name, "cwnd"))
		return i.cwnd;
	if (!strcmp(name, "ssthresh"))
		return i.ssthresh;
	if (!strcmp(name, "srtt"))
		return i.srtt_us;
	if (!strcmp(name, "rto"))
		return i.rto_us;
	if (!strcmp(name, "mss"))
		return i.mss;
	if (!strcmp(name, "txq"))
		return i.txq;
	if (!strcmp(name, "rxq"))
		return i.rxq;
	if (!strcmp(name, "snd_wnd"))
		return i.snd_wnd;
	if (!strcmp(name, "rcv_wnd"))
		return i.rcv_wnd;
	if (!strcmp(name, "retransmits"))
		return i.retransmits;
	if (!strcmp(name, "isn"))
		return s->p->adapter_iss;
	if (!strcmp(name, "lport"))
		return s->p->lport;
	sc_wrong(s, "'%s' is no value", name);
	return 0;
}

static void check_value(struct script *s)
{
	const char *name = sc_next(s), *op = sc_next(s);
	int64_t got = value(s, name), want = value(s, sc_next(s));
	bool ok;

	/* Sums: A + B, A - B. */
	while (sc_peek(s) && (*sc_peek(s) == '+' || *sc_peek(s) == '-')) {
		bool plus = *sc_next(s) == '+';
		int64_t v = value(s, sc_next(s));

		want += plus ? v : -v;
	}
	if (!strcmp(op, "="))
		ok = got == want;
	else if (!strcmp(op, "<"))
		ok = got < want;
	else if (!strcmp(op, ">"))
		ok = got > want;
	else if (!strcmp(op, "<="))
		ok = got <= want;
	else if (!strcmp(op, ">="))
		ok = got >= want;
	else
		ok = got != want;
	if (!ok)
		sc_wrong(s, "%s\n    want  %s %" PRId64 "\n    got   %" PRId64,
		     name, op, want, got);
}

/* ---- Lines ---- */

static void ends_so(struct script *s, uint8_t st)
{
	int64_t want = TOE_ST_OK;

	if (sc_take(s, "="))
		want = sc_word(s, statuses);
	if (st != want)
		sc_wrong(s, "another result\n    want  %s\n    got   %s",
		     sc_name_of(statuses, want), sc_name_of(statuses, st));
}

static void do_listen(struct script *s)
{
	ToeTuple t = { .family = s->v6 ? TOE_AF_INET6 : TOE_AF_INET,
		       .lport = s->p->lport };
	uint32_t backlog = 16;

	if (sc_peek(s) && g_ascii_isdigit(*sc_peek(s)))
		backlog = (uint32_t)sc_number(s);
	if (sc_take(s, "port"))
		t.lport = (uint16_t)sc_number(s);
	if (sc_take(s, "addr"))
		sc_address(s, t.laddr);
	ends_so(s, toe_stream_listen(s->w->n, &t, backlog, &s->listener));
	/* So that options can be set before anybody connects. */
	if (!s->p->h)
		s->p->h = s->listener;
}

static void do_connect(struct script *s)
{
	struct peer *q = s->p;
	ToeTuple t = { .family = s->v6 ? TOE_AF_INET6 : TOE_AF_INET,
		       .rport = q->port };
	bool fast = sc_take(s, "fast");
	uint8_t st;

	memcpy(t.raddr, q->addr, 16);
	if (sc_take(s, "to"))
		sc_address(s, t.raddr);
	if (sc_take(s, "from"))
		sc_address(s, t.laddr);
	if (sc_take(s, "port"))
		t.lport = (uint16_t)sc_number(s);
	q->adapter_iss = 0;
	q->sent = q->read = 0;
	st = fast ? toe_stream_connect_fast(s->w->n, &t, &q->h) :
		    toe_stream_connect(s->w->n, &t, &q->h);
	if (st == TOE_ST_OK)
		q->lport = t.lport;
	ends_so(s, st);
}

static void do_send(struct script *s)
{
	uint32_t len = (uint32_t)sc_number(s), i;
	ToeChain c = toe_chain_init();
	uint8_t *data = g_malloc(len + 1);
	bool more = sc_take(s, "more");

	for (i = 0; i < len; i++)
		data[i] = talk_pattern(s->p->sent + i);
	if (toe_stream_send_space(s->w->n, s->p->h) < len)
		sc_wrong(s, "there is room for %u bytes only",
		     toe_stream_send_space(s->w->n, s->p->h));
	if (!toe_chain_append(s->w->lm, &c, data, len, TOE_LMEM_OUT))
		sc_wrong(s, "local memory is full");
	g_free(data);
	s->p->sent += len;
	toe_stream_send(s->w->n, s->p->h, &c, more);
}

static void do_read(struct script *s)
{
	uint32_t len = (uint32_t)sc_number(s), i;
	const ToeChain *rx;
	uint8_t *data;

	world_run(s->w);
	rx = toe_stream_rx(s->w->n, s->p->h);
	if (rx->len < len)
		sc_wrong(s, "there are %u bytes only", rx->len);
	data = g_malloc(len + 1);
	toe_chain_copy_out(s->w->lm, rx, 0, data, len, NULL);
	for (i = 0; i < len; i++)
		if (data[i] != talk_pattern(s->p->read + i))
			sc_wrong(s, "byte %u of the stream is wrong",
			     s->p->read + i);
	g_free(data);
	s->p->read += len;
	toe_stream_rx_consumed(s->w->n, s->p->h, len);
}

static void do_icmp(struct script *s)
{
	int64_t type = sc_word(s, icmp_types), code = 0, mtu = 0, seq = 0;
	uint16_t lport = s->p->lport;
	uint8_t m[80] = { 0 };
	uint8_t *q = m + 8;

	if (s->v6)
		type >>= 8;
	else
		code = (type & 0xffff) == (3 | 2 << 8) ? 4 : 0;
	type &= 0xff;
	if (sc_peek(s) && g_ascii_isdigit(*sc_peek(s)))
		code = sc_number(s);
	if (sc_take(s, "mtu"))
		mtu = sc_number(s);
	if (!sc_take(s, "seq"))
		sc_wrong(s, "icmp needs seq");
	seq = sc_number(s);
	if (sc_take(s, "port"))
		lport = (uint16_t)sc_number(s);
	if (s->v6) {
		toe_wire_ipv6_build(q, 0, 0, 20, 6, 60, W6, s->p->addr);
		toe_put16(q + 40, lport);
		toe_put16(q + 42, s->p->port);
		toe_put32(q + 44, s->p->adapter_iss + (uint32_t)seq);
		world6_in_icmp(s->w, P6, W6, 64, (uint8_t)type, (uint8_t)code,
			       (uint32_t)mtu, q, 60);
		return;
	}
	toe_wire_icmp_build(m, (uint8_t)type, (uint8_t)code, (uint32_t)mtu);
	toe_wire_ipv4_build(q, 0, 40, 1, true, 60, 6, WORLD_IP, s->p->addr);
	toe_put16(q + 20, lport);
	toe_put16(q + 22, s->p->port);
	toe_put32(q + 24, s->p->adapter_iss + (uint32_t)seq);
	toe_csum_store(m + 2, toe_csum(m, 36, 0));
	world_in_ip(s->w, PEER_IP, WORLD_IP, 1, m, 36);
}

static void do_line(struct script *s);

/* Run a line that another one stands for. */
static void as_if(struct script *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void as_if(struct script *s, const char *fmt, ...)
{
	char **old = s->tok, **all, *text;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	all = g_strsplit(text, " ", -1);
	s->tok = all;
	do_line(s);
	s->tok = old;
	g_strfreev(all);
	g_free(text);
}

static void do_open(struct script *s)
{
	bool active = sc_take(s, "active");
	GString *syn = g_string_new("");
	const char *rtt = "0";

	if (!active && !sc_take(s, "passive"))
		sc_wrong(s, "open active or open passive?");
	if (sc_take(s, "rtt"))
		rtt = sc_next(s);
	while (sc_peek(s))
		g_string_append_printf(syn, " %s", sc_next(s));
	if (!strstr(syn->str, "mss"))
		g_string_append(syn, " mss 1460");
	if (active) {
		as_if(s, "connect");
		as_if(s, "> S 0 ...");
		as_if(s, "+%s < SA 0 ack 1%s", rtt, syn->str);
		as_if(s, "> A 1 ack 1");
		as_if(s, "event established");
	} else {
		if (!s->listener)
			as_if(s, "listen");
		as_if(s, "< S 0%s", syn->str);
		as_if(s, "> SA 0 ack 1 ...");
		as_if(s, "+%s < A 1 ack 1", rtt);
		as_if(s, "event incoming");
		as_if(s, "accept");
	}
	as_if(s, "state established");
	g_string_free(syn, TRUE);
}

static void do_warm(struct script *s)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		as_if(s, "< A %u+1000 ack %u", 1 + 1000 * i, 1 + s->p->sent);
		as_if(s, "> A %u ack %u", 1 + s->p->sent, 1001 + 1000 * i);
		as_if(s, "read 1000");
	}
	skip_flow(s);
}

static void do_world(struct script *s)
{
	if (s->w)
		sc_wrong(s, "the world is made already");
	while (sc_peek(s)) {
		if (sc_take(s, "v6"))
			s->v6 = true;
		else if (sc_take(s, "user"))
			s->user = true;
		else if (sc_take(s, "os-down"))
			s->os_down = true;
		else if (sc_take(s, "mtu"))
			s->mtu = (uint32_t)sc_number(s);
		else if (sc_take(s, "conns"))
			s->conns = (uint32_t)sc_number(s);
		else if (sc_take(s, "ram"))
			s->ram = (uint32_t)sc_number(s) << 10;
		else
			break;
	}
}

static void do_peer(struct script *s)
{
	s->p = peer_get(s, sc_next(s));
	while (sc_peek(s)) {
		if (sc_take(s, "port"))
			s->p->port = (uint16_t)sc_number(s);
		else if (sc_take(s, "lport"))
			s->p->lport = (uint16_t)sc_number(s);
		else if (sc_take(s, "iss"))
			s->p->iss = (uint32_t)sc_number(s);
		else if (sc_take(s, "addr"))
			sc_address(s, s->p->addr);
		else
			break;
	}
}

/* The next handshake with this peer is another connection. */
static void do_new(struct script *s)
{
	s->p->adapter_iss = 0;
	s->p->sent = s->p->read = 0;
	s->p->syn_ts = s->p->our_syn_ts = s->p->ts_known = false;
}

static void do_segments(struct script *s, bool out, bool run)
{
	struct seg *g = sc_parse_seg(s);
	uint32_t i, n = g->count;
	bool push = g->flags & PSH;

	for (i = 0; i < n; i++) {
		/* PSH and FIN are the last one's. */
		if (push && i + 1 < n)
			g->flags &= ~(uint32_t)PSH;
		else if (push)
			g->flags |= PSH;
		if (out) {
			sc_expect(s, g);
		} else {
			struct seg copy = *g;

			sc_say(s, &copy);
			if (run)
				world_run(s->w);
		}
		g->seq += g->len;
	}
	sc_seg_free(g);
}

static void do_state(struct script *s)
{
	struct toe_hw_conn_info i;
	const char *name = sc_next(s);
	int64_t want, got;

	if (!sc_find(states, name, &want))
		sc_wrong(s, "'%s' is no state", name);
	world_run(s->w);
	got = info_of(s, &i) ? i.state : -1;
	if (got != want)
		sc_wrong(s, "another state\n    want  %s\n    got   %s", name,
		     sc_name_of(states, got));
}

static void do_event(struct script *s)
{
	GString *want = g_string_new(sc_next(s));

	if (sc_peek(s))
		g_string_append_printf(want, " %s", sc_next(s));
	expect_event(s, want->str);
	g_string_free(want, TRUE);
}

static void do_keep(struct script *s)
{
	int64_t *v = g_new(int64_t, 1);

	*v = value(s, sc_next(s));
	if (!sc_take(s, "as"))
		sc_wrong(s, "keep NAME as WORD");
	g_hash_table_insert(s->kept, g_strdup(sc_next(s)), v);
}

static void do_get(struct script *s)
{
	uint32_t option = (uint32_t)sc_word(s, options);
	int64_t want = sc_word(s, values);
	uint64_t got = 0;
	uint8_t st = toe_stream_getopt(s->w->n, s->p->h, option, &got);

	if (st == TOE_ST_OK && got != (uint64_t)want)
		sc_wrong(s, "another value\n    want  %" PRId64 "\n    got   %"
		     PRIu64, want, got);
	ends_so(s, st);
}

static void do_set(struct script *s, bool param)
{
	uint32_t what = (uint32_t)sc_word(s, param ? params : options);
	uint64_t v = (uint64_t)sc_word(s, values);

	ends_so(s, param ? toe_nop_param_set(s->w->n, what, v)
			 : toe_stream_setopt(s->w->n, s->p->h, what, v));
}

static void do_os(struct script *s)
{
	size_t len;

	if (!world_os(s->w, &len))
		sc_wrong(s, "no frame went to the operating system");
}

static void do_line(struct script *s)
{
	ToeNop *n = s->w ? s->w->n : NULL;
	const char *verb;

	if (sc_peek(s) && !strcmp(sc_peek(s), "world")) {
		sc_next(s);
		do_world(s);
		sc_end_of_line(s);
		return;
	}
	begin(s);
	n = s->w->n;
	verb = sc_next(s);
	if (*verb == '+') {
		char *end;
		double t = g_ascii_strtod(verb + 1, &end);

		if (end == verb + 1 || *end)
			sc_wrong(s, "'%s' is not a time", verb);
		advance(s, (int64_t)(t * 1e9 + 0.5));
		if (sc_peek(s)) {
			do_line(s);
			return;
		}
		world_run(s->w);
		sc_silence(s, "and not expected");
	} else if (!strcmp(verb, "<")) {
		sc_silence(s, "before");
		do_segments(s, false, true);
	} else if (!strcmp(verb, "<<")) {
		do_segments(s, false, false);
	} else if (!strcmp(verb, ">")) {
		do_segments(s, true, false);
	} else if (!strcmp(verb, "peer")) {
		sc_silence(s, "before");
		do_peer(s);
	} else if (!strcmp(verb, "new")) {
		do_new(s);
	} else if (!strcmp(verb, "window")) {
		s->p->wnd = (uint16_t)sc_number(s);
	} else if (!strcmp(verb, "clock")) {
		s->w->clock_step = (int64_t)sc_number(s);
	} else if (!strcmp(verb, "open")) {
		do_open(s);
	} else if (!strcmp(verb, "warm")) {
		do_warm(s);
	} else if (!strcmp(verb, "listen")) {
		do_listen(s);
	} else if (!strcmp(verb, "connect")) {
		do_connect(s);
	} else if (!strcmp(verb, "accept")) {
		toe_stream_accepted(n, s->p->h);
	} else if (!strcmp(verb, "send")) {
		do_send(s);
	} else if (!strcmp(verb, "urgent")) {
		toe_stream_urgent(n, s->p->h);
	} else if (!strcmp(verb, "read")) {
		do_read(s);
	} else if (!strcmp(verb, "shutdown")) {
		ends_so(s, toe_stream_shutdown(n, s->p->h));
	} else if (!strcmp(verb, "close")) {
		toe_stream_close(n, s->p->h);
	} else if (!strcmp(verb, "close-listener")) {
		toe_stream_close(n, s->listener);
	} else if (!strcmp(verb, "abort")) {
		toe_stream_abort(n, s->p->h);
	} else if (!strcmp(verb, "set")) {
		do_set(s, false);
	} else if (!strcmp(verb, "param")) {
		do_set(s, true);
	} else if (!strcmp(verb, "get")) {
		do_get(s);
	} else if (!strcmp(verb, "mtu")) {
		ends_so(s, toe_nop_port_set(n, (uint32_t)sc_number(s), NULL,
					    TOE_FILTER_UP, 0));
	} else if (!strcmp(verb, "addr-del")) {
		ends_so(s, toe_nop_addr_del(n, s->v6 ? TOE_AF_INET6 :
					    TOE_AF_INET, sc_our_addr(s),
					    s->v6 ? 64 : 24));
	} else if (!strcmp(verb, "event")) {
		do_event(s);
	} else if (!strcmp(verb, "no")) {
		if (!sc_take(s, "event"))
			sc_wrong(s, "no what?");
		no_event(s);
	} else if (!strcmp(verb, "state")) {
		do_state(s);
	} else if (!strcmp(verb, "check")) {
		check_value(s);
	} else if (!strcmp(verb, "keep")) {
		do_keep(s);
	} else if (!strcmp(verb, "icmp")) {
		sc_silence(s, "before");
		do_icmp(s);
		world_run(s->w);
	} else if (!strcmp(verb, "os")) {
		do_os(s);
	} else {
		sc_wrong(s, "'%s' is not understood", verb);
	}
	sc_end_of_line(s);
}

/* ---- Files and cases ---- */

GPtrArray *script_load(const char *path)
{
	GPtrArray *cases = g_ptr_array_new();
	struct script_case *c = NULL;
	char *all, **lines;
	unsigned i;

	if (!g_file_get_contents(path, &all, NULL, NULL)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return NULL;
	}
	lines = g_strsplit(all, "\n", -1);
	g_free(all);
	for (i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);

		if (g_str_has_prefix(line, "== ")) {
			c = g_new0(struct script_case, 1);
			c->file = g_strdup(path);
			c->name = g_strdup(line + 3);
			c->line = (int)i + 1;
			c->text = g_ptr_array_new();
			g_ptr_array_add(cases, c);
		} else if (c) {
			g_ptr_array_add(c->text, g_strdup(line));
		} else if (*line && *line != '#') {
			fprintf(stderr, "%s:%u: outside a case\n", path,
				i + 1);
			return NULL;
		}
	}
	g_strfreev(lines);
	return cases;
}

/* Runs of blanks are one. */
static char **split(const char *line)
{
	char **all = g_strsplit_set(line, " \t", -1);
	unsigned i, n = 0;

	for (i = 0; all[i]; i++) {
		if (*all[i])
			all[n++] = all[i];
		else
			g_free(all[i]);
	}
	all[n] = NULL;
	return all;
}

void script_run(const struct script_case *c, bool verbose)
{
	struct script s = { .c = c, .trace = verbose, .ram = 4u << 20 };
	unsigned i;

	running = &s;
	g_queue_init(&s.events);
	s.kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
				       g_free);
	for (i = 0; i < c->text->len; i++) {
		char *line = g_strdup(g_ptr_array_index(c->text, i));
		char *comment = strchr(line, '#');
		char **all;

		if (comment)
			*comment = 0;
		g_strstrip(line);
		s.line = c->line + 1 + (int)i;
		s.text = line;
		if (*line) {
			if (verbose)
				printf("%s:%d: %s\n", c->file, s.line, line);
			all = split(line);
			s.tok = all;
			do_line(&s);
			g_strfreev(all);
		}
		g_free(line);
	}
	begin(&s);
	finish(&s);
	g_queue_clear_full(&s.events, g_free);
	running = NULL;
}
