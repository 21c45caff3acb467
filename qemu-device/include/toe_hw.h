/* SPDX-License-Identifier: MIT */
/*
 * toe_hw.h - the hardware contract of the TOE adapter.
 *
 * Everything that software and the adapter share is defined here and nowhere
 * else: PCI identity, BARs, registers, the admin queue, and the queues of a
 * context (requests, completions, small and large receive buffers).  The
 * adapter, the driver and the library include this file; docs/hardware.md
 * explains it with examples.
 *
 * Conventions
 *  - All fields are little-endian, except addresses and MACs, which are byte
 *    arrays in network order.  An IPv4 address stands in the first four bytes
 *    of a 16-byte address field, the rest is zero.  Ports are little-endian
 *    numbers.
 *  - Fields named rsvd must be zero; the adapter rejects a request in which
 *    they are not, so that later revisions can give them a meaning.
 *  - Ring indices are free-running 32-bit counters; an entry's place is
 *    index & (size - 1).  Rings have 2^log2 entries.
 *  - Keys and handles are index + generation: a stale one is recognised.
 */
#ifndef TOE_HW_H
#define TOE_HW_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* ---- PCI identity and BARs -------------------------------------------- */

#define TOE_PCI_VENDOR_ID       0x1234
#define TOE_PCI_DEVICE_ID       0x70e0
#define TOE_PCI_REVISION        0x01

#define TOE_BAR_REGS            0       /* registers, 32-bit, 64 KiB        */
#define TOE_BAR_DOORBELLS       2       /* 64-bit, contexts x 4 KiB         */
#define TOE_BAR_MSIX            4       /* MSI-X table and PBA              */
#define TOE_BAR_REGS_SIZE       0x10000u
#define TOE_DOORBELL_PAGE_SIZE  4096u
#define TOE_MSIX_VECTORS        64u

/* ---- Registers (BAR 0) ------------------------------------------------- *
 * 32-bit aligned accesses; the counters may be read 64 bits at a time.
 * Reads of unlisted offsets give 0, writes to them are counted and ignored.
 */
#define TOE_REG_MAGIC           0x000   /* RO  TOE_MAGIC                    */
#define TOE_REG_REVISION        0x004   /* RO  major << 16 | minor          */
#define TOE_REG_CAPS            0x008   /* RO  TOE_CAP_* bits 0..31         */
#define TOE_REG_CAPS_HI         0x00c   /* RO  TOE_CAP_* bits 32..63        */
#define TOE_REG_MAX_CONTEXTS    0x010   /* RO  contexts, doorbell pages     */
#define TOE_REG_MAX_CONNS       0x014   /* RO  NCBs of the whole adapter    */
#define TOE_REG_MAX_REGIONS     0x018   /* RO  memory regions               */
#define TOE_REG_MAX_PAGES       0x01c   /* RO  page addresses, all regions  */
#define TOE_REG_LMEM_SIZE       0x020   /* RO  local memory, bytes          */
#define TOE_REG_BUFLET_SIZE     0x024   /* RO  bytes                        */
#define TOE_REG_MAX_QUEUE_LOG2  0x028   /* RO  largest log2 of any ring     */
#define TOE_REG_VECTORS         0x02c   /* RO  MSI-X vectors                */
#define TOE_REG_MAC_LO          0x030   /* RO  permanent MAC, bytes 0..3    */
#define TOE_REG_MAC_HI          0x034   /* RO  permanent MAC, bytes 4..5    */
#define TOE_REG_MTU_MAX         0x038   /* RO  largest MTU of the port      */
#define TOE_REG_MAX_SEGMENT     0x03c   /* RO  largest IPv4 packet sent; 0: MTU */
#define TOE_REG_CONTROL         0x040   /* RW  TOE_CTL_*                    */
#define TOE_REG_STATUS          0x044   /* RO  TOE_STATUS_*                 */
#define TOE_REG_ERROR           0x048   /* RO  TOE_FATAL_*: why STATUS.FATAL is set */
#define TOE_REG_EPOCH           0x04c   /* RO  number of resets so far      */
#define TOE_REG_AQ_BASE_LO      0x080   /* RW  admin queue, bus address, 64-byte aligned */
#define TOE_REG_AQ_BASE_HI      0x084
#define TOE_REG_AQ_LOG2         0x088   /* RW  log2 of entries, 0..8        */
#define TOE_REG_AQ_TAIL         0x08c   /* RW  doorbell: new producer index */
#define TOE_REG_ACQ_BASE_LO     0x090   /* RW  admin completion queue       */
#define TOE_REG_ACQ_BASE_HI     0x094
#define TOE_REG_ACQ_LOG2        0x098   /* RW                               */
#define TOE_REG_ACQ_HEAD        0x09c   /* RW  consumer index               */
#define TOE_REG_AQ_HEAD         0x0a0   /* RO  commands fetched so far      */
#define TOE_REG_LMW_BASE        0x0c0   /* RW  local memory shown at TOE_REG_LMW */
#define TOE_REG_COUNTER_COUNT   0x0c4   /* RO  number of counters           */
#define TOE_REG_COUNTERS        0x1000  /* RO  u64 each, in TOE_COUNTERS order */
#define TOE_REG_LMW             0x8000  /* RW  window into local memory     */
#define TOE_REG_LMW_SIZE        0x8000u

#define TOE_MAGIC               0x31454f54u     /* "TOE1" */
#define TOE_REVISION_MAJOR      1u
#define TOE_REVISION_MINOR      1u

#define TOE_CAP_TCP             (1u << 0)
#define TOE_CAP_ETH             (1u << 1)       /* raw Ethernet             */
#define TOE_CAP_IPV4            (1u << 2)
#define TOE_CAP_IPV6            (1u << 3)
#define TOE_CAP_UDP             (1u << 4)
#define TOE_CAP_ISCSI           (1u << 5)       /* later revisions          */
#define TOE_CAP_CRYPTO          (1u << 6)       /* later revisions          */
#define TOE_CAP_BIOS            (1u << 7)       /* later revisions          */

#define TOE_CTL_ENABLE          (1u << 0)       /* 0->1: use the admin queue */
#define TOE_CTL_RESET           (1u << 1)       /* write 1: reset, clears itself */

#define TOE_STATUS_READY        (1u << 0)       /* admin queue accepted     */
#define TOE_STATUS_LINK         (1u << 1)       /* port has link            */
#define TOE_STATUS_FATAL        (1u << 2)       /* see TOE_REG_ERROR; reset needed */
#define TOE_STATUS_USERNET      (1u << 3)       /* peer takes large segments */

#define TOE_FATAL_NONE          0u
#define TOE_FATAL_AQ_CONFIG     1u      /* ENABLE with bad base or size     */
#define TOE_FATAL_AQ_DMA        2u      /* admin queue not readable/writable */
#define TOE_FATAL_AQ_INDEX      3u      /* more new commands than the queue holds */

/* ---- Doorbell page (BAR 2, one per context) ---------------------------- *
 * 32-bit writes.  Reads give 0.
 */
#define TOE_DB_RQ               0x00    /* requests wait in the RQ          */
#define TOE_DB_CQ_ARM           0x04    /* value: cq_head; interrupt once cq_tail differs */
#define TOE_DB_BQ               0x08    /* receive buffers were posted      */
#define TOE_DB_CQ_SPACE         0x0c    /* cq_head moved after a full CQ    */

