// SPDX-License-Identifier: MIT
/*
 * conn.c - connections: the table they live in, connect, names, options,
 * closing.
 *
 * The table was allocated when the context was opened.  An entry has a
 * generation that goes into its cookies, and that changes when the entry is
 * given back; so toe_close_conn() gives it back at once, without waiting for
 * what the adapter may still have to say.  Only when the last request cannot
 * be posted yet (full queue, or CONNECT not answered, so that there is no
 * handle), or SENDs are under way, the entry stays behind as a zombie: what
 * they hold is of max_conns connections at most.
 */
#include <netinet/in.h>
#include <string.h>

#include "internal.h"

/* ---- The table ---------------------------------------------------------- */

struct toe_conn *toe_slot_alloc(struct toe *t, enum toe_kind kind)
{
	struct toe_conn *c = t->conn_free;
	uint32_t gen;

	if (c) {
		t->conn_free = c->next;
		gen = c->gen;
	} else if (t->conns_used < t->max_conns) {
		c = &t->conns[t->conns_used];
		gen = 1;
		c->index = t->conns_used++;
	} else {
		return NULL;
	}
	*c = (struct toe_conn){
		.toe = t, .index = c->index, .gen = gen,
		.kind = (uint8_t)kind,
		.rx_first = TOE_NONE, .rx_last = TOE_NONE,
	};
	t->stats.conns++;
	return c;
}

void toe_slot_free(struct toe_conn *c)
{
	struct toe *t = c->toe;

	toe_list_del(&c->ready);
	toe_list_del(&c->blocked);
	toe_list_del(&c->rqwait);
	toe_port_release(c);
	c->kind = TOE_K_FREE;
	c->gen = (c->gen + 1) & TOE_GEN_MASK;
	if (!c->gen)
		c->gen = 1;
	c->next = t->conn_free;
	t->conn_free = c;
	t->stats.conns--;
}

void toe_zombie_check(struct toe_conn *c)
{
	if (c->kind == TOE_K_ZOMBIE && !c->want && !c->nsends)
		toe_slot_free(c);
}

struct toe_conn *toe_slot_find(struct toe *t, uint64_t cookie)
{
	uint32_t index = toe_cookie_index(cookie);
	struct toe_conn *c;

	if (index >= t->conns_used)
		return NULL;
	c = &t->conns[index];
	if (c->kind == TOE_K_FREE || c->gen != toe_cookie_gen(cookie))
		return NULL;
	return c;
}

/* ---- Addresses ---------------------------------------------------------- */

int toe_addr_parse(const struct toe *t, const struct sockaddr *addr,
		   socklen_t len, uint8_t *family, uint16_t *port,
		   uint8_t ip[16])
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(ip, 0, 16);
	if (!addr || len < sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_INET) {
		if (len < sizeof(in))
			return -EINVAL;
		memcpy(&in, addr, sizeof(in));
		*family = TOE_AF_INET;
		*port = ntohs(in.sin_port);
		memcpy(ip, &in.sin_addr, 4);
		return 0;
	}
	if (addr->sa_family == AF_INET6 && (t->caps & TOE_CAP_IPV6)) {
		if (len < sizeof(in6))
			return -EINVAL;
		memcpy(&in6, addr, sizeof(in6));
		*family = TOE_AF_INET6;
		*port = ntohs(in6.sin6_port);
		memcpy(ip, &in6.sin6_addr, 16);
		return 0;
	}
	return -EAFNOSUPPORT;
}

int toe_addr_format(uint8_t family, uint16_t port, const uint8_t ip[16],
		    struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const void *from = &in;
	socklen_t size = sizeof(in);

	if (!addr || !len)
		return -EINVAL;
	if (family == TOE_AF_INET6) {
		in6.sin6_port = htons(port);
		memcpy(&in6.sin6_addr, ip, 16);
		from = &in6;
		size = sizeof(in6);
	} else {
		in.sin_port = htons(port);
		memcpy(&in.sin_addr, ip, 4);
	}
	memcpy(addr, from, *len < size ? *len : size);
	*len = size;
	return 0;
}

