// SPDX-License-Identifier: MIT
/*
 * udp.c - UDP sockets.
 *
 * A socket is an entry of the table of connections, opened with an answer
 * waited for (as a listener is), and has its own calls: what it moves are
 * datagrams, each with an address.
 *
 * Sending copies into one run of staging memory and posts UDP_SEND.  The
 * adapter takes or refuses it in the doorbell as a rule, so toe_udp_sendto()
 * looks at the answer at once and returns it; an answer that comes later can
 * only be a loss, which is counted (refused), as UDP promises nothing.  After
 * -EAGAIN TOE_WRITABLE follows: from the adapter if its queue was full, from
 * toe_send_unblock() if a limit of ours was met.
 *
 * Receiving.  Each datagram is in a buffer of its own, with its addresses
 * beside it in the buffer's entry.  Credit counts datagrams and is renewed half
 * a window at a time, as they are consumed.
 *
 * An error of a connected socket (nobody has the port over there) is kept until
 * a send or receive returns it, once.
 */
#include <string.h>

#include "internal.h"

#define DEFAULT_CREDIT	64u	/* datagrams */
#define MAX_LENGTH	65527u

static int dead_or(const struct toe *t, int error)
{
	return t->dead ? -ENODEV : error;
}

/* ---- Opening and closing ------------------------------------------------ */

int toe_udp_open(struct toe *t, const struct sockaddr *local,
		 socklen_t local_len, const struct toe_udp_opts *opts,
		 struct toe_udp **udp)
{
	static const struct toe_udp_opts none;
	struct toe_hw_req req = { .opcode = TOE_OP_UDP_OPEN };
	struct toe_conn *c;
	uint8_t family;
	uint16_t port;
	int err;

	if (t->dead)
		return -ENODEV;
	if (!(t->caps & TOE_CAP_UDP))
		return -EOPNOTSUPP;
	if (!opts)
		opts = &none;
	if (memcmp(opts->rsvd, none.rsvd, sizeof(opts->rsvd)) ||
	    opts->flags & ~TOE_UDP_REUSE)
		return -EINVAL;
	err = toe_addr_parse(t, local, local_len, &family, &port,
			     req.u.udp_open.laddr);
	if (err)
		return err;
	c = toe_slot_alloc(t, TOE_K_UDP);
	if (!c)
		return -EMFILE;
	c->udp = true;
	c->user = opts->user;
	c->family = family;
	c->credit = opts->credit ? opts->credit : DEFAULT_CREDIT;
	req.cookie = toe_cookie(TOE_CK_UDP, c->index, c->gen);
	req.u.udp_open.family = family;
	req.u.udp_open.flags = opts->flags & TOE_UDP_REUSE ? TOE_UDP_F_REUSE
							   : 0;
	req.u.udp_open.lport = port;
	req.u.udp_open.credit = c->credit;
	err = toe_ctl(t, &req);
	if (err) {
		toe_slot_free(c);
		return err;
	}
	c->handle = t->ctl.handle;
	c->handle_known = true;
	c->phase = TOE_P_OPEN;
	c->lport = (uint16_t)t->ctl.result;
	memcpy(c->laddr, t->ctl.laddr, sizeof(c->laddr));
	*udp = (struct toe_udp *)c;
	return 0;
}

int toe_udp_connect(struct toe_udp *udp, const struct sockaddr *addr,
		    socklen_t addrlen)
{
	struct toe_conn *c = &udp->c;
	struct toe_hw_req req = {
		.opcode = TOE_OP_UDP_CONNECT, .handle = c->handle,
	};
	uint8_t family = 0;
	uint16_t port = 0;
	int err;

	if (addr && addr->sa_family != AF_UNSPEC) {
		err = toe_addr_parse(c->toe, addr, addrlen, &family, &port,
				     req.u.udp_connect.raddr);
		if (err)
			return err;
		if (!port || family != c->family)
			return -EINVAL;
	}
	req.u.udp_connect.family = family;
	req.u.udp_connect.rport = port;
	err = toe_ctl(c->toe, &req);
	if (err)
		return err;
	c->error = 0;
	c->rport = port;
	memcpy(c->raddr, req.u.udp_connect.raddr, sizeof(c->raddr));
	memcpy(c->laddr, c->toe->ctl.laddr, sizeof(c->laddr));
	return 0;
}

void toe_udp_close(struct toe_udp *udp)
{
	struct toe_conn *c;
	struct toe *t;

	if (!udp)
		return;
	c = &udp->c;
	t = c->toe;
	toe_complete(t);
	toe_recv_drop(c);
	toe_list_del(&c->ready);
	toe_list_del(&c->blocked);
	c->news = 0;
	if (t->dead) {
		toe_slot_free(c);
		return;
	}
	c->kind = TOE_K_ZOMBIE;
	c->want &= ~TOE_WANT_CREDIT;
	toe_want(c, TOE_WANT_CLOSE);	/* frees it when posted */
}