/* ---- Status codes ------------------------------------------------------ */

#define TOE_ST_OK               0
#define TOE_ST_INVALID          1       /* unknown opcode, bad field, rsvd not zero */
#define TOE_ST_KEY              2       /* no such memory key, or stale generation */
#define TOE_ST_OWNER            3       /* key or handle of another context */
#define TOE_ST_BOUNDS           4       /* outside the region, or overflow  */
#define TOE_ST_ACCESS           5       /* region does not allow this direction */
#define TOE_ST_HANDLE           6       /* no such connection, or stale     */
#define TOE_ST_STATE            7       /* not allowed in this state        */
#define TOE_ST_PERM             8       /* context lacks the right          */
#define TOE_ST_NOMEM            9       /* table or local memory exhausted  */
#define TOE_ST_QUOTA            10      /* limit of the context reached     */
#define TOE_ST_AGAIN            11      /* too many requests waiting on this connection */
#define TOE_ST_ADDRINUSE        12
#define TOE_ST_ADDRNOTAVAIL     13      /* not an address of the port; no free port */
#define TOE_ST_NOROUTE          14
#define TOE_ST_UNREACH          15      /* ICMP or neighbour resolution failed */
#define TOE_ST_REFUSED          16
#define TOE_ST_RESET            17      /* peer sent RST                    */
#define TOE_ST_TIMEDOUT         18
#define TOE_ST_ABORTED          19      /* by ABORT, context or adapter going away */
#define TOE_ST_CLOSED           20      /* send after SHUTDOWN              */
#define TOE_ST_DMA              21      /* host memory did not answer       */
#define TOE_ST_BUSY             22
#define TOE_ST_TOOBIG           23
#define TOE_ST_LINKDOWN         24
#define TOE_ST_MAX              25

/* ---- Admin queue ------------------------------------------------------- */

#define TOE_ADM_NOP             0x00
#define TOE_ADM_CTX_CREATE      0x01    /* reserve a context and its rights */
#define TOE_ADM_CTX_QUEUES      0x02    /* name its queues; it becomes active */
#define TOE_ADM_CTX_DESTROY     0x03    /* flag DRAIN: deliver accepted data first */
#define TOE_ADM_MEM_REGISTER    0x08    /* result: key; valid once all pages are in */
#define TOE_ADM_MEM_PAGES       0x09    /* append up to 512 page addresses  */
#define TOE_ADM_MEM_REVOKE      0x0a
#define TOE_ADM_ADDR_ADD        0x10
#define TOE_ADM_ADDR_DEL        0x11
#define TOE_ADM_ROUTE_ADD       0x12
#define TOE_ADM_ROUTE_DEL       0x13
#define TOE_ADM_NEIGH_ADD       0x14
#define TOE_ADM_NEIGH_DEL       0x15
#define TOE_ADM_PORT_SET        0x16    /* MTU, MAC, receive filter         */
#define TOE_ADM_PARAM_SET       0x17    /* TOE_PARAM_*                      */
#define TOE_ADM_PARAM_GET       0x18
#define TOE_ADM_STATS           0x20    /* counters to memory               */
#define TOE_ADM_CONN_LIST       0x21    /* struct toe_hw_conn_info to memory */
#define TOE_ADM_CTX_INFO        0x22    /* struct toe_hw_ctx_info to memory */

#define TOE_ADM_F_DRAIN         0x01    /* CTX_DESTROY                      */

#define TOE_RIGHT_ETH           0x01u   /* raw Ethernet: the kernel's context */
#define TOE_RIGHT_LOWPORT       0x02u   /* local ports below 1024           */
#define TOE_RIGHT_PHYS          0x04u   /* TOE_KEY_PHYS: bus addresses; the kernel only */

#define TOE_MEM_READ            0x01u   /* adapter may read (SEND)          */
#define TOE_MEM_WRITE           0x02u   /* adapter may write (receive)      */

#define TOE_KEY_INVALID         0u
#define TOE_KEY_PHYS            0xffffffffu     /* offset is a bus address  */
#define TOE_INDEX_BITS          20u             /* of keys and handles      */
#define TOE_INDEX(h)            ((h) & ((1u << TOE_INDEX_BITS) - 1u))
#define TOE_GENERATION(h)       ((h) >> TOE_INDEX_BITS)
#define TOE_HANDLE(index, gen)  (((uint32_t)(gen) << TOE_INDEX_BITS) | (index))

#define TOE_CTX_KERNEL          0u      /* context 0 is the driver's own    */

#define TOE_AF_INET             4u
#define TOE_AF_INET6            6u

/* Parameters of the adapter, PARAM_SET and PARAM_GET. */
#define TOE_PARAM_TIME_WAIT_MS  1u      /* length of TIME-WAIT, 2 MSL       */
#define TOE_PARAM_PORT_LO       2u      /* ephemeral ports, lowest          */
#define TOE_PARAM_PORT_HI       3u      /* ephemeral ports, highest         */
#define TOE_PARAM_RCVBUF        4u      /* bytes a new connection may hold unread */
#define TOE_PARAM_SNDBUF        5u      /* bytes a new connection may hold unacknowledged */
#define TOE_PARAM_ORPHAN_MS     6u      /* how long data of a gone context is tried */
#define TOE_PARAM_FORWARD_TTL   7u      /* TTL of packets sent              */
#define TOE_PARAM_CONGESTION    8u      /* TOE_CC_* of a new connection     */
#define TOE_PARAM_ECN           16u     /* TOE_ECN_MODE_* of a new connection */
#define TOE_PARAM_PACING        17u     /* 0: new data goes as cwnd lets it, 1: spread */
#define TOE_PARAM_SYN_COOKIES   20u     /* TOE_SYN_COOKIES_*                */
#define TOE_PARAM_SYNACK_RETRIES 21u    /* times that a SYN-ACK is sent again */
#define TOE_PARAM_SYN_BACKLOG   22u     /* half-open connections of one listener, at most */
#define TOE_PARAM_FASTOPEN      23u     /* TOE_FASTOPEN_*                   */
#define TOE_PARAM_RCVBUF_MAX    26u     /* bytes: auto-tuning of RCVBUF ends here */
#define TOE_PARAM_SNDBUF_MAX    27u     /* bytes: auto-tuning of SNDBUF ends here */
#define TOE_PARAM_UTO_MIN_MS    28u     /* RFC 5482: L_LIMIT                */
#define TOE_PARAM_UTO_MAX_MS    29u     /* RFC 5482: U_LIMIT                */
#define TOE_PARAM_MTU_PROBING   32u     /* 1: find black holes, probe the path MTU */
#define TOE_PARAM_UDP_RCVBUF    36u     /* bytes a new socket may hold unread */
#define TOE_PARAM_UDP_SNDBUF    37u     /* bytes a new socket may hold unsent */

#define TOE_SYN_COOKIES_OFF     0u      /* SYNs above the limit are dropped */
#define TOE_SYN_COOKIES_FULL    1u      /* they are answered with a cookie  */
#define TOE_SYN_COOKIES_ALWAYS  2u      /* each SYN is                      */

#define TOE_FASTOPEN_CLIENT     1u      /* CONNECT may, RFC 7413            */
#define TOE_FASTOPEN_SERVER     2u      /* listeners may                    */

