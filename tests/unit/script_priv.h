/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_priv.h - what the three parts of the script runner share: script.c
 * runs lines, script_text.c reads their words and segments, script_wire.c makes
 * frames of segments and takes frames apart.
 */
#ifndef SCRIPT_PRIV_H
#define SCRIPT_PRIV_H

#include "common_nop6.h"
#include "common_tcp.h"
#include "script.h"

#define ANY	INT64_MIN	/* of a field: not said */
#define STAR	(INT64_MIN + 1)	/* "*" */
#define PEERS	16

struct sc_word {
	const char *name;
	int64_t value;
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
/* ---- script_text.c ---- */

/* The line is not as it should be: the case fails, and says where. */
void sc_wrong(struct script *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
const char *sc_name_of(const struct sc_word *w, int64_t value);
bool sc_find(const struct sc_word *w, const char *name, int64_t *value);

/* The next word of the line, or NULL; taken off; taken off if it is this. */
const char *sc_peek(struct script *s);
const char *sc_next(struct script *s);
bool sc_take(struct script *s, const char *word);
int64_t sc_number_of(struct script *s, const char *word);
int64_t sc_number(struct script *s);
/* A word of the table, or a number. */
int64_t sc_word(struct script *s, const struct sc_word *table);
void sc_address(struct script *s, uint8_t *out);
void sc_end_of_line(struct script *s);

struct seg *sc_seg_new(void);
void sc_seg_free(struct seg *g);
struct seg *sc_parse_seg(struct script *s);
/* The caller frees it. */
char *sc_seg_text(const struct seg *g);
void sc_trace(struct script *s, const char *way, const struct seg *g);

/* ---- script_wire.c ---- */

const uint8_t *sc_our_addr(const struct script *s);
/* The peer sends it. */
void sc_say(struct script *s, struct seg *g);
/* The adapter has sent this, and next; or nothing. */
void sc_expect(struct script *s, const struct seg *want);
void sc_silence(struct script *s, const char *when);

#endif