int toe_conn_name(const struct toe_conn *c, struct sockaddr *addr,
		  socklen_t *len)
{
	if (!c->lport)
		return -ENOTCONN;
	return toe_addr_format(c->family, c->lport, c->laddr, addr, len);
}

int toe_conn_peer(const struct toe_conn *c, struct sockaddr *addr,
		  socklen_t *len)
{
	return toe_addr_format(c->family, c->rport, c->raddr, addr, len);
}

/* ---- Opening ------------------------------------------------------------ */

#define SAME(name) \
	_Static_assert(TOE_##name == TOE_OPT_##name, #name)
SAME(NODELAY);
SAME(UTO);
SAME(DEFER_ACCEPT);
SAME(FASTOPEN);
SAME(ECN);
SAME(ECN_AGREED);
SAME(PACING_RATE);
SAME(MTU_DISCOVER);
SAME(PATH_MTU);
_Static_assert(TOE_OPTIONS_MAX == TOE_FIRST_OPTIONS, "options of a CONNECT");

/* One of the adapter's; whether its value is good, or it fits, is its affair. */
static bool option_known(int option)
{
	switch (option) {
	case TOE_DEFER_ACCEPT:
	case TOE_FASTOPEN:
	case TOE_ECN:
	case TOE_ECN_AGREED:
	case TOE_PACING_RATE:
	case TOE_MTU_DISCOVER:
	case TOE_PATH_MTU:
		return true;
	default:
		return option >= TOE_NODELAY && option <= TOE_UTO;
	}
}

int toe_opts_check(const struct toe_conn_opts *opts)
{
	uint32_t i;

	if (!opts)
		return 0;
	if (opts->rsvd[0] || opts->rsvd[1] ||
	    (opts->flags & ~(TOE_CONN_NODELAY | TOE_CONN_FASTOPEN)) ||
	    opts->noptions > TOE_OPTIONS_MAX)
		return -EINVAL;
	for (i = 0; i < opts->noptions; i++)
		if (opts->options[i].rsvd ||
		    !option_known(opts->options[i].option))
			return -EINVAL;
	return 0;
}

/* SETOPTs without a handle are about the next CONNECT, which follows. */
static void post_options(struct toe_conn *c, const struct toe_conn_opts *opts)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_SETOPT, .flags = TOE_REQ_F_QUIET,
		.cookie = toe_cookie(TOE_CK_QUIET, c->index, c->gen),
	};
	uint32_t i;

	for (i = 0; i < opts->noptions; i++) {
		req.u.opt.option = (uint32_t)opts->options[i].option;
		req.u.opt.value = opts->options[i].value;
		if (opts->options[i].option == TOE_LINGER)
			c->lingers = req.u.opt.value > TOE_LINGER_ON;
		toe_rq_post(c->toe, &req);
	}
}

int toe_connect(struct toe *t, const struct sockaddr *addr, socklen_t addrlen,
		const struct toe_conn_opts *opts, struct toe_conn **conn)
{
	struct toe_hw_req req = { .opcode = TOE_OP_CONNECT };
	uint32_t requests = opts ? opts->noptions + 1 : 1;
	uint8_t family, local_family;
	uint16_t rport, lport = 0;
	struct toe_conn *c;
	int err;

	if (t->dead)
		return -ENODEV;
	err = toe_opts_check(opts);
	if (!err)
		err = toe_addr_parse(t, addr, addrlen, &family, &rport,
				     req.u.connect.raddr);
	if (!err && opts && opts->local) {
		err = toe_addr_parse(t, opts->local, opts->local_len,
				     &local_family, &lport,
				     req.u.connect.laddr);
		if (!err && local_family != family)
			err = -EINVAL;
	}
	if (err)
		return err;
	if (!rport || requests > t->rq_size)
		return -EINVAL;
	if (t->stats.conns == t->max_conns)
		toe_complete(t);	/* SENDs of closed ones may be done */
	if (!toe_rq_room_for(t, requests))
		return t->dead ? -ENODEV : -EAGAIN;
	c = toe_slot_alloc(t, TOE_K_CONN);
	if (!c)
		return -EMFILE;
	c->phase = TOE_P_CONNECTING;
	c->credit = toe_credit_or_default(t, opts);
	c->nodelay = opts && opts->flags & TOE_CONN_NODELAY;
	c->user = opts ? opts->user : NULL;
	c->family = family;
	c->rport = rport;
	memcpy(c->raddr, req.u.connect.raddr, sizeof(c->raddr));
	req.cookie = toe_cookie(TOE_CK_CONN, c->index, c->gen);
	req.u.connect.family = family;
	req.u.connect.lport = lport;
	req.u.connect.rport = rport;
	req.u.connect.credit = c->credit;
	if (opts && opts->flags & TOE_CONN_FASTOPEN)
		req.flags = TOE_REQ_F_FASTOPEN;
	if (opts)
		post_options(c, opts);
	toe_rq_post(t, &req);
	toe_rq_ring(t);
	t->stats.connects++;
	*conn = c;
	return 0;
}