struct toe_hw_adm_cmd {
	uint8_t opcode;
	uint8_t flags;
	uint16_t tag;			/* returned in the completion */
	uint32_t rsvd;
	union {
		struct {
			uint32_t ctx;		/* chosen by software, a free one */
			uint32_t rights;	/* TOE_RIGHT_* */
			uint32_t vector;	/* MSI-X vector of its CQ */
			uint32_t max_conns;	/* quota; 0: no limit */
			uint32_t max_regions;	/* quota; 0: no limit */
			uint32_t rsvd[9];
		} ctx_create;
		struct {
			uint32_t ctx;
			uint32_t key;		/* region of ctx that holds all of this */
			uint32_t page;		/* offset of struct toe_hw_ctx_page */
			uint32_t rq;		/* offsets, 64-byte aligned */
			uint32_t cq;
			uint32_t bq_small;
			uint32_t bq_large;
			uint8_t rq_log2;
			uint8_t cq_log2;
			uint8_t bq_small_log2;
			uint8_t bq_large_log2;
			uint32_t small_size;	/* bytes of each small buffer */
			uint32_t large_size;	/* bytes of each large buffer */
			uint32_t rsvd[4];
		} ctx_queues;
		struct {
			uint32_t ctx;
			uint32_t rsvd[13];
		} ctx_destroy;
		struct {
			uint32_t ctx;		/* owner */
			uint32_t access;	/* TOE_MEM_* */
			uint64_t length;	/* bytes */
			uint32_t first;		/* offset of byte 0 in the first page */
			uint32_t page_shift;	/* 12..30 */
			uint32_t npages;
			uint32_t rsvd[7];
		} mem_register;
		struct {
			uint32_t key;
			uint32_t index;		/* first page set by this command */
			uint32_t count;		/* 1..TOE_MEM_PAGES_MAX */
			uint32_t rsvd0;
			uint64_t list;		/* bus address of count le64 page addresses */
			uint32_t rsvd[8];
		} mem_pages;
		struct {
			uint32_t key;
			uint32_t rsvd[13];
		} mem_revoke;
		struct {
			uint8_t family;
			uint8_t prefix;		/* bits; gives the on-link route too */
			uint16_t rsvd0;
			uint8_t addr[16];
			uint32_t rsvd[9];
		} addr;
		struct {
			uint8_t family;
			uint8_t prefix;
			uint16_t rsvd0;
			uint32_t metric;
			uint8_t dst[16];
			uint8_t gateway[16];	/* zero: on link */
			uint32_t rsvd[4];
		} route;
		struct {
			uint8_t family;
			uint8_t rsvd0;
			uint8_t mac[6];
			uint8_t addr[16];
			uint32_t rsvd[8];
		} neigh;
		struct {
			uint32_t mtu;		/* 0: leave */
			uint32_t filter;	/* TOE_FILTER_* */
			uint8_t mac[6];		/* zero: leave */
			uint16_t nmcast;	/* with TOE_FILTER_MCAST_HASH: unused, 0 */
			uint64_t mcast_hash;	/* bit (crc32(mac) >> 26) */
			uint32_t rsvd[8];
		} port_set;
		struct {
			uint32_t param;
			uint32_t rsvd0;
			uint64_t value;
			uint32_t rsvd[10];
		} param;
		struct {
			uint64_t addr;		/* bus address of the answer */
			uint32_t length;	/* bytes there */
			uint32_t start;		/* CONN_LIST, CTX_INFO: first index */
			uint32_t rsvd[10];
		} query;
		uint8_t raw[56];
	} u;
};

#define TOE_MEM_PAGES_MAX       512u
#define TOE_FILTER_PROMISC      0x1u
#define TOE_FILTER_ALLMULTI     0x2u
#define TOE_FILTER_UP           0x4u    /* the kernel's interface takes frames */

#define TOE_ADM_CPL_PHASE       0x01    /* toggles at each wrap, first pass 1 */
#define TOE_ADM_EV_NONE         0x00
#define TOE_ADM_EV_LINK         0x01    /* not a completion: link changed   */

struct toe_hw_adm_cpl {
	uint16_t tag;
	uint8_t status;			/* TOE_ST_* */
	uint8_t flags;			/* TOE_ADM_CPL_PHASE */
	uint8_t opcode;			/* of the command; 0 for an event */
	uint8_t event;			/* TOE_ADM_EV_*; NONE for a completion */
	uint16_t rsvd;
	uint64_t result;		/* key; bytes or entries written; value */
	uint64_t next;			/* CONN_LIST, CTX_INFO: start of the rest, 0: none */
	uint64_t rsvd1;
};

/* TCP states as reported, RFC 9293 section 3.3.2. */
#define TOE_TCP_CLOSED          0
#define TOE_TCP_LISTEN          1
#define TOE_TCP_SYN_SENT        2
#define TOE_TCP_SYN_RECEIVED    3
#define TOE_TCP_ESTABLISHED     4
#define TOE_TCP_FIN_WAIT_1      5
#define TOE_TCP_FIN_WAIT_2      6
#define TOE_TCP_CLOSE_WAIT      7
#define TOE_TCP_CLOSING         8
#define TOE_TCP_LAST_ACK        9
#define TOE_TCP_TIME_WAIT       10
/* No states of TCP: a UDP socket's. */
#define TOE_CONN_UDP            16      /* not connected                    */
#define TOE_CONN_UDP_CONNECTED  17

struct toe_hw_conn_info {		/* one entry of CONN_LIST, 128 bytes */
	uint32_t handle;
	uint32_t ctx;			/* owner; 0xffffffff: none any more */
	uint8_t family;
	uint8_t state;			/* TOE_TCP_*, TOE_CONN_UDP* */
	uint16_t lport;
	uint16_t rport;
	uint16_t mss;
	uint8_t laddr[16];
	uint8_t raddr[16];
	uint32_t rxq;			/* received bytes held by the adapter */
	uint32_t txq;			/* bytes sent or to send, not acknowledged */
	uint32_t credit;		/* bytes the application still asks for */
	uint32_t cwnd;			/* bytes */
	uint32_t ssthresh;
	uint32_t srtt_us;
	uint32_t rto_us;
	uint32_t retransmits;		/* segments */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint32_t snd_wnd;
	uint32_t rcv_wnd;
	uint32_t rsvd[6];
};

struct toe_hw_ctx_info {		/* one entry of CTX_INFO, 64 bytes */
	uint32_t ctx;
	uint32_t rights;
	uint32_t conns;
	uint32_t regions;
	uint64_t requests;
	uint64_t completions;
	uint64_t errors;		/* error completions, violations */
	uint32_t rq_pending;
	uint32_t cq_pending;
	uint32_t flags;			/* TOE_CTX_INFO_* */
	uint32_t rsvd[3];
};
#define TOE_CTX_INFO_ACTIVE     0x1u
#define TOE_CTX_INFO_DRAINING   0x2u
#define TOE_CTX_INFO_FAULT      0x4u    /* stopped after a violation of its rings */

/* ---- The context's page: ring indices ---------------------------------- *
 * Shared by application and adapter.  The first line is written by the
 * application, the second by the adapter.  The adapter trusts none of it: an
 * index that claims more entries than the ring holds stops the context with
 * TOE_EV_FAULT.
 */
struct toe_hw_ctx_page {
	uint32_t rq_tail;		/* requests produced */
	uint32_t cq_head;		/* completions consumed */
	uint32_t bq_small_tail;		/* buffers posted */
	uint32_t bq_large_tail;
	uint32_t rsvd0[12];

