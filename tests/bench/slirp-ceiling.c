// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * slirp-ceiling - how fast libslirp itself can go.
 *
 * User networking is the adapter's default port, so its speed bounds the
 * adapter's.  This program is the least a TCP can be in front of libslirp: one
 * connection, no loss, no checksums to compute (the payload is zeros), no
 * virtual machine.  It moves bytes to a sink, or from a source, that it forks
 * itself on the loopback, and prints Gbit/s.
 *
 *   slirp-ceiling tx|rx SEGMENT MIB      SEGMENT: IPv4 packet size for tx
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libslirp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ETH_LEN 14
#define HDR_LEN (ETH_LEN + 20 + 20)
#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16

static const uint8_t our_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t gw_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

struct timer {
	SlirpTimerCb cb;
	void *opaque;
	int64_t deadline;	/* ms; -1: off */
};

static struct {
	Slirp *slirp;
	struct pollfd fd[64];
	int nfd;
	struct timer timer[8];
	int ntimer;

	uint16_t port;
	uint32_t snd_una, snd_nxt, snd_wnd;
	uint32_t rcv_nxt, last_ack;
	bool established, closed;
	uint64_t received;
	uint8_t frame[65536 + ETH_LEN];
} s;

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static uint32_t sum16(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, (uint16_t)v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Send one segment of len zero bytes. */
static void segment(uint8_t flags, size_t len)
{
	uint8_t *eth = s.frame, *ip = eth + ETH_LEN, *tcp = ip + 20;
	size_t opt = flags & SYN ? 4 : 0;
	size_t tcplen = 20 + opt + len;

	memcpy(eth, gw_mac, 6);
	memcpy(eth + 6, our_mac, 6);
	put16(eth + 12, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(20 + tcplen));
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, 0x0a00020f);
	put32(ip + 16, 0x0a000202);
	put16(ip + 10, fold(sum16(ip, 20)));
	memset(tcp, 0, 24);	/* the SYN's option must not stay in the payload */
	put16(tcp, 40000);
	put16(tcp + 2, s.port);
	put32(tcp + 4, s.snd_nxt);
	put32(tcp + 8, s.rcv_nxt);
	tcp[12] = (uint8_t)((20 + opt) << 2);
	tcp[13] = flags;
	put16(tcp + 14, 65535);
	if (opt) {
		tcp[20] = 2;
		tcp[21] = 4;
		put16(tcp + 22, 1460);
	}
	put16(tcp + 16, fold(sum16(ip + 12, 8) + 6 + (uint32_t)tcplen +
			     sum16(tcp, 20 + opt)));
	s.snd_nxt += (uint32_t)len + !!(flags & (SYN | FIN));
	s.last_ack = s.rcv_nxt;
	slirp_input(s.slirp, s.frame, (int)(HDR_LEN + opt + len));
}

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	const uint8_t *eth = buf, *ip = eth + ETH_LEN, *tcp;
	size_t hl, payload;
	uint32_t seq, ack;

	(void)opaque;
	if (len >= 42 && eth[12] == 8 && eth[13] == 6) {	/* ARP: answer */
		uint8_t reply[42];

		if (eth[21] != 1)
			return (ssize_t)len;
		memcpy(reply, eth + 6, 6);
		memcpy(reply + 6, our_mac, 6);
		memcpy(reply + 12, eth + 12, 8);
		put16(reply + 20, 2);
		memcpy(reply + 22, our_mac, 6);
		memcpy(reply + 28, eth + 38, 4);
		memcpy(reply + 32, eth + 22, 10);
		slirp_input(s.slirp, reply, sizeof(reply));
		return (ssize_t)len;
	}
	if (len < HDR_LEN || eth[12] != 8 || eth[13] != 0 || ip[9] != 6)
		return (ssize_t)len;
	tcp = ip + 20;
	hl = (size_t)(tcp[12] >> 4) * 4;
	payload = (size_t)(ip[2] << 8 | ip[3]) - 20 - hl;
	seq = get32(tcp + 4);
	ack = get32(tcp + 8);
	if (tcp[13] & RST) {
		s.closed = true;
		return (ssize_t)len;
	}
	if (tcp[13] & ACK) {
		if ((int32_t)(ack - s.snd_una) > 0)
			s.snd_una = ack;
		s.snd_wnd = (uint32_t)(tcp[14] << 8 | tcp[15]);
	}
	if (tcp[13] & SYN) {
		s.rcv_nxt = seq + 1;
		s.established = true;
	} else if (seq == s.rcv_nxt) {
		s.rcv_nxt += (uint32_t)payload;
		s.received += payload;
		if (tcp[13] & FIN) {
			s.rcv_nxt++;
			s.closed = true;
		}
	}
	return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
	(void)opaque;
	fprintf(stderr, "slirp-ceiling: libslirp complains: %s\n", msg);
}

static int64_t clock_get_ns(void *opaque)
{
	(void)opaque;
	return now_ns();
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct timer *t = &s.timer[s.ntimer++];

	(void)opaque;
	*t = (struct timer) { cb, cb_opaque, -1 };
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->deadline = -1;
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->deadline = expire_ms;
}

static void poll_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static int add_poll(int fd, int events, void *opaque)
{
	short ev = 0;

	(void)opaque;
	if (s.nfd == 64)
		return -1;
	if (events & SLIRP_POLL_IN)
		ev |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		ev |= POLLOUT;
	if (events & SLIRP_POLL_PRI)
		ev |= POLLPRI;
	s.fd[s.nfd] = (struct pollfd) { fd, ev, 0 };
	return s.nfd++;
}

