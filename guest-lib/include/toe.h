/* SPDX-License-Identifier: MIT */
/*
 * toe.h - libtoe, the native interface to the TOE adapter.
 *
 * An application opens a context: a set of queues in its own memory and a
 * doorbell page of the adapter.  From then on it connects, sends and receives
 * by writing requests into that memory; the kernel is not called again unless
 * the application wants to sleep.
 *
 * Conventions
 *  - A call that can fail returns a negative errno value, never sets errno.
 *  - Sizes are bytes.  Time-outs are milliseconds; negative: no limit.
 *  - One thread at a time per context; there are no locks inside.  Different
 *    contexts are independent of each other.
 *  - Connections and listeners belong to their context and are named by
 *    pointers that are valid until toe_close_conn(), toe_abort(),
 *    toe_close_listener() or toe_close().
 *  - After fork() the context is the parent's.  The child must not use it,
 *    except for toe_close(), which in the child only lets go of the file and
 *    the mappings and leaves the parent's connections alone.
 *
 * "No system call": such a call works in shared memory and, at most, writes to
 * the doorbell page; it also allocates no memory and reads no clock, so it may
 * be used under seccomp's strict mode.
 */
#ifndef TOE_H
#define TOE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOE_API_VERSION		1

struct toe;			/* a context */
struct toe_conn;		/* a connection */
struct toe_listener;		/* a listening port */
struct toe_udp;			/* a UDP socket */
struct toe_mem;			/* memory the adapter may read or write */

/* ---- Contexts ----------------------------------------------------------- */

#define TOE_CFG_SPIN	0x1u	/* waiting calls spin and never sleep: for
				 * processes that must not make system calls */

/*
 * What a context is made of.  Zero in any field means the default, so that
 * { 0 } is a good configuration.
 */
struct toe_config {
	const char *device;	/* NULL: $TOE_DEVICE, else /dev/toe0 */
	uint32_t flags;		/* TOE_CFG_* */
	uint32_t requests;	/* entries, power of two; 256 */
	uint32_t completions;	/* entries, power of two; 1024 */
	uint32_t small_count;	/* small receive buffers, power of two; 256 */
	uint32_t small_size;	/* bytes of each; 2048 */
	uint32_t large_count;	/* large receive buffers, power of two; 64 */
	uint32_t large_size;	/* bytes of each; 65536 */
	uint32_t staging;	/* bytes that toe_send() copies into; 1 MiB */
	uint32_t max_conns;	/* connections and listeners, closed ones
				 * with sends under way included; 1024 */
	uint32_t credit;	/* bytes a connection may hold unread; 1 MiB,
				 * half of the receive buffers at most */
	uint32_t spin;		/* looks at the queue before sleeping; 20000 */
	uint32_t rsvd[4];	/* zero */
};

/*
 * Open the adapter and create a context.  config may be NULL.  On success *toe
 * is the caller's, to be given back with toe_close().  Errors: -ENOENT (no
 * such device), -EACCES, -EINVAL, -ENOSPC (adapter has no free context),
 * -EDQUOT, -ENOMEM (also RLIMIT_MEMLOCK), -EPROTO (driver of another version),
 * -EIO.
 */
int toe_open(struct toe **toe, const struct toe_config *config);

/*
 * Give the context back.  Data that toe_send() and toe_send_mem() took are
 * still delivered and connections closed in order, by adapter and driver.
 * NULL is allowed.
 */
void toe_close(struct toe *toe);

/*
 * A descriptor for poll(): readable while completions wait.  Call toe_arm()
 * before sleeping on it.  It stays the context's; don't read or close it.
 */
int toe_fd(const struct toe *toe);

/* The kernel's number of the context, as toestat shows it. */
uint32_t toe_id(const struct toe *toe);

/* ---- Memory ------------------------------------------------------------- */

#define TOE_MEM_F_SEND	0x1u	/* adapter may read it: toe_send_mem() */
#define TOE_MEM_F_RECV	0x2u	/* adapter may write it */

