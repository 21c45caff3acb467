/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.c - see script.h.
 *
 * Segments are built and taken apart here by hand, not by the code under test.
 */
#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "common_nop6.h"
#include "common_tcp.h"
#include "script.h"

#define ANY	INT64_MIN	/* of a field: not said */
#define STAR	(INT64_MIN + 1)	/* "*" */
#define PEERS	16

static const struct word {
	const char *name;
	int64_t value;
} statuses[] = {
	{ "ok", TOE_ST_OK }, { "invalid", TOE_ST_INVALID },
	{ "handle", TOE_ST_HANDLE }, { "state", TOE_ST_STATE },
	{ "nomem", TOE_ST_NOMEM }, { "addrinuse", TOE_ST_ADDRINUSE },
	{ "addrnotavail", TOE_ST_ADDRNOTAVAIL },
	{ "noroute", TOE_ST_NOROUTE }, { "unreach", TOE_ST_UNREACH },
	{ "refused", TOE_ST_REFUSED }, { "reset", TOE_ST_RESET },
	{ "timedout", TOE_ST_TIMEDOUT }, { "aborted", TOE_ST_ABORTED },
	{ "closed", TOE_ST_CLOSED }, { NULL, 0 }
}, states[] = {
	{ "closed", TOE_TCP_CLOSED }, { "listen", TOE_TCP_LISTEN },
	{ "syn-sent", TOE_TCP_SYN_SENT },
	{ "syn-received", TOE_TCP_SYN_RECEIVED },
	{ "established", TOE_TCP_ESTABLISHED },
	{ "fin-wait-1", TOE_TCP_FIN_WAIT_1 },
	{ "fin-wait-2", TOE_TCP_FIN_WAIT_2 },
	{ "close-wait", TOE_TCP_CLOSE_WAIT },
	{ "closing", TOE_TCP_CLOSING }, { "last-ack", TOE_TCP_LAST_ACK },
	{ "time-wait", TOE_TCP_TIME_WAIT }, { "none", -1 }, { NULL, 0 }
}, options[] = {
	{ "nodelay", TOE_OPT_NODELAY }, { "rcvbuf", TOE_OPT_RCVBUF },
	{ "sndbuf", TOE_OPT_SNDBUF }, { "keepalive", TOE_OPT_KEEPALIVE },
	{ "user_timeout", TOE_OPT_USER_TIMEOUT },
	{ "congestion", TOE_OPT_CONGESTION }, { "ecn", TOE_OPT_ECN },
	{ "ecn_agreed", TOE_OPT_ECN_AGREED }, { "cork", TOE_OPT_CORK },
	{ "keepintvl", TOE_OPT_KEEPINTVL }, { "keepcnt", TOE_OPT_KEEPCNT },
	{ "maxseg", TOE_OPT_MAXSEG }, { "quickack", TOE_OPT_QUICKACK },
	{ "notsent_lowat", TOE_OPT_NOTSENT_LOWAT },
	{ "window_clamp", TOE_OPT_WINDOW_CLAMP }, { "tos", TOE_OPT_TOS },
	{ "ttl", TOE_OPT_TTL }, { "uto", TOE_OPT_UTO }, { NULL, 0 }
}, params[] = {
	{ "time_wait_ms", TOE_PARAM_TIME_WAIT_MS },
	{ "port_lo", TOE_PARAM_PORT_LO }, { "port_hi", TOE_PARAM_PORT_HI },
	{ "rcvbuf", TOE_PARAM_RCVBUF }, { "sndbuf", TOE_PARAM_SNDBUF },
	{ "orphan_ms", TOE_PARAM_ORPHAN_MS },
	{ "ttl", TOE_PARAM_FORWARD_TTL },
	{ "congestion", TOE_PARAM_CONGESTION }, { "ecn", TOE_PARAM_ECN },
	{ "pacing", TOE_PARAM_PACING },
	{ "syn_cookies", TOE_PARAM_SYN_COOKIES },
	{ "synack_retries", TOE_PARAM_SYNACK_RETRIES },
	{ "syn_backlog", TOE_PARAM_SYN_BACKLOG }, { NULL, 0 }
}, values[] = {
	{ "cubic", TOE_CC_CUBIC }, { "newreno", TOE_CC_NEWRENO },
	{ "dctcp", TOE_CC_DCTCP }, { "on", 1 }, { "off", 0 },
	{ "passive", TOE_ECN_MODE_PASSIVE }, { NULL, 0 }
}, icmp_types[] = {	/* IPv4's; IPv6's in the second byte */
	{ "unreachable", 3 | 1 << 8 }, { "too-big", 3 | 2 << 8 },
	{ "time-exceeded", 11 | 3 << 8 }, { "parameter", 12 | 4 << 8 },
	{ "quench", 4 | 200 << 8 }, { NULL, 0 }
}, ecn_words[] = {
	{ "notect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 },
	{ NULL, 0 }
}, counters[] = {
#define COUNTER_WORD(NAME, name, text) { #name, TOE_CTR_##NAME },
	TOE_COUNTERS(COUNTER_WORD)
	{ NULL, 0 }
};

struct seg {
	uint32_t flags;
	uint32_t seq, len, count;
	int64_t ack, win, mss, ws, urg, tos, ttl, hlen, port, rsvd;
	int64_t tsval, tsecr;		/* ANY: no option */
	bool sackok, badsum, nots, nopush, any_options, ce;
	int64_t ecn;
	uint32_t sacks;
	uint32_t sack[4][2];
	GByteArray *raw;		/* option bytes, or NULL */
	GByteArray *fo;			/* Fast Open cookie, or NULL */
	const uint8_t *src, *dst;	/* NULL: the usual ones */
	uint8_t src_buf[16], dst_buf[16];
	/* Heard only: */
	uint32_t sport, dport;
	bool df;
	uint8_t payload[65536];
};

struct peer {
	char name[16];
	uint8_t addr[16];
	uint16_t port;
	uint16_t lport;
	uint32_t iss, adapter_iss;
	uint32_t h;
	uint32_t sent, read;		/* of the stream, by the application */
	bool syn_ts, our_syn_ts;	/* offered by the peer; by the adapter */
	bool ts_known;
	uint32_t ts_base;		/* the adapter's first timestamp */
	uint32_t tsecr;
	uint32_t clock;			/* the peer's, when the case began */
	uint16_t wnd;
};

struct script {
	const struct script_case *c;
	bool trace;
	bool v6, user, os_down;
	uint32_t mtu, conns, ram;
	struct world *w;
	int64_t start;
	struct peer peers[PEERS];
	unsigned npeers;
	struct peer *p;
	uint32_t listener;
	uint32_t incoming;		/* the last one */
	GQueue events;			/* char * */
	GHashTable *kept;		/* word -> int64_t * */
	int line;
	const char *text;		/* of that line */
	char **tok;			/* of that line, those not read yet */
};

/* The callbacks get the world; one script runs at a time. */
static struct script *running;

/* ---- Failing ---- */

static void wrong(struct script *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void wrong(struct script *s, const char *fmt, ...)
{
	char *why;
	va_list ap;

	va_start(ap, fmt);
	why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	ck_abort_msg("%s:%d: %s\n    line  %s\n    case  %s, at %.6f s",
		     s->c->file, s->line, why, s->text, s->c->name,
		     s->w ? (double)(s->w->now - s->start) / 1e9 : 0);
}

static const char *name_of(const struct word *w, int64_t value)
{
	for (; w->name; w++)
		if (w->value == value)
			return w->name;
	return "?";
}

/* ---- Words of a line ---- */

static const char *peek(struct script *s)
{
	return *s->tok;
}

static const char *next(struct script *s)
{
	if (!*s->tok)
		wrong(s, "the line is too short");
	return *s->tok++;
}

static bool take(struct script *s, const char *word)
{
	if (!*s->tok || strcmp(*s->tok, word))
		return false;
	s->tok++;
	return true;
}

static int64_t number_of(struct script *s, const char *word)
{
	char *end;
	int64_t v = g_ascii_strtoll(word, &end, 0);

	if (end == word || *end)
		wrong(s, "'%s' is not a number", word);
	return v;
}

static int64_t number(struct script *s)
{
	return number_of(s, next(s));
}

static int64_t number_or_star(struct script *s)
{
	return take(s, "*") ? STAR : number(s);
}

static bool find(const struct word *w, const char *name, int64_t *value)
{
	for (; w->name; w++) {
		if (!strcmp(w->name, name)) {
			*value = w->value;
			return true;
		}
	}
	return false;
}

/* A word of the table, or a number. */
static int64_t word(struct script *s, const struct word *table)
{
	const char *name = next(s);
	int64_t v;

	return find(table, name, &v) ? v : number_of(s, name);
}

static void address(struct script *s, uint8_t *out)
{
	const char *text = next(s);
	unsigned b[4];
	char rest;

	memset(out, 0, 16);
	if (s->v6) {
		unsigned part[8] = { 0 }, n = 0, gap = 8, i;
		const char *p = text;

		while (*p && n < 8) {
			char *end;

			if (p[0] == ':' && p[1] == ':') {
				gap = n;
				p += 2;
				continue;
			}
			if (*p == ':')
				p++;
			part[n] = (unsigned)strtoul(p, &end, 16);
			if (end == p || part[n] > 0xffff)
				wrong(s, "'%s' is not an address", text);
			n++;
			p = end;
		}
		for (i = 0; i < n; i++) {
			unsigned at = i < gap ? i : 8 - n + i;

			out[2 * at] = (uint8_t)(part[i] >> 8);
			out[2 * at + 1] = (uint8_t)part[i];
		}
		return;
	}
	if (sscanf(text, "%u.%u.%u.%u%c", &b[0], &b[1], &b[2], &b[3], &rest) !=
	    4)
		wrong(s, "'%s' is not an address", text);
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)b[i];
}

static GByteArray *hex(struct script *s)
{
	const char *text = next(s);
	GByteArray *a = g_byte_array_new();

	for (; text[0] && text[1]; text += 2) {
		uint8_t b = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 |
				      g_ascii_xdigit_value(text[1]));

		if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
			break;
		g_byte_array_append(a, &b, 1);
	}
	if (*text)
		wrong(s, "'%s' is not hexadecimal", text);
	return a;
}

