#include "ha/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "ha/watchdog_device.h"
#include "lib/common/common.h"

enum {
    THREAD_STACK_BYTES = 256 * 1024,
    THREAD_PRIORITY = 50, /* below corosync's 99, above everything of ours */
    SHORTEST_TIMEOUT_S = 1,
};

/* Two threads, not one: the kernel's network lock can be held for seconds by a driver that resets
 * itself, and a renewal that waits for it must not starve the device. Each sleeps in poll() on its
 * own eventfd until its next time. */
struct watchdog {
    const struct watchdog_kernel *kernel;
    struct watchdog_device device; /* fd -1 without a device; constant while the threads run */
    unsigned renew_period_ms;
    struct rtnl *rtnl; /* the renewing thread's */

    _Atomic uint64_t kick_until_ms, vip_until_ms;
    atomic_bool stopping, reset_wanted;
    int kick_wake_fd, renew_wake_fd;
    pthread_t kick_thread, renew_thread;
    bool kick_started, renew_started;
    bool real_time;
    char real_time_refusal[WATCHDOG_TEXT_CHARS];

    /* Held during one renewal, so that clearing waits for one that is under way. Inherits priority.
     */
    pthread_mutex_t addresses_mutex;
    struct rtnl_addr addresses[WATCHDOG_ADDRESSES_MAX];
    unsigned address_count;
    int link_index;
    uint32_t lifetime_s;

    _Atomic uint64_t kicks, renewals, renew_errors, last_renewal_ms, worst_late_ms;
    atomic_int last_renew_error;
};

int watchdog_lock_memory(struct diag *diag)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
        return 0;
    int code = -errno;
    return diag_fail(diag, code, "cannot lock the memory of this program: %s", uv_strerror(code));
}

/* --- the kicking thread -------------------------------------------------------------------- */