/*
 * Register [addr, addr + length) of the caller: the pages are pinned (they
 * count against RLIMIT_MEMLOCK) until toe_mem_free().  flags: TOE_MEM_F_*.
 * Errors: -EINVAL, -EFAULT, -ENOMEM, -EDQUOT, -ENODEV.
 */
int toe_mem_register(struct toe *toe, void *addr, size_t length,
		     unsigned int flags, struct toe_mem **mem);

/* The same with new memory, page aligned and zero; see toe_mem_addr(). */
int toe_mem_alloc(struct toe *toe, size_t length, unsigned int flags,
		  struct toe_mem **mem);

/*
 * Give memory back.  Sends under way from it fail with -EFAULT; wait for their
 * completions first.  NULL is allowed.
 */
int toe_mem_free(struct toe_mem *mem);

void *toe_mem_addr(const struct toe_mem *mem);
size_t toe_mem_length(const struct toe_mem *mem);

/* The adapter's name for it, for tests and traces. */
uint32_t toe_mem_key(const struct toe_mem *mem);

/* ---- Connections -------------------------------------------------------- */

#define TOE_CONN_NODELAY	0x1u	/* as toe_setopt(TOE_NODELAY, 1) */
#define TOE_CONN_FASTOPEN	0x2u	/* RFC 7413: if the adapter has a cookie
					 * of the peer, TOE_CONNECTED comes at
					 * once and the first bytes sent go with
					 * the SYN; it waits for them */

/* An option that a connection begins with. */
struct toe_option {
	int option;			/* TOE_NODELAY ..., not TOE_CREDIT */
	uint32_t rsvd;			/* zero */
	uint64_t value;
};
#define TOE_OPTIONS_MAX		32

struct toe_conn_opts {
	uint32_t flags;			/* TOE_CONN_* */
	uint32_t credit;		/* bytes; 0: the context's */
	void *user;			/* comes back in events */
	const struct sockaddr *local;	/* NULL: adapter chooses */
	socklen_t local_len;
	uint32_t noptions;
	const struct toe_option *options; /* for toe_connect(): set before the
					   * first segment */
	uint32_t rsvd[2];		/* zero */
};

/*
 * Start to open a connection to addr (sockaddr_in).  opts may be NULL.  No
 * system call.  The outcome is an event: TOE_CONNECTED, or TOE_CLOSED with the
 * reason (-EINVAL: an option's value); *conn must be closed in either case.
 * Errors: -EINVAL, -EAFNOSUPPORT, -EAGAIN (request queue full: poll and try
 * again), -EMFILE (max_conns), -ENODEV (context is dead).
 */
int toe_connect(struct toe *toe, const struct sockaddr *addr,
		socklen_t addrlen, const struct toe_conn_opts *opts,
		struct toe_conn **conn);

/*
 * Listen on addr (sockaddr_in; port 0: the adapter chooses one, see
 * toe_listener_name()).  Waits for the adapter's answer.  backlog:
 * connections not yet accepted.  Errors as for toe_connect(), and
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES (port below 1024).
 */
int toe_listen(struct toe *toe, const struct sockaddr *addr,
	       socklen_t addrlen, int backlog, void *user,
	       struct toe_listener **listener);

/*
 * Take the next connection of a TOE_ACCEPTABLE listener; no system call.
 * opts may be NULL; local and what belongs to the first segment are ignored.
 * -EAGAIN: none waits.  A connection that died meanwhile reports TOE_CLOSED.
 */
int toe_accept(struct toe_listener *listener,
	       const struct toe_conn_opts *opts, struct toe_conn **conn);

/* Stop listening.  Connections not yet accepted are reset. */
void toe_close_listener(struct toe_listener *listener);

/* Own address of a listener, in and out as for getsockname(). */
int toe_listener_name(const struct toe_listener *listener,
		      struct sockaddr *addr, socklen_t *addrlen);

