/* support.h - what the integration tests of ha/ share: programs, loops, namespaces. Failures end
 * the test with the reason on stderr. */
#ifndef OG_TESTS_HA_SUPPORT_H
#define OG_TESTS_HA_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Runs a program and waits; its exit code. Arguments up to NULL. Output of a failure is shown
 * unless `quiet`. */
int support_run(bool quiet, const char *program, ...) __attribute__((sentinel));
/* The same, must succeed. */
#define support_must(...) support_must_at(__FILE__, __LINE__, support_run(false, __VA_ARGS__))
void support_must_at(const char *file, int line, int exit_code);

/* Turns the loop until *flag is true or ms have passed; returns *flag. */
bool support_loop_until(uv_loop_t *loop, const bool *flag, uint64_t ms);
/* Turns the loop for so long. */
void support_loop_for(uv_loop_t *loop, uint64_t ms);
/* Closes what is left to close and the loop; fails when handles stay open. */
void support_loop_done(uv_loop_t *loop);

void support_write_file(const char *path, const char *text, unsigned mode);

/* Two network namespaces joined by a cable: device "lan" in each (10.9.0.1 and 10.9.0.2/24, fd09::1
 * and ::2/64), and a second cable "ic" (10.9.1.x). */
struct support_net {
    int home_fd; /* where the test started */
    int fds[2];
};
void support_net_init(struct support_net *net);
void support_net_done(struct support_net *net);
void support_net_enter(const struct support_net *net, int which); /* 0, 1; -1: home */

#endif
