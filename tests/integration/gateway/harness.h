/* harness.h - a real roxe-gateway over TLS on loopback with a real PostgreSQL, for tests. Calls
 * fail the running cmocka test when the surroundings fail. */
#ifndef OG_TESTS_GATEWAY_HARNESS_H
#define OG_TESTS_GATEWAY_HARNESS_H

#include "tests/integration/gateway/https_client.h"
#include "tests/support/pg_server.h"

#include <sys/types.h>

#define TEST_LOGIN    "admin"
#define TEST_PASSWORD "a-password-for-tests"

struct harness {
    struct pg_server *pg;
    char folder[64], settings[96], log[96], channels[96], health[96];
    uint16_t port, plain_port;
    pid_t gateway; /* 0: not running */
};

/* PostgreSQL, certificate, administrators admin and second (same password), settings; more: further
 * settings, ",\"key\":value", or "". */
void harness_open(struct harness *harness, const char *more);
void harness_close(struct harness *harness);
/* Starts the gateway and waits for its first answer. */
void harness_start(struct harness *harness);
/* Sends the signal and waits for the end; the wait status of waitpid(). */
int harness_stop(struct harness *harness, int signal);
/* An administrator's credential in client->cookie. */
void harness_log_in(struct harness *harness, struct https_client *client, const char *login);
/* The same with an open session. */
void harness_open_session(struct harness *harness, struct https_client *client);
/* POST …/subscriptions of package system; the id goes to ret_id. The HTTP status, 0 for none. */
int harness_subscribe(struct https_client *client, const char *more, char ret_id[64]);
/* A text member's value out of a JSON answer; "" when it is not there. */
void harness_text(const struct answer *answer, const char *name, char *out, size_t cap_bytes);
/* "Basic …" of login and password. */
void harness_basic(const char *login, const char *password, char *out, size_t cap_bytes);
/* The whole log so far; free it. */
char *harness_read_file(const char *path);

#endif
