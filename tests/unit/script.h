/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.h - conversations with the adapter's TCP, written as text.
 *
 * A file tests/unit/tcp/NAME.seg holds cases.  A case is a few lines that say
 * what the peer sends, what the adapter must answer, what the application
 * does, and when:
 *
 *	== a SYN is answered, and the answer's loss repaired
 *	# RFC 9293 3.5; MUST-22
 *	listen
 *	< S 0 win 65535 mss 1460
 *	> SA 0 ack 1 mss 1460
 *	+1 > SA 0 ack 1 mss 1460
 *	< A 1 ack 1
 *	event incoming
 *	< A 1+100 ack 1
 *	> A 1 ack 101
 *	read 100
 *
 * "#" begins a comment; one that begins with "RFC" right after the name is the
 * case's tag: what it shows.  Times are seconds of a virtual clock that moves
 * only where a line says so.
 *
 * It is strict.  What is sent and not expected, or at another time than the
 * line says, or has an option that the line does not have, fails the case; so
 * do events that nobody asked for (those of reading and writing apart), frames
 * for the operating system, and anything that is held when all is over.
 *
 * Segments
 *
 *	FLAGS SEQ[+LEN[xN]] [ack N] [win N] ...
 *
 *  FLAGS is any of S F R P A U E C, or "-" for none.  Numbers are relative to
 *  the initial sequence number of their side, so that the first byte of data
 *  is 1; negative ones are allowed.  1+1460x3 stands for three segments in a
 *  row.  Data is a pattern that follows from its place in the stream, and is
 *  compared.
 *
 *	win N		window field, not scaled
 *	mss N, ws N, sackok, ts VAL ECR, sack L-R L-R ..., fo HEX
 *			options.  The timestamps of the adapter count from its
 *			first one, which is 0; the peer's clock begins at 1000,
 *			or where its SYN says, and goes with the virtual clock.
 *			"*": any
 *	urg N		urgent pointer
 *	opt HEX		these bytes as options, behind the others (peer only)
 *	ect0 ect1 ce	ECN field of the IP header; else not-ECT
 *	tos N, ttl N	fields of the IP header
 *	badsum, hlen N, rsvd N, nots, src A, dst A, to PORT
 *			wrong or unusual things (peer only)
 *	...		do not look at the options (adapter only)
 *
 *  PSH of the adapter is looked at only where it is written; "nopush" says
 *  that it must not be there.
 *
 * Lines
 *
 *	+T		so much time passes, in silence
 *	+T LINE		the same, then LINE
 *	< SEG		the peer sends
 *	<< SEG		the same without the adapter's turn: part of a burst
 *	> SEG		the adapter has sent this, now
 *	world ...	first of all, if the usual one will not do: v6, user
 *			(user networking), mtu N, conns N, ram KIB, os-down
 *	peer NAME [port N] [iss N] [addr A]
 *			go on with another conversation; the first is "a"
 *	new		what follows is another connection of the same peer
 *	window N	the window that the peer's segments have (65535)
 *	clock NS	each look of the adapter at the clock takes so long (0)
 *	open active|passive [rtt T] [options of the peer's SYN]
 *			a handshake, up to "accept"
 *	warm		eight segments of 1000 bytes come in and are read, so
 *			that ACKs are delayed from then on
 *	listen [N] [port N] [addr A], connect [to A] [from A] [port N], accept,
 *	send N [more], urgent (what was sent last), read N, shutdown, close, abort, set OPTION N,
 *	param NAME N, mtu N, addr-del
 *			the owner's calls; "= STATUS" at the end: it ends so
 *	get OPTION N	and this is the option's value
 *	event NAME	established, incoming, readable, push, writable,
 *			peer-closed, closed STATUS, urgent MARK: the next one
 *	no event	there is none
 *	state NAME	of the connection: rfc 9293's; none: forgotten
 *	check NAME OP N	cwnd, ssthresh, srtt, rto (us), mss, txq, rxq, snd_wnd,
 *			rcv_wnd, retransmits, space; or a counter; OP is one of
 *			= < > <= >=.  N may be another NAME
 *	keep NAME as WORD, check ... WORD
 *			remember a value
 *	icmp TYPE [CODE] [mtu N] seq N [port N]
 *			a router reports an error: unreachable, too-big,
 *			time-exceeded, parameter, quench; about that segment
 *	os		one frame was left to the operating system
 */
#ifndef TOE_TESTS_SCRIPT_H
#define TOE_TESTS_SCRIPT_H

#include <glib.h>

struct script_case {
	char *file;		/* as given to script_load() */
	char *name;
	int line;
	GPtrArray *text;	/* char *, one for each line behind the name */
};

/* The cases of a file: struct script_case *.  A message and NULL if bad. */
GPtrArray *script_load(const char *path);
/* Fails by way of check's assertions.  trace: print what is said. */
void script_run(const struct script_case *c, bool trace);

#endif
