/* service.h - one long-lived child: corosync, PostgreSQL, the gateway.
 *
 * A service that was started stays wanted until service_stop(): when its process ends by itself it
 * is started again after a back-off (0.2 s, doubling to 10 s, reset after 60 s of life), in place.
 * Stopping walks a short list of signals, each with its patience, and ends with SIGKILL. */
#ifndef OG_SOLUTION_SERVICE_H
#define OG_SOLUTION_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#define SERVICE_STATES(X)                                                                         \
    X(STOPPED, "STOPPED") X(STARTING, "STARTING") X(STARTED, "STARTED") X(STOPPING, "STOPPING")  \
    X(FAILED, "FAILED") /* ended by itself, waits for its next start */
#define SERVICE_STATE_ENUM(id, text) SERVICE_##id,
enum service_state { SERVICE_STATES(SERVICE_STATE_ENUM) SERVICE_STATE_COUNT };
const char *service_state_name(enum service_state state); /* the manual's words; "?" out of range */

struct service_signal {
    int signal;
    uint32_t patience_ms;
};

struct service_options {
    const char *name;         /* for people: "PostgreSQL" */
    const char *const *argv;  /* borrowed for the service's life */
    const char *user;         /* NULL: as we are */
    struct service_signal stop[3]; /* tried in turn, ended by {0, 0}; then SIGKILL */
    void (*changed)(void *context); /* state changed */
    void *context;
};

struct service;

struct service *service_new(uv_loop_t *loop, const struct service_options *options);
void service_start(struct service *service); /* idempotent */
/* It answers: STARTING becomes STARTED. */
void service_confirm(struct service *service);
/* done comes when the process is gone (at once when it is not there), or after SIGKILL failed too. */
void service_stop(struct service *service, void (*done)(void *context, bool gone), void *context);
/* It hangs: SIGKILL now; it is then started again like any service that ended. */
void service_kill(struct service *service);
void service_free(struct service *service); /* kills what runs */

enum service_state service_state(const struct service *service);
const char *service_name(const struct service *service);
uint64_t service_since_ms(const struct service *service);  /* of the state */
uint32_t service_restarts(const struct service *service);  /* unwanted ends since service_start */
pid_t service_pid(const struct service *service);          /* 0: none */

#endif