/* Own and peer's address; -ENOTCONN before TOE_CONNECTED (name only). */
int toe_conn_name(const struct toe_conn *conn, struct sockaddr *addr,
		  socklen_t *addrlen);
int toe_conn_peer(const struct toe_conn *conn, struct sockaddr *addr,
		  socklen_t *addrlen);

/* The caller's pointer, of conn and listener. */
void toe_conn_set_user(struct toe_conn *conn, void *user);
void *toe_conn_user(const struct toe_conn *conn);
void *toe_listener_user(const struct toe_listener *listener);

/* The context a connection belongs to. */
struct toe *toe_conn_context(const struct toe_conn *conn);

/*
 * What a poll would say of this connection now: TOE_READABLE, TOE_WRITABLE,
 * TOE_CONNECTED, TOE_PEER_CLOSED, TOE_CLOSED, TOE_MARKED, as a state and not as
 * news.
 * It looks at what toe_poll() has already seen and no further.
 */
uint32_t toe_conn_state(const struct toe_conn *conn);

/* Why it was closed: 0 (in order, or not closed), or a negative errno. */
int toe_conn_error(const struct toe_conn *conn);

/*
 * No more data will be sent: FIN after all that was.  Receiving goes on.
 * -ENOTCONN, -EPIPE (was called before).  No system call.
 */
int toe_shutdown(struct toe_conn *conn);

/*
 * Let go in order; no system call.  What was sent is delivered by the adapter.
 * conn is dead after the call, no event of it will be seen (but TOE_SENT, with
 * conn NULL), and buffers lent from it stay with the caller until toe_recv_return().  If received bytes
 * were left unread, the peer sees a reset (RFC 9293, 3.6.1).  NULL is allowed.
 */
void toe_close_conn(struct toe_conn *conn);

/*
 * With TOE_LINGER set, toe_close_conn() waits until the peer has everything, or
 * that time is over; with a time of 0 it is toe_abort().
 */

/* Let go at once: the peer gets a reset.  Otherwise as toe_close_conn(). */
void toe_abort(struct toe_conn *conn);

/* Options; values in the unit given. */
#define TOE_NODELAY		1	/* 0: Nagle's algorithm, 1: off */
#define TOE_RCVBUF		2	/* bytes the adapter may hold unread */
#define TOE_SNDBUF		3	/* bytes it may hold unacknowledged */
#define TOE_KEEPALIVE		4	/* seconds idle before probing; 0: off */
#define TOE_USER_TIMEOUT	5	/* ms; 0: default */
#define TOE_CONGESTION		6	/* 0 CUBIC, 1 NewReno, 2 DCTCP */
#define TOE_CORK		7	/* 1: only full segments, for 200 ms */
#define TOE_KEEPINTVL		8	/* seconds between probes; 0: default */
#define TOE_KEEPCNT		9	/* probes without answer; 0: default */
#define TOE_LINGER		10	/* TOE_LINGER_ON | ms; 0: off */
#define TOE_MAXSEG		11	/* bytes of a segment; 0: no limit */
#define TOE_QUICKACK		12	/* 1: acknowledge at once for a while */
#define TOE_NOTSENT_LOWAT	13	/* bytes not sent that hold sends back */
#define TOE_WINDOW_CLAMP	14	/* bytes of window offered; 0: no limit */
#define TOE_TOS			15	/* IPv4 TOS, IPv6 traffic class */
#define TOE_TTL			16	/* TTL, hop limit; 0: default */
#define TOE_UTO			17	/* RFC 5482: TOE_UTO_* */
#define TOE_DEFER_ACCEPT	32	/* listener: seconds to wait for data */
#define TOE_FASTOPEN		33	/* listener: connections that may be open
					 * by a cookie alone; 0: off */
#define TOE_ECN			40	/* TOE_ECN_MODE_*, before the SYN */
#define TOE_ECN_AGREED		41	/* get only: 1 if both sides use it */
#define TOE_PACING_RATE		42	/* bytes/s at most; 0: no limit */
#define TOE_MTU_DISCOVER	44	/* TOE_PMTUD_* */
#define TOE_PATH_MTU		45	/* get only: bytes of an IP packet */
#define TOE_CREDIT		0x100	/* bytes unread; this library's */

