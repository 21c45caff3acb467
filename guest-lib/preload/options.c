// SPDX-License-Identifier: MIT
/*
 * options.c - setsockopt() and getsockopt() of accelerated sockets.
 *
 * Options go to the kernel's socket and, once there is a connection, to the
 * adapter, so that reading them back always works.  Before that they are kept
 * (kept.c), and connect() gives them to the adapter.  What only the side that
 * carries the connection can answer (SO_ERROR, TCP_INFO) is the adapter's.
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
	k.tcpi_delivery_rate_app_limited = i.app_limited & 1;
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

/*
 * Those whose value is the same number to the kernel and to the adapter.
 * telling: the kernel's default is 0, or a very large number; anything else was
 * set, perhaps by whoever had the socket before exec().
 */
static const struct {
	int level, name, option;
	bool telling;
} plain[] = {
	{ IPPROTO_TCP, TCP_NODELAY, TOE_NODELAY, true },
	{ IPPROTO_TCP, TCP_CORK, TOE_CORK, true },
	{ IPPROTO_TCP, TCP_KEEPINTVL, TOE_KEEPINTVL, false },
	{ IPPROTO_TCP, TCP_KEEPCNT, TOE_KEEPCNT, false },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, TOE_USER_TIMEOUT, true },
	{ IPPROTO_TCP, TCP_MAXSEG, TOE_MAXSEG, false },
	{ IPPROTO_TCP, TCP_QUICKACK, TOE_QUICKACK, false },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, TOE_NOTSENT_LOWAT, true },
	{ IPPROTO_TCP, TCP_WINDOW_CLAMP, TOE_WINDOW_CLAMP, true },
	{ IPPROTO_IP, IP_TOS, TOE_TOS, true },
	{ IPPROTO_IP, IP_TTL, TOE_TTL, false },
	{ IPPROTO_IP, IP_MTU_DISCOVER, TOE_MTU_DISCOVER, false },
	{ SOL_SOCKET, SO_RCVBUF, TOE_RCVBUF, false },
	{ SOL_SOCKET, SO_SNDBUF, TOE_SNDBUF, false },
};

#define PLAIN	(sizeof(plain) / sizeof(plain[0]))

static const char *const algorithms[] = { "cubic", "reno", "dctcp" };

#define ALGORITHMS	(sizeof(algorithms) / sizeof(algorithms[0]))

static int int_option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return real.getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

/* As the kernel took it: IP's may be a byte. */
static bool get_int(int level, const void *value, socklen_t len, int *n)
{
	unsigned char byte;

	if (len >= sizeof(*n)) {
		memcpy(n, value, sizeof(*n));
		return true;
	}
	if (level != IPPROTO_IP || !len)
		return false;
	memcpy(&byte, value, 1);
	*n = byte;
	return true;
}

/* What the kernel took as n, in the adapter's terms; false: nothing to it. */
static bool adapt(int option, int n, uint64_t *value)
{
	switch (option) {
	case TOE_NODELAY:
	case TOE_CORK:
		n = !!n;
		break;
	case TOE_QUICKACK:
		n &= 1;			/* tcp(7) */
		break;
	case TOE_TOS:
		n &= 0xff;
		break;
	case TOE_TTL:			/* -1 is the default of both */
	case TOE_NOTSENT_LOWAT:		/* and here no limit */
		n = n < 0 ? 0 : n;
		break;
	case TOE_MTU_DISCOVER:
		/* IP_PMTUDISC_INTERFACE and OMIT don't set DF either. */
		n = n > (int)TOE_PMTUD_PROBE ? (int)TOE_PMTUD_DONT : n;
		break;
	}
	*value = (uint64_t)n;
	return n >= 0;
}

static bool adapt_pacing(const void *value, socklen_t len, uint64_t *rate)
{
	uint32_t n;

	if (len >= sizeof(*rate)) {
		memcpy(rate, value, sizeof(*rate));
	} else if (len >= sizeof(n)) {
		memcpy(&n, value, sizeof(n));
		*rate = n == UINT32_MAX ? UINT64_MAX : n;
	} else {
		return false;
	}
	/* The kernel has no rate of 0, and ours is "no limit". */
	*rate = *rate == UINT64_MAX ? 0 : *rate ? *rate : 1;
	return true;
}