	uint32_t cq_tail;		/* completions produced */
	uint32_t rq_head;		/* requests fetched */
	uint32_t bq_small_head;		/* buffers taken */
	uint32_t bq_large_head;
	uint32_t rq_looking;		/* not 0: adapter looks at rq_tail, no doorbell needed */
	uint32_t bq_starved;		/* not 0: ring TOE_DB_BQ after posting */
	uint32_t cq_full;		/* not 0: ring TOE_DB_CQ_SPACE after consuming */
	uint32_t fault;			/* TOE_ST_*: context stopped */
	uint32_t rsvd1[8];
};

/* ---- Requests ---------------------------------------------------------- */

#define TOE_OP_NOP              0x00    /* completes                        */
#define TOE_OP_CONNECT          0x10    /* completion: handle; then ESTABLISHED or CLOSED */
#define TOE_OP_LISTEN           0x11    /* completion: handle; then ACCEPT events */
#define TOE_OP_ACCEPT           0x12    /* take a connection of an ACCEPT event */
#define TOE_OP_SEND             0x13    /* completes when the bytes are on the adapter */
#define TOE_OP_CREDIT           0x14    /* ask for more received bytes; no completion unless error */
#define TOE_OP_SHUTDOWN         0x15    /* FIN after all data               */
#define TOE_OP_CLOSE            0x16    /* orderly; handle is dead, no more events */
#define TOE_OP_ABORT            0x17    /* RST; handle is dead, no more events */
#define TOE_OP_SETOPT           0x18
#define TOE_OP_GETOPT           0x19
#define TOE_OP_RECV_INTO        0x1a    /* reserved: direct placement       */
#define TOE_OP_INFO             0x1b    /* struct toe_hw_tcp_info to memory */
#define TOE_OP_UDP_OPEN         0x20    /* completion: handle, local port and address */
#define TOE_OP_UDP_CONNECT      0x21    /* one remote only; or all again    */
#define TOE_OP_UDP_SEND         0x22    /* one datagram; completes when it is on the adapter */
#define TOE_OP_UDP_CREDIT       0x23    /* ask for more datagrams; no completion unless error */
#define TOE_OP_UDP_CLOSE        0x24    /* handle is dead, no more events   */
#define TOE_OP_UDP_SETOPT       0x25
#define TOE_OP_UDP_GETOPT       0x26
#define TOE_OP_UDP_JOIN         0x27    /* receive what is sent to a group  */
#define TOE_OP_UDP_LEAVE        0x28
#define TOE_OP_ETH_SEND         0x30    /* TOE_RIGHT_ETH                    */
#define TOE_OP_CRYPTO_FIRST     0x40    /* 0x40..0x4f reserved              */
#define TOE_OP_SCSI_FIRST       0x80    /* 0x80..0xff: the SCSI queues' own space */

#define TOE_REQ_F_QUIET         0x01    /* complete only if it fails        */
#define TOE_REQ_F_MORE          0x02    /* SEND: more follows, do not push yet */
#define TOE_REQ_F_LIST          0x04    /* SEND, UDP_SEND: piece[0] names a list of npieces pieces */
#define TOE_REQ_F_FASTOPEN      0x08    /* CONNECT: the first SEND goes with the SYN */
#define TOE_REQ_F_URGENT        0x10    /* SEND: its last byte is urgent    */

#define TOE_FIRST_OPTIONS       32u     /* SETOPTs without a handle, for the next CONNECT or LISTEN */

#define TOE_PIECES_INLINE       3u
#define TOE_PIECES_MAX          256u    /* in a list                        */
#define TOE_SEND_MAX            (1u << 20)      /* bytes of one SEND        */
#define TOE_PENDING_SENDS       16u     /* SENDs that may wait on one connection */

struct toe_hw_piece {
	uint32_t key;
	uint32_t length;
	uint64_t offset;		/* in the region; a bus address with TOE_KEY_PHYS */
};

struct toe_hw_req {
	uint8_t opcode;
	uint8_t flags;
	uint16_t npieces;		/* SEND, UDP_SEND, ETH_SEND, INFO */
	uint32_t handle;		/* 0 where there is none yet */
	uint64_t cookie;		/* comes back in the completion; for CONNECT, LISTEN and
					 * ACCEPT also in every event of the connection */
	union {
		struct toe_hw_piece piece[TOE_PIECES_INLINE];
		struct {
			uint8_t family;
			uint8_t rsvd0;
			uint16_t lport;		/* 0: the adapter chooses */
			uint16_t rport;
			uint16_t rsvd1;
			uint8_t laddr[16];	/* zero: the adapter chooses */
			uint8_t raddr[16];
			uint32_t credit;	/* bytes asked for from the start */
			uint32_t rsvd2;
		} connect;
		struct {
			uint8_t family;
			uint8_t rsvd0;
			uint16_t lport;		/* 0: the adapter chooses */
			uint32_t backlog;
			uint8_t laddr[16];	/* zero: any */
			uint32_t rsvd1[6];
		} listen;
		struct {
			uint32_t credit;	/* ACCEPT, CREDIT: bytes to add */
			uint32_t rsvd[11];
		} credit;
		struct {
			uint8_t family;
			uint8_t flags;		/* TOE_UDP_F_* */
			uint16_t lport;		/* 0: the adapter chooses */
			uint16_t rport;		/* 0: not connected */
			uint16_t rsvd0;
			uint8_t laddr[16];	/* zero: any */
			uint8_t raddr[16];
			uint32_t credit;	/* datagrams asked for from the start */
			uint32_t rsvd1;
		} udp_open;
		struct {
			uint8_t family;		/* 0: not connected any more */
			uint8_t rsvd0;
			uint16_t rport;
			uint32_t rsvd1;
			uint8_t raddr[16];
			uint32_t rsvd2[6];
		} udp_connect;
		struct {
			struct toe_hw_piece piece;	/* npieces 0: an empty datagram */
			uint8_t family;		/* 0: to the connected remote */
			uint8_t rsvd0;
			uint16_t rport;
			uint32_t rsvd1;
			uint8_t raddr[16];
			uint32_t rsvd2[2];
		} udp_send;
		struct {
			uint8_t family;		/* the socket's */
			uint8_t rsvd0[7];
			uint8_t group[16];
			uint32_t rsvd1[6];
		} udp_group;			/* UDP_JOIN, UDP_LEAVE */
		struct {
			uint32_t option;	/* TOE_OPT_* */
			uint32_t rsvd0;
			uint64_t value;
			uint32_t rsvd[8];
		} opt;
		uint8_t raw[48];
	} u;
};