#define TOE_LINGER_ON           0x100000000u
#define TOE_UTO_SEND            0x1u	/* tell the peer TOE_USER_TIMEOUT */
#define TOE_UTO_TAKE            0x2u	/* adapt it to what the peer tells */

#define TOE_ECN_MODE_OFF	0u
#define TOE_ECN_MODE_ON		1u	/* asked for, and granted */
#define TOE_ECN_MODE_PASSIVE	2u	/* granted if the peer asks */

#define TOE_PMTUD_DONT		0u	/* IPv4 without DF, IPv6 at 1280 bytes */
#define TOE_PMTUD_WANT		1u
#define TOE_PMTUD_DO		2u	/* the same */
#define TOE_PMTUD_PROBE		3u	/* believe no router */

/*
 * Set or get an option; waits for the adapter's answer (it comes at once).
 * -EINVAL, -ENOTCONN (closed), -EAGAIN (request queue full).
 */
int toe_setopt(struct toe_conn *conn, int option, uint64_t value);
int toe_getopt(struct toe_conn *conn, int option, uint64_t *value);

/* The same of a listener; its connections inherit them. */
int toe_listener_setopt(struct toe_listener *listener, int option,
			uint64_t value);
int toe_listener_getopt(struct toe_listener *listener, int option,
			uint64_t *value);

/* ---- Sending ------------------------------------------------------------ */

#define TOE_MORE	0x1u	/* more follows at once: no need to push, and
				 * the doorbell may wait for the next call */
#define TOE_URGENT	0x2u	/* the last of the bytes is urgent; if not all
				 * were taken, say so again with the rest */

/*
 * Copy up to len bytes and send them; no system call.  Returns the number of
 * bytes taken, which may be less than len.  -EAGAIN: none now, TOE_WRITABLE
 * will be reported; -ENOTCONN: not yet connected; -EPIPE: after
 * toe_shutdown(); else the connection's error.
 */
ssize_t toe_send(struct toe_conn *conn, const void *buf, size_t len,
		 unsigned int flags);
ssize_t toe_sendv(struct toe_conn *conn, const struct iovec *iov, int iovcnt,
		  unsigned int flags);

/*
 * Send len bytes (1..TOE_SEND_MEM_MAX) at offset of registered memory without
 * a copy; no system call.  All or nothing is taken: returns 0, and when the
 * adapter has the bytes, an event TOE_SENT with the cookie says so; until then
 * the caller leaves them alone.  The event comes also after the connection was
 * closed, then with conn NULL.  Errors as for toe_send(), and -EINVAL.
 */
#define TOE_SEND_MEM_MAX	(1u << 20)
int toe_send_mem(struct toe_conn *conn, const struct toe_mem *mem,
		 size_t offset, size_t len, unsigned int flags,
		 uint64_t cookie);

/* Tell the adapter of requests whose doorbell TOE_MORE held back. */
void toe_flush(struct toe *toe);

/* Bytes, and requests, taken by send calls that the adapter has not taken. */
size_t toe_send_pending(const struct toe_conn *conn);

/* ---- Receiving ---------------------------------------------------------- */

/* A piece of the byte stream in a buffer that the adapter filled. */
struct toe_lend {
	const void *data;
	size_t length;
	uint32_t buffer;	/* the library's name for it */
	uint32_t rsvd;
};

/*
 * Borrow the next received bytes where they lie; no system call, no copy.
 * Returns 1 and fills *lend; 0: end of the stream (the peer sent FIN);
 * -EAGAIN: nothing now; else the connection's error.  The connection's
 * credit, and the context's buffers, are short by this buffer until
 * toe_recv_return(); order of returning is free.
 */
int toe_recv_lend(struct toe_conn *conn, struct toe_lend *lend);

