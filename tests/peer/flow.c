/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c - a stream from one end to another.
 *
 * Each byte follows from the flow and its offset, so a byte that is lost,
 * doubled or another flow's is noticed at its place; of streams that have an
 * end, sender and receiver also take the SHA-256.  The sender connects, sends,
 * and closes; the receiver reads to the end and closes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

#define CHUNK	65536u

/* len bytes of the stream from off on. */
static void pattern(const struct flow *f, uint64_t off, uint8_t *p,
		    uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len;) {
		uint64_t at = off + i, z = (at / 8 + 1) * (2 * f->id + 1);
		uint32_t in = (uint32_t)(at % 8);
		uint32_t n = MIN(8 - in, len - i);

		z *= 0x9e3779b97f4a7c15ULL;
		z ^= z >> 29;
		memcpy(p + i, (uint8_t *)&z + in, n);
		i += n;
	}
}

static void wrong(struct flow *f, const char *what)
{
	if (!f->wrong && !f->done)
		f->wrong = what;
}

/* The receiver got these. */
static void take(struct flow *f, const uint8_t *p, uint32_t len)
{
	uint8_t want[CHUNK];

	pattern(f, f->got, want, len);
	if (memcmp(p, want, len))
		wrong(f, "bytes differ");
	f->got += len;
	if (f->sum[1])
		g_checksum_update(f->sum[1], p, len);
	if (f->bytes && f->got > f->bytes)
		wrong(f, "more bytes than were sent");
}

/* The receiver is at the end of the stream. */
static void finish(struct flow *f)
{
	if (!f->bytes)
		return;
	if (f->got != f->bytes)
		wrong(f, "the end came too early");
	else if (strcmp(g_checksum_get_string(f->sum[0]),
			g_checksum_get_string(f->sum[1])))
		wrong(f, "SHA-256 differs");
	f->ended = net_now();
	f->done = !f->wrong;
}

/* What comes next to be sent; 0: nothing. */
static uint32_t next_chunk(struct flow *f, uint8_t *p, uint32_t most)
{
	uint32_t len = f->bytes ? (uint32_t)MIN(f->bytes - f->sent, most)
				: most;

	pattern(f, f->sent, p, len);
	return len;
}

static void was_sent(struct flow *f, const uint8_t *p, uint32_t len)
{
	f->sent += len;
	if (f->sum[0])
		g_checksum_update(f->sum[0], p, len);
}

/* ---- Sockets ---- */

