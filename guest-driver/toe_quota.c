// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_quota.c - what each user may have: contexts, connections, memory.
 *
 * A context belongs to an open file, which can outlive the process and the
 * address space that made it.  So everything is counted per user (the real
 * uid), over all adapters, and stays counted until the adapter has given the
 * thing back: a process that is killed again and again cannot pile up contexts
 * that still drain.
 *
 * Memory is charged to the same account that io_uring, AF_XDP and perf use
 * (user_struct.locked_vm), and held against RLIMIT_MEMLOCK unless the caller
 * has CAP_IPC_LOCK; a limit of our own holds for everybody.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "toe.h"

static unsigned int user_contexts = 256;
module_param(user_contexts, uint, 0644);
MODULE_PARM_DESC(user_contexts, "most contexts of one user (default 256)");

static unsigned int user_conns = 1048576;
module_param(user_conns, uint, 0644);
MODULE_PARM_DESC(user_conns, "most connections of one user, granted to all contexts (default 1048576, no more of a limit than the others)");

static unsigned int ctx_conns = 4096;
module_param(ctx_conns, uint, 0644);
MODULE_PARM_DESC(ctx_conns, "most connections of one context (default 4096)");

static unsigned int user_memory_mb;
module_param(user_memory_mb, uint, 0644);
MODULE_PARM_DESC(user_memory_mb, "most memory of one user, besides RLIMIT_MEMLOCK, MiB (default 0: half of all memory)");

struct toe_user {
	struct list_head node;
	refcount_t ref;			/* under toe_users_lock when it drops */
	struct user_struct *user;
	/* Under toe_users_lock: */
	unsigned int contexts;
	unsigned int conns;		/* granted to them */
	unsigned long pages;
};

static LIST_HEAD(toe_users);
static DEFINE_SPINLOCK(toe_users_lock);

/**
 * toe_user_get() - the caller's account
 *
 * Return: the account with a reference, or NULL if memory is out.
 */
struct toe_user *toe_user_get(void)
{
	struct user_struct *self = current_user();
	struct toe_user *user, *fresh;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return NULL;
	spin_lock(&toe_users_lock);
	list_for_each_entry(user, &toe_users, node) {
		if (user->user == self) {
			refcount_inc(&user->ref);
			spin_unlock(&toe_users_lock);
			kfree(fresh);
			return user;
		}
	}
	fresh->user = get_uid(self);
	refcount_set(&fresh->ref, 1);
	list_add(&fresh->node, &toe_users);
	spin_unlock(&toe_users_lock);
	return fresh;
}

/* Drop a reference; everything charged through it has been given back. */
void toe_user_put(struct toe_user *user)
{
	if (!refcount_dec_and_lock(&user->ref, &toe_users_lock))
		return;
	list_del(&user->node);
	spin_unlock(&toe_users_lock);
	WARN_ON(user->contexts || user->conns || user->pages);
	free_uid(user->user);
	kfree(user);
}

/**
 * toe_user_add_ctx() - count a context
 * @user: who pays
 * @conns: in: most connections the adapter has; out: how many are granted
 *
 * Return: 0 or -EDQUOT.  Undone by toe_user_sub_ctx().
 */
int toe_user_add_ctx(struct toe_user *user, u32 *conns)
{
	u32 grant, left;
	int ret = 0;

	spin_lock(&toe_users_lock);
	left = user_conns > user->conns ? user_conns - user->conns : 0;
	grant = min3(*conns, left, READ_ONCE(ctx_conns));
	/* 0 would mean "no limit" to the adapter. */
	if (user->contexts >= user_contexts || !grant) {
		ret = -EDQUOT;
	} else {
		user->contexts++;
		user->conns += grant;
		*conns = grant;
	}
	spin_unlock(&toe_users_lock);
	return ret;
}

/* A context with so many connections granted is gone. */
void toe_user_sub_ctx(struct toe_user *user, u32 conns)
{
	spin_lock(&toe_users_lock);
	user->contexts--;
	user->conns -= conns;
	spin_unlock(&toe_users_lock);
}

/**
 * toe_user_charge() - count memory that will stay in place
 * @user: who pays
 * @npages: pages
 *
 * Return: 0; -ENOMEM if RLIMIT_MEMLOCK forbids it; -EDQUOT if our own limit
 * does.  Undone by toe_user_uncharge().
 */
int toe_user_charge(struct toe_user *user, unsigned long npages)
{
	unsigned long own, rlimit_pages, now;
	unsigned int mb = READ_ONCE(user_memory_mb);
	int ret = 0;

	own = mb ? (unsigned long)mb << (20 - PAGE_SHIFT) : totalram_pages() / 2;
	spin_lock(&toe_users_lock);
	if (npages > own || user->pages > own - npages)
		ret = -EDQUOT;
	else
		user->pages += npages;
	spin_unlock(&toe_users_lock);
	if (ret)
		return ret;

	now = atomic_long_add_return(npages, &user->user->locked_vm);
	rlimit_pages = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	if (now > rlimit_pages && !capable(CAP_IPC_LOCK)) {
		toe_user_uncharge(user, npages);
		return -ENOMEM;
	}
	return 0;
}

/* The opposite of toe_user_charge(). */
void toe_user_uncharge(struct toe_user *user, unsigned long npages)
{
	atomic_long_sub(npages, &user->user->locked_vm);
	spin_lock(&toe_users_lock);
	user->pages -= npages;
	spin_unlock(&toe_users_lock);
}

/* At unload: nobody may be left. */
void toe_quota_exit(void)
{
	WARN_ON(!list_empty(&toe_users));
}