static bool adapt_congestion(const char *name, socklen_t len, uint64_t *value)
{
	size_t n = strnlen(name, len);

	for (*value = 0; *value < ALGORITHMS; ++*value)
		if (n == strlen(algorithms[*value]) &&
		    !memcmp(name, algorithms[*value], n))
			return true;
	return false;
}

/* An option in the adapter's terms; false: it has none for it. */
static bool translate(int level, int name, const void *value, socklen_t len,
		      int *option, uint64_t *to)
{
	unsigned int i;
	int n;

	if (!value)
		return false;
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE) {
		*option = TOE_PACING_RATE;
		return adapt_pacing(value, len, to);
	}
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		*option = TOE_CONGESTION;
		return adapt_congestion(value, len, to);
	}
	for (i = 0; i < PLAIN; i++)
		if (plain[i].level == level && plain[i].name == name) {
			*option = plain[i].option;
			return get_int(level, value, len, &n) &&
			       adapt(*option, n, to);
		}
	return false;
}

/* SO_KEEPALIVE and TCP_KEEPIDLE are one number of the adapter's. */
static uint64_t keepalive(int fd)
{
	int idle;

	if (!int_option(fd, SOL_SOCKET, SO_KEEPALIVE))
		return 0;
	idle = int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
	return idle > 0 ? (uint64_t)idle : 7200;
}

static uint64_t linger(int fd)
{
	struct linger l = { 0 };
	socklen_t len = sizeof(l);
	uint64_t s;

	if (real.getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) ||
	    !l.l_onoff)
		return 0;
	s = l.l_linger < 0 ? 0 : (uint64_t)l.l_linger;
	return TOE_LINGER_ON | (s > UINT32_MAX / 1000 ? UINT32_MAX : s * 1000);
}

/* ---- Before connect() --------------------------------------------------- */

static void add(struct toe_option *out, uint32_t *n, int option,
		uint64_t value)
{
	if (*n < TOE_OPTIONS_MAX)
		out[(*n)++] = (struct toe_option){ .option = option,
						   .value = value };
}

uint32_t ps_options_before(int fd, struct toe_option *out)
{
	uint32_t n = ps_kept_all(fd, out);
	uint64_t value;
	unsigned int i;
	int is;

	for (i = 0; i < PLAIN; i++) {
		if (!plain[i].telling || ps_kept(fd, plain[i].option, &value))
			continue;
		is = int_option(fd, plain[i].level, plain[i].name);
		if (is > 0 && is < INT32_MAX &&
		    adapt(plain[i].option, is, &value))
			add(out, &n, plain[i].option, value);
	}
	value = linger(fd);
	if (value)
		add(out, &n, TOE_LINGER, value);
	value = keepalive(fd);
	if (value)
		add(out, &n, TOE_KEEPALIVE, value);
	return n;
}

/* ---- The calls ---------------------------------------------------------- */

/* What only the side that carries the connection knows. */
static bool asks_adapter(int level, int name)
{
	if (level == SOL_SOCKET)
		return name == SO_ERROR;
	if (level == IPPROTO_IP)
		return name == IP_MTU;
	return level == IPPROTO_TCP &&
	       (name == TCP_INFO || name == TCP_MAXSEG ||
		name == TCP_QUICKACK || name == TCP_CONGESTION);
}

static int put_algorithm(void *value, socklen_t *len, uint64_t algorithm)
{
	char name[16] = "";		/* TCP_CA_NAME_MAX */

	if (algorithm < ALGORITHMS)
		strcpy(name, algorithms[algorithm]);
	return put(value, len, name, sizeof(name));
}

static uint64_t of_adapter(struct psock *s, int option, uint64_t otherwise)
{
	uint64_t value;

	return s->conn && !toe_getopt(s->conn, option, &value) ? value
							       : otherwise;
}

