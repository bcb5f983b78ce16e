/* pg_server.h - a private PostgreSQL server for tests: in a temporary folder, on a Unix socket (and
 * a free port of 127.0.0.1 if wanted), run as user postgres when the test runs as root. It goes
 * with the test: when the test dies, the kernel sends the server SIGQUIT.
 *
 * These calls block; they explain failures on stderr. Superuser `postgres`, database `postgres`,
 * no password. Use sockets by keyword host = pg_server_folder(), port = pg_server_port(). */
#ifndef OG_TESTS_PG_SERVER_H
#define OG_TESTS_PG_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pg_server;

struct pg_server_options {
    const char *const *settings; /* NULL or NULL-terminated "name=value", beside the defaults */
    bool tcp;                    /* also on 127.0.0.1 */
    bool tls;                    /* offers TLS there, with a certificate it signed for 127.0.0.1
                                  * itself: <folder>/server.crt */
};

/* initdb and start: some 3 s. NULL options are fine. NULL on failure. */
struct pg_server *pg_server_new(const struct pg_server_options *options);
void pg_server_free(struct pg_server *server); /* stops, removes the folder; NULL is fine */

const char *pg_server_folder(const struct pg_server *server); /* holds the socket */
const char *pg_server_port(const struct pg_server *server);
pid_t pg_server_pid(const struct pg_server *server); /* the postmaster's; 0 while stopped */

/* Starts the stopped server again and waits until it answers. 0 or -1. */
int pg_server_start(struct pg_server *server);
/* A crash: SIGQUIT, connections break at once, recovery on the next start. */
void pg_server_crash(struct pg_server *server);
/* Postmaster and all its children stand still, as on a frozen disk; and go on. */
void pg_server_pause(struct pg_server *server);
void pg_server_resume(struct pg_server *server);

/* Runs sql on a connection of its own; the first value of the first row goes to out (NULL: not
 * wanted), "" when there is none. 0, or -1 with the error on stderr. */
int pg_server_run(struct pg_server *server, const char *sql, char *out, size_t cap_bytes);

#endif