/*
 * Give a buffer back; also after its connection was closed.  -EINVAL: it was
 * not lent.  No system call.  An adapter that is short of buffers may hear of
 * it only when the caller looks for bytes or events the next time.
 */
int toe_recv_return(struct toe *toe, const struct toe_lend *lend);

/*
 * Copy up to len received bytes to buf; no system call.  Returns their number,
 * 0 at the end of the stream, -EAGAIN, or the connection's error.  Bytes that
 * came before an error are given first.  A call stops before the urgent byte;
 * the next one begins with it.
 */
#define TOE_PEEK	0x1u	/* leave them in place */
#define TOE_SKIP_URGENT	0x2u	/* leave out the urgent byte if it is next */
ssize_t toe_recv(struct toe_conn *conn, void *buf, size_t len,
		 unsigned int flags);

/* Received bytes that wait in buffers for toe_recv() or toe_recv_lend(). */
size_t toe_recv_pending(const struct toe_conn *conn);

/*
 * Urgent data: the peer marked a byte of the stream (RFC 9293, 3.8.5; the last
 * mark counts).  toe_urgent() returns 1 while that byte is known of and not
 * read past; *ahead, if not NULL: bytes to be read before it, which may be more
 * than have come.  0: there is none.  toe_urgent_byte() looks at the byte and
 * leaves it in its place: 1, -EAGAIN (has not come), -EINVAL (there is none).
 * No system call.
 */
int toe_urgent(const struct toe_conn *conn, uint64_t *ahead);
int toe_urgent_byte(struct toe_conn *conn, unsigned char *byte);

/* ---- UDP ---------------------------------------------------------------- */

#define TOE_UDP_REUSE	0x1u	/* share the port with others that say so too */

struct toe_udp_opts {
	uint32_t flags;			/* TOE_UDP_REUSE */
	uint32_t credit;		/* datagrams unread; 0: 64 */
	void *user;			/* comes back in events */
	uint32_t rsvd[6];		/* zero */
};

/*
 * Open a socket on local (sockaddr_in or sockaddr_in6; address zero: any, port
 * 0: the adapter chooses).  opts may be NULL.  Waits for the adapter's answer.
 * Errors: as for toe_listen(), and -EOPNOTSUPP (an adapter without UDP).
 */
int toe_udp_open(struct toe *toe, const struct sockaddr *local,
		 socklen_t local_len, const struct toe_udp_opts *opts,
		 struct toe_udp **udp);

/*
 * Send to and receive from addr only, and learn of its errors; NULL: from all
 * again.  Waits for the answer.  -EINVAL, -ENETUNREACH, -EADDRINUSE,
 * -EADDRNOTAVAIL.
 */
int toe_udp_connect(struct toe_udp *udp, const struct sockaddr *addr,
		    socklen_t addrlen);

/* Let go; what was sent goes out.  NULL is allowed. */
void toe_udp_close(struct toe_udp *udp);

/* Own address and port; the connected remote's, or -ENOTCONN. */
int toe_udp_name(const struct toe_udp *udp, struct sockaddr *addr,
		 socklen_t *addrlen);
int toe_udp_peer(const struct toe_udp *udp, struct sockaddr *addr,
		 socklen_t *addrlen);
void *toe_udp_user(const struct toe_udp *udp);

/* Options. */
#define TOE_UDP_RCVBUF		48	/* bytes the adapter may hold unread */
#define TOE_UDP_SNDBUF		49	/* bytes it may hold unsent */
#define TOE_UDP_TTL		50	/* TTL, hop limit; 0: the adapter's */
#define TOE_UDP_TOS		51	/* type of service, traffic class */
#define TOE_UDP_DONTFRAG	52	/* 1: -EMSGSIZE instead of fragments */
#define TOE_UDP_DROPS		53	/* get only: found no room there */
#define TOE_UDP_BROADCAST	54	/* 1: may send to broadcast addresses */
#define TOE_UDP_MCAST_TTL	55	/* to groups; 1; 0: this host only */
#define TOE_UDP_MCAST_LOOP	56	/* 1: own sockets hear it too; 1 */
#define TOE_UDP_PATH_MTU	57	/* get only: IP bytes to the remote */

