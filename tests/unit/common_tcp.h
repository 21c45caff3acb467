/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_tcp.h - a conversation with the adapter's TCP.
 *
 * The adapter's network side runs in a world of common_nop.h.  The test is
 * both the host side (it calls toe_stream_* and reads the log of events) and
 * the remote peer (it says segments and expects segments).  Sequence numbers
 * are relative, as in packet traces: a segment of the peer has seq relative to
 * the peer's ISS and ack relative to the adapter's; one from the adapter the
 * other way round.  So the first data byte of either side is 1.
 *
 *	struct talk *t = talk_new();
 *	talk_listen(t, 80);
 *	SAY(t, .flags = SYN);
 *	HEAR(t, .flags = SYN | ACK, .seq = 0, .ack = 1);
 *	SAY(t, .flags = ACK, .seq = 1, .ack = 1);
 *	talk_events(t, "I");
 *
 * Segments are built and taken apart here by hand, not by the code under test.
 */
#ifndef TOE_TESTS_COMMON_TCP_H
#define TOE_TESTS_COMMON_TCP_H

#include "common_nop.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define PSH	0x08
#define ACK	0x10
#define URG	0x20
#define ECE	0x40
#define CWR	0x80

#define LPORT	80	/* of the adapter when it listens */
#define RPORT	5000	/* of the peer */

struct talk_seg {
	uint8_t flags;
	uint32_t seq;		/* relative */
	uint32_t ack;		/* relative */
	uint32_t len;
	const void *data;	/* NULL: len bytes of the pattern at seq */
	uint16_t mss;		/* 0: no option */
	int wscale;		/* option: this - 1; 0: no option */
	bool ts;		/* timestamp option */
	uint32_t tsval;
	uint32_t tsecr;
	bool sackok;		/* SACK permitted */
	uint8_t sacks;		/* blocks: left, right, relative to what */
	uint32_t sack[4][2];	/* the receiver of the data got */
	int fo;			/* Fast Open: bytes of cookie + 1; 0: no option */
	uint8_t cookie[16];
	int bad_checksum;
	int wnd;		/* not 0: this - 1 instead of talk.wnd */
	uint8_t hlen;		/* not 0: a wrong header length, in words */
	uint16_t uto;		/* RFC 5482's option; 0: none */
	uint16_t urg;		/* urgent pointer */
	uint8_t tos;		/* of the IP header */
	/* Only in what was heard: */
	uint8_t ttl;		/* of the IP header */
	uint32_t window;	/* as in the header */
	uint16_t sport, dport;
	uint8_t payload[65536];
};

struct talk {
	struct world *w;
	GString *log;		/* of events, see talk_events() */
	uint32_t listener;
	uint32_t h;		/* the connection */
	uint8_t status;		/* of the last closed() */
	uint64_t mark;		/* of the last urgent() */
	bool close_on_closed;	/* the host lets go in the callback */
	uint32_t peer_iss;
	uint32_t iss;		/* adapter's; learnt from its SYN */
	uint16_t lport;
	uint16_t rport;
	uint16_t wnd;		/* what the peer says, unscaled */
	bool ts;		/* the peer's segments carry timestamps */
	uint32_t tsval;
	uint32_t tsecr;		/* last heard */
	/* For pairs: */
	bool many;		/* connections; t->h is not the only one */
	void (*on_readable)(struct talk *t, uint32_t handle);
	void (*on_writable)(struct talk *t, uint32_t handle);
	void (*on_incoming)(struct talk *t, uint32_t handle);
	void (*on_peer_closed)(struct talk *t, uint32_t handle);
};

/* A world with the peer's MAC known; 4 MiB of local memory, 64 NCBs. */
struct talk *talk_new(void);
struct talk *talk_new_config(const ToeNopConfig *config, size_t ram);
/* Fails if anything was sent that the test did not hear, or leaks. */
void talk_free(struct talk *t);
/* The same, whatever may have been sent. */
void talk_drop(struct talk *t);

/* ---- The peer ---- */

void talk_say(struct talk *t, const struct talk_seg *s);
/* The same without the turn that follows: part of a burst. */
void talk_say_quietly(struct talk *t, const struct talk_seg *s);
/* The next segment must be this; the returned one is valid till the next. */
const struct talk_seg *talk_hear(struct talk *t, const struct talk_seg *want,
				 const char *file, int line);
/* Whatever segment comes next; NULL: none. */
const struct talk_seg *talk_any(struct talk *t);
void talk_silence(struct talk *t, const char *file, int line);

#define SAY(t, ...)	talk_say(t, &(struct talk_seg){ __VA_ARGS__ })
#define BURST(t, ...)	talk_say_quietly(t, &(struct talk_seg){ __VA_ARGS__ })
#define HEAR(t, ...)	talk_hear(t, &(struct talk_seg){ __VA_ARGS__ }, \
				  __FILE__, __LINE__)
#define SILENCE(t)	talk_silence(t, __FILE__, __LINE__)

/* ---- The host side ---- */

/*
 * The events since the last call, in order: E established, I incoming,
 * r readable, R readable with push, W writable, U urgent, F peer closed,
 * C closed.
 */
void talk_events_are(struct talk *t, const char *want, const char *file,
		     int line);
#define EVENTS(t, want)	talk_events_are(t, want, __FILE__, __LINE__)

void talk_listen(struct talk *t, uint32_t backlog);
void talk_connect(struct talk *t);
/* len bytes of the pattern at stream offset off (0 is the first byte). */
void talk_send(struct talk *t, uint32_t off, uint32_t len);
void talk_send_more(struct talk *t, uint32_t off, uint32_t len, bool more);
/* There are len bytes, they are the pattern from off on; consume them. */
void talk_read(struct talk *t, uint32_t off, uint32_t len);
uint32_t talk_unread(struct talk *t);
uint8_t talk_state(struct talk *t, uint32_t handle);
struct toe_hw_conn_info talk_info(struct talk *t, uint32_t handle);
void talk_close(struct talk *t);
void talk_abort(struct talk *t);
void talk_shutdown(struct talk *t);
void talk_setopt(struct talk *t, uint32_t option, uint64_t value);

/* Handshakes; the peer's options as in syn (NULL: MSS 1460 alone). */
void talk_open_active(struct talk *t, const struct talk_seg *syn);
void talk_open_passive(struct talk *t, const struct talk_seg *syn);
/* Much time passes, and the neighbour's MAC stays known. */
void talk_wait(struct talk *t, int64_t ns);
/* The adapter's quick acknowledgements at the start are over. */
void talk_warm_up(struct talk *t, uint32_t *seq);

uint8_t talk_pattern(uint32_t off);

/* Counters of the adapter. */
#define COUNTER(t, NAME) world_counter((t)->w, TOE_CTR_##NAME)

int talk_main(Suite *s);

#endif
