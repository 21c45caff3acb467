// SPDX-License-Identifier: MIT
/*
 * options.c - setsockopt() and getsockopt() of accelerated sockets.
 *
 * Options set before connect() are read from the kernel's socket; options set
 * later go to both, so that reading them back always works.  What only the
 * side that carries the connection can answer (SO_ERROR, TCP_INFO) is the
 * adapter's.
 *
 * linux/tcp.h has the whole of struct tcp_info, netinet/tcp.h only its
 * beginning; a file can include one of them.
 */
#include <linux/tcp.h>
#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "preload.h"

static int fail(int err)
{
	errno = -err;
	return -1;
}

static int put(void *value, socklen_t *len, const void *from, socklen_t size)
{
	if (*len > size)
		*len = size;
	memcpy(value, from, *len);
	return 0;
}

static int put_int(void *value, socklen_t *len, int n)
{
	if (*len < sizeof(n))
		return -EINVAL;
	return put(value, len, &n, sizeof(n));
}

/* ---- TCP_INFO ----------------------------------------------------------- */

/* The kernel's numbers, which no header that can be included here has. */
static uint8_t kernel_state(uint8_t state)
{
	static const uint8_t states[] = {
		[TOE_STATE_CLOSED] = 7, [TOE_STATE_LISTEN] = 10,
		[TOE_STATE_SYN_SENT] = 2, [TOE_STATE_SYN_RECEIVED] = 3,
		[TOE_STATE_ESTABLISHED] = 1, [TOE_STATE_FIN_WAIT_1] = 4,
		[TOE_STATE_FIN_WAIT_2] = 5, [TOE_STATE_CLOSE_WAIT] = 8,
		[TOE_STATE_CLOSING] = 11, [TOE_STATE_LAST_ACK] = 9,
		[TOE_STATE_TIME_WAIT] = 6,
	};

	return state < sizeof(states) ? states[state] : 7;
}

static int put_info(struct psock *s, void *value, socklen_t *len)
{
	struct toe_tcp_info i;
	struct tcp_info k = { .tcpi_state = kernel_state(TOE_STATE_CLOSED) };
	int err;

	if (!s->conn)
		return put(value, len, &k, sizeof(k));
	do {
		err = toe_tcp_info(s->conn, &i, sizeof(i));
		if (err == -EAGAIN)
			ps_pump();
	} while (err == -EAGAIN);
	if (err) {
		/* Over, or not begun: nothing to tell but that. */
		if (!(toe_conn_state(s->conn) & TOE_CLOSED))
			k.tcpi_state = kernel_state(TOE_STATE_SYN_SENT);
		return put(value, len, &k, sizeof(k));
	}
	k.tcpi_state = kernel_state(i.state);
	k.tcpi_ca_state = i.ca_state;
	k.tcpi_retransmits = i.retransmits;
	k.tcpi_probes = i.probes;
	k.tcpi_backoff = i.backoff;
	k.tcpi_options = i.options;
	k.tcpi_snd_wscale = i.snd_wscale & 0xf;
	k.tcpi_rcv_wscale = i.rcv_wscale & 0xf;
#define SAME(field) k.tcpi_##field = i.field
	SAME(rto);
	SAME(ato);
	SAME(snd_mss);
	SAME(rcv_mss);
	SAME(unacked);
	SAME(sacked);
	SAME(lost);
	SAME(retrans);
	SAME(last_data_sent);
	SAME(last_data_recv);
	SAME(last_ack_recv);
	SAME(pmtu);
	SAME(rcv_ssthresh);
	SAME(rtt);
	SAME(rttvar);
	SAME(snd_ssthresh);
	SAME(snd_cwnd);
	SAME(advmss);
	SAME(reordering);
	SAME(rcv_rtt);
	SAME(rcv_space);
	SAME(total_retrans);
	SAME(pacing_rate);
	SAME(max_pacing_rate);
	SAME(bytes_acked);
	SAME(bytes_received);
	SAME(segs_out);
	SAME(segs_in);
	SAME(notsent_bytes);
	SAME(min_rtt);
	SAME(data_segs_in);
	SAME(data_segs_out);
	SAME(delivery_rate);
	SAME(busy_time);
	SAME(rwnd_limited);
	SAME(sndbuf_limited);
	SAME(delivered);
	SAME(delivered_ce);
	SAME(bytes_sent);
	SAME(bytes_retrans);
	SAME(dsack_dups);
	SAME(reord_seen);
	SAME(rcv_ooopack);
	SAME(snd_wnd);
#undef SAME
	if (!k.tcpi_pacing_rate)
		k.tcpi_pacing_rate = ~0ull;	/* the kernel's "not paced" */
	if (!k.tcpi_max_pacing_rate)
		k.tcpi_max_pacing_rate = ~0ull;
	return put(value, len, &k, sizeof(k));
}

/* ---- Options of both sides ---------------------------------------------- */

/* Those whose value is the same number to the kernel and to the adapter. */
static const struct {
	int level, name, option;
} plain[] = {
	{ IPPROTO_TCP, TCP_NODELAY, TOE_NODELAY },
	{ IPPROTO_TCP, TCP_CORK, TOE_CORK },
	{ IPPROTO_TCP, TCP_KEEPINTVL, TOE_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT, TOE_KEEPCNT },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, TOE_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_MAXSEG, TOE_MAXSEG },
	{ IPPROTO_TCP, TCP_QUICKACK, TOE_QUICKACK },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, TOE_NOTSENT_LOWAT },
	{ IPPROTO_TCP, TCP_WINDOW_CLAMP, TOE_WINDOW_CLAMP },
	{ IPPROTO_IP, IP_TOS, TOE_TOS },
	{ IPPROTO_IP, IP_TTL, TOE_TTL },
	{ SOL_SOCKET, SO_RCVBUF, TOE_RCVBUF },
	{ SOL_SOCKET, SO_SNDBUF, TOE_SNDBUF },
};