static void sleep_until(int wake_fd, uint64_t until_ms)
{
    uint64_t now_ms = common_boot_ms();
    struct pollfd poll_fd = {.fd = wake_fd, .events = POLLIN};
    (void)poll(&poll_fd, 1, until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
}

static void note_lateness(struct watchdog *watchdog, uint64_t late_ms)
{
    if (late_ms > atomic_load_explicit(&watchdog->worst_late_ms, memory_order_relaxed))
        atomic_store_explicit(&watchdog->worst_late_ms, late_ms, memory_order_relaxed);
}

static void reset_machine(struct watchdog *watchdog)
{
    /* The shortest time-out first: should the calls below hang in the kernel, nobody kicks and the
     * device acts. */
    if (watchdog->device.fd >= 0)
        (void)watchdog->kernel->set_timeout(watchdog->kernel->context, watchdog->device.fd,
                                            SHORTEST_TIMEOUT_S);
    watchdog->kernel->reset(watchdog->kernel->context);
}

static void *kick_main(void *argument)
{
    struct watchdog *watchdog = argument;
    uint64_t next_ms = common_boot_ms();
    while (!atomic_load(&watchdog->stopping)) {
        sleep_until(watchdog->kick_wake_fd, next_ms);
        if (atomic_load(&watchdog->reset_wanted)) {
            reset_machine(watchdog);
            return NULL; /* nobody kicks any more */
        }
        uint64_t now_ms = common_boot_ms();
        if (now_ms < next_ms)
            continue;
        note_lateness(watchdog, now_ms - next_ms);
        next_ms = now_ms + WATCHDOG_TICK_MS;
        if (watchdog->device.fd < 0 || now_ms > atomic_load(&watchdog->kick_until_ms))
            continue;
        if (watchdog->kernel->kick(watchdog->kernel->context, watchdog->device.fd) == 0)
            atomic_fetch_add_explicit(&watchdog->kicks, 1, memory_order_relaxed);
    }
    return NULL;
}

/* --- the renewing thread ------------------------------------------------------------------- */

static void renew_addresses(struct watchdog *watchdog)
{
    (void)pthread_mutex_lock(&watchdog->addresses_mutex);
    for (unsigned i = 0; i < watchdog->address_count; i++) {
        /* Asked again before each one: the call before may have waited for the kernel. */
        if (common_boot_ms() > atomic_load(&watchdog->vip_until_ms))
            break;
        int code = rtnl_address_set(watchdog->rtnl, watchdog->link_index, &watchdog->addresses[i],
                                    watchdog->lifetime_s, NULL);
        if (code == 0) {
            atomic_fetch_add_explicit(&watchdog->renewals, 1, memory_order_relaxed);
            atomic_store_explicit(&watchdog->last_renewal_ms, common_boot_ms(),
                                  memory_order_relaxed);
        } else {
            atomic_fetch_add_explicit(&watchdog->renew_errors, 1, memory_order_relaxed);
        }
        atomic_store_explicit(&watchdog->last_renew_error, code, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&watchdog->addresses_mutex);
}

static void *renew_main(void *argument)
{
    struct watchdog *watchdog = argument;
    uint64_t next_ms = common_boot_ms();
    while (!atomic_load(&watchdog->stopping)) {
        sleep_until(watchdog->renew_wake_fd, next_ms);
        uint64_t now_ms = common_boot_ms();
        if (now_ms < next_ms)
            continue;
        next_ms = now_ms + watchdog->renew_period_ms;
        renew_addresses(watchdog);
    }
    return NULL;
}

/* --- life ---------------------------------------------------------------------------------- */

static void wake(int fd)
{
    const uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof(one));
    (void)written; /* fails only when it is full, that is awake already */
}

static int init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    int code = pthread_mutexattr_init(&attributes);
    if (code != 0)
        return -code;
    (void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    code = pthread_mutex_init(mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return -code;
}

static int start_thread(struct watchdog *watchdog, pthread_t *thread, void *(*main)(void *),
                        const char *name)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code != 0)
        return -code;
    const struct sched_param parameter = {.sched_priority = THREAD_PRIORITY};
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    (void)pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    (void)pthread_attr_setschedpolicy(&attributes, SCHED_RR);
    (void)pthread_attr_setschedparam(&attributes, &parameter);

    /* Signals are the loop's business. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(thread, &attributes, main, watchdog);
    watchdog->real_time = code == 0;
    if (code == EPERM || code == EINVAL) {
        (void)snprintf(watchdog->real_time_refusal, sizeof(watchdog->real_time_refusal), "%s",
                       uv_strerror(-code));
        (void)pthread_attr_setinheritsched(&attributes, PTHREAD_INHERIT_SCHED);
        code = pthread_create(thread, &attributes, main, watchdog);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (code == 0)
        (void)pthread_setname_np(*thread, name);
    return -code;
}

static void touch_link(void *context, const struct rtnl_link *link)
{
    (void)context;
    (void)link;
}

static int prepare(struct watchdog *watchdog, const struct watchdog_options *options,
                   struct diag *diag)
{
    watchdog->kick_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watchdog->renew_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watchdog->kick_wake_fd < 0 || watchdog->renew_wake_fd < 0)
        return diag_fail(diag, -errno, "watchdog: no event descriptor: %s", uv_strerror(-errno));
    int code = rtnl_new(&watchdog->rtnl, diag);
    if (code < 0)
        return code;
    /* One exchange now brings the socket's buffers into locked memory. */
    code = rtnl_link_list(watchdog->rtnl, touch_link, NULL, diag);
    if (code < 0 || options->no_device)
        return code;
    return watchdog_device_open(watchdog->kernel, options->device, options->timeout_s,
                                &watchdog->device, diag);
}

static int check_options(const struct watchdog_options *options, struct diag *diag)
{
    if (!options->no_device && (options->timeout_s < 1 || options->timeout_s > 60))
        return diag_fail(diag, -EINVAL, "the watchdog's time-out must be 1 to 60 s, not %u",
                         options->timeout_s);
    if (options->renew_period_ms < 50 || options->renew_period_ms > 5000)
        return diag_fail(diag, -EINVAL,
                         "the address's renewal period must be 50 to 5000 ms, not %u",
                         options->renew_period_ms);
    return 0;
}