static void end_of_line(struct script *s)
{
	if (*s->tok)
		wrong(s, "'%s' is not understood", *s->tok);
}

/* ---- Segments as text ---- */

static const char flag_letters[] = "FSRPAUEC";

static void parse_flags(struct script *s, struct seg *g)
{
	const char *f = next(s), *at;

	if (!strcmp(f, "-"))
		return;
	for (; *f; f++) {
		at = strchr(flag_letters, *f);
		if (!at)
			wrong(s, "'%c' is not a flag", *f);
		g->flags |= 1u << (at - flag_letters);
	}
}

static void parse_place(struct script *s, struct seg *g)
{
	const char *text = next(s);
	char *end;

	g->seq = (uint32_t)g_ascii_strtoll(text, &end, 10);
	g->count = 1;
	if (end != text && *end == '+') {
		g->len = (uint32_t)g_ascii_strtoull(end + 1, &end, 10);
		if (*end == 'x')
			g->count = (uint32_t)g_ascii_strtoull(end + 1, &end,
							      10);
	}
	if (end == text || *end)
		wrong(s, "'%s' is not SEQ+LEN", text);
}

static struct seg *seg_new(void)
{
	struct seg *g = g_new0(struct seg, 1);

	g->ack = g->win = g->mss = g->ws = g->urg = g->tos = g->ttl = ANY;
	g->hlen = g->rsvd = g->port = g->tsval = g->tsecr = g->ecn = ANY;
	return g;
}