static int get_revents(int idx, void *opaque)
{
	short re = s.fd[idx].revents;
	int out = 0;

	(void)opaque;
	if (re & POLLIN)
		out |= SLIRP_POLL_IN;
	if (re & POLLOUT)
		out |= SLIRP_POLL_OUT;
	if (re & POLLPRI)
		out |= SLIRP_POLL_PRI;
	if (re & POLLERR)
		out |= SLIRP_POLL_ERR;
	if (re & POLLHUP)
		out |= SLIRP_POLL_HUP;
	return out;
}

static void turn(uint32_t timeout)
{
	uint32_t max = timeout;
	int rc;

	s.nfd = 0;
	slirp_pollfds_fill(s.slirp, &timeout, add_poll, NULL);
	rc = poll(s.fd, (nfds_t)s.nfd, timeout > max ? (int)max : (int)timeout);
	slirp_pollfds_poll(s.slirp, rc < 0, get_revents, NULL);
	for (int i = 0; i < s.ntimer; i++) {
		struct timer *t = &s.timer[i];

		if (t->deadline >= 0 && now_ns() / 1000000 >= t->deadline) {
			t->deadline = -1;
			t->cb(t->opaque);
		}
	}
}

/* The peer on the loopback: takes everything, or gives bytes of it. */
static pid_t peer(bool sink, uint64_t bytes)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	static char buf[1 << 18];
	pid_t pid;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* As toe-perf's server. */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(fd, 1) || getsockname(fd, (struct sockaddr *)&sin, &len)) {
		perror("slirp-ceiling: cannot listen on the loopback");
		exit(1);
	}
	s.port = ntohs(sin.sin_port);
	pid = fork();
	if (pid == 0) {
		int c = accept(fd, NULL, NULL);
		uint64_t n = 0;
		ssize_t r = 1;

		while (r > 0 && (sink || n < bytes)) {
			r = sink ? read(c, buf, sizeof(buf)) :
				   write(c, buf, sizeof(buf));
			n += r > 0 ? (uint64_t)r : 0;
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

int main(int argc, char **argv)
{
	static const SlirpCb cb = {
		.send_packet = send_packet,
		.guest_error = guest_error,
		.clock_get_ns = clock_get_ns,
		.timer_new = timer_new,
		.timer_free = timer_free,
		.timer_mod = timer_mod,
		.register_poll_fd = poll_fd,
		.unregister_poll_fd = poll_fd,
		.notify = notify,
	};
	SlirpConfig cfg = {
		.version = 1,
		.in_enabled = true,
	};
	uint64_t bytes, sent = 0, moved;
	uint32_t seg;
	int64_t start;
	bool tx;
	pid_t pid;

	if (argc != 4 || (strcmp(argv[1], "tx") && strcmp(argv[1], "rx")) ||
	    atoi(argv[2]) < 100 || atoi(argv[2]) > 65535 || atoi(argv[3]) < 1) {
		fprintf(stderr, "usage: slirp-ceiling tx|rx SEGMENT MIB "
			"(SEGMENT: IPv4 packet, 100..65535 bytes)\n");
		return 2;
	}
	tx = !strcmp(argv[1], "tx");
	seg = (uint32_t)atoi(argv[2]) - 40;
	bytes = (uint64_t)atoi(argv[3]) << 20;
	signal(SIGPIPE, SIG_IGN);
	pid = peer(tx, bytes);

	inet_pton(AF_INET, "10.0.2.0", &cfg.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &cfg.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &cfg.vhost);
	inet_pton(AF_INET, "10.0.2.15", &cfg.vdhcp_start);
	inet_pton(AF_INET, "10.0.2.3", &cfg.vnameserver);
	s.slirp = slirp_new(&cfg, &cb, NULL);

	s.snd_una = s.snd_nxt = 1000;
	start = now_ns();
	segment(SYN, 0);
	while (!s.established && !s.closed && now_ns() - start < 5000000000LL)
		turn(10);
	if (!s.established) {
		fprintf(stderr, "slirp-ceiling: no connection to port %u\n", s.port);
		return 1;
	}
	segment(ACK, 0);

	start = now_ns();
	while (!s.closed && (tx ? sent < bytes || s.snd_una != s.snd_nxt
				: s.received < bytes)) {
		if (tx) {
			uint32_t room = s.snd_wnd - (s.snd_nxt - s.snd_una);
			uint32_t n = room < seg ? room : seg;

			/* SWS avoidance: whole segments, or half the window */
			if (sent < bytes && (int32_t)room > 0 &&
			    (n == seg || s.snd_nxt == s.snd_una)) {
				segment(ACK | PSH, n);
				sent += n;
				continue;
			}
			/* libslirp sends no window updates: probe */
			if (sent < bytes && room == 0 && s.snd_nxt == s.snd_una) {
				turn(1);
				if (s.snd_wnd == 0) {
					segment(ACK, 1);
					sent += s.snd_una == s.snd_nxt;
					s.snd_nxt = s.snd_una;
				}
				continue;
			}
		} else if (s.rcv_nxt != s.last_ack) {
			segment(ACK, 0);
			continue;
		}
		turn(100);
	}
	moved = tx ? sent : s.received;
	printf("%.3f\n", (double)moved * 8 / (double)(now_ns() - start));
	if (moved < bytes)
		fprintf(stderr, "slirp-ceiling: the peer closed after %llu of %llu bytes\n",
			(unsigned long long)moved, (unsigned long long)bytes);
	slirp_cleanup(s.slirp);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return moved < bytes;
}
