#include "solution-control/service.h"

#include "lib/common/child.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static const char module[] = "service";

enum { BACKOFF_FIRST_MS = 200, BACKOFF_MAX_MS = 10000, HEALTHY_MS = 60000, KILL_PATIENCE_MS = 3000 };

struct service {
    uv_loop_t *loop;
    struct service_options options;
    struct child *child;
    struct timer *timer; /* next start, or next signal */
    enum service_state state;
    uint64_t since_ms, started_ms;
    uint32_t backoff_ms, restarts;
    bool wanted;
    unsigned stop_index;
    void (*stopped)(void *context, bool gone);
    void *stop_context;
};

static const char *const state_names[SERVICE_STATE_COUNT] = {
#define STATE_NAME(id, text) text,
    SERVICE_STATES(STATE_NAME)};

const char *service_state_name(enum service_state state)
{
    return (unsigned)state < SERVICE_STATE_COUNT ? state_names[state] : "?";
}

static void set_state(struct service *service, enum service_state state)
{
    if (service->state == state)
        return;
    service->state = state;
    service->since_ms = common_boot_ms();
    service->options.changed(service->options.context);
}

static void report_stopped(struct service *service, bool gone)
{
    void (*done)(void *, bool) = service->stopped;
    service->stopped = NULL;
    timer_stop(service->timer);
    if (gone)
        set_state(service, SERVICE_STOPPED);
    if (done != NULL)
        done(service->stop_context, gone);
}

static void on_child_ended(void *context, const struct child_result *result)
{
    struct service *service = context;
    uint64_t lived_ms = common_boot_ms() - service->started_ms;
    service->child = NULL;
    if (!service->wanted) {
        report_stopped(service, true);
        return;
    }
    if (lived_ms > HEALTHY_MS)
        service->backoff_ms = BACKOFF_FIRST_MS;
    log_warning(module, "%s ended by itself (%s %d) after %llu ms; next start in %u ms",
                service->options.name, result->status < 0 ? "error" : "status", result->status,
                (unsigned long long)lived_ms, service->backoff_ms);
    service->restarts++;
    set_state(service, SERVICE_FAILED);
    timer_start(service->timer, service->backoff_ms, 0);
    service->backoff_ms *= 2;
    if (service->backoff_ms > BACKOFF_MAX_MS)
        service->backoff_ms = BACKOFF_MAX_MS;
}

static void start_child(struct service *service)
{
    const struct child_options options = {
        .argv = service->options.argv,
        .user = service->options.user,
        .log_output = true,
        .done = on_child_ended,
        .context = service,
    };
    service->started_ms = common_boot_ms();
    service->child = child_start(service->loop, &options);
    if (service->child == NULL) {
        log_error(module, "%s: cannot start: no memory", service->options.name);
        timer_start(service->timer, service->backoff_ms, 0);
        return;
    }
    set_state(service, SERVICE_STARTING);
}

static void next_signal(struct service *service)
{
    if (service->stop_index > COUNT_OF(service->options.stop)) {
        log_error(module, "%s survives SIGKILL (process %d)", service->options.name,
                  (int)child_pid(service->child));
        report_stopped(service, false);
        return;
    }
    struct service_signal step = {SIGKILL, KILL_PATIENCE_MS};
    if (service->stop_index < COUNT_OF(service->options.stop) &&
        service->options.stop[service->stop_index].signal != 0)
        step = service->options.stop[service->stop_index++];
    else
        service->stop_index = COUNT_OF(service->options.stop) + 1;
    if (step.signal == SIGKILL)
        child_signal(service->child, SIGKILL);
    else
        (void)kill(child_pid(service->child), step.signal); /* the main process passes it on */
    timer_start(service->timer, step.patience_ms, 0);
}

static void on_timer(void *context)
{
    struct service *service = context;
    if (service->wanted) {
        if (service->child == NULL)
            start_child(service);
    } else if (service->child != NULL) {
        next_signal(service);
    }
}

struct service *service_new(uv_loop_t *loop, const struct service_options *options)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->loop = loop;
    service->options = *options;
    service->backoff_ms = BACKOFF_FIRST_MS;
    service->timer = timer_new(loop, on_timer, service);
    if (service->timer == NULL) {
        free(service);
        return NULL;
    }
    return service;
}

void service_start(struct service *service)
{
    if (service->wanted)
        return;
    service->wanted = true;
    service->restarts = 0;
    service->backoff_ms = BACKOFF_FIRST_MS;
    if (service->child == NULL)
        start_child(service);
}

void service_confirm(struct service *service)
{
    if (service->state == SERVICE_STARTING)
        set_state(service, SERVICE_STARTED);
}

void service_stop(struct service *service, void (*done)(void *context, bool gone), void *context)
{
    service->wanted = false;
    service->stopped = done;
    service->stop_context = context;
    if (service->child == NULL) {
        report_stopped(service, true);
        return;
    }
    set_state(service, SERVICE_STOPPING);
    service->stop_index = 0;
    next_signal(service);
}

void service_kill(struct service *service)
{
    if (service->child != NULL)
        child_signal(service->child, SIGKILL);
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    if (service->child != NULL)
        child_abandon(service->child);
    timer_free(service->timer);
    free(service);
}

enum service_state service_state(const struct service *service)
{
    return service->state;
}

const char *service_name(const struct service *service)
{
    return service->options.name;
}

uint64_t service_since_ms(const struct service *service)
{
    return service->since_ms;
}

uint32_t service_restarts(const struct service *service)
{
    return service->restarts;
}

pid_t service_pid(const struct service *service)
{
    return service->child != NULL ? child_pid(service->child) : 0;
}