static int ask_adapter(struct psock *s, int level, int name, void *value,
		       socklen_t *len)
{
	int err;

	if (level == SOL_SOCKET) {
		err = ps_connect_state(s);
		return put_int(value, len, err == -EINPROGRESS ? 0 : -err);
	}
	if (level == IPPROTO_IP) {
		uint64_t mtu = of_adapter(s, TOE_PATH_MTU, 0);

		return mtu ? put_int(value, len, (int)mtu) : -ENOTCONN;
	}
	switch (name) {
	case TCP_MAXSEG:
		/* 536: as the kernel without a connection */
		return put_int(value, len,
			       (int)of_adapter(s, TOE_MAXSEG, 536));
	case TCP_QUICKACK:
		return put_int(value, len,
			       (int)of_adapter(s, TOE_QUICKACK, 1));
	case TCP_CONGESTION:
		return put_algorithm(value, len,
				     of_adapter(s, TOE_CONGESTION, 0));
	default:
		return put_info(s, value, len);
	}
}

/* An algorithm that the kernel does not have, and the adapter will. */
static bool kept_algorithm(int fd, int level, int name, uint64_t *algorithm)
{
	bool is;

	if (level != IPPROTO_TCP || name != TCP_CONGESTION)
		return false;
	pthread_mutex_lock(&ps_lock);
	is = ps_kept(fd, TOE_CONGESTION, algorithm);
	pthread_mutex_unlock(&ps_lock);
	return is;
}

EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct psock *s = NULL;
	uint64_t algorithm;
	int err;

	ps_start();
	if (asks_adapter(level, name))
		s = ps_get(fd);
	if (!s && kept_algorithm(fd, level, name, &algorithm))
		return put_algorithm(value, len, algorithm);
	if (!s)
		return real.getsockopt(fd, level, name, value, len);
	ps_pump();
	err = ask_adapter(s, level, name, value, len);
	ps_put(s);
	return err ? fail(err) : 0;
}

static void set(struct psock *s, int fd, int level, int name,
		const void *value, socklen_t len)
{
	struct timeval tv;
	int option;
	uint64_t to;

	if (level == SOL_SOCKET && len >= sizeof(tv) &&
	    (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
		memcpy(&tv, value, sizeof(tv));
		*(name == SO_RCVTIMEO ? &s->rcv_timeout : &s->snd_timeout) =
			ps_timeout_ms(&tv);
	} else if (level == SOL_SOCKET && name == SO_OOBINLINE) {
		s->oob_inline = int_option(fd, SOL_SOCKET, SO_OOBINLINE);
	} else if (!s->conn) {
		;			/* lost by fork: the kernel's only */
	} else if ((level == SOL_SOCKET && name == SO_KEEPALIVE) ||
		   (level == IPPROTO_TCP && name == TCP_KEEPIDLE)) {
		toe_setopt(s->conn, TOE_KEEPALIVE, keepalive(fd));
	} else if (level == SOL_SOCKET && name == SO_LINGER) {
		toe_setopt(s->conn, TOE_LINGER, linger(fd));
	} else if (translate(level, name, value, len, &option, &to)) {
		toe_setopt(s->conn, option, to);
	}
}

/*
 * The kernel may lack an algorithm, or keep it for the privileged.  That does
 * not matter if the adapter is there; should the connection be the kernel's
 * after all, it has the kernel's default.
 */
static bool forgive(int fd, int option, int err)
{
	if (option != TOE_CONGESTION || (err != ENOENT && err != EPERM))
		return false;
	return ps_is(fd) || (int_option(fd, SOL_SOCKET, SO_DOMAIN) ==
			     AF_INET && ps_context());
}

EXPORT int setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	struct psock *s;
	int err, option = 0;
	uint64_t to;
	bool ours;

	ps_start();
	err = real.setsockopt(fd, level, name, value, len) ? errno : 0;
	if (ps_foreign())
		return err ? fail(-err) : 0;
	ours = translate(level, name, value, len, &option, &to);
	if (err) {
		pthread_mutex_lock(&ps_lock);
		if (ours && forgive(fd, option, err))
			err = 0;
		pthread_mutex_unlock(&ps_lock);
		if (err)
			return fail(-err);
	}
	s = ps_get(fd);
	if (s) {
		set(s, fd, level, name, value, len);
		ps_put(s);
	} else if (ours) {
		pthread_mutex_lock(&ps_lock);
		ps_keep(fd, option, to);
		pthread_mutex_unlock(&ps_lock);
	}
	return 0;
}