static void seg_free(struct seg *g)
{
	if (g->raw)
		g_byte_array_unref(g->raw);
	if (g->fo)
		g_byte_array_unref(g->fo);
	g_free(g);
}

static void parse_sacks(struct script *s, struct seg *g)
{
	const char *text;
	char *end;

	while ((text = peek(s)) && (g_ascii_isdigit(*text) || *text == '-') &&
	       strchr(text + 1, '-')) {
		if (g->sacks == 4)
			wrong(s, "more than four blocks");
		g->sack[g->sacks][0] =
			(uint32_t)g_ascii_strtoll(text, &end, 10);
		if (*end != '-')
			wrong(s, "'%s' is not a block", text);
		g->sack[g->sacks][1] =
			(uint32_t)g_ascii_strtoll(end + 1, &end, 10);
		if (*end)
			wrong(s, "'%s' is not a block", text);
		g->sacks++;
		next(s);
	}
	if (!g->sacks)
		wrong(s, "sack without a block");
}

/* The words that may follow flags and place. */
static void parse_fields(struct script *s, struct seg *g)
{
	static const struct {
		const char *name;
		size_t where;
	} fields[] = {
		{ "ack", offsetof(struct seg, ack) },
		{ "win", offsetof(struct seg, win) },
		{ "mss", offsetof(struct seg, mss) },
		{ "ws", offsetof(struct seg, ws) },
		{ "urg", offsetof(struct seg, urg) },
		{ "tos", offsetof(struct seg, tos) },
		{ "ttl", offsetof(struct seg, ttl) },
		{ "hlen", offsetof(struct seg, hlen) },
		{ "rsvd", offsetof(struct seg, rsvd) },
		{ "to", offsetof(struct seg, port) },
	};
	static const struct {
		const char *name;
		size_t where;
	} marks[] = {
		{ "sackok", offsetof(struct seg, sackok) },
		{ "badsum", offsetof(struct seg, badsum) },
		{ "nots", offsetof(struct seg, nots) },
		{ "nopush", offsetof(struct seg, nopush) },
		{ "...", offsetof(struct seg, any_options) },
	};
	const char *w;
	int64_t v;
	unsigned i;

	while ((w = peek(s))) {
		for (i = 0; i < G_N_ELEMENTS(fields); i++)
			if (take(s, fields[i].name))
				break;
		if (i < G_N_ELEMENTS(fields)) {
			v = number(s);
			memcpy((uint8_t *)g + fields[i].where, &v, sizeof(v));
			continue;
		}
		for (i = 0; i < G_N_ELEMENTS(marks); i++)
			if (take(s, marks[i].name))
				break;
		if (i < G_N_ELEMENTS(marks)) {
			*((uint8_t *)g + marks[i].where) = true;
		} else if (find(ecn_words, w, &v)) {
			next(s);
			g->ecn = v;
		} else if (take(s, "ts")) {
			/* In a SYN of the peer the values may be left out. */
			g->tsval = g->tsecr = STAR;
			w = peek(s);
			if (w && (*w == '*' || g_ascii_isdigit(*w) ||
				  *w == '-')) {
				g->tsval = number_or_star(s);
				g->tsecr = number_or_star(s);
			}
		} else if (take(s, "sack")) {
			parse_sacks(s, g);
		} else if (take(s, "opt")) {
			g->raw = hex(s);
		} else if (take(s, "fo")) {
			if (peek(s) && g_ascii_isxdigit(*peek(s)))
				g->fo = hex(s);
			else
				g->fo = g_byte_array_new();
		} else if (take(s, "src")) {
			address(s, g->src_buf);
			g->src = g->src_buf;
		} else if (take(s, "dst")) {
			address(s, g->dst_buf);
			g->dst = g->dst_buf;
		} else {
			wrong(s, "'%s' is not understood", w);
		}
	}
}

static struct seg *parse_seg(struct script *s)
{
	struct seg *g = seg_new();

	parse_flags(s, g);
	parse_place(s, g);
	parse_fields(s, g);
	if (!!(g->flags & ACK) != (g->ack != ANY))
		wrong(s, "the flag A and 'ack N' go together");
	return g;
}

