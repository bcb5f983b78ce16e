/* simulator_server.h - an oxe-simulator of a test's own, and its control interface. Calls fail the
 * running cmocka test when the surroundings fail. */
#ifndef OG_TESTS_SIMULATOR_SERVER_H
#define OG_TESTS_SIMULATOR_SERVER_H

#include "lib/common/buf.h"

#include <stdint.h>
#include <sys/types.h>

struct simulator_server {
    pid_t pid; /* 0: not running */
    uint16_t csta_port, control_port;
};

enum { SIMULATOR_OPTIONS_MAX = 24 };

/* options: further arguments, NULL-terminated; NULL: none. Returns when it is ready. */
void simulator_server_start(struct simulator_server *server, const char *const *options);
/* Stops it by SIGTERM; its exit code, 128 + number when a signal has ended it. */
int simulator_server_stop(struct simulator_server *server);
/* Runs it to its end; its exit code. What it wrote to stdout and stderr is appended to output. */
int simulator_server_run(const char *const *options, struct buf *output);

/* One request; body NULL: none. Status, 0 for no answer; ret_body is set to the answer's body, to
 * be freed with buf_done(); NULL: not wanted. */
int simulator_server_ask(const struct simulator_server *server, const char *method,
                         const char *path, const char *body, struct buf *ret_body);
/* A request that must be answered with 200, 201 or 204. */
void simulator_server_do(const struct simulator_server *server, const char *method,
                         const char *path, const char *body);
/* The state of a phone, "idle"; the text lies in out. */
const char *simulator_server_phone_state(const struct simulator_server *server, const char *number,
                                         char out[32]);

#endif
