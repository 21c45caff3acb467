/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.c - see wire.h.  Frames under way are in one binary heap, by the time
 * of their arrival and then in their order.
 */
#include <string.h>
#include "wire.h"

#define ETH	14u

struct flight {
	int64_t when;
	uint64_t order;
	unsigned to;
	size_t len;
	uint8_t data[];
};

struct wires {
	wire_out *out;
	void *opaque;
	GPtrArray *heap;
	uint64_t order;
};

struct wires *wires_new(wire_out *out, void *opaque)
{
	struct wires *w = g_new0(struct wires, 1);

	w->out = out;
	w->opaque = opaque;
	w->heap = g_ptr_array_new_with_free_func(g_free);
	return w;
}

void wires_free(struct wires *w)
{
	g_ptr_array_free(w->heap, TRUE);
	g_free(w);
}

/* splitmix64, as a share */
static double draw(struct wire *w)
{
	uint64_t z = w->seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (double)(z >> 11) / (double)(1ULL << 53);
}

static bool before(const struct flight *a, const struct flight *b)
{
	return a->when < b->when ||
	       (a->when == b->when && a->order < b->order);
}

static void push(struct wires *w, struct flight *f)
{
	gpointer *h;
	guint at = w->heap->len;

	g_ptr_array_add(w->heap, f);
	h = w->heap->pdata;
	while (at && before(f, h[(at - 1) / 2])) {
		h[at] = h[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	h[at] = f;
}

static struct flight *pop(struct wires *w)
{
	gpointer *h = w->heap->pdata;
	struct flight *first = h[0], *last = h[w->heap->len - 1];
	guint at = 0, n = w->heap->len - 1;

	for (;;) {
		guint down = 2 * at + 1;

		if (down >= n)
			break;
		if (down + 1 < n && before(h[down + 1], h[down]))
			down++;
		if (!before(h[down], last))
			break;
		h[at] = h[down];
		at = down;
	}
	h[at] = last;
	/* Not to be freed with its place. */
	h[n] = NULL;
	g_ptr_array_set_size(w->heap, (int)n);
	return first;
}

/* Set CE if the frame says that its ends know ECN. */
static bool mark(uint8_t *f, size_t len)
{
	uint32_t sum;
	unsigned type;

	if (len < ETH + 20)
		return false;
	type = (unsigned)f[12] << 8 | f[13];
	if (type == 0x0800 && f[ETH + 1] & 3) {
		f[ETH + 1] |= 3;
		f[ETH + 10] = f[ETH + 11] = 0;
		sum = 0;
		for (unsigned i = 0; i < 20; i += 2)
			sum += (uint32_t)f[ETH + i] << 8 | f[ETH + i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~(sum + (sum >> 16));
		f[ETH + 10] = (uint8_t)(sum >> 8);
		f[ETH + 11] = (uint8_t)sum;
		return true;
	}
	if (type == 0x86dd && f[ETH + 1] & 0x30) {
		f[ETH + 1] |= 0x30;
		return true;
	}
	return false;
}

void wires_send(struct wires *w, struct wire *wire, unsigned to, int64_t now,
		const uint8_t *frame, size_t len)
{
	struct flight *f;
	bool ce = false;
	int64_t when = now;

	if (wire) {
		const struct wire_params *p = &wire->p;

		wire->frames++;
		if (draw(wire) < p->loss) {
			wire->lost++;
			return;
		}
		if (p->rate) {
			int64_t wait = MAX(wire->busy_until - now, 0);
			uint64_t queued = (uint64_t)((double)wait / 8e9 *
						     (double)p->rate);

			if (queued + len > p->queue) {
				wire->dropped++;
				return;
			}
			ce = p->mark && queued >= p->mark;
			wire->busy_until = now + wait +
				(int64_t)((double)len * 8e9 / (double)p->rate);
			when = wire->busy_until;
		}
		when += p->delay;
		if (draw(wire) < p->reorder) {
			wire->held++;
			when += p->reorder_by;
		}
	}
	f = g_malloc(sizeof(*f) + len);
	f->when = when;
	f->order = w->order++;
	f->to = to;
	f->len = len;
	memcpy(f->data, frame, len);
	if (ce && mark(f->data, len))
		wire->marked++;
	push(w, f);
}

int64_t wires_next(const struct wires *w)
{
	return w->heap->len ? ((struct flight *)w->heap->pdata[0])->when
			    : INT64_MAX;
}

void wires_run(struct wires *w, int64_t now)
{
	while (wires_next(w) <= now) {
		struct flight *f = pop(w);

		w->out(w->opaque, f->to, f->data, f->len);
		g_free(f);
	}
}
