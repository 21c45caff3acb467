/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_text.c - the words of a line, and segments as text; see script.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "script_priv.h"

static const struct sc_word ecn_words[] = {
	{ "notect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 },
	{ NULL, 0 }
};

/* ---- Failing ---- */

void sc_wrong(struct script *s, const char *fmt, ...)
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

const char *sc_name_of(const struct sc_word *w, int64_t value)
{
	for (; w->name; w++)
		if (w->value == value)
			return w->name;
	return "?";
}

/* ---- Words of a line ---- */

const char *sc_peek(struct script *s)
{
	return *s->tok;
}

const char *sc_next(struct script *s)
{
	if (!*s->tok)
		sc_wrong(s, "the line is too short");
	return *s->tok++;
}

bool sc_take(struct script *s, const char *word)
{
	if (!*s->tok || strcmp(*s->tok, word))
		return false;
	s->tok++;
	return true;
}

int64_t sc_number_of(struct script *s, const char *word)
{
	char *end;
	int64_t v = g_ascii_strtoll(word, &end, 0);

	if (end == word || *end)
		sc_wrong(s, "'%s' is not a number", word);
	return v;
}

int64_t sc_number(struct script *s)
{
	return sc_number_of(s, sc_next(s));
}

static int64_t number_or_star(struct script *s)
{
	return sc_take(s, "*") ? STAR : sc_number(s);
}

bool sc_find(const struct sc_word *w, const char *name, int64_t *value)
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
int64_t sc_word(struct script *s, const struct sc_word *table)
{
	const char *name = sc_next(s);
	int64_t v;

	return sc_find(table, name, &v) ? v : sc_number_of(s, name);
}

void sc_address(struct script *s, uint8_t *out)
{
	const char *text = sc_next(s);
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
				sc_wrong(s, "'%s' is not an address", text);
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
		sc_wrong(s, "'%s' is not an address", text);
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)b[i];
}

static GByteArray *hex(struct script *s)
{
	const char *text = sc_next(s);
	GByteArray *a = g_byte_array_new();

	for (; text[0] && text[1]; text += 2) {
		uint8_t b = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 |
				      g_ascii_xdigit_value(text[1]));

		if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
			break;
		g_byte_array_append(a, &b, 1);
	}
	if (*text)
		sc_wrong(s, "'%s' is not hexadecimal", text);
	return a;
}

void sc_end_of_line(struct script *s)
{
	if (*s->tok)
		sc_wrong(s, "'%s' is not understood", *s->tok);
}

/* ---- Segments as text ---- */

static const char flag_letters[] = "FSRPAUEC";

static void parse_flags(struct script *s, struct seg *g)
{
	const char *f = sc_next(s), *at;

	if (!strcmp(f, "-"))
		return;
	for (; *f; f++) {
		at = strchr(flag_letters, *f);
		if (!at)
			sc_wrong(s, "'%c' is not a flag", *f);
		g->flags |= 1u << (at - flag_letters);
	}
}

static void parse_place(struct script *s, struct seg *g)
{
	const char *text = sc_next(s);
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
		sc_wrong(s, "'%s' is not SEQ+LEN", text);
}

struct seg *sc_seg_new(void)
{
	struct seg *g = g_new0(struct seg, 1);

	g->ack = g->win = g->mss = g->ws = g->urg = g->tos = g->ttl = ANY;
	g->hlen = g->rsvd = g->port = g->tsval = g->tsecr = g->ecn = ANY;
	return g;
}

void sc_seg_free(struct seg *g)
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

	while ((text = sc_peek(s)) && (g_ascii_isdigit(*text) || *text == '-') &&
	       strchr(text + 1, '-')) {
		if (g->sacks == 4)
			sc_wrong(s, "more than four blocks");
		g->sack[g->sacks][0] =
			(uint32_t)g_ascii_strtoll(text, &end, 10);
		if (*end != '-')
			sc_wrong(s, "'%s' is not a block", text);
		g->sack[g->sacks][1] =
			(uint32_t)g_ascii_strtoll(end + 1, &end, 10);
		if (*end)
			sc_wrong(s, "'%s' is not a block", text);
		g->sacks++;
		sc_next(s);
	}
	if (!g->sacks)
		sc_wrong(s, "sack without a block");
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

	while ((w = sc_peek(s))) {
		for (i = 0; i < G_N_ELEMENTS(fields); i++)
			if (sc_take(s, fields[i].name))
				break;
		if (i < G_N_ELEMENTS(fields)) {
			v = sc_number(s);
			memcpy((uint8_t *)g + fields[i].where, &v, sizeof(v));
			continue;
		}
		for (i = 0; i < G_N_ELEMENTS(marks); i++)
			if (sc_take(s, marks[i].name))
				break;
		if (i < G_N_ELEMENTS(marks)) {
			*((uint8_t *)g + marks[i].where) = true;
		} else if (sc_find(ecn_words, w, &v)) {
			sc_next(s);
			g->ecn = v;
		} else if (sc_take(s, "ts")) {
			/* In a SYN of the peer the values may be left out. */
			g->tsval = g->tsecr = STAR;
			w = sc_peek(s);
			if (w && (*w == '*' || g_ascii_isdigit(*w) ||
				  *w == '-')) {
				g->tsval = number_or_star(s);
				g->tsecr = number_or_star(s);
			}
		} else if (sc_take(s, "sack")) {
			parse_sacks(s, g);
		} else if (sc_take(s, "opt")) {
			g->raw = hex(s);
		} else if (sc_take(s, "fo")) {
			if (sc_peek(s) && g_ascii_isxdigit(*sc_peek(s)))
				g->fo = hex(s);
			else
				g->fo = g_byte_array_new();
		} else if (sc_take(s, "src")) {
			sc_address(s, g->src_buf);
			g->src = g->src_buf;
		} else if (sc_take(s, "dst")) {
			sc_address(s, g->dst_buf);
			g->dst = g->dst_buf;
		} else {
			sc_wrong(s, "'%s' is not understood", w);
		}
	}
}

struct seg *sc_parse_seg(struct script *s)
{
	struct seg *g = sc_seg_new();

	parse_flags(s, g);
	parse_place(s, g);
	parse_fields(s, g);
	if (!!(g->flags & ACK) != (g->ack != ANY))
		sc_wrong(s, "the flag A and 'ack N' go together");
	return g;
}

char *sc_seg_text(const struct seg *g)
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
		g_string_append_printf(t, " %s", sc_name_of(ecn_words, g->ecn));
	return g_string_free(t, FALSE);
}

void sc_trace(struct script *s, const char *way, const struct seg *g)
{
	char *t;

	if (!s->trace)
		return;
	t = sc_seg_text(g);
	printf("  %10.6f %s %s\n", (double)(s->w->now - s->start) / 1e9, way,
	       t);
	g_free(t);
}