/* Set or get one; waits for the adapter's answer.  -EINVAL, -EAGAIN. */
int toe_udp_setopt(struct toe_udp *udp, int option, uint64_t value);
int toe_udp_getopt(struct toe_udp *udp, int option, uint64_t *value);

/*
 * Receive what is sent to this multicast group and the socket's port, and no
 * longer; group's own port is not looked at.  Closing leaves all.  They wait for
 * the adapter's answer.  -EINVAL: no group; -EADDRINUSE: joined already;
 * -EDQUOT: 16 of this socket are; -ENOBUFS: the adapter has no room;
 * -EADDRNOTAVAIL: not joined.
 */
int toe_udp_join(struct toe_udp *udp, const struct sockaddr *group,
		 socklen_t grouplen);
int toe_udp_leave(struct toe_udp *udp, const struct sockaddr *group,
		  socklen_t grouplen);

/*
 * Copy and send one datagram; no system call.  addr NULL: to the connected
 * remote.  flags: 0.  Returns len.  -EAGAIN: not now, TOE_WRITABLE follows;
 * -EMSGSIZE; -EDESTADDRREQ: not connected; -ENETUNREACH, -EADDRNOTAVAIL;
 * -EACCES: to a broadcast address without TOE_UDP_BROADCAST;
 * -ENOBUFS: the adapter's memory is full; or what a datagram before it met, of
 * a connected socket: -ECONNREFUSED, -EHOSTUNREACH.
 */
ssize_t toe_udp_sendto(struct toe_udp *udp, const void *buf, size_t len,
		       unsigned int flags, const struct sockaddr *addr,
		       socklen_t addrlen);

/* A datagram that came. */
struct toe_dgram {
	struct toe_lend lend;		/* toe_udp_recv_lend(): the bytes */
	uint32_t length;		/* bytes given */
	uint32_t total;			/* bytes it had; more: cut off */
	socklen_t from_len;
	socklen_t to_len;
	struct sockaddr_storage from;	/* its sender */
	struct sockaddr_storage to;	/* it was sent to */
};

/*
 * Copy the next datagram's first len bytes; the rest is gone.  d may be NULL.
 * flags: 0 or TOE_PEEK.  No system call.  Returns the bytes copied (0: an empty
 * datagram); -EAGAIN: none; or an error as toe_udp_sendto() tells.
 */
ssize_t toe_udp_recv(struct toe_udp *udp, void *buf, size_t len,
		     unsigned int flags, struct toe_dgram *d);

/*
 * Borrow the next datagram where it lies: d->lend, to be given back with
 * toe_recv_return().  Returns 1, or an error as toe_udp_recv().
 */
int toe_udp_recv_lend(struct toe_udp *udp, struct toe_dgram *d);

/* ---- Events ------------------------------------------------------------- */

#define TOE_CONNECTED	0x01u	/* toe_connect() succeeded */
#define TOE_READABLE	0x02u	/* bytes came since the last look */
#define TOE_WRITABLE	0x04u	/* sends again after -EAGAIN */
#define TOE_ACCEPTABLE	0x08u	/* connections wait on the listener */
#define TOE_PEER_CLOSED	0x10u	/* FIN came; all bytes before are there */
#define TOE_CLOSED	0x20u	/* connection is over; see status */
#define TOE_SENT	0x40u	/* a toe_send_mem() is done; see cookie */
#define TOE_DEAD	0x80u	/* the context is; close it */
#define TOE_UDP		0x100u	/* said with the others, of a UDP socket */
#define TOE_ERROR	0x200u	/* UDP: the next send or receive tells */
#define TOE_MARKED	0x400u	/* urgent data was announced: toe_urgent() */

