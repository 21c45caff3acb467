// SPDX-License-Identifier: GPL-2.0-only
/*
 * toe_debugfs.c - /sys/kernel/debug/toe/toeN/: contexts, connections,
 * registers; for the person who debugs the driver or the adapter.
 *
 * Programs should use the ioctls of /dev/toeN, as toestat does.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "toe.h"

#define TOE_DEBUG_BATCH		64u

static struct dentry *toe_debugfs_root;

static int contexts_show(struct seq_file *s, void *unused)
{
	struct toe_dev *dev = s->private;
	struct toe_hw_ctx_info *info;
	struct toe_uapi_ctx_stat st;
	u32 start = 0, count, i;
	int ret;

	info = kcalloc(TOE_DEBUG_BATCH, sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	seq_puts(s, "ctx uid pid comm rights conns regions pinned requests completions errors rq_pending cq_pending flags\n");
	do {
		ret = toe_enter(dev);
		if (ret)
			break;
		count = TOE_DEBUG_BATCH;
		ret = toe_query_list(dev, TOE_ADM_CTX_INFO, sizeof(*info), info,
				     &count, &start);
		for (i = 0; !ret && i < count; i++) {
			if (toe_ctx_stat(dev, &info[i], &st))
				continue;
			seq_printf(s, "%u %u %d %.16s %#x %u %u %llu %llu %llu %llu %u %u %#x\n",
				   st.ctx, st.uid, st.pid, st.comm, st.rights,
				   st.conns, st.regions, st.pinned, st.requests,
				   st.completions, st.errors,
				   info[i].rq_pending, info[i].cq_pending,
				   st.flags);
		}
		toe_leave(dev);
	} while (!ret && start);
	kfree(info);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(contexts);

static const char *toe_conn_state(u8 state)
{
	static const char * const names[] = {
		[TOE_TCP_CLOSED]	= "CLOSED",
		[TOE_TCP_LISTEN]	= "LISTEN",
		[TOE_TCP_SYN_SENT]	= "SYN-SENT",
		[TOE_TCP_SYN_RECEIVED]	= "SYN-RECEIVED",
		[TOE_TCP_ESTABLISHED]	= "ESTABLISHED",
		[TOE_TCP_FIN_WAIT_1]	= "FIN-WAIT-1",
		[TOE_TCP_FIN_WAIT_2]	= "FIN-WAIT-2",
		[TOE_TCP_CLOSE_WAIT]	= "CLOSE-WAIT",
		[TOE_TCP_CLOSING]	= "CLOSING",
		[TOE_TCP_LAST_ACK]	= "LAST-ACK",
		[TOE_TCP_TIME_WAIT]	= "TIME-WAIT",
		[TOE_CONN_UDP]		= "UDP",
		[TOE_CONN_UDP_CONNECTED] = "UDP-CONN",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}

static int connections_show(struct seq_file *s, void *unused)
{
	struct toe_dev *dev = s->private;
	struct toe_hw_conn_info *info, *c;
	u32 start = 0, count, i;
	int ret;

	info = kcalloc(TOE_DEBUG_BATCH, sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	seq_puts(s, "handle ctx state local remote rxq txq credit cwnd ssthresh srtt_us rto_us retransmits in out\n");
	do {
		ret = toe_enter(dev);
		if (ret)
			break;
		count = TOE_DEBUG_BATCH;
		ret = toe_query_list(dev, TOE_ADM_CONN_LIST, sizeof(*info),
				     info, &count, &start);
		toe_leave(dev);
		for (i = 0; !ret && i < count; i++) {
			c = &info[i];
			seq_printf(s, "%#x %d %s %pI4:%u %pI4:%u %u %u %u %u %u %u %u %u %llu %llu\n",
				   c->handle, (int)c->ctx,
				   toe_conn_state(c->state), c->laddr, c->lport,
				   c->raddr, c->rport, c->rxq, c->txq,
				   c->credit, c->cwnd, c->ssthresh, c->srtt_us,
				   c->rto_us, c->retransmits, c->bytes_in,
				   c->bytes_out);
		}
	} while (!ret && start);
	kfree(info);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(connections);

#define TOE_REG_ENTRY(name) { TOE_REG_##name, #name }

static const struct {
	u32 reg;
	const char *name;
} toe_registers[] = {
	TOE_REG_ENTRY(MAGIC), TOE_REG_ENTRY(REVISION), TOE_REG_ENTRY(CAPS),
	TOE_REG_ENTRY(CAPS_HI), TOE_REG_ENTRY(MAX_CONTEXTS),
	TOE_REG_ENTRY(MAX_CONNS), TOE_REG_ENTRY(MAX_REGIONS),
	TOE_REG_ENTRY(MAX_PAGES), TOE_REG_ENTRY(LMEM_SIZE),
	TOE_REG_ENTRY(BUFLET_SIZE), TOE_REG_ENTRY(MAX_QUEUE_LOG2),
	TOE_REG_ENTRY(VECTORS), TOE_REG_ENTRY(MAC_LO), TOE_REG_ENTRY(MAC_HI),
	TOE_REG_ENTRY(MTU_MAX), TOE_REG_ENTRY(MAX_SEGMENT),
	TOE_REG_ENTRY(CONTROL), TOE_REG_ENTRY(STATUS), TOE_REG_ENTRY(ERROR),
	TOE_REG_ENTRY(EPOCH), TOE_REG_ENTRY(AQ_BASE_LO),
	TOE_REG_ENTRY(AQ_BASE_HI), TOE_REG_ENTRY(AQ_LOG2),
	TOE_REG_ENTRY(AQ_TAIL), TOE_REG_ENTRY(ACQ_BASE_LO),
	TOE_REG_ENTRY(ACQ_BASE_HI), TOE_REG_ENTRY(ACQ_LOG2),
	TOE_REG_ENTRY(ACQ_HEAD), TOE_REG_ENTRY(AQ_HEAD),
	TOE_REG_ENTRY(LMW_BASE), TOE_REG_ENTRY(COUNTER_COUNT),
};

static int registers_show(struct seq_file *s, void *unused)
{
	struct toe_dev *dev = s->private;
	unsigned int i;

	/* Shows also what an adapter that is down has to say. */
	if (down_read_killable(&dev->sem))
		return -EINTR;
	for (i = 0; i < ARRAY_SIZE(toe_registers); i++)
		seq_printf(s, "%#05x %-14s %#010x\n", toe_registers[i].reg,
			   toe_registers[i].name,
			   toe_readl(dev, toe_registers[i].reg));
	up_read(&dev->sem);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(registers);

void toe_debugfs_init(void)
{
	toe_debugfs_root = debugfs_create_dir(TOE_DRV_NAME, NULL);
}

void toe_debugfs_exit(void)
{
	debugfs_remove(toe_debugfs_root);
}

/* Errors don't matter: the driver works without. */
void toe_debugfs_add(struct toe_dev *dev)
{
	dev->debugfs = debugfs_create_dir(dev->name, toe_debugfs_root);
	debugfs_create_file("contexts", 0400, dev->debugfs, dev,
			    &contexts_fops);
	debugfs_create_file("connections", 0400, dev->debugfs, dev,
			    &connections_fops);
	debugfs_create_file("registers", 0400, dev->debugfs, dev,
			    &registers_fops);
}

/* Waits for readers. */
void toe_debugfs_del(struct toe_dev *dev)
{
	debugfs_remove(dev->debugfs);
	dev->debugfs = NULL;
}