static char *seg_text(const struct seg *g)
{
	GString *t = g_string_new("");
	unsigned i;

	for (i = 0; i < 8; i++) {
		/* S first, A last: as one says it. */
		static const char order[] = "SFRPUECA";
		const char *at = strchr(flag_letters, order[i]);

		if (g->flags & 1u << (at - flag_letters))
			g_string_append_c(t, order[i]);
	}
	if (!g->flags)
		g_string_append_c(t, '-');
	g_string_append_printf(t, " %d", (int32_t)g->seq);
	if (g->len)
		g_string_append_printf(t, "+%u", g->len);
	if (g->ack != ANY)
		g_string_append_printf(t, " ack %d", (int32_t)g->ack);
	if (g->win != ANY)
		g_string_append_printf(t, " win %d", (int)g->win);
	if (g->mss != ANY)
		g_string_append_printf(t, " mss %d", (int)g->mss);
	if (g->ws != ANY)
		g_string_append_printf(t, " ws %d", (int)g->ws);
	if (g->sackok)
		g_string_append(t, " sackok");
	if (g->tsval == STAR)
		g_string_append(t, " ts");
	else if (g->tsval != ANY)
		g_string_append_printf(t, " ts %d %d", (int32_t)g->tsval,
				       (int32_t)g->tsecr);
	if (g->fo) {
		g_string_append(t, " fo ");
		for (i = 0; i < g->fo->len; i++)
			g_string_append_printf(t, "%02x", g->fo->data[i]);
	}
	for (i = 0; i < g->sacks; i++)
		g_string_append_printf(t, "%s %d-%d", i ? "" : " sack",
				       (int32_t)g->sack[i][0],
				       (int32_t)g->sack[i][1]);
	if (g->urg != ANY && g->urg)
		g_string_append_printf(t, " urg %d", (int)g->urg);
	if (g->ecn != ANY && g->ecn)
		g_string_append_printf(t, " %s", name_of(ecn_words, g->ecn));
	return g_string_free(t, FALSE);
}

static void trace(struct script *s, const char *way, const struct seg *g)
{
	char *t;

	if (!s->trace)
		return;
	t = seg_text(g);
	printf("  %10.6f %s %s\n", (double)(s->w->now - s->start) / 1e9, way,
	       t);
	g_free(t);
}

/* ---- The peer sends ---- */

static const uint8_t *our_addr(const struct script *s)
{
	static const uint8_t v4[16] = { 10, 0, 2, 15 };
	static const uint8_t v6[16] = { 0xfe, 0xc0, [15] = 0x15 };

	return s->v6 ? v6 : v4;
}

