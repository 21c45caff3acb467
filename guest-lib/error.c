// SPDX-License-Identifier: MIT
/*
 * error.c - the adapter's status codes as errno values, and sentences for
 * them.
 */
#include "internal.h"

static const int status_errno[TOE_ST_MAX] = {
	[TOE_ST_OK] = 0,
	[TOE_ST_INVALID] = -EINVAL,
	[TOE_ST_KEY] = -EFAULT,
	[TOE_ST_OWNER] = -EACCES,
	[TOE_ST_BOUNDS] = -EFAULT,
	[TOE_ST_ACCESS] = -EFAULT,
	[TOE_ST_HANDLE] = -ENOTCONN,
	[TOE_ST_STATE] = -ENOTCONN,
	[TOE_ST_PERM] = -EACCES,
	[TOE_ST_NOMEM] = -ENOBUFS,
	[TOE_ST_QUOTA] = -EDQUOT,
	[TOE_ST_AGAIN] = -EAGAIN,
	[TOE_ST_ADDRINUSE] = -EADDRINUSE,
	[TOE_ST_ADDRNOTAVAIL] = -EADDRNOTAVAIL,
	[TOE_ST_NOROUTE] = -ENETUNREACH,
	[TOE_ST_UNREACH] = -EHOSTUNREACH,
	[TOE_ST_REFUSED] = -ECONNREFUSED,
	[TOE_ST_RESET] = -ECONNRESET,
	[TOE_ST_TIMEDOUT] = -ETIMEDOUT,
	[TOE_ST_ABORTED] = -ECONNABORTED,
	[TOE_ST_CLOSED] = -EPIPE,
	[TOE_ST_DMA] = -EIO,
	[TOE_ST_BUSY] = -EBUSY,
	[TOE_ST_TOOBIG] = -EMSGSIZE,
	[TOE_ST_LINKDOWN] = -ENETDOWN,
};

int toe_status_errno(uint8_t status)
{
	return status < TOE_ST_MAX ? status_errno[status] : -EIO;
}

static const struct {
	int error;
	const char *text;
} sentences[] = {
	{ 0, "no error" },
	{ -EAGAIN, "not now, try again after an event" },
	{ -EACCES, "not allowed: port below 1024, or owned by another context" },
	{ -EADDRINUSE, "address and port are in use" },
	{ -EADDRNOTAVAIL, "not an address of the adapter, or no free port" },
	{ -EAFNOSUPPORT, "address family is not supported by the adapter" },
	{ -EBUSY, "busy" },
	{ -ECONNABORTED, "connection was aborted on this side" },
	{ -ECONNREFUSED, "connection refused by the peer" },
	{ -ECONNRESET, "connection reset by the peer" },
	{ -EDQUOT, "limit of the context or the user is reached" },
	{ -EFAULT, "memory is not registered, not in bounds or not allowed" },
	{ -EHOSTUNREACH, "peer cannot be reached" },
	{ -EINTR, "interrupted by a signal" },
	{ -EINVAL, "invalid argument" },
	{ -EIO, "the adapter reported an error of host memory or queues" },
	{ -EMFILE, "no more connections in this context (max_conns)" },
	{ -EDESTADDRREQ, "the socket is not connected and no address was given" },
	{ -EOPNOTSUPP, "the adapter does not do that" },
	{ -EMSGSIZE, "too big" },
	{ -ENETDOWN, "the adapter has no link" },
	{ -ENETUNREACH, "no route to the peer" },
	{ -ENOBUFS, "the adapter's tables or memory are exhausted" },
	{ -ENODEV, "the context is dead: adapter was reset or removed" },
	{ -ENOENT, "no such device: is toe.ko loaded?" },
	{ -ENOMEM, "out of memory, or above RLIMIT_MEMLOCK" },
	{ -ENOSPC, "the adapter has no free context" },
	{ -ENOTCONN, "not connected" },
	{ -EPIPE, "sending side is closed" },
	{ -EPROTO, "driver and library are of different versions" },
	{ -ETIMEDOUT, "timed out" },
};

const char *toe_strerror(int error)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].error == error)
			return sentences[i].text;
	return "unknown error";
}
