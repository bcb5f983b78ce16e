/* health_socket.h - the local health socket of solution-control: a Unix socket that answers one
 * JSON line at once on each connection, and one more for each line it is sent:
 *
 *   {"ok":true,"db":true,"sessions":3,"subscriptions":9,"channels":2,"last_commit_ms":812}
 *
 * Who asks while the database is away makes the gateway try to connect again at once.
 *
 * The answer comes from the loop, so it proves that the loop turns. "db": the heartbeat row was
 * committed not long ago; "last_commit_ms": how long ago (-1: never). */
#ifndef OG_GATEWAY_HEALTH_SOCKET_H
#define OG_GATEWAY_HEALTH_SOCKET_H

#include "lib/common/diag.h"

struct gateway;
struct health_socket;

/* Replaces a socket left behind. Only root and our own user may connect (mode 0600). */
int health_socket_open(struct gateway *gateway, const char *path, struct health_socket **ret_socket,
                       struct diag *diag);
void health_socket_close(struct health_socket *socket); /* NULL is fine */

#endif