static uint16_t sum_of(struct script *s, const uint8_t *src,
		       const uint8_t *dst, const uint8_t *p, size_t len)
{
	size_t i, alen = s->v6 ? 16 : 4;
	uint64_t sum = 6 + len;

	for (i = 0; i < alen; i += 2)
		sum += toe_get16(src + i) + toe_get16(dst + i);
	for (i = 0; i + 1 < len; i += 2)
		sum += toe_get16(p + i);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t put_options(struct script *s, struct seg *g, uint8_t *p)
{
	struct peer *q = s->p;
	uint32_t at = 0, i;

	if (g->mss != ANY) {
		p[at] = 2;
		p[at + 1] = 4;
		toe_put16(p + at + 2, (uint16_t)g->mss);
		at += 4;
	}
	if (g->ws != ANY) {
		toe_put32(p + at, 0x01030300 | (uint32_t)g->ws);
		at += 4;
	}
	if (g->flags & SYN && !(g->flags & RST))
		q->syn_ts = g->tsval != ANY;
	else if (q->syn_ts && q->our_syn_ts && g->tsval == ANY && !g->nots)
		g->tsval = g->tsecr = STAR;
	if (g->tsval != ANY) {
		uint32_t ms = (uint32_t)((s->w->now - s->start) / MS);

		if (g->tsval == STAR)
			g->tsval = q->clock + ms;
		else if (g->flags & SYN)
			q->clock = (uint32_t)g->tsval - ms;
		toe_put32(p + at, 0x0101080a);
		toe_put32(p + at + 4, (uint32_t)g->tsval);
		toe_put32(p + at + 8, g->tsecr == STAR ? q->tsecr :
			  q->ts_base + (uint32_t)g->tsecr);
		at += 12;
	}
	if (g->sackok) {
		toe_put32(p + at, 0x01010402);
		at += 4;
	}
	if (g->sacks) {
		toe_put32(p + at, 0x01010502 + 8 * g->sacks);
		at += 4;
		for (i = 0; i < 2 * g->sacks; i++, at += 4)
			toe_put32(p + at, q->adapter_iss +
				  g->sack[i / 2][i % 2]);
	}
	if (g->fo) {
		p[at++] = 34;
		p[at++] = (uint8_t)(2 + g->fo->len);
		memcpy(p + at, g->fo->data, g->fo->len);
		at += g->fo->len;
		while (at % 4)
			p[at++] = 1;
	}
	if (g->raw) {
		memcpy(p + at, g->raw->data, g->raw->len);
		at += g->raw->len;
		while (at % 4)
			p[at++] = 0;
	}
	if (at > 40)
		wrong(s, "%u bytes of options", at);
	return at;
}

static void say(struct script *s, struct seg *g)
{
	static uint8_t p[70000], f[70100];
	const uint8_t *src = g->src ? g->src : s->p->addr;
	const uint8_t *dst = g->dst ? g->dst : our_addr(s);
	struct peer *q = s->p;
	uint32_t hlen, i, tos;

	memset(p, 0, 80);
	toe_put16(p, q->port);
	toe_put16(p + 2, g->port != ANY ? (uint16_t)g->port : q->lport);
	toe_put32(p + 4, q->iss + g->seq);
	if (g->flags & ACK)
		toe_put32(p + 8, q->adapter_iss + (uint32_t)g->ack);
	p[13] = (uint8_t)g->flags;
	toe_put16(p + 14, g->win != ANY ? (uint16_t)g->win : q->wnd);
	toe_put16(p + 18, g->urg != ANY ? (uint16_t)g->urg : 0);
	hlen = 20 + put_options(s, g, p + 20);
	p[12] = (uint8_t)((g->hlen != ANY ? g->hlen : hlen / 4) << 4);
	p[12] |= g->rsvd != ANY ? (uint8_t)g->rsvd & 0xf : 0;
	for (i = 0; i < g->len; i++)
		p[hlen + i] = talk_pattern(g->seq - 1 + i +
					   !!(g->flags & SYN));
	toe_put16(p + 16, sum_of(s, src, dst, p, hlen + g->len));
	p[17] ^= g->badsum;
	trace(s, "<", g);
	tos = (g->tos != ANY ? (uint32_t)g->tos & ~3u : 0) |
	      (g->ecn != ANY ? (uint32_t)g->ecn : 0);
	if (s->v6) {
		size_t n = world6_make(f, src, dst, 6, 64, p, hlen + g->len);

		f[14] |= (uint8_t)(tos >> 4);
		f[15] |= (uint8_t)(tos << 4);
		world_in(s->w, f, n);
	} else {
		size_t n = world_make_ip(f, src, dst, 6, p, hlen + g->len);

		f[15] = (uint8_t)tos;
		toe_put16(f + 24, 0);
		toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
		world_in(s->w, f, n);
	}
}

/* ---- The adapter has sent ---- */

static void get_options(struct script *s, struct seg *g, const uint8_t *p,
			uint32_t hlen)
{
	struct peer *q = s->p;
	uint32_t i = 20, k;

	while (i < hlen && p[i]) {
		uint32_t olen = p[i] == 1 ? 1 : p[i + 1];
		const uint8_t *o = p + i + 2;

		if (p[i] != 1 && (i + 1 >= hlen || olen < 2 ||
				  i + olen > hlen))
			wrong(s, "the adapter sent malformed options");
		switch (p[i]) {
		case 1:
			break;
		case 2:
			g->mss = toe_get16(o);
			break;
		case 3:
			g->ws = o[0];
			break;
		case 4:
			g->sackok = true;
			break;
		case 5:
			g->sacks = (olen - 2) / 8;
			for (k = 0; k < 2 * g->sacks; k++)
				g->sack[k / 2][k % 2] =
					toe_get32(o + 4 * k) - q->iss;
			break;
		case 8:
			if (!q->ts_known)
				q->ts_base = toe_get32(o);
			q->ts_known = true;
			q->tsecr = toe_get32(o);
			g->tsval = (int32_t)(q->tsecr - q->ts_base);
			g->tsecr = toe_get32(o + 4);
			break;
		case 34:
			g->fo = g_byte_array_new();
			g_byte_array_append(g->fo, o, olen - 2);
			break;
		default:
			wrong(s, "the adapter sent option %u", p[i]);
		}
		i += olen;
	}
	/* RFC 9293 3.1, MUST-69. */
	for (; i < hlen; i++)
		if (p[i])
			wrong(s, "the options are not padded with zero");
}

/* The next segment; NULL: none. */
static struct seg *hear(struct script *s)
{
	struct peer *q = s->p;
	const uint8_t *p, *src, *dst;
	struct seg *g;
	uint32_t hlen;
	size_t len;

	world_run(s->w);
	if (!world_sent_count(s->w))
		return NULL;
	g = seg_new();
	if (s->v6) {
		ToeWireIpv6 ip = world6_expect(s->w, 6);

		g->tos = ip.tos;
		g->ttl = ip.hops;
		src = ip.src;
		dst = ip.dst;
		p = ip.payload;
		len = ip.len;
	} else {
		ToeWireIpv4 ip = world_expect_ip(s->w, 6);

		g->tos = ip.tos;
		g->ttl = ip.ttl;
		src = ip.src;
		dst = ip.dst;
		p = ip.payload;
		len = ip.len;
	}
	hlen = len < 20 ? 0 : (p[12] >> 4) * 4u;
	if (hlen < 20 || hlen > len || sum_of(s, src, dst, p, len))
		wrong(s, "the adapter sent a malformed segment, or checksum");
	g->ecn = g->tos & 3;
	g->sport = toe_get16(p);
	g->dport = toe_get16(p + 2);
	if (memcmp(src, our_addr(s), s->v6 ? 16 : 4))
		wrong(s, "the adapter sent something from another address");
	if (g->dport != q->port || memcmp(dst, q->addr, s->v6 ? 16 : 4))
		wrong(s, "the adapter sent something to another peer, port %u",
		     g->dport);
	if (p[12] & 0xf)
		wrong(s, "the adapter sets reserved bits");
	g->flags = p[13];
	if (g->flags & SYN && (!(g->flags & ACK) || !q->adapter_iss)) {
		q->adapter_iss = toe_get32(p + 4);
		q->lport = (uint16_t)g->sport;
		q->ts_known = false;
	}
	g->seq = toe_get32(p + 4) - q->adapter_iss;
	if (g->flags & ACK)
		g->ack = (int32_t)(toe_get32(p + 8) - q->iss);
	g->win = toe_get16(p + 14);
	g->urg = toe_get16(p + 18);
	get_options(s, g, p, hlen);
	if (g->flags & SYN)
		q->our_syn_ts = g->tsval != ANY;
	g->len = (uint32_t)len - hlen;
	memcpy(g->payload, p + hlen, g->len);
	trace(s, ">", g);
	return g;
}

static void check_options(struct script *s, const struct seg *want,
			  const struct seg *got, bool *bad)
{
	bool ts = s->p->syn_ts && s->p->our_syn_ts && !(got->flags & RST);
	uint32_t i;

	if (want->any_options)
		return;
	*bad |= want->mss != got->mss || want->ws != got->ws ||
		want->sackok != got->sackok || want->sacks != got->sacks;
	if (got->flags & SYN)
		ts = want->tsval != ANY;
	*bad |= ts != (got->tsval != ANY);
	if (want->tsval != ANY && want->tsval != STAR)
		*bad |= want->tsval != got->tsval;
	if (want->tsecr != ANY && want->tsecr != STAR)
		*bad |= want->tsecr != got->tsecr;
	for (i = 0; i < want->sacks && i < got->sacks; i++)
		*bad |= want->sack[i][0] != got->sack[i][0] ||
			want->sack[i][1] != got->sack[i][1];
	*bad |= !!want->fo != !!got->fo;
	if (want->fo && got->fo && want->fo->len)
		*bad |= want->fo->len != got->fo->len ||
			memcmp(want->fo->data, got->fo->data, got->fo->len);
}

static void expect(struct script *s, const struct seg *want)
{
	struct seg *got = hear(s);
	uint32_t mask = want->flags & PSH || want->nopush ? 0xff : 0xff & ~PSH;
	char *wt = seg_text(want), *gt;
	bool bad = false;
	uint32_t i;

	if (!got)
		wrong(s, "not sent\n    want  %s\n    got   nothing", wt);
	gt = seg_text(got);
	bad |= (got->flags & mask) != want->flags;
	bad |= got->seq != want->seq || got->len != want->len;
	bad |= want->ack != ANY && (int32_t)want->ack != (int32_t)got->ack;
	bad |= want->win != ANY && want->win != got->win;
	bad |= want->tos != ANY && want->tos != (got->tos & ~3);
	bad |= want->ttl != ANY && want->ttl != got->ttl;
	bad |= (want->ecn == ANY ? 0 : want->ecn) != got->ecn;
	bad |= (want->urg == ANY ? 0 : want->urg) !=
	       (got->flags & URG ? got->urg : 0);
	check_options(s, want, got, &bad);
	if (bad)
		wrong(s, "another segment\n    want  %s\n    got   %s", wt, gt);
	for (i = 0; i < got->len; i++)
		if (got->payload[i] != talk_pattern(got->seq - 1 + i +
						    !!(got->flags & SYN)))
			wrong(s, "byte %u of the segment is wrong", i);
	g_free(wt);
	g_free(gt);
	seg_free(got);
}

static void silence(struct script *s, const char *when)
{
	struct seg *got = hear(s);

	if (got)
		wrong(s, "sent %s\n    want  nothing\n    got   %s", when,
		     seg_text(got));
}

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
	char *name = g_strdup_printf("closed %s", name_of(statuses, status));

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
		wrong(s, "another event\n    want  %s\n    got   %s", want,
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
		wrong(s, "an event\n    want  none\n    got   %s",
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
		wrong(s, "too many peers");
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
	silence(s, "and not expected");
	no_event(s);
	if (world_os_count(s->w))
		wrong(s, "a frame went to the operating system");
	/* A reset must give back every buflet and every NCB. */
	toe_nop_reset(s->w->n);
	if (toe_lmem_avail(s->w->lm, TOE_LMEM_IN) !=
	    toe_lmem_total(s->w->lm))
		wrong(s, "buflets leak");
	if (world_counter(s->w, TOE_CTR_TCP_NCBS) ||
	    world_counter(s->w, TOE_CTR_TCP_ORPHANS) ||
	    world_counter(s->w, TOE_CTR_TCP_TIME_WAIT))
		wrong(s, "NCBs leak");
	world_free(s->w);
	g_hash_table_destroy(s->kept);
}

static void advance(struct script *s, int64_t ns)
{
	int64_t end = s->w->now + ns;

	silence(s, "and not expected");
	while (s->w->now < end) {
		int64_t to = MIN(toe_nop_deadline(s->w->n), end);

		s->w->now = MAX(to, s->w->now);
		/* The neighbour's address must not be old when it is used. */
		know_peer(s);
		world_run(s->w);
		if (s->w->now < end)
			silence(s, "too early");
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
	if (find(counters, name, &v))
		return (int64_t)world_counter(s->w, (enum toe_counter)v);
	if (!strcmp(name, "space"))
		return toe_stream_send_space(s->w->n, s->p->h);
	if (g_ascii_isdigit(*name) || *name == '-')
		return number_of(s, name);
	if (!info_of(s, &i))
		wrong(s, "there is no connection");
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
	wrong(s, "'%s' is no value", name);
	return 0;
}

static void check_value(struct script *s)
{
	const char *name = next(s), *op = next(s);
	int64_t got = value(s, name), want = value(s, next(s));
	bool ok;

	/* Sums: A + B, A - B. */
	while (peek(s) && (*peek(s) == '+' || *peek(s) == '-')) {
		bool plus = *next(s) == '+';
		int64_t v = value(s, next(s));

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
		wrong(s, "%s\n    want  %s %" PRId64 "\n    got   %" PRId64,
		     name, op, want, got);
}

/* ---- Lines ---- */

static void ends_so(struct script *s, uint8_t st)
{
	int64_t want = TOE_ST_OK;

	if (take(s, "="))
		want = word(s, statuses);
	if (st != want)
		wrong(s, "another result\n    want  %s\n    got   %s",
		     name_of(statuses, want), name_of(statuses, st));
}

static void do_listen(struct script *s)
{
	ToeTuple t = { .family = s->v6 ? TOE_AF_INET6 : TOE_AF_INET,
		       .lport = s->p->lport };
	uint32_t backlog = 16;

	if (peek(s) && g_ascii_isdigit(*peek(s)))
		backlog = (uint32_t)number(s);
	if (take(s, "port"))
		t.lport = (uint16_t)number(s);
	if (take(s, "addr"))
		address(s, t.laddr);
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
	uint8_t st;

	memcpy(t.raddr, q->addr, 16);
	if (take(s, "to"))
		address(s, t.raddr);
	if (take(s, "from"))
		address(s, t.laddr);
	if (take(s, "port"))
		t.lport = (uint16_t)number(s);
	q->adapter_iss = 0;
	q->sent = q->read = 0;
	st = toe_stream_connect(s->w->n, &t, &q->h);
	if (st == TOE_ST_OK)
		q->lport = t.lport;
	ends_so(s, st);
}

static void do_send(struct script *s)
{
	uint32_t len = (uint32_t)number(s), i;
	ToeChain c = toe_chain_init();
	uint8_t *data = g_malloc(len + 1);
	bool more = take(s, "more");

	for (i = 0; i < len; i++)
		data[i] = talk_pattern(s->p->sent + i);
	if (toe_stream_send_space(s->w->n, s->p->h) < len)
		wrong(s, "there is room for %u bytes only",
		     toe_stream_send_space(s->w->n, s->p->h));
	if (!toe_chain_append(s->w->lm, &c, data, len, TOE_LMEM_OUT))
		wrong(s, "local memory is full");
	g_free(data);
	s->p->sent += len;
	toe_stream_send(s->w->n, s->p->h, &c, more);
}

static void do_read(struct script *s)
{
	uint32_t len = (uint32_t)number(s), i;
	const ToeChain *rx;
	uint8_t *data;

	world_run(s->w);
	rx = toe_stream_rx(s->w->n, s->p->h);
	if (rx->len < len)
		wrong(s, "there are %u bytes only", rx->len);
	data = g_malloc(len + 1);
	toe_chain_copy_out(s->w->lm, rx, 0, data, len, NULL);
	for (i = 0; i < len; i++)
		if (data[i] != talk_pattern(s->p->read + i))
			wrong(s, "byte %u of the stream is wrong",
			     s->p->read + i);
	g_free(data);
	s->p->read += len;
	toe_stream_rx_consumed(s->w->n, s->p->h, len);
}

static void do_icmp(struct script *s)
{
	int64_t type = word(s, icmp_types), code = 0, mtu = 0, seq = 0;
	uint16_t lport = s->p->lport;
	uint8_t m[80] = { 0 };
	uint8_t *q = m + 8;

	if (s->v6)
		type >>= 8;
	else
		code = (type & 0xffff) == (3 | 2 << 8) ? 4 : 0;
	type &= 0xff;
	if (peek(s) && g_ascii_isdigit(*peek(s)))
		code = number(s);
	if (take(s, "mtu"))
		mtu = number(s);
	if (!take(s, "seq"))
		wrong(s, "icmp needs seq");
	seq = number(s);
	if (take(s, "port"))
		lport = (uint16_t)number(s);
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
	bool active = take(s, "active");
	GString *syn = g_string_new("");
	const char *rtt = "0";

	if (!active && !take(s, "passive"))
		wrong(s, "open active or open passive?");
	if (take(s, "rtt"))
		rtt = next(s);
	while (peek(s))
		g_string_append_printf(syn, " %s", next(s));
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
		wrong(s, "the world is made already");
	while (peek(s)) {
		if (take(s, "v6"))
			s->v6 = true;
		else if (take(s, "user"))
			s->user = true;
		else if (take(s, "os-down"))
			s->os_down = true;
		else if (take(s, "mtu"))
			s->mtu = (uint32_t)number(s);
		else if (take(s, "conns"))
			s->conns = (uint32_t)number(s);
		else if (take(s, "ram"))
			s->ram = (uint32_t)number(s) << 10;
		else
			break;
	}
}

static void do_peer(struct script *s)
{
	s->p = peer_get(s, next(s));
	while (peek(s)) {
		if (take(s, "port"))
			s->p->port = (uint16_t)number(s);
		else if (take(s, "lport"))
			s->p->lport = (uint16_t)number(s);
		else if (take(s, "iss"))
			s->p->iss = (uint32_t)number(s);
		else if (take(s, "addr"))
			address(s, s->p->addr);
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
	struct seg *g = parse_seg(s);
	uint32_t i, n = g->count;
	bool push = g->flags & PSH;

	for (i = 0; i < n; i++) {
		/* PSH and FIN are the last one's. */
		if (push && i + 1 < n)
			g->flags &= ~(uint32_t)PSH;
		else if (push)
			g->flags |= PSH;
		if (out) {
			expect(s, g);
		} else {
			struct seg copy = *g;

			say(s, &copy);
			if (run)
				world_run(s->w);
		}
		g->seq += g->len;
	}
	seg_free(g);
}

static void do_state(struct script *s)
{
	struct toe_hw_conn_info i;
	const char *name = next(s);
	int64_t want, got;

	if (!find(states, name, &want))
		wrong(s, "'%s' is no state", name);
	world_run(s->w);
	got = info_of(s, &i) ? i.state : -1;
	if (got != want)
		wrong(s, "another state\n    want  %s\n    got   %s", name,
		     name_of(states, got));
}

static void do_event(struct script *s)
{
	GString *want = g_string_new(next(s));

	if (peek(s))
		g_string_append_printf(want, " %s", next(s));
	expect_event(s, want->str);
	g_string_free(want, TRUE);
}

static void do_keep(struct script *s)
{
	int64_t *v = g_new(int64_t, 1);

	*v = value(s, next(s));
	if (!take(s, "as"))
		wrong(s, "keep NAME as WORD");
	g_hash_table_insert(s->kept, g_strdup(next(s)), v);
}

static void do_get(struct script *s)
{
	uint32_t option = (uint32_t)word(s, options);
	int64_t want = word(s, values);
	uint64_t got = 0;
	uint8_t st = toe_stream_getopt(s->w->n, s->p->h, option, &got);

	if (st == TOE_ST_OK && got != (uint64_t)want)
		wrong(s, "another value\n    want  %" PRId64 "\n    got   %"
		     PRIu64, want, got);
	ends_so(s, st);
}

static void do_set(struct script *s, bool param)
{
	uint32_t what = (uint32_t)word(s, param ? params : options);
	uint64_t v = (uint64_t)word(s, values);

	ends_so(s, param ? toe_nop_param_set(s->w->n, what, v)
			 : toe_stream_setopt(s->w->n, s->p->h, what, v));
}

static void do_os(struct script *s)
{
	size_t len;

	if (!world_os(s->w, &len))
		wrong(s, "no frame went to the operating system");
}

static void do_line(struct script *s)
{
	ToeNop *n = s->w ? s->w->n : NULL;
	const char *verb;

	if (peek(s) && !strcmp(peek(s), "world")) {
		next(s);
		do_world(s);
		end_of_line(s);
		return;
	}
	begin(s);
	n = s->w->n;
	verb = next(s);
	if (*verb == '+') {
		char *end;
		double t = g_ascii_strtod(verb + 1, &end);

		if (end == verb + 1 || *end)
			wrong(s, "'%s' is not a time", verb);
		advance(s, (int64_t)(t * 1e9 + 0.5));
		if (peek(s)) {
			do_line(s);
			return;
		}
		world_run(s->w);
		silence(s, "and not expected");
	} else if (!strcmp(verb, "<")) {
		silence(s, "before");
		do_segments(s, false, true);
	} else if (!strcmp(verb, "<<")) {
		do_segments(s, false, false);
	} else if (!strcmp(verb, ">")) {
		do_segments(s, true, false);
	} else if (!strcmp(verb, "peer")) {
		silence(s, "before");
		do_peer(s);
	} else if (!strcmp(verb, "new")) {
		do_new(s);
	} else if (!strcmp(verb, "window")) {
		s->p->wnd = (uint16_t)number(s);
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
		ends_so(s, toe_nop_port_set(n, (uint32_t)number(s), NULL,
					    TOE_FILTER_UP, 0));
	} else if (!strcmp(verb, "addr-del")) {
		ends_so(s, toe_nop_addr_del(n, s->v6 ? TOE_AF_INET6 :
					    TOE_AF_INET, our_addr(s),
					    s->v6 ? 64 : 24));
	} else if (!strcmp(verb, "event")) {
		do_event(s);
	} else if (!strcmp(verb, "no")) {
		if (!take(s, "event"))
			wrong(s, "no what?");
		no_event(s);
	} else if (!strcmp(verb, "state")) {
		do_state(s);
	} else if (!strcmp(verb, "check")) {
		check_value(s);
	} else if (!strcmp(verb, "keep")) {
		do_keep(s);
	} else if (!strcmp(verb, "icmp")) {
		silence(s, "before");
		do_icmp(s);
		world_run(s->w);
	} else if (!strcmp(verb, "os")) {
		do_os(s);
	} else {
		wrong(s, "'%s' is not understood", verb);
	}
	end_of_line(s);
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