/* ---- State -------------------------------------------------------------- */

void toe_conn_set_user(struct toe_conn *c, void *user)
{
	c->user = user;
}

void *toe_conn_user(const struct toe_conn *c)
{
	return c->user;
}

struct toe *toe_conn_context(const struct toe_conn *c)
{
	return c->toe;
}

int toe_conn_error(const struct toe_conn *c)
{
	return c->error;
}

uint32_t toe_conn_state(const struct toe_conn *c)
{
	uint32_t s = 0;

	if (c->phase == TOE_P_OPEN) {
		s |= TOE_CONNECTED;
		if (!c->shut && c->nsends < TOE_PENDING_SENDS &&
		    toe_stage_share(c) && toe_rq_space(c->toe))
			s |= TOE_WRITABLE;
	}
	if (c->rx_bytes)
		s |= TOE_READABLE;
	if (toe_urgent(c, NULL))
		s |= TOE_MARKED;
	if (c->peer_closed)
		s |= TOE_PEER_CLOSED;
	if (c->phase == TOE_P_CLOSED)
		s |= TOE_CLOSED;
	return s;
}

void toe_conn_closed(struct toe_conn *c, int error)
{
	if (c->phase == TOE_P_CLOSED)
		return;
	c->phase = TOE_P_CLOSED;
	c->error = error;
	c->want = 0;
	toe_list_del(&c->blocked);
	toe_list_del(&c->rqwait);
	toe_news(c, TOE_CLOSED);
}

/* ---- Closing ------------------------------------------------------------ */

int toe_shutdown(struct toe_conn *c)
{
	if (c->phase == TOE_P_CLOSED)
		return c->error ? c->error : -EPIPE;
	if (c->phase != TOE_P_OPEN)
		return -ENOTCONN;
	if (c->shut)
		return -EPIPE;
	c->shut = true;
	toe_want(c, TOE_WANT_SHUTDOWN);
	return 0;
}

static void let_go(struct toe_conn *c, unsigned int how)
{
	struct toe *t = c->toe;

	/* Perhaps it ended by itself already, and there's nothing to ask. */
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
	c->want &= ~(TOE_WANT_CREDIT | TOE_WANT_NODELAY);
	if (c->phase == TOE_P_CLOSED)
		toe_zombie_check(c);
	else
		toe_want(c, how);	/* frees it when posted */
}

/*
 * CLOSE, and wait for its completion.  The entry goes first: whatever the
 * adapter still says of the connection is stale then.  False: no room.
 */
static bool close_and_wait(struct toe_conn *c)
{
	struct toe *t = c->toe;
	struct toe_hw_req req = {
		.opcode = TOE_OP_CLOSE, .handle = c->handle,
	};

	if (t->dead || c->phase != TOE_P_OPEN || c->want || !toe_rq_space(t))
		return false;
	toe_recv_drop(c);
	toe_list_del(&c->ready);
	toe_list_del(&c->blocked);
	c->news = 0;
	c->kind = TOE_K_ZOMBIE;
	toe_zombie_check(c);		/* or with its last SEND */
	toe_ctl(t, &req);
	return true;
}