static int int_option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return real.getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

/* SO_KEEPALIVE and TCP_KEEPIDLE are one number of the adapter's. */
static void keepalive(struct psock *s, int fd)
{
	int idle = 0;

	if (int_option(fd, SOL_SOCKET, SO_KEEPALIVE)) {
		idle = int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
		idle = idle > 0 ? idle : 7200;
	}
	toe_setopt(s->conn, TOE_KEEPALIVE, (uint64_t)idle);
}

static void linger(struct psock *s, const void *value, socklen_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return;
	memcpy(&l, value, sizeof(l));
	if (!l.l_onoff)
		toe_setopt(s->conn, TOE_LINGER, 0);
	else if (l.l_linger >= 0 && l.l_linger <= INT32_MAX / 1000)
		toe_setopt(s->conn, TOE_LINGER,
			   TOE_LINGER_ON | (uint64_t)l.l_linger * 1000);
}

static void congestion(struct psock *s, const char *name, socklen_t len)
{
	static const char *const names[] = { "cubic", "reno", "dctcp" };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len >= strlen(names[i]) &&
		    !strncmp(name, names[i], len) &&
		    strnlen(name, len) == strlen(names[i]))
			toe_setopt(s->conn, TOE_CONGESTION, i);
}

void ps_carry_options(int fd, struct psock *s)
{
	static const struct {
		int name, option;
	} carried[] = {
		{ TCP_CORK, TOE_CORK },
		{ TCP_USER_TIMEOUT, TOE_USER_TIMEOUT },
		{ TCP_NOTSENT_LOWAT, TOE_NOTSENT_LOWAT },
		{ TCP_WINDOW_CLAMP, TOE_WINDOW_CLAMP },
	};
	struct linger l = { 0 };
	socklen_t len = sizeof(l);
	unsigned int i;
	int value;

	for (i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		value = int_option(fd, IPPROTO_TCP, carried[i].name);
		/* The kernel's "none" of NOTSENT_LOWAT is a large number. */
		if (value > 0 && value < INT32_MAX)
			toe_setopt(s->conn, carried[i].option,
				   (uint64_t)value);
	}
	if (!real.getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) &&
	    l.l_onoff)
		linger(s, &l, sizeof(l));
	if (int_option(fd, SOL_SOCKET, SO_KEEPALIVE)) {
		toe_setopt(s->conn, TOE_KEEPINTVL, (uint64_t)
			   int_option(fd, IPPROTO_TCP, TCP_KEEPINTVL));
		toe_setopt(s->conn, TOE_KEEPCNT, (uint64_t)
			   int_option(fd, IPPROTO_TCP, TCP_KEEPCNT));
		keepalive(s, fd);
	}
}

static void set_plain(struct psock *s, int level, int name, int n)
{
	unsigned int i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (plain[i].level == level && plain[i].name == name &&
		    n >= 0) {
			if (plain[i].option == TOE_NODELAY ||
			    plain[i].option == TOE_CORK ||
			    plain[i].option == TOE_QUICKACK)
				n = !!n;
			toe_setopt(s->conn, plain[i].option, (uint64_t)n);
		}
}

/* ---- The calls ---------------------------------------------------------- */

EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct psock *s = NULL;
	int err;

	ps_start();
	if ((level == SOL_SOCKET && name == SO_ERROR) ||
	    (level == IPPROTO_TCP && (name == TCP_INFO || name == TCP_MAXSEG)))
		s = ps_get(fd);
	if (!s)
		return real.getsockopt(fd, level, name, value, len);
	ps_pump();
	if (level == IPPROTO_TCP && name == TCP_MAXSEG) {
		uint64_t mss = 536;	/* as the kernel before connect() */

		if (s->conn)
			toe_getopt(s->conn, TOE_MAXSEG, &mss);
		err = put_int(value, len, (int)mss);
	} else if (level == IPPROTO_TCP) {
		err = put_info(s, value, len);
	} else {
		err = ps_connect_state(s);
		err = put_int(value, len, err == -EINPROGRESS ? 0 : -err);
	}
	ps_put(s);
	return err ? fail(err) : 0;
}

EXPORT int setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	struct psock *s;
	struct timeval tv;
	int result, n = 0;

	ps_start();
	result = real.setsockopt(fd, level, name, value, len);
	if (result || !ps_is(fd))
		return result;
	s = ps_get(fd);
	if (!s)
		return result;
	if (value && len >= sizeof(n))
		memcpy(&n, value, sizeof(n));
	if (level == SOL_SOCKET && len >= sizeof(tv) &&
	    (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
		memcpy(&tv, value, sizeof(tv));
		*(name == SO_RCVTIMEO ? &s->rcv_timeout : &s->snd_timeout) =
			ps_timeout_ms(&tv);
	} else if (!s->conn) {
		;			/* lost by fork: the kernel's only */
	} else if ((level == SOL_SOCKET && name == SO_KEEPALIVE) ||
		   (level == IPPROTO_TCP && name == TCP_KEEPIDLE)) {
		keepalive(s, fd);
	} else if (level == SOL_SOCKET && name == SO_LINGER) {
		linger(s, value, len);
	} else if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		congestion(s, value, len);
	} else if (value && len >= sizeof(n)) {
		set_plain(s, level, name, n);
	}
	ps_put(s);
	return result;
}