int toe_udp_name(const struct toe_udp *udp, struct sockaddr *addr,
		 socklen_t *len)
{
	return toe_addr_format(udp->c.family, udp->c.lport, udp->c.laddr,
			       addr, len);
}

int toe_udp_peer(const struct toe_udp *udp, struct sockaddr *addr,
		 socklen_t *len)
{
	if (!udp->c.rport)
		return -ENOTCONN;
	return toe_addr_format(udp->c.family, udp->c.rport, udp->c.raddr,
			       addr, len);
}

int toe_udp_setopt(struct toe_udp *udp, int option, uint64_t value)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_UDP_SETOPT, .handle = udp->c.handle,
	};

	if (option < TOE_UDP_RCVBUF || option > TOE_UDP_MCAST_LOOP ||
	    option == TOE_UDP_DROPS)
		return -EINVAL;
	req.u.opt.option = (uint32_t)option;
	req.u.opt.value = value;
	return toe_ctl(udp->c.toe, &req);
}

int toe_udp_getopt(struct toe_udp *udp, int option, uint64_t *value)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_UDP_GETOPT, .handle = udp->c.handle,
	};
	int err;

	if (option < TOE_UDP_RCVBUF || option > TOE_UDP_PATH_MTU)
		return -EINVAL;
	req.u.opt.option = (uint32_t)option;
	err = toe_ctl(udp->c.toe, &req);
	if (!err)
		*value = udp->c.toe->ctl.result;
	return err;
}

static int group_op(struct toe_udp *udp, uint8_t opcode,
		    const struct sockaddr *group, socklen_t len)
{
	struct toe_conn *c = &udp->c;
	struct toe_hw_req req = { .opcode = opcode, .handle = c->handle };
	uint8_t family;
	uint16_t port;
	int err;

	err = toe_addr_parse(c->toe, group, len, &family, &port,
			     req.u.udp_group.group);
	if (err)
		return err;
	if (family != c->family)
		return -EINVAL;
	req.u.udp_group.family = family;
	return toe_ctl(c->toe, &req);
}

int toe_udp_join(struct toe_udp *udp, const struct sockaddr *group,
		 socklen_t grouplen)
{
	return group_op(udp, TOE_OP_UDP_JOIN, group, grouplen);
}

int toe_udp_leave(struct toe_udp *udp, const struct sockaddr *group,
		  socklen_t grouplen)
{
	return group_op(udp, TOE_OP_UDP_LEAVE, group, grouplen);
}

/* The error that is pending; it is told once. */
static int take_error(struct toe_conn *c)
{
	int error = c->error;

	c->error = 0;
	c->news &= ~TOE_ERROR;
	return error;
}

/* ---- Sending ------------------------------------------------------------ */

ssize_t toe_udp_sendto(struct toe_udp *udp, const void *buf, size_t len,
		       unsigned int flags, const struct sockaddr *addr,
		       socklen_t addrlen)
{
	struct toe_conn *c = &udp->c;
	struct toe *t = c->toe;
	struct toe_hw_req req = { .opcode = TOE_OP_UDP_SEND };
	uint8_t family = 0;
	uint16_t port = 0;
	int err;

	if (flags)
		return -EINVAL;
	if (len > MAX_LENGTH)
		return -EMSGSIZE;
	if (addr) {
		err = toe_addr_parse(t, addr, addrlen, &family, &port,
				     req.u.udp_send.raddr);
		if (err)
			return err;
		if (!port || family != c->family)
			return -EINVAL;
	} else if (!c->rport) {
		return -EDESTADDRREQ;
	}
	err = take_error(c);
	if (err)
		return err;
	req.u.udp_send.family = family;
	req.u.udp_send.rport = port;
	c->answered = false;
	err = toe_send_datagram(c, &req, buf, (uint32_t)len);
	if (err)
		return err;
	toe_rq_ring(t);
	toe_complete(t);
	if (c->answered && c->nsends == 0 && c->answer != TOE_ST_OK)
		return toe_status_errno(c->answer);
	return dead_or(t, 0) ? -ENODEV : (ssize_t)len;
}

void toe_udp_send_answered(struct toe_conn *c, uint8_t status)
{
	c->answered = true;
	c->answer = status;
	if (status == TOE_ST_AGAIN)
		c->udp_full = true;	/* until UDP_WRITABLE */
	if (status != TOE_ST_OK)
		c->toe->stats.udp_refused++;
}