struct toe_event {
	uint32_t events;		/* TOE_CONNECTED ... ; several at once */
	int status;			/* CLOSED, SENT, DEAD: 0 or -errno */
	struct toe_conn *conn;		/* or NULL */
	union {
		struct toe_listener *listener;	/* ACCEPTABLE, else NULL */
		struct toe_udp *udp;		/* with TOE_UDP */
	};
	void *user;			/* of the connection or listener */
	uint64_t cookie;		/* SENT: of toe_send_mem() */
	uint32_t bytes;			/* SENT: bytes taken by the adapter */
	uint32_t rsvd;
};

/*
 * Look at the completion queue and report up to n events; never sleeps, no
 * system call.  An event is news: READABLE is reported again when more bytes
 * come, not because some are left.  Returns the number of events.
 */
int toe_poll(struct toe *toe, struct toe_event *events, int n);

/*
 * Wait until toe_poll() has something to report: looks some times (spin), then
 * sleeps.  Returns 1, 0 after the time-out, -EINTR.  With TOE_CFG_SPIN it
 * never sleeps and the time-out's grain is the kernel's tick.
 */
int toe_wait(struct toe *toe, int timeout);

/*
 * Ask for an interrupt at the next completion, so that a sleep in poll() on
 * toe_fd() ends.  Returns 1 if there is something to report already (don't
 * sleep), else 0.  No system call.
 */
int toe_arm(struct toe *toe);

/* ---- Blocking helpers, built on the above ------------------------------- */

/* toe_connect() and wait for the outcome; on an error there is no conn. */
int toe_connect_wait(struct toe *toe, const struct sockaddr *addr,
		     socklen_t addrlen, const struct toe_conn_opts *opts,
		     int timeout, struct toe_conn **conn);
int toe_accept_wait(struct toe_listener *listener,
		    const struct toe_conn_opts *opts, int timeout,
		    struct toe_conn **conn);
/* Send all; bytes taken before an error or -ETIMEDOUT, or that if none. */
ssize_t toe_send_all(struct toe_conn *conn, const void *buf, size_t len,
		     int timeout);
/* At least one byte, 0 at the end of the stream, or -ETIMEDOUT. */
ssize_t toe_recv_wait(struct toe_conn *conn, void *buf, size_t len,
		      int timeout);
/* Until the adapter has taken all that was sent. */
int toe_send_drain(struct toe_conn *conn, int timeout);

/* ---- Statistics --------------------------------------------------------- */

/* X(name, "what it counts"); grows at the end only. */
#define TOE_STATS(X) \
	X(syscalls, "system calls made on the data path (waiting only)") \
	X(sleeps, "times the library slept in poll()") \
	X(requests, "requests posted") \
	X(completions, "completions and events consumed") \
	X(doorbells, "doorbell writes of all kinds") \
	X(doorbells_rq, "doorbells: requests") \
	X(doorbells_arm, "doorbells: completion queue armed") \
	X(doorbells_bq, "doorbells: receive buffers") \
	X(doorbells_cq, "doorbells: completion queue has space") \
	X(doorbells_saved, "request doorbells not needed: adapter was looking") \
	X(bytes_out, "bytes taken by send calls") \
	X(bytes_out_copied, "of these, copied by toe_send") \
	X(bytes_in, "bytes received") \
	X(bytes_in_copied, "of these, copied by toe_recv") \
	X(buffers, "receive buffers filled") \
	X(credits, "CREDIT requests") \
	X(connects, "toe_connect calls") \
	X(accepts, "toe_accept calls that gave a connection") \
	X(rq_full, "times the request queue was full") \
	X(staging_full, "times the staging memory was full") \
	X(stale, "events of connections already closed") \
	X(bad, "completions that made no sense") \
	X(conns, "connections and listeners now open") \
	X(polls, "toe_poll calls") \
	X(udp_refused, "datagrams that the adapter did not take") \
	X(bytes_packed, "bytes received, copied to hold fewer buffers")

struct toe_stats {
#define TOE_STATS_FIELD(name, text) uint64_t name;
	TOE_STATS(TOE_STATS_FIELD)
#undef TOE_STATS_FIELD
};

