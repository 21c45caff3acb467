/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of libtoe share.
 *
 * One struct toe is one context.  Everything that the data path needs was
 * allocated and mapped when the context was opened:
 *
 *	application				adapter
 *	request.c   entry -> rq, rq_tail -----> doorbell, fetches
 *	complete.c  <- cq, cq_tail -----------  writes results and events
 *	recv.c      buffers -> bq, tail ------> fills them
 *	send.c      staging memory -----------> reads it
 *
 * complete.c is the only reader of the completion queue.  It changes the
 * state of connections, collects news in conn->news and puts the connection on
 * toe->ready; toe_poll() turns that into events.  So no news is lost when
 * another call (a blocking helper, toe_send() looking for staging memory) has
 * to look at the queue first, and the memory needed is bounded.
 *
 * What the adapter sends back is checked as anything that crosses a border: a
 * cookie names a table entry by index and generation, and an answer that fits
 * nothing is counted (bad, stale) and dropped.
 *
 * Requests that must not fail (close, abort, credit) but meet a full request
 * queue are remembered in conn->want; complete.c posts them later.
 *
 * What connections share is not for one of them to take away: staging memory is
 * given by toe_stage_share(), receive buffers are packed (recv.c), and the table
 * of connections counts those that were closed until their SENDs are done.
 */
#ifndef TOE_INTERNAL_H
#define TOE_INTERNAL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "toe.h"
#include "toe_hw.h"
#include "toe_uapi.h"

#define TOE_STAGE_SLOT		4096u	/* unit of staging memory, bytes */
#define TOE_STAGE_RUN_MAX	64u	/* slots of one SEND: 256 KiB */
#define TOE_BQ_BATCH		8u	/* buffers returned between doorbells */
#define TOE_CQ_BATCH		64u	/* completions per cq_head update */
#define TOE_CREDIT_MAX		(1u << 30)
#define TOE_NONE		0xffffffffu

/* ---- Lists -------------------------------------------------------------- */

struct toe_link {
	struct toe_link *prev, *next;	/* both NULL: in no list */
};

static inline void toe_list_init(struct toe_link *head)
{
	head->prev = head->next = head;
}

static inline bool toe_list_empty(const struct toe_link *head)
{
	return head->next == head;
}