int watchdog_new_with(const struct watchdog_kernel *kernel, const struct watchdog_options *options,
                      struct watchdog **ret_watchdog, struct diag *diag)
{
    int code = check_options(options, diag);
    if (code < 0)
        return code;
    struct watchdog *watchdog = calloc(1, sizeof(*watchdog));
    if (watchdog == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the watchdog");
    watchdog->kernel = kernel;
    watchdog->device.fd = -1;
    watchdog->kick_wake_fd = watchdog->renew_wake_fd = -1;
    watchdog->renew_period_ms = options->renew_period_ms;
    code = init_mutex(&watchdog->addresses_mutex);
    if (code < 0) {
        free(watchdog);
        return diag_fail(diag, code, "watchdog: no mutex: %s", uv_strerror(code));
    }
    code = prepare(watchdog, options, diag);
    if (code < 0)
        goto fail;

    watchdog_allow_kick(watchdog, common_boot_ms() + options->timeout_s * 1000ULL);
    code = start_thread(watchdog, &watchdog->kick_thread, kick_main, "og-watchdog");
    watchdog->kick_started = code == 0;
    if (code == 0) {
        code = start_thread(watchdog, &watchdog->renew_thread, renew_main, "og-vip-renew");
        watchdog->renew_started = code == 0;
    }
    if (code < 0) {
        (void)diag_fail(diag, code, "watchdog: cannot start its thread: %s", uv_strerror(code));
        goto fail;
    }
    *ret_watchdog = watchdog;
    return 0;

fail:
    watchdog_free(watchdog, true);
    return code;
}

int watchdog_new(const struct watchdog_options *options, struct watchdog **ret_watchdog,
                 struct diag *diag)
{
    return watchdog_new_with(watchdog_kernel_real(), options, ret_watchdog, diag);
}

void watchdog_free(struct watchdog *watchdog, bool disarm)
{
    if (watchdog == NULL)
        return;
    atomic_store(&watchdog->stopping, true);
    if (watchdog->kick_started) {
        wake(watchdog->kick_wake_fd);
        (void)pthread_join(watchdog->kick_thread, NULL);
    }
    if (watchdog->renew_started) {
        wake(watchdog->renew_wake_fd);
        (void)pthread_join(watchdog->renew_thread, NULL);
    }
    /* A machine that was told to reset is not let off. */
    if (watchdog->device.fd >= 0)
        watchdog->kernel->close(watchdog->kernel->context, watchdog->device.fd,
                                disarm && !atomic_load(&watchdog->reset_wanted));
    common_closep(&watchdog->kick_wake_fd);
    common_closep(&watchdog->renew_wake_fd);
    rtnl_free(watchdog->rtnl);
    (void)pthread_mutex_destroy(&watchdog->addresses_mutex);
    free(watchdog);
}

/* --- what the loop publishes --------------------------------------------------------------- */

void watchdog_allow_kick(struct watchdog *watchdog, uint64_t until_ms)
{
    if (watchdog != NULL)
        atomic_store(&watchdog->kick_until_ms, until_ms);
}

void watchdog_allow_vip(struct watchdog *watchdog, uint64_t until_ms)
{
    if (watchdog != NULL)
        atomic_store(&watchdog->vip_until_ms, until_ms);
}

void watchdog_set_addresses(struct watchdog *watchdog, int link_index,
                            const struct rtnl_addr *addresses, unsigned count, uint32_t lifetime_s)
{
    (void)pthread_mutex_lock(&watchdog->addresses_mutex);
    watchdog->address_count = count < WATCHDOG_ADDRESSES_MAX ? count : WATCHDOG_ADDRESSES_MAX;
    for (unsigned i = 0; i < watchdog->address_count; i++)
        watchdog->addresses[i] = addresses[i];
    watchdog->link_index = link_index;
    watchdog->lifetime_s = lifetime_s;
    (void)pthread_mutex_unlock(&watchdog->addresses_mutex);
}

void watchdog_clear_addresses(struct watchdog *watchdog)
{
    watchdog_allow_vip(watchdog, 0);
    (void)pthread_mutex_lock(&watchdog->addresses_mutex);
    watchdog->address_count = 0;
    (void)pthread_mutex_unlock(&watchdog->addresses_mutex);
}

void watchdog_reset_now(struct watchdog *watchdog)
{
    if (watchdog == NULL) {
        watchdog_kernel_real()->reset(NULL);
        return;
    }
    watchdog_allow_vip(watchdog, 0);
    watchdog_allow_kick(watchdog, 0);
    atomic_store(&watchdog->reset_wanted, true);
    wake(watchdog->kick_wake_fd);
}

void watchdog_get_status(const struct watchdog *watchdog, struct watchdog_status *ret_status)
{
    if (watchdog == NULL) {
        *ret_status = (struct watchdog_status){0};
        return;
    }
    *ret_status = (struct watchdog_status){
        .timeout_s = watchdog->device.timeout_s,
        .software = watchdog->device.software,
        .real_time = watchdog->real_time,
        .kicks = atomic_load(&watchdog->kicks),
        .renewals = atomic_load(&watchdog->renewals),
        .renew_errors = atomic_load(&watchdog->renew_errors),
        .last_renew_error = atomic_load(&watchdog->last_renew_error),
        .last_renewal_ms = atomic_load(&watchdog->last_renewal_ms),
        .worst_late_ms = atomic_load(&watchdog->worst_late_ms),
    };
    (void)snprintf(ret_status->device, sizeof(ret_status->device), "%s", watchdog->device.path);
    (void)snprintf(ret_status->identity, sizeof(ret_status->identity), "%s",
                   watchdog->device.identity);
    (void)snprintf(ret_status->real_time_refusal, sizeof(ret_status->real_time_refusal), "%s",
                   watchdog->real_time_refusal);
}
