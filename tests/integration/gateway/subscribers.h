/* subscribers.h - a gateway with four users that stand in the database before it starts, as after a
 * takeover: no PBX is needed. Calls fail the running cmocka test when the surroundings fail.
 *
 *   oxe1001  Nora Lindqvist, external login nora, second device 1501, password 1234
 *   oxe1002  Olof Ek, password 5678
 *   oxe1003  Pia, no password
 *   oxe1004  Sten Falk, password 4444 */
#ifndef OG_TESTS_GATEWAY_SUBSCRIBERS_H
#define OG_TESTS_GATEWAY_SUBSCRIBERS_H

#include "tests/integration/gateway/harness.h"

void subscribers_open(struct harness *harness); /* harness_close() ends it */
/* One statement, made as by printf. */
void subscribers_run_sql(struct harness *harness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Authenticates. The status; the credential goes to client->cookie. */
int subscribers_log_in(struct https_client *client, const char *login, const char *password,
                       struct answer *answer);
/* The same with a new client whose session is open; this must succeed. */
void subscribers_open_session(struct harness *harness, struct https_client *client,
                              const char *login, const char *password);

#endif