static inline void toe_list_add(struct toe_link *head, struct toe_link *l)
{
	if (l->next)
		return;			/* is in this list already */
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void toe_list_del(struct toe_link *l)
{
	if (!l->next)
		return;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = l->next = NULL;
}

#define toe_list_entry(link, type, member) \
	((type *)((char *)(link) - offsetof(type, member)))

/* ---- Cookies ------------------------------------------------------------ *
 * kind (8 bits), generation (24), index (32).
 */
enum toe_cookie_kind {
	TOE_CK_CONN = 1,	/* CONNECT, ACCEPT and events; index: conns */
	TOE_CK_LISTEN,		/* LISTEN and its events; index: conns */
	TOE_CK_SEND,		/* index: sends */
	TOE_CK_CTL,		/* a caller waits; index: ctl.seq */
	TOE_CK_UDP,		/* UDP_OPEN and its events; index: conns */
	TOE_CK_QUIET,		/* heard of only when it failed; index: conns */
};

#define TOE_GEN_MASK	0xffffffu

static inline uint64_t toe_cookie(enum toe_cookie_kind kind, uint32_t index,
				  uint32_t gen)
{
	return (uint64_t)kind << 56 | (uint64_t)(gen & TOE_GEN_MASK) << 32 |
	       index;
}

static inline unsigned int toe_cookie_kind(uint64_t cookie)
{
	return cookie >> 56;
}

static inline uint32_t toe_cookie_gen(uint64_t cookie)
{
	return (cookie >> 32) & TOE_GEN_MASK;
}

static inline uint32_t toe_cookie_index(uint64_t cookie)
{
	return (uint32_t)cookie;
}

/* ---- Connections and listeners ------------------------------------------ */

enum toe_kind {
	TOE_K_FREE,
	TOE_K_CONN,		/* the caller's */
	TOE_K_LISTENER,		/* the caller's */
	TOE_K_UDP,		/* the caller's: a socket, udp.c */
	TOE_K_WAITING,		/* on a listener, not yet accepted */
	TOE_K_ZOMBIE,		/* given back, a last request is to be posted */
};

enum toe_conn_phase {
	TOE_P_CONNECTING,
	TOE_P_OPEN,
	TOE_P_CLOSED,		/* the adapter's handle is dead */
};

/* Requests to post as soon as there is room; in this order. */
#define TOE_WANT_NODELAY	0x01u
#define TOE_WANT_CREDIT		0x02u
#define TOE_WANT_SHUTDOWN	0x04u
#define TOE_WANT_CLOSE		0x08u
#define TOE_WANT_ABORT		0x10u

struct toe_conn {
	struct toe *toe;
	uint32_t index;			/* in toe->conns */
	uint32_t gen;
	uint8_t kind;			/* enum toe_kind */
	uint8_t phase;			/* enum toe_conn_phase */
	bool handle_known;
	bool peer_closed;
	bool shut;			/* toe_shutdown() was called */
	bool nodelay;
	bool lingers;			/* toe_close_conn() waits */
	bool udp;			/* a socket, also as a zombie */
	bool udp_full;			/* until UDP_WRITABLE */
	bool answered;			/* a UDP_SEND was, with this status */
	uint8_t answer;
	uint8_t want;			/* TOE_WANT_* */
	uint32_t handle;
	int error;			/* 0 or -errno */
	uint32_t news;			/* TOE_* event bits not yet reported */
	struct toe_link ready;		/* toe->ready, while news */
	struct toe_link blocked;	/* toe->blocked, after -EAGAIN */
	struct toe_link rqwait;		/* toe->rqwait, while want */
	void *user;

	uint32_t rx_first, rx_last;	/* received buffers, TOE_NONE: empty */
	uint32_t rx_off;		/* bytes of the first one consumed */
	uint32_t lent;			/* buffers with the caller */
	uint32_t rx_held;		/* buffers in rx_first... */
	uint64_t rx_bytes;		/* not consumed, in rx_first... */
	bool urgent;			/* the mark is known, */
	uint64_t urgent_mark;		/* bytes up to and with the last one */
	uint32_t credit;		/* window: bytes asked for in all */
	uint32_t owed;			/* consumed since the last CREDIT */
	uint32_t surplus;		/* asked for, above a lowered window */

	uint32_t nsends;		/* SENDs not completed */
	uint32_t stage_slots;		/* staging slots they hold */
	uint64_t send_bytes;		/* in them */

	uint8_t family;			/* TOE_AF_* */
	uint16_t lport, rport, mss;
	uint8_t laddr[16], raddr[16];

	struct toe_conn *next;		/* free list; accept queue */
	struct toe_conn *acc_first, *acc_last;	/* LISTENER: waiting */
	uint32_t held;			/* LISTENER: its port in the kernel; 0: not */

	uint64_t bytes_in, bytes_out, sends, buffers;
};

/* A listener is a table entry like a connection; the type is for callers. */
struct toe_listener {
	struct toe_conn c;
};

struct toe_udp {
	struct toe_conn c;
};

/* ---- Sends and buffers -------------------------------------------------- */

struct toe_sendop {
	uint32_t conn;			/* index, TOE_NONE: free */
	uint32_t conn_gen;
	uint32_t gen;
	uint32_t next;			/* free list, toe->sent list */
	uint32_t stage_first;		/* TOE_NONE: toe_send_mem() */
	uint32_t stage_count;
	uint32_t bytes;			/* asked for; after: taken */
	int status;
	uint64_t cookie;		/* the caller's */
};

enum toe_buf_state {
	TOE_BUF_POSTED,			/* the adapter's */
	TOE_BUF_FILLED,			/* in a connection's rx queue */
	TOE_BUF_LENT,			/* the caller's */
};

struct toe_rxbuf {
	uint32_t next;			/* rx queue */
	uint32_t start;			/* bytes at the front that are elsewhere */
	uint32_t length;		/* with those */
	uint32_t conn, conn_gen;	/* LENT: whose credit it holds */
	uint32_t lent_bytes;
	uint8_t state;
	uint16_t total, rport;		/* of a datagram, and its addresses */
	uint8_t laddr[16], raddr[16];
};

struct toe_mem {
	struct toe *toe;
	void *addr;
	size_t length;
	uint32_t key;
	unsigned int flags;
	bool ours;			/* mapped by toe_mem_alloc() */
};

/* ---- The context -------------------------------------------------------- */

struct toe {
	/* request queue */
	struct toe_hw_ctx_page *page;
	struct toe_hw_req *rq;
	uint32_t rq_size, rq_tail;
	bool rq_held;			/* doorbell due */
	bool rq_refused;		/* somebody met a full queue */
	volatile uint32_t *db;

	/* completion queue */
	const struct toe_hw_cqe *cq;
	uint32_t cq_size, cq_head;

	/* receive buffers: [0] small, [1] large */
	struct toe_hw_buf *bq[2];
	uint32_t bq_size[2], bq_tail[2], buf_size[2];
	uint32_t bq_unrung;		/* buffers posted since the doorbell */
	struct toe_rxbuf *bufs;		/* small ones first */
	uint32_t nbufs;
	uint8_t *buf_base[2];
	uint32_t buf_off[2];		/* in the memory object */

	/* staging memory, staging.c */
	uint8_t *stage;
	uint32_t stage_off;		/* in the memory object */
	uint32_t stage_slots, stage_free;
	uint64_t *stage_map;		/* bit set: slot is free */

	uint32_t info_off;		/* of the answer to INFO, the same */

	uint32_t key;			/* of the memory object */
	struct toe_conn *conns;
	uint32_t max_conns, conns_used;
	struct toe_conn *conn_free;
	struct toe_sendop *sends;
	uint32_t max_sends, sends_used, send_free;

	struct toe_link ready, blocked, rqwait;
	uint32_t sent_first, sent_last;	/* finished toe_send_mem() */
	bool dead, dead_news;
	int dead_error;

	struct {
		uint32_t seq;
		bool waiting, done;
		uint8_t status;
		uint32_t handle;
		uint32_t bytes;
		uint64_t result;
		uint8_t laddr[16];	/* UDP_OPEN, UDP_CONNECT */
	} ctl;				/* a request whose caller waits */

	const struct toe_uapi_status *status;
	uint32_t epoch;
	uint64_t caps;
	uint32_t id;
	uint32_t flags;			/* TOE_CFG_* */
	uint32_t credit, credit_max;
	uint32_t spin;
	uint64_t waited_bytes;		/* stats.bytes_in at the last wait */
	bool pause;			/* spin with the pause instruction */
	bool coarse_clock;		/* readable without a system call */

	int fd;				/* -1: attached by a test */
	pid_t pid;
	void *mem;
	uint64_t mem_size;
	bool mapped;			/* mem, db, status are ours to unmap */

	struct toe_stats stats;
};

/* Memory and answers of the driver from which toe_attach() makes a context. */
struct toe_attach {
	int fd;				/* or -1 */
	bool mapped;			/* toe_close() unmaps */
	struct toe_uapi_ctx ctx;
	uint64_t caps;
	void *mem;			/* ctx.mem_size bytes */
	volatile uint32_t *doorbell;
	const struct toe_uapi_status *status;
};

/* ---- context.c ---- */

/* Fill in defaults and check; -EINVAL. */
int toe_config_resolve(struct toe_config *out, const struct toe_config *in);
/* Bytes of the data area that a (resolved) configuration needs. */
uint64_t toe_config_data_size(const struct toe_config *cfg);
/*
 * Make a context of memory that is there already.  On success the context
 * owns fd and mappings (if mapped); on failure they are still the caller's.
 */
int toe_attach(struct toe **toe, const struct toe_config *cfg,
	       const struct toe_attach *at);
/* The context has stopped: everything ends with error. */
void toe_mark_dead(struct toe *t, int error);

/* ---- request.c ---- */

uint32_t toe_rq_space(struct toe *t);
/* Is there room for one?  If not, that is counted and toe_wait() won't sleep. */
bool toe_rq_room(struct toe *t);
bool toe_rq_room_for(struct toe *t, uint32_t n);
/*
 * Copy a request to the ring; the caller has checked toe_rq_space().  The
 * doorbell follows with toe_rq_ring().
 */
void toe_rq_post(struct toe *t, const struct toe_hw_req *req);
void toe_rq_ring(struct toe *t);
/* Post what conn wants, or remember it until there is room. */
void toe_want(struct toe_conn *c, unsigned int want);
/* Post what connections wanted in vain before. */
void toe_rqwait_flush(struct toe *t);

/* ---- complete.c ---- */

/* Consume all completions there are; true if there were any. */
bool toe_complete(struct toe *t);
static inline bool toe_cq_ready(const struct toe *t)
{
	return __atomic_load_n(&t->page->cq_tail, __ATOMIC_ACQUIRE) !=
	       t->cq_head;
}
bool toe_has_news(const struct toe *t);
void toe_news(struct toe_conn *c, uint32_t bits);

/* ---- conn.c ---- */

struct toe_conn *toe_slot_alloc(struct toe *t, enum toe_kind kind);
void toe_slot_free(struct toe_conn *c);
/* Free it if it is a zombie, and nothing of it is left to do. */
void toe_zombie_check(struct toe_conn *c);

/* ports.c: take the listener's port in the kernel; give it back */
int toe_port_hold(struct toe_conn *l, uint16_t port);
void toe_port_release(struct toe_conn *l);
/* The entry of a cookie, or NULL if it is stale or nonsense. */
struct toe_conn *toe_slot_find(struct toe *t, uint64_t cookie);
void toe_conn_closed(struct toe_conn *c, int error);
int toe_addr_parse(const struct toe *t, const struct sockaddr *addr,
		   socklen_t len, uint8_t *family, uint16_t *port,
		   uint8_t ip[16]);
int toe_addr_format(uint8_t family, uint16_t port, const uint8_t ip[16],
		    struct sockaddr *addr, socklen_t *len);
/* Post req and wait for its completion; the answer is in t->ctl. */
int toe_ctl(struct toe *t, struct toe_hw_req *req);
static inline uint32_t toe_credit_or_default(const struct toe *t,
					     const struct toe_conn_opts *opts)
{
	uint32_t credit = opts && opts->credit ? opts->credit : t->credit;

	return credit < t->credit_max ? credit : t->credit_max;
}
int toe_opts_check(const struct toe_conn_opts *opts);
/* Wait until there is a handle (CONNECT is answered at once); -ENOTCONN. */
int toe_handle_wait(struct toe_conn *c);

/* ---- listen.c ---- */

void toe_listen_incoming(struct toe_conn *l, const struct toe_hw_cqe *e);
/* Reset a connection that nobody here wants. */
void toe_reject(struct toe *t, uint32_t handle);

/* ---- send.c and staging.c ---- */

/* Slots of one run, at most want; 0: none free.  *first is its first slot. */
uint32_t toe_stage_alloc(struct toe *t, uint32_t want, uint32_t *first);
/* Slots that c may have besides those that it has. */
static inline uint32_t toe_stage_share(const struct toe_conn *c)
{
	uint32_t left = c->toe->stage_free;

	return left > c->stage_slots ? (left - c->stage_slots + 1) / 2 : 0;
}
void toe_stage_release(struct toe *t, uint32_t first, uint32_t count);
void toe_send_completed(struct toe *t, const struct toe_hw_cqe *e);
/* A finished toe_send_mem() for an event; false: there is none. */
bool toe_send_take_sent(struct toe *t, struct toe_event *ev);
/* Report WRITABLE to those who were refused and could send now. */
void toe_send_unblock(struct toe *t);
void toe_send_fail_all(struct toe *t, int error);

/*
 * Post UDP_SEND with these bytes, copied; the rest of req is filled in.
 * -EAGAIN: a limit was met, TOE_WRITABLE follows.
 */
int toe_send_datagram(struct toe_conn *c, struct toe_hw_req *req,
		      const void *buf, uint32_t len);

/* ---- recv.c ---- */

/* Does this event name a buffer that was posted?  If not, that is counted. */
bool toe_buf_filled(struct toe *t, const struct toe_hw_cqe *e);
uint8_t *toe_buf_addr(const struct toe *t, uint32_t id);
/* A filled buffer becomes the last of the queue. */
void toe_buf_enqueue(struct toe_conn *c, uint32_t id);
/* The first filled buffer leaves the queue. */
void toe_buf_unqueue(struct toe_conn *c);

void toe_recv_arrived(struct toe *t, struct toe_conn *c,
		      const struct toe_hw_cqe *e);
/* Give all buffers of a connection that goes back to the adapter. */
void toe_recv_drop(struct toe_conn *c);
void toe_buf_post(struct toe *t, uint32_t id);
/* Tell a starved adapter of all that were posted. */
void toe_buf_ring(struct toe *t);

/* ---- udp.c ---- */

void toe_udp_event(struct toe_conn *c, const struct toe_hw_cqe *e);
void toe_udp_arrived(struct toe_conn *c, const struct toe_hw_cqe *e);
void toe_udp_send_answered(struct toe_conn *c, uint8_t status);
void toe_udp_consumed(struct toe_conn *c);

/* ---- wait.c ---- */

struct toe_deadline {
	int timeout;			/* ms, negative: none */
	bool running;
	int64_t end_ms;
};
/*
 * Until the completion queue is not empty: 1; 0: time-out; -EINTR; -ENODEV.
 */
int toe_wait_cq(struct toe *t, struct toe_deadline *d);

/* ---- error.c ---- */

int toe_status_errno(uint8_t status);	/* TOE_ST_* to 0 or -errno */

#endif