/* ---- Receiving ---------------------------------------------------------- */

void toe_udp_arrived(struct toe_conn *c, const struct toe_hw_cqe *e)
{
	uint32_t id = e->u.udp_recv.buf_id;
	struct toe *t = c->toe;
	struct toe_rxbuf *b;

	if (!toe_buf_filled(t, e))
		return;
	b = &t->bufs[id];
	b->state = TOE_BUF_FILLED;
	b->length = e->u.udp_recv.length;
	b->total = e->u.udp_recv.total;
	b->rport = e->u.udp_recv.rport;
	memcpy(b->laddr, e->u.udp_recv.laddr, sizeof(b->laddr));
	memcpy(b->raddr, e->u.udp_recv.raddr, sizeof(b->raddr));
	toe_buf_enqueue(c, id);
	c->bytes_in += b->length;
	c->buffers++;
	t->stats.bytes_in += b->length;
	toe_news(c, TOE_READABLE);
}

void toe_udp_event(struct toe_conn *c, const struct toe_hw_cqe *e)
{
	if (e->type == TOE_EV_UDP_RECV) {
		toe_udp_arrived(c, e);
	} else if (e->type == TOE_EV_UDP_WRITABLE) {
		c->udp_full = false;
		toe_news(c, TOE_WRITABLE);
	} else if (e->type != TOE_EV_UDP_ERROR) {
		c->toe->stats.bad++;
	} else if (c->rport) {
		/* Who is not connected is not told: as with the kernel's. */
		c->error = toe_status_errno(e->status);
		toe_news(c, TOE_ERROR);
	}
}

/* One datagram less: ask for as many more, half a window at a time. */
void toe_udp_consumed(struct toe_conn *c)
{
	c->owed++;
	if (c->owed >= (c->credit + 1) / 2 && !(c->want & TOE_WANT_CREDIT))
		toe_want(c, TOE_WANT_CREDIT);
}

/* The first datagram, or an error. */
static int next(struct toe_conn *c)
{
	int err;

	if (c->rx_first == TOE_NONE)
		toe_complete(c->toe);
	err = take_error(c);
	if (err)
		return err;
	return c->rx_first == TOE_NONE ? dead_or(c->toe, -EAGAIN) : 0;
}

static void describe(const struct toe_conn *c, const struct toe_rxbuf *b,
		     struct toe_dgram *d)
{
	d->length = b->length;
	d->total = b->total;
	d->from_len = sizeof(d->from);
	d->to_len = sizeof(d->to);
	toe_addr_format(c->family, b->rport, b->raddr,
			(struct sockaddr *)&d->from, &d->from_len);
	toe_addr_format(c->family, c->lport, b->laddr,
			(struct sockaddr *)&d->to, &d->to_len);
}

int toe_udp_recv_lend(struct toe_udp *udp, struct toe_dgram *d)
{
	struct toe_conn *c = &udp->c;
	struct toe *t = c->toe;
	struct toe_rxbuf *b;
	int err = next(c);

	if (err)
		return err;
	b = &t->bufs[c->rx_first];
	describe(c, b, d);
	d->lend.data = toe_buf_addr(t, c->rx_first);
	d->lend.length = b->length;
	d->lend.buffer = c->rx_first;
	d->lend.rsvd = 0;
	b->state = TOE_BUF_LENT;
	b->conn = c->index;
	b->conn_gen = c->gen;
	b->lent_bytes = b->length;
	c->lent++;
	toe_buf_unqueue(c);
	return 1;
}

ssize_t toe_udp_recv(struct toe_udp *udp, void *buf, size_t len,
		     unsigned int flags, struct toe_dgram *d)
{
	struct toe_conn *c = &udp->c;
	struct toe *t = c->toe;
	struct toe_rxbuf *b;
	uint32_t id;
	int err;

	if (flags & ~TOE_PEEK)
		return -EINVAL;
	err = next(c);
	if (err)
		return err;
	id = c->rx_first;
	b = &t->bufs[id];
	if (len > b->length)
		len = b->length;
	if (len)
		memcpy(buf, toe_buf_addr(t, id), len);
	t->stats.bytes_in_copied += len;
	if (d) {
		describe(c, b, d);
		d->length = (uint32_t)len;
		d->lend = (struct toe_lend){ .buffer = TOE_NONE };
	}
	if (flags & TOE_PEEK)
		return (ssize_t)len;
	toe_buf_unqueue(c);
	toe_buf_post(t, id);
	if (t->bq_unrung >= TOE_BQ_BATCH)
		toe_buf_ring(t);
	toe_udp_consumed(c);
	return (ssize_t)len;
}

void *toe_udp_user(const struct toe_udp *udp)
{
	return udp->c.user;
}