#define TOE_OPT_NODELAY         1u      /* 0: Nagle, 1: off                 */
#define TOE_OPT_RCVBUF          2u      /* bytes                            */
#define TOE_OPT_SNDBUF          3u      /* bytes                            */
#define TOE_OPT_KEEPALIVE       4u      /* seconds idle before probing; 0: off */
#define TOE_OPT_USER_TIMEOUT    5u      /* ms; 0: default                   */
#define TOE_OPT_CONGESTION      6u      /* TOE_CC_*                         */
#define TOE_OPT_CORK            7u      /* 1: only full segments, for 200 ms */
#define TOE_OPT_KEEPINTVL       8u      /* seconds between keepalive probes; 0: default */
#define TOE_OPT_KEEPCNT         9u      /* keepalive probes without answer; 0: default */
#define TOE_OPT_LINGER          10u     /* TOE_LINGER_ON | ms; 0: CLOSE does not wait */
#define TOE_OPT_MAXSEG          11u     /* bytes of a segment, at most; 0: no limit; GETOPT: now */
#define TOE_OPT_QUICKACK        12u     /* 1: acknowledge at once for a while, 0: not */
#define TOE_OPT_NOTSENT_LOWAT   13u     /* bytes not sent above which SENDs wait; 0: none */
#define TOE_OPT_WINDOW_CLAMP    14u     /* bytes offered at most; 0: no limit */
#define TOE_OPT_TOS             15u     /* IPv4 TOS, IPv6 traffic class, without ECN's bits */
#define TOE_OPT_TTL             16u     /* TTL, hop limit; 0: TOE_PARAM_FORWARD_TTL */
#define TOE_OPT_UTO             17u     /* RFC 5482: TOE_UTO_*              */
#define TOE_OPT_ECN             40u     /* TOE_ECN_MODE_*, for SYNs to come */
#define TOE_OPT_ECN_AGREED      41u     /* read only: 1 if both sides use ECN */
#define TOE_OPT_PACING_RATE     42u     /* bytes/s at most; 0: no limit     */

#define TOE_LINGER_ON           0x100000000u    /* CLOSE waits so many ms; 0 ms: RST */
#define TOE_UTO_SEND            0x1u    /* tell the peer USER_TIMEOUT       */
#define TOE_UTO_TAKE            0x2u    /* adapt it to what the peer tells  */

/* Explicit congestion notification, RFC 3168: when is it used? */
#define TOE_ECN_MODE_OFF        0u
#define TOE_ECN_MODE_ON         1u      /* asked for, and granted           */
#define TOE_ECN_MODE_PASSIVE    2u      /* granted if the peer asks; the default */
#define TOE_ECN_MODE_MAX        2u
#define TOE_OPT_DEFER_ACCEPT    32u     /* listener: seconds to wait for data; 0: off */
#define TOE_OPT_FASTOPEN        33u     /* listener: connections open by a cookie alone; 0: off */

/* Options of a UDP socket, UDP_SETOPT and UDP_GETOPT. */
#define TOE_OPT_UDP_RCVBUF      48u     /* bytes held unread, 256 for each datagram included */
#define TOE_OPT_UDP_SNDBUF      49u     /* bytes held unsent, counted likewise */
#define TOE_OPT_UDP_TTL         50u     /* TTL, hop limit; set 0: the adapter's */
#define TOE_OPT_UDP_TOS         51u     /* type of service, traffic class   */
#define TOE_OPT_UDP_DONTFRAG    52u     /* 1: TOE_ST_TOOBIG instead of fragments */
#define TOE_OPT_UDP_DROPS       53u     /* get only: datagrams that found no room */
#define TOE_OPT_UDP_BROADCAST   54u     /* 1: may send to broadcast addresses */
#define TOE_OPT_UDP_MCAST_TTL   55u     /* TTL, hop limit to groups; 0: this host only */
#define TOE_OPT_UDP_MCAST_LOOP  56u     /* 1: sockets of the adapter hear it too */
#define TOE_OPT_UDP_PATH_MTU    57u     /* get only: bytes of an IP packet to the connected remote */

#define TOE_UDP_F_REUSE         0x01u   /* share the port with others that say so too */
#define TOE_OPT_MTU_DISCOVER    44u     /* TOE_PMTUD_*                      */
#define TOE_OPT_PATH_MTU        45u     /* GETOPT only: bytes of an IP packet */

/* Path MTU discovery, as IP_MTU_DISCOVER has it. */
#define TOE_PMTUD_DONT          0u      /* IPv4 without DF, IPv6 at 1280 bytes */
#define TOE_PMTUD_WANT          1u      /* the default                      */
#define TOE_PMTUD_DO            2u      /* the same                         */
#define TOE_PMTUD_PROBE         3u      /* believe no router                */
#define TOE_PMTUD_MAX           3u

/* Congestion control algorithms. */
#define TOE_CC_CUBIC            0u      /* RFC 9438 and 9406; the default   */
#define TOE_CC_NEWRENO          1u      /* RFC 5681                         */
#define TOE_CC_DCTCP            2u      /* RFC 8257                         */
#define TOE_CC_MAX              2u

/*
 * What INFO writes: a connection as TCP sees it.  The fields have the meaning
 * that those of Linux's struct tcp_info have, so windows and what is in flight
 * count segments where Linux counts them; only state is ours.  Times are
 * microseconds unless said otherwise, rates bytes per second.  Later revisions
 * add fields at the end.
 */
struct toe_hw_tcp_info {
	uint8_t state;			/* TOE_TCP_* */
	uint8_t ca_state;		/* TOE_CA_* */
	uint8_t retransmits;		/* time-outs in a row */
	uint8_t probes;			/* probes without an answer */
	uint8_t backoff;		/* doublings of the RTO */
	uint8_t options;		/* TOE_INFO_OPT_* */
	uint8_t snd_wscale;
	uint8_t rcv_wscale;
	uint32_t rto;
	uint32_t ato;			/* delay of an ACK */
	uint32_t snd_mss;		/* bytes, options taken off */
	uint32_t rcv_mss;		/* largest segment received */
	uint32_t unacked;		/* segments; a listener's: waiting for ACCEPT */
	uint32_t sacked;		/* segments; a listener's: backlog */
	uint32_t lost;			/* segments */
	uint32_t retrans;		/* segments in flight, not for the first time */
	uint32_t last_data_sent;	/* ms ago */
	uint32_t last_data_recv;	/* ms ago */
	uint32_t last_ack_recv;		/* ms ago */
	uint32_t pmtu;
	uint32_t rcv_ssthresh;		/* most that the window may become */
	uint32_t rtt;			/* smoothed */
	uint32_t rttvar;
	uint32_t snd_ssthresh;		/* segments; 0x7fffffff: none yet */
	uint32_t snd_cwnd;		/* segments */
	uint32_t advmss;		/* MSS announced */
	uint32_t reordering;		/* segments that may be reordered */
	uint32_t rcv_rtt;		/* receiver's estimate */
	uint32_t rcv_space;		/* bytes read per rcv_rtt */
	uint32_t total_retrans;		/* segments */
	uint32_t segs_out;
	uint32_t segs_in;
	uint64_t pacing_rate;		/* 0: not paced */
	uint64_t max_pacing_rate;	/* 0: no limit */
	uint64_t bytes_acked;
	uint64_t bytes_received;
	uint32_t notsent_bytes;
	uint32_t min_rtt;		/* of the last while */
	uint32_t data_segs_in;
	uint32_t data_segs_out;
	uint64_t delivery_rate;		/* 0: not measured */
	uint64_t busy_time;		/* with something to send */
	uint64_t rwnd_limited;		/* of that, held back by the peer's window */
	uint64_t sndbuf_limited;	/* of that, by the send buffer */
	uint32_t delivered;		/* segments */
	uint32_t delivered_ce;		/* segments, with a congestion mark */
	uint64_t bytes_sent;		/* all of them */
	uint64_t bytes_retrans;		/* not for the first time */
	uint32_t dsack_dups;
	uint32_t reord_seen;		/* reorderings seen */
	uint32_t rcv_ooopack;		/* segments received ahead of others */
	uint32_t snd_wnd;		/* bytes */
	uint32_t rcv_wnd;		/* bytes */
	uint32_t congestion;		/* TOE_CC_* */
	uint32_t app_limited;		/* 1: delivery_rate is what was sent, the path may do more */
	uint32_t rsvd[5];
};

