/*
 * The socket that the listener takes connections from: --listen as text, a listening TCP socket as the result.
 *
 *     :3030            every address of the machine, IPv6 and IPv4
 *     127.0.0.1:3030   one address; [::1]:3030 for IPv6
 *     localhost:3030   the first address of a name
 *
 * Port 0 is any free one; listen_socket_address says which it became.
 */
#ifndef DAEMON_LISTEN_SOCKET_H
#define DAEMON_LISTEN_SOCKET_H

#include "base/attr.h"
#include "base/error.h"

/* The descriptor, close-on-exec and listening; the caller closes it. -1: ERROR_USAGE for a text that is no such
 * address, ERROR_IO if it cannot be listened on (taken, not ours), with what to try. */
int listen_socket_open(const char *text, struct error *err) MUST_CHECK;

/* "127.0.0.1:41234", "[::]:3030". free() it. */
char *listen_socket_address(int fd) MUST_CHECK;

#endif