/*
 * Copy the context's statistics; no system call.  size is
 * sizeof(struct toe_stats), so that old programs get what they know.
 */
int toe_stats(const struct toe *toe, struct toe_stats *stats, size_t size);

struct toe_conn_stats {
	uint64_t bytes_out;
	uint64_t bytes_in;
	uint64_t sends;			/* requests */
	uint64_t buffers;		/* received */
	uint64_t recv_pending;		/* bytes */
	uint64_t send_pending;		/* bytes */
	uint64_t lent;			/* buffers with the caller */
	uint32_t handle;		/* the adapter's name of it */
	uint32_t mss;			/* bytes */
};
int toe_conn_stats(const struct toe_conn *conn, struct toe_conn_stats *stats,
		   size_t size);

/*
 * A connection as the adapter's TCP sees it.  Each field has the meaning of its
 * namesake in Linux's struct tcp_info: unacked, sacked, lost, retrans,
 * snd_cwnd and snd_ssthresh are segments; times are microseconds, but last_*,
 * which are milliseconds ago; rates are bytes per second, 0 if not known.
 */
struct toe_tcp_info {
	uint8_t state;			/* TOE_STATE_* */
	uint8_t ca_state;		/* 0 open, 1 disorder, 2 reduced by ECN,
					 * 3 recovery, 4 after a time-out */
	uint8_t retransmits;
	uint8_t probes;
	uint8_t backoff;
	uint8_t options;		/* TOE_INFO_* */
	uint8_t snd_wscale, rcv_wscale;
	uint32_t rto, ato;
	uint32_t snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans;
	uint32_t last_data_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh;
	uint32_t rtt, rttvar;
	uint32_t snd_ssthresh, snd_cwnd;
	uint32_t advmss, reordering;
	uint32_t rcv_rtt, rcv_space;
	uint32_t total_retrans;
	uint32_t segs_out, segs_in;
	uint64_t pacing_rate, max_pacing_rate;
	uint64_t bytes_acked, bytes_received;
	uint32_t notsent_bytes, min_rtt;
	uint32_t data_segs_in, data_segs_out;
	uint64_t delivery_rate;
	uint64_t busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack;
	uint32_t snd_wnd, rcv_wnd;	/* bytes */
	uint32_t congestion;		/* 0 CUBIC, 1 NewReno, 2 DCTCP */
	uint32_t app_limited;		/* 1: delivery_rate is the sender's, the
					 * path may do more */
	uint32_t rsvd[5];
};

#define TOE_STATE_CLOSED	0
#define TOE_STATE_LISTEN	1
#define TOE_STATE_SYN_SENT	2
#define TOE_STATE_SYN_RECEIVED	3
#define TOE_STATE_ESTABLISHED	4
#define TOE_STATE_FIN_WAIT_1	5
#define TOE_STATE_FIN_WAIT_2	6
#define TOE_STATE_CLOSE_WAIT	7
#define TOE_STATE_CLOSING	8
#define TOE_STATE_LAST_ACK	9
#define TOE_STATE_TIME_WAIT	10

#define TOE_INFO_TIMESTAMPS	0x01u
#define TOE_INFO_SACK		0x02u
#define TOE_INFO_WSCALE		0x04u
#define TOE_INFO_ECN		0x08u
#define TOE_INFO_ECN_SEEN	0x10u
#define TOE_INFO_SYN_DATA	0x20u

/*
 * Ask the adapter; waits for its answer (it comes at once).  size is
 * sizeof(struct toe_tcp_info), so that old programs get what they know; what
 * the adapter does not know is 0.  -ENOTCONN: there is no connection any more,
 * or the adapter has no number for it yet; -EINVAL; -EAGAIN (request queue
 * full); -EOPNOTSUPP: an adapter of an earlier revision.
 */
int toe_tcp_info(struct toe_conn *conn, struct toe_tcp_info *info,
		 size_t size);

/* A sentence for a negative errno value returned by this library. */
const char *toe_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif /* TOE_H */