/* Congestion states, as Linux numbers them. */
#define TOE_CA_OPEN             0
#define TOE_CA_DISORDER         1       /* duplicates or SACKs, no loss known */
#define TOE_CA_CWR              2       /* cwnd was reduced: ECN            */
#define TOE_CA_RECOVERY         3
#define TOE_CA_LOSS             4       /* after a time-out                 */

#define TOE_INFO_OPT_TIMESTAMPS 0x01u
#define TOE_INFO_OPT_SACK       0x02u
#define TOE_INFO_OPT_WSCALE     0x04u
#define TOE_INFO_OPT_ECN        0x08u
#define TOE_INFO_OPT_ECN_SEEN   0x10u
#define TOE_INFO_OPT_SYN_DATA   0x20u

#define TOE_INFO_SSTHRESH_NONE  0x7fffffffu

/* ---- Completions and events -------------------------------------------- */

#define TOE_EV_COMPLETION       0x01    /* of the request with this cookie  */
#define TOE_EV_RECV             0x10    /* bytes in a buffer                */
#define TOE_EV_ESTABLISHED      0x11    /* after CONNECT                    */
#define TOE_EV_ACCEPT           0x12    /* a new connection waits for ACCEPT */
#define TOE_EV_PEER_CLOSED      0x13    /* FIN; all bytes before it were delivered */
#define TOE_EV_CLOSED           0x14    /* last event of a connection: handle is dead */
#define TOE_EV_URGENT           0x15    /* the peer sent urgent data: where it ends */
#define TOE_EV_UDP_RECV         0x20    /* a datagram in a buffer           */
#define TOE_EV_UDP_ERROR        0x21    /* one that was sent did not arrive */
#define TOE_EV_UDP_WRITABLE     0x22    /* sends again, after TOE_ST_AGAIN  */
#define TOE_EV_ETH_RECV         0x30    /* a frame in a buffer              */
#define TOE_EV_FAULT            0x7f    /* the context is stopped           */

#define TOE_CQE_F_LARGE         0x0001  /* RECV: buffer is of the large queue */
#define TOE_CQE_F_MORE          0x0002  /* RECV: more follows at once       */
#define TOE_CQE_F_TRUNC         0x0004  /* UDP_RECV: the buffer was too small */

struct toe_hw_cqe {
	uint8_t type;			/* TOE_EV_* */
	uint8_t status;			/* TOE_ST_* */
	uint16_t flags;			/* TOE_CQE_F_* */
	uint32_t handle;
	uint64_t cookie;
	union {
		struct {
			uint8_t opcode;		/* of the request */
			uint8_t rsvd0[3];
			uint32_t bytes;		/* SEND: bytes taken; INFO: written */
			uint64_t result;	/* LISTEN: local port; GETOPT: value */
			uint32_t rsvd[8];
		} cpl;
		struct {
			uint32_t buf_id;	/* from the buffer queue's entry */
			uint32_t length;	/* bytes in it */
			uint32_t rsvd[10];
		} recv;
		struct {			/* ESTABLISHED, ACCEPT */
			uint8_t family;
			uint8_t rsvd0;
			uint16_t lport;
			uint16_t rport;
			uint16_t mss;
			uint8_t laddr[16];
			uint8_t raddr[16];
			uint32_t listener;	/* ACCEPT: handle of the listener */
			uint32_t rsvd1;
		} conn;
		struct {
			uint64_t mark;		/* bytes of the stream up to and with
						 * the last urgent one */
			uint32_t rsvd[10];
		} urgent;
		struct {			/* UDP_OPEN, UDP_CONNECT */
			uint8_t opcode;
			uint8_t rsvd0[3];
			uint32_t bytes;		/* 0 */
			uint64_t result;	/* local port */
			uint8_t laddr[16];
			uint32_t rsvd1[4];
		} udp_cpl;
		struct {
			uint32_t buf_id;
			uint32_t length;	/* bytes in the buffer */
			uint16_t total;		/* bytes of the datagram */
			uint8_t family;
			uint8_t tos;
			uint16_t rport;		/* of its sender */
			uint8_t ttl;
			uint8_t rsvd;
			uint8_t laddr[16];	/* it was sent to */
			uint8_t raddr[16];
		} udp_recv;
		struct {
			uint8_t family;
			uint8_t rsvd0;
			uint16_t rport;		/* the datagram was for */
			uint32_t rsvd1;
			uint8_t raddr[16];
			uint32_t rsvd2[6];
		} udp_error;
		uint8_t raw[48];
	} u;
};

/* ---- Receive buffers --------------------------------------------------- */

struct toe_hw_buf {
	uint32_t key;
	uint32_t buf_id;		/* software's name for the buffer */
	uint64_t offset;		/* in the region */
};

#define TOE_QUEUE_LOG2_MIN      3u
#define TOE_QUEUE_LOG2_MAX      15u
#define TOE_SMALL_MIN           256u
#define TOE_LARGE_MAX           (1u << 20)

/* ---- Counters ---------------------------------------------------------- *
 * One name everywhere: registers, STATS, ethtool, toestat, the monitor.
 * X(NAME, name, "what it counts").  Add at the end of a block's group only
 * together with a new minor revision.
 */