void toe_close_conn(struct toe_conn *c)
{
	if (c && c->lingers && close_and_wait(c))
		return;
	if (c)
		let_go(c, c->phase == TOE_P_CONNECTING ? TOE_WANT_ABORT
						       : TOE_WANT_CLOSE);
}

void toe_abort(struct toe_conn *c)
{
	if (c)
		let_go(c, TOE_WANT_ABORT);
}

/* ---- Requests whose caller waits ---------------------------------------- */

int toe_ctl(struct toe *t, struct toe_hw_req *req)
{
	struct toe_deadline forever = { .timeout = -1 };
	int err;

	if (t->dead)
		return -ENODEV;
	if (!toe_rq_room(t))
		return t->dead ? -ENODEV : -EAGAIN;
	t->ctl.seq++;
	t->ctl.waiting = true;
	t->ctl.done = false;
	if (!req->cookie)
		req->cookie = toe_cookie(TOE_CK_CTL, t->ctl.seq, 0);
	else				/* LISTEN: cookie is the listener's */
		t->ctl.seq = toe_cookie_index(req->cookie);
	toe_rq_post(t, req);
	toe_rq_ring(t);
	for (;;) {
		toe_complete(t);
		if (t->ctl.done)
			return toe_status_errno(t->ctl.status);
		if (t->dead)
			return -ENODEV;
		err = toe_wait_cq(t, &forever);
		if (err < 0 && err != -EINTR)
			return err;
	}
}

int toe_handle_wait(struct toe_conn *c)
{
	struct toe_deadline forever = { .timeout = -1 };
	int err;

	while (!c->handle_known && c->phase == TOE_P_CONNECTING) {
		err = toe_wait_cq(c->toe, &forever);
		if (err < 0 && err != -EINTR)
			return err;
		toe_complete(c->toe);
	}
	return c->phase == TOE_P_CLOSED ? -ENOTCONN : 0;
}

static int get_or_set(struct toe_conn *c, struct toe_hw_req *req, int option)
{
	int err;

	if (!option_known(option))
		return -EINVAL;
	err = toe_handle_wait(c);
	if (err)
		return err;
	req->handle = c->handle;
	req->u.opt.option = (uint32_t)option;
	return toe_ctl(c->toe, req);
}

int toe_setopt(struct toe_conn *c, int option, uint64_t value)
{
	struct toe_hw_req req = {
		.opcode = TOE_OP_SETOPT, .u.opt.value = value,
	};
	int err;

	if (option == TOE_CREDIT) {
		if (!value || value > TOE_CREDIT_MAX)
			return -EINVAL;
		if (value > c->toe->credit_max)
			value = c->toe->credit_max;
		/*
		 * What was asked for cannot be taken back: a larger window is
		 * asked for now, a smaller one comes about by asking less.
		 */
		if (value < c->credit) {
			c->surplus += c->credit - (uint32_t)value;
		} else {
			uint32_t more = (uint32_t)value - c->credit;
			uint32_t had = more < c->surplus ? more : c->surplus;

			c->surplus -= had;
			c->owed += more - had;
			if (c->phase == TOE_P_OPEN && c->owed)
				toe_want(c, TOE_WANT_CREDIT);
		}
		c->credit = (uint32_t)value;
		return 0;
	}
	err = get_or_set(c, &req, option);
	if (!err && option == TOE_LINGER)
		c->lingers = value > TOE_LINGER_ON;
	return err;
}

int toe_getopt(struct toe_conn *c, int option, uint64_t *value)
{
	struct toe_hw_req req = { .opcode = TOE_OP_GETOPT };
	int err;

	if (option == TOE_CREDIT) {
		*value = c->credit;
		return 0;
	}
	err = get_or_set(c, &req, option);
	if (!err)
		*value = c->toe->ctl.result;
	return err;
}

int toe_listener_setopt(struct toe_listener *l, int option, uint64_t value)
{
	return option == TOE_CREDIT ? -EINVAL
				    : toe_setopt(&l->c, option, value);
}

int toe_listener_getopt(struct toe_listener *l, int option, uint64_t *value)
{
	return option == TOE_CREDIT ? -EINVAL
				    : toe_getopt(&l->c, option, value);
}