static socklen_t address(enum end end, uint8_t family, uint16_t port,
			 struct sockaddr_storage *s)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)s;
	uint8_t addr[16];

	memset(s, 0, sizeof(*s));
	net_address(end, family, addr);
	if (family == TOE_AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, addr, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, addr, 16);
	return sizeof(*v6);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void socket_listen(struct net *n, struct flow *f)
{
	struct sockaddr_storage s;
	socklen_t len = address(f->to, f->family,
				(uint16_t)(PORT_BASE + f->id), &s);
	int one = 1;

	f->listen_fd = net_socket(n, f->to, f->family);
	setsockopt(f->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/*
	 * Linux grants ECN to a SYN that is ECT itself, as DCTCP's are, only if
	 * its own side is DCTCP too.  A kernel without it refuses, and the
	 * engine's DCTCP has to do without marks.
	 */
	if (!strcmp(f->cc, "dctcp"))
		setsockopt(f->listen_fd, IPPROTO_TCP, TCP_CONGESTION, f->cc,
			   (socklen_t)strlen(f->cc));
	if (bind(f->listen_fd, (struct sockaddr *)&s, len) ||
	    listen(f->listen_fd, 4))
		die("listen");
	net_watch(n, f->listen_fd, f, false);
}

static void socket_connect(struct net *n, struct flow *f)
{
	/* ECN is on for all of the kernel's. */
	const char *cc = !strcmp(f->cc, "newreno") ? "reno" :
			 !strcmp(f->cc, "ecn") ? "cubic" : f->cc;
	struct sockaddr_storage s;
	socklen_t len = address(f->to, f->family,
				(uint16_t)(PORT_BASE + f->id), &s);

	f->send_fd = net_socket(n, f->from, f->family);
	if (setsockopt(f->send_fd, IPPROTO_TCP, TCP_CONGESTION, cc,
		       (socklen_t)strlen(cc)))
		die(cc);
	if (connect(f->send_fd, (struct sockaddr *)&s, len) &&
	    errno != EINPROGRESS)
		die("connect");
	net_watch(n, f->send_fd, f, true);
}

static void socket_close(struct net *n, int *fd)
{
	if (*fd >= 0) {
		net_unwatch(n, *fd);
		close(*fd);
	}
	*fd = -1;
}

static void socket_send(struct net *n, struct flow *f)
{
	uint8_t p[CHUNK];
	unsigned i;

	for (i = 0; i < 8; i++) {
		uint32_t len = next_chunk(f, p, CHUNK);
		ssize_t done;

		if (!len) {
			socket_close(n, &f->send_fd);
			return;
		}
		done = send(f->send_fd, p, len, MSG_NOSIGNAL);
		if (done < 0) {
			if (errno != EAGAIN) {
				wrong(f, strerror(errno));
				socket_close(n, &f->send_fd);
			}
			return;
		}
		was_sent(f, p, (uint32_t)done);
	}
}

static void socket_receive(struct net *n, struct flow *f)
{
	uint8_t p[CHUNK];
	unsigned i;

	for (i = 0; i < 8; i++) {
		ssize_t len = recv(f->recv_fd, p, sizeof(p), 0);

		if (len < 0) {
			if (errno != EAGAIN) {
				wrong(f, strerror(errno));
				socket_close(n, &f->recv_fd);
			}
			return;
		}
		if (!len) {
			finish(f);
			socket_close(n, &f->recv_fd);
			return;
		}
		take(f, p, (uint32_t)len);
	}
}

void flow_ready(struct net *n, struct flow *f)
{
	if (f->listen_fd >= 0) {
		int fd = accept4(f->listen_fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			socket_close(n, &f->listen_fd);
			f->recv_fd = fd;
			net_watch(n, fd, f, false);
		}
	}
	if (f->recv_fd >= 0)
		socket_receive(n, f);
	if (f->send_fd >= 0)
		socket_send(n, f);
}

/* ---- The engine ---- */

static uint32_t congestion(const char *cc)
{
	return !strcmp(cc, "dctcp") ? TOE_CC_DCTCP :
	       !strcmp(cc, "newreno") ? TOE_CC_NEWRENO : TOE_CC_CUBIC;
}

static void engine_listen(struct net *n, struct flow *f)
{
	ToeTuple t = {
		.family = f->family, .lport = (uint16_t)(PORT_BASE + f->id),
	};

	if (toe_stream_listen(net_engine(n), &t, 4, &f->listener) !=
	    TOE_ST_OK)
		wrong(f, "the engine does not listen");
}

static void engine_connect(struct net *n, struct flow *f)
{
	ToeTuple t = {
		.family = f->family, .rport = (uint16_t)(PORT_BASE + f->id),
	};

	net_address(f->to, f->family, t.raddr);
	if (toe_stream_connect(net_engine(n), &t, &f->send_h) != TOE_ST_OK) {
		wrong(f, "the engine does not connect");
		return;
	}
	toe_stream_setopt(net_engine(n), f->send_h, TOE_OPT_CONGESTION,
			  congestion(f->cc));
	if (!strcmp(f->cc, "ecn"))
		toe_stream_setopt(net_engine(n), f->send_h, TOE_OPT_ECN,
				  TOE_ECN_MODE_ON);
}

void flow_writable(struct net *n, struct flow *f)
{
	uint32_t space;
	uint8_t p[CHUNK];

	if (!f->send_h || !f->up)
		return;
	while ((space = toe_stream_send_space(net_engine(n), f->send_h))) {
		ToeChain c = toe_chain_init();
		uint32_t len = next_chunk(f, p, MIN(space, CHUNK));

		if (!len) {
			toe_stream_shutdown(net_engine(n), f->send_h);
			return;
		}
		if (!toe_chain_append(net_lmem(n), &c, p, len, TOE_LMEM_OUT)) {
			wrong(f, "no local memory");
			return;
		}
		toe_stream_send(net_engine(n), f->send_h, &c, false);
		was_sent(f, p, len);
	}
	if (f->bytes && f->sent == f->bytes)
		toe_stream_shutdown(net_engine(n), f->send_h);
}

void flow_established(struct net *n, struct flow *f)
{
	f->up = true;
	flow_writable(n, f);
}

void flow_incoming(struct net *n, struct flow *f, uint32_t handle)
{
	toe_stream_accepted(net_engine(n), handle);
	f->recv_h = handle;
	toe_stream_close(net_engine(n), f->listener);
	f->listener = 0;
}

void flow_readable(struct net *n, struct flow *f)
{
	uint8_t p[CHUNK];
	uint32_t len;

	while (f->recv_h &&
	       (len = toe_stream_rx(net_engine(n), f->recv_h)->len)) {
		len = MIN(len, CHUNK);
		toe_chain_copy_out(net_lmem(n),
				   toe_stream_rx(net_engine(n), f->recv_h), 0,
				   p, len, NULL);
		toe_stream_rx_consumed(net_engine(n), f->recv_h, len);
		take(f, p, len);
	}
}

void flow_peer_closed(struct net *n, struct flow *f, uint32_t handle)
{
	if (handle == f->recv_h) {
		flow_readable(n, f);
		finish(f);
		f->recv_h = 0;
		toe_stream_close(net_engine(n), handle);
	}
}

void flow_closed(struct net *n, struct flow *f, uint32_t handle,
		 uint8_t status)
{
	if (status != TOE_ST_OK)
		wrong(f, "the engine gave it up, or it was reset");
	if (handle == f->send_h)
		f->send_h = 0;
	if (handle == f->recv_h)
		f->recv_h = 0;
	toe_stream_close(net_engine(n), handle);
}

/* ---- Life ---- */

void flow_start(struct net *n, struct flow *f)
{
	f->listen_fd = f->send_fd = f->recv_fd = -1;
	if (f->bytes) {
		f->sum[0] = g_checksum_new(G_CHECKSUM_SHA256);
		f->sum[1] = g_checksum_new(G_CHECKSUM_SHA256);
	}
	if (f->to == ENGINE)
		engine_listen(n, f);
	else
		socket_listen(n, f);
	if (f->from == ENGINE)
		engine_connect(n, f);
	else
		socket_connect(n, f);
	f->started = true;
}

/* A RST, so that nothing goes on in secret: close() with SO_LINGER 0. */
static void socket_abort(struct net *n, int *fd)
{
	struct linger now = { .l_onoff = 1 };

	if (*fd >= 0)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	socket_close(n, fd);
}

void flow_stop(struct net *n, struct flow *f)
{
	socket_close(n, &f->listen_fd);
	socket_abort(n, &f->send_fd);
	socket_abort(n, &f->recv_fd);
	if (f->listener)
		toe_stream_close(net_engine(n), f->listener);
	if (f->send_h)
		toe_stream_abort(net_engine(n), f->send_h);
	if (f->recv_h)
		toe_stream_abort(net_engine(n), f->recv_h);
	f->listener = f->send_h = f->recv_h = 0;
	if (f->sum[0]) {
		g_checksum_free(f->sum[0]);
		g_checksum_free(f->sum[1]);
		f->sum[0] = f->sum[1] = NULL;
	}
}