#define TOE_COUNTERS(X) \
	X(PORT_FRAMES_IN, port_frames_in, "frames received") \
	X(PORT_BYTES_IN, port_bytes_in, "bytes received") \
	X(PORT_FRAMES_OUT, port_frames_out, "frames sent") \
	X(PORT_BYTES_OUT, port_bytes_out, "bytes sent") \
	X(PORT_BACKLOG_DROPS, port_backlog_drops, "frames dropped, input backlog full") \
	X(ETH_BAD, eth_bad, "frames too short or malformed") \
	X(ETH_NOT_OURS, eth_not_ours, "frames for another MAC") \
	X(ETH_TO_OS, eth_to_os, "frames handed to the kernel's context") \
	X(ETH_OS_DROPS, eth_os_drops, "frames for the kernel dropped: no buffer or queue space") \
	X(ETH_FROM_OS, eth_from_os, "frames sent by the kernel's context") \
	X(ARP_IN, arp_in, "ARP packets received") \
	X(ARP_BAD, arp_bad, "ARP packets malformed") \
	X(ARP_REQUESTS_OUT, arp_requests_out, "ARP requests sent") \
	X(ARP_REPLIES_OUT, arp_replies_out, "ARP replies sent") \
	X(ARP_FAILED, arp_failed, "neighbours that did not answer") \
	X(ARP_QUEUE_DROPS, arp_queue_drops, "packets dropped while resolving") \
	X(IP_IN, ip_in, "IPv4 packets received for the NOPs") \
	X(IP_OUT, ip_out, "IPv4 packets sent by the NOPs") \
	X(IP_BAD_HEADER, ip_bad_header, "IPv4 packets with a bad header") \
	X(IP_BAD_CHECKSUM, ip_bad_checksum, "IPv4 header checksum errors") \
	X(IP_FRAGMENTS, ip_fragments, "IPv4 fragments for the NOPs dropped") \
	X(IP_NO_ROUTE, ip_no_route, "packets not sent: no route") \
	X(ICMP_IN, icmp_in, "ICMP messages taken by the NOPs") \
	X(ICMP_BAD, icmp_bad, "ICMP messages malformed") \
	X(ICMP_ECHO_REPLIES, icmp_echo_replies, "echo replies sent") \
	X(ICMP_ERRORS_IN, icmp_errors_in, "ICMP errors for offloaded connections") \
	X(TCP_SEGS_IN, tcp_segs_in, "segments received") \
	X(TCP_SEGS_OUT, tcp_segs_out, "segments sent") \
	X(TCP_BYTES_IN, tcp_bytes_in, "payload bytes accepted in order") \
	X(TCP_BYTES_OUT, tcp_bytes_out, "payload bytes sent the first time") \
	X(TCP_BAD, tcp_bad, "segments malformed") \
	X(TCP_BAD_CHECKSUM, tcp_bad_checksum, "segments with a bad checksum") \
	X(TCP_RETRANSMITS, tcp_retransmits, "segments sent again") \
	X(TCP_FAST_RETRANSMITS, tcp_fast_retransmits, "fast retransmits") \
	X(TCP_RTO, tcp_rto, "retransmission time-outs") \
	X(TCP_PROBES, tcp_probes, "zero-window probes sent") \
	X(TCP_DUP_ACKS_IN, tcp_dup_acks_in, "duplicate ACKs received") \
	X(TCP_OUT_OF_ORDER, tcp_out_of_order, "segments queued out of order") \
	X(TCP_OUT_OF_WINDOW, tcp_out_of_window, "segments outside the window") \
	X(TCP_PAWS_DROPS, tcp_paws_drops, "segments dropped by PAWS") \
	X(TCP_RST_IN, tcp_rst_in, "acceptable RSTs received") \
	X(TCP_RST_OUT, tcp_rst_out, "RSTs sent") \
	X(TCP_CHALLENGE_ACKS, tcp_challenge_acks, "challenge ACKs sent") \
	X(TCP_ACTIVE_OPENS, tcp_active_opens, "connections opened") \
	X(TCP_PASSIVE_OPENS, tcp_passive_opens, "connections accepted from the network") \
	X(TCP_ATTEMPT_FAILS, tcp_attempt_fails, "connections that failed to open") \
	X(TCP_LISTEN_DROPS, tcp_listen_drops, "SYNs dropped: backlog or memory") \
	X(TCP_TIME_WAIT, tcp_time_wait, "connections now in TIME-WAIT") \
	X(TCP_ORPHANS, tcp_orphans, "connections now without an owner") \
	X(TCP_NCBS, tcp_ncbs, "NCBs now in use") \
	X(TCP_NO_BUFLET, tcp_no_buflet, "segments dropped: local memory full") \
	X(LMEM_BUFLETS, lmem_buflets, "buflets in all") \
	X(LMEM_BUFLETS_FREE, lmem_buflets_free, "buflets now free") \
	X(CTX_ACTIVE, ctx_active, "contexts now active") \
	X(MEM_REGIONS, mem_regions, "memory regions now registered") \
	X(MEM_PAGES, mem_pages, "page addresses now held") \
	X(RQM_REQUESTS, rqm_requests, "requests fetched") \
	X(RQM_ERRORS, rqm_errors, "requests completed with an error") \
	X(RQM_PARKED, rqm_parked, "SENDs that had to wait") \
	X(CQM_COMPLETIONS, cqm_completions, "completions and events written") \
	X(CQM_FULL, cqm_full, "times a completion queue was full") \
	X(CQM_INTERRUPTS, cqm_interrupts, "interrupts raised") \
	X(BQM_STARVED, bqm_starved, "times data waited for a receive buffer") \
	X(DMA_BYTES_IN, dma_bytes_in, "payload bytes written to host memory") \
	X(DMA_BYTES_OUT, dma_bytes_out, "payload bytes read from host memory") \
	X(DMA_ERRORS, dma_errors, "DMA transfers that failed") \
	X(VIOL_KEY, viol_key, "violations: bad or stale memory key") \
	X(VIOL_OWNER, viol_owner, "violations: key or handle of another context") \
	X(VIOL_BOUNDS, viol_bounds, "violations: outside a region") \
	X(VIOL_ACCESS, viol_access, "violations: direction not allowed") \
	X(VIOL_HANDLE, viol_handle, "violations: bad or stale handle") \
	X(VIOL_PERM, viol_perm, "violations: right missing") \
	X(VIOL_REQUEST, viol_request, "violations: malformed request") \
	X(VIOL_RING, viol_ring, "violations: ring index out of range") \
	X(VIOL_DOORBELL, viol_doorbell, "violations: doorbell of an inactive context") \
	X(VIOL_REGISTER, viol_register, "violations: register access") \
	X(ADM_COMMANDS, adm_commands, "admin commands") \
	X(ADM_ERRORS, adm_errors, "admin commands completed with an error") \
	X(RESETS, resets, "resets") \
	X(PORT_OUT_DROPS, port_out_drops, "frames not sent: no link, or port too long busy") \
	X(ARP_CONFLICTS, arp_conflicts, "ARP packets that claim an address of ours") \
	X(ICMP_ERRORS_OUT, icmp_errors_out, "ICMP errors sent") \
	X(ICMP_RATE_LIMITED, icmp_rate_limited, "ICMP errors not sent: rate limit") \
	X(IP_REASSEMBLED, ip_reassembled, "IPv4 packets put together from fragments") \
	X(IP_REASM_NOW, ip_reasm_now, "fragmented IPv4 packets now remembered") \
	X(IP_REASM_TIMEOUTS, ip_reasm_timeouts, "fragmented packets given up: time") \
	X(IP_REASM_OVERLAPS, ip_reasm_overlaps, "fragmented packets discarded: fragments overlap") \
	X(IP_REASM_REFUSED, ip_reasm_refused, "fragments refused: malformed, tiny or beyond 65535") \
	X(IP_REASM_EVICTED, ip_reasm_evicted, "fragmented packets discarded: limits") \
	X(IP6_IN, ip6_in, "IPv6 packets received for the NOPs") \
	X(IP6_OUT, ip6_out, "IPv6 packets sent by the NOPs") \
	X(IP6_BAD_HEADER, ip6_bad_header, "IPv6 packets with a bad header or extension header") \
	X(IP6_FRAGMENTS, ip6_fragments, "IPv6 fragments for the NOPs dropped") \
	X(ICMP6_IN, icmp6_in, "ICMPv6 messages taken by the NOPs") \
	X(ICMP6_BAD, icmp6_bad, "ICMPv6 messages malformed") \
	X(ICMP6_ECHO_REPLIES, icmp6_echo_replies, "ICMPv6 echo replies sent") \
	X(ICMP6_ERRORS_IN, icmp6_errors_in, "ICMPv6 errors for offloaded connections") \
	X(ICMP6_ERRORS_OUT, icmp6_errors_out, "ICMPv6 errors sent") \
	X(ND_IN, nd_in, "neighbour solicitations and advertisements received") \
	X(ND_BAD, nd_bad, "neighbour solicitations and advertisements malformed or forwarded") \
	X(ND_SOLICITS_OUT, nd_solicits_out, "neighbour solicitations sent") \
	X(ND_ADVERTS_OUT, nd_adverts_out, "neighbour advertisements sent") \
	X(ND_FAILED, nd_failed, "IPv6 neighbours that did not answer") \
	X(ND_CONFLICTS, nd_conflicts, "neighbour discovery that claims an address of ours") \
	X(TCP_SPURIOUS, tcp_spurious, "loss recoveries undone as needless") \
	X(TCP_TLP_PROBES, tcp_tlp_probes, "tail loss probes sent") \
	X(TCP_DSACKS_IN, tcp_dsacks_in, "D-SACKs received") \
	X(TCP_SACK_RENEGES, tcp_sack_reneges, "peers that took a SACK back") \
	X(IP6_REASSEMBLED, ip6_reassembled, "IPv6 packets put together from fragments") \
	X(IP6_REASM_NOW, ip6_reasm_now, "fragmented IPv6 packets now remembered") \
	X(IP6_REASM_TIMEOUTS, ip6_reasm_timeouts, "fragmented IPv6 packets given up: time") \
	X(IP6_REASM_OVERLAPS, ip6_reasm_overlaps, "fragmented IPv6 packets discarded: fragments overlap") \
	X(IP6_REASM_REFUSED, ip6_reasm_refused, "IPv6 fragments refused: malformed, header in pieces, or beyond 65535") \
	X(IP6_REASM_EVICTED, ip6_reasm_evicted, "fragmented IPv6 packets discarded: limits") \
	X(TCP_ECN_CONNS, tcp_ecn_conns, "connections that agreed on ECN") \
	X(TCP_ECN_FALLBACKS, tcp_ecn_fallbacks, "SYNs sent again without asking for ECN") \
	X(TCP_CE_IN, tcp_ce_in, "segments received that met congestion (CE)") \
	X(TCP_ECE_IN, tcp_ece_in, "ACKs received that echo congestion (ECE)") \
	X(TCP_ECN_REDUCED, tcp_ecn_reduced, "windows reduced because of ECE") \
	X(TCP_PACED, tcp_paced, "times new data was held back by pacing") \
	X(UDP_IN, udp_in, "datagrams received by sockets") \
	X(UDP_OUT, udp_out, "datagrams sent") \
	X(UDP_BAD, udp_bad, "datagrams malformed") \
	X(UDP_BAD_CHECKSUM, udp_bad_checksum, "datagrams with a bad checksum") \
	X(UDP_NO_PORT, udp_no_port, "datagrams to a port that nobody has") \
	X(UDP_RX_FULL, udp_rx_full, "datagrams dropped: socket's queue full") \
	X(UDP_NO_BUFLET, udp_no_buflet, "datagrams dropped: local memory full") \
	X(UDP_OUT_DROPS, udp_out_drops, "datagrams not sent: no way, or no answer from the neighbour") \
	X(UDP_ERRORS_IN, udp_errors_in, "ICMP errors for sockets") \
	X(UDP_SOCKETS, udp_sockets, "sockets now open") \
	X(IP_FRAGS_OUT, ip_frags_out, "fragments sent, IPv4 and IPv6") \
	X(TCP_SYN_QUEUE, tcp_syn_queue, "connections now half-open") \
	X(TCP_ACCEPT_OVERFLOWS, tcp_accept_overflows, "handshakes not finished: accept queue or NCBs full") \
	X(TCP_COOKIES_SENT, tcp_cookies_sent, "SYN cookies sent") \
	X(TCP_COOKIES_OK, tcp_cookies_ok, "connections made from a SYN cookie") \
	X(TCP_COOKIES_BAD, tcp_cookies_bad, "SYN cookies that were none of ours, or too old") \
	X(TCP_TIME_WAIT_REUSED, tcp_time_wait_reused, "connections in TIME-WAIT replaced by a new one") \
	X(TCP_DEFERRED, tcp_deferred, "handshakes that wait for data: DEFER_ACCEPT") \
	X(TCP_FASTOPEN_PASSIVE, tcp_fastopen_passive, "connections made by a Fast Open cookie") \
	X(TCP_FASTOPEN_BAD, tcp_fastopen_bad, "SYNs with a wrong Fast Open cookie") \
	X(TCP_FASTOPEN_OVERFLOWS, tcp_fastopen_overflows, "SYNs with a good one, and too many pending") \
	X(TCP_FASTOPEN_ACTIVE, tcp_fastopen_active, "SYNs sent with a Fast Open cookie") \
	X(TCP_FASTOPEN_ACTIVE_FAILS, tcp_fastopen_active_fails, "of these, the peer did not take all data") \
	X(TCP_FASTOPEN_BLACKHOLES, tcp_fastopen_blackholes, "SYNs with the Fast Open option lost or refused") \
	X(LOOP_PACKETS, loop_packets, "packets from one address of the port to another, or itself") \
	X(LOOP_DROPS, loop_drops, "such packets dropped: no room, or nobody's") \
	X(TCP_PMTU_LOWERED, tcp_pmtu_lowered, "path MTUs lowered: a router said so") \
	X(TCP_PMTU_IGNORED, tcp_pmtu_ignored, "routers not believed: what was too big arrived") \
	X(TCP_BLACK_HOLES, tcp_black_holes, "path MTUs lowered: time-outs of full segments") \
	X(TCP_MTU_PROBES, tcp_mtu_probes, "path MTU probes sent") \
	X(TCP_MTU_PROBES_ACKED, tcp_mtu_probes_acked, "path MTU probes that arrived") \
	X(GROUPS, groups, "multicast groups now joined") \
	X(IGMP_IN, igmp_in, "IGMP messages received") \
	X(IGMP_BAD, igmp_bad, "IGMP messages malformed") \
	X(IGMP_OUT, igmp_out, "IGMP messages sent") \
	X(MLD_IN, mld_in, "MLD messages received") \
	X(MLD_BAD, mld_bad, "MLD messages malformed or forwarded") \
	X(MLD_OUT, mld_out, "MLD messages sent") \
	X(UDP_GROUP_IN, udp_group_in, "datagrams to a group or to all that sockets took") \
	X(UDP_PMTU_LOWERED, udp_pmtu_lowered, "path MTUs lowered: a router said so about a datagram") \
	X(UDP_PMTU_IGNORED, udp_pmtu_ignored, "routers not believed: no such datagram was sent")

#define TOE_COUNTER_ENUM(NAME, name, text) TOE_CTR_##NAME,
enum toe_counter { TOE_COUNTERS(TOE_COUNTER_ENUM) TOE_CTR_MAX };

#ifdef __KERNEL__
#define TOE_SIZE_IS(type, size) static_assert(sizeof(type) == (size))
#else
#define TOE_SIZE_IS(type, size) _Static_assert(sizeof(type) == (size), #type " has the wrong size")
#endif
TOE_SIZE_IS(struct toe_hw_adm_cmd, 64);
TOE_SIZE_IS(struct toe_hw_adm_cpl, 32);
TOE_SIZE_IS(struct toe_hw_conn_info, 128);
TOE_SIZE_IS(struct toe_hw_ctx_info, 64);
TOE_SIZE_IS(struct toe_hw_ctx_page, 128);
TOE_SIZE_IS(struct toe_hw_piece, 16);
TOE_SIZE_IS(struct toe_hw_req, 64);
TOE_SIZE_IS(struct toe_hw_cqe, 64);
TOE_SIZE_IS(struct toe_hw_buf, 16);
TOE_SIZE_IS(struct toe_hw_tcp_info, 256);

#endif /* TOE_HW_H */
