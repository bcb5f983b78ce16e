#include "ha/membership_link.h"

#include <corosync/cmap.h>
#include <corosync/votequorum.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "lib/common/common.h"

enum {
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 2000,
    INFO_PERIOD_MS = 2000,
    GROUP_CHARS = 128,
    THREAD_STACK_BYTES = 4 * 1024 * 1024, /* libcpg puts a buffer of 1 MiB on the stack */
};

struct membership_link {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned references;
    struct membership_link_options options; /* group points to group_name; wake NULL once left */
    char group_name[GROUP_CHARS];
    bool left;

    bool ready, lent; /* a handle waits to be taken; the loop has it */
    cpg_handle_t handle;
    uint32_t node_id;
    bool returned;
    struct membership_info info;
};

static void unref_unlock(struct membership_link *link)
{
    bool last = --link->references == 0;
    (void)pthread_mutex_unlock(&link->mutex);
    if (!last)
        return;
    (void)pthread_cond_destroy(&link->changed);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link);
}

/* --- what only the thread does; the mutex is not held: any of it may block ------------------ */

static cs_error_t connect_and_join(struct membership_link *link, cpg_handle_t *ret_handle,
                                   uint32_t *ret_node_id)
{
    cpg_handle_t handle = 0;
    cs_error_t code = cpg_model_initialize(
        &handle, CPG_MODEL_V1, (cpg_model_data_t *)&link->options.model, link->options.cpg_context);
    if (code != CS_OK)
        return code;
    struct cpg_name name = {0};
    name.length = (uint32_t)strlen(link->group_name);
    memcpy(name.value, link->group_name, name.length);
    unsigned node_id = 0;
    code = cpg_local_get(handle, &node_id);
    if (code == CS_OK)
        code = cpg_join(handle, &name);
    if (code != CS_OK) {
        (void)cpg_finalize(handle);
        return code;
    }
    *ret_handle = handle;
    *ret_node_id = node_id;
    return CS_OK;
}

/* Without it the peer would be told that this process died. */
static void leave_group(const struct membership_link *link, cpg_handle_t handle)
{
    struct cpg_name name = {0};
    name.length = (uint32_t)strlen(link->group_name);
    memcpy(name.value, link->group_name, name.length);
    (void)cpg_leave(handle, &name);
}

static bool get_flag(cmap_handle_t cmap, unsigned node, unsigned link, bool *ret_connected)
{
    char key[CMAP_KEYNAME_MAXLEN + 1];
    uint8_t value = 0;
    (void)snprintf(key, sizeof(key), "stats.knet.node%u.link%u.connected", node, link);
    if (cmap_get_uint8(cmap, key, &value) != CS_OK)
        return false;
    *ret_connected = value != 0;
    return true;
}

static void read_cmap(uint32_t node_id, struct membership_info *info)
{
    cmap_handle_t cmap = 0;
    if (cmap_initialize_map(&cmap, CMAP_MAP_ICMAP) == CS_OK) {
        uint32_t token_ms = 0;
        if (cmap_get_uint32(cmap, "runtime.config.totem.token", &token_ms) == CS_OK)
            info->token_ms = token_ms;
        (void)cmap_finalize(cmap);
    }
    if (cmap_initialize_map(&cmap, CMAP_MAP_STATS) == CS_OK) {
        const unsigned peer = node_id == 1 ? 2 : 1;
        for (unsigned i = 0; i < 2; i++)
            info->peer_link_known[i] = get_flag(cmap, peer, i, &info->peer_link_connected[i]);
        (void)cmap_finalize(cmap);
    }
}

static void read_votes(uint32_t node_id, struct membership_info *info)
{
    votequorum_handle_t votes = 0;
    votequorum_callbacks_t none = {0};
    struct votequorum_info answer = {0};
    if (votequorum_initialize(&votes, &none) != CS_OK)
        return;
    if (votequorum_getinfo(votes, node_id, &answer) == CS_OK) {
        info->quorate = (answer.flags & VOTEQUORUM_INFO_QUORATE) != 0;
        info->votes_expected = answer.node_expected_votes;
        info->votes_total = answer.total_votes;
    }
    (void)votequorum_finalize(votes);
}

/* --- the thread ---------------------------------------------------------------------------- */

/* Waits with the mutex held; ends early when the loop has news. */
static void wait_ms(struct membership_link *link, unsigned ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!link->left && !link->returned)
        if (pthread_cond_timedwait(&link->changed, &link->mutex, &until) != 0)
            return;
}

/* With the mutex held before and after. false: the owner has left. */
static bool hold_handle(struct membership_link *link, cpg_handle_t handle, uint32_t node_id)
{
    link->handle = handle;
    link->node_id = node_id;
    link->ready = true;
    if (!link->left)
        link->options.wake(link->options.context);
    while (!link->left && !link->returned) {
        (void)pthread_mutex_unlock(&link->mutex);
        struct membership_info info = {.read_at_ms = common_boot_ms()};
        read_cmap(node_id, &info);
        read_votes(node_id, &info);
        (void)pthread_mutex_lock(&link->mutex);
        link->info = info;
        wait_ms(link, INFO_PERIOD_MS);
    }
    link->ready = link->returned = false;
    return !link->left;
}

static void *thread_main(void *argument)
{
    struct membership_link *link = argument;
    unsigned backoff_ms = BACKOFF_MIN_MS;
    (void)pthread_mutex_lock(&link->mutex);
    while (!link->left) {
        (void)pthread_mutex_unlock(&link->mutex);
        cpg_handle_t handle = 0;
        uint32_t node_id = 0;
        cs_error_t code = connect_and_join(link, &handle, &node_id);
        (void)pthread_mutex_lock(&link->mutex);
        if (code == CS_OK) {
            backoff_ms = BACKOFF_MIN_MS;
            bool go_on = hold_handle(link, handle, node_id);
            (void)pthread_mutex_unlock(&link->mutex);
            if (!go_on) /* else the connection is broken: nothing to say goodbye with */
                leave_group(link, handle);
            (void)cpg_finalize(handle);
            (void)pthread_mutex_lock(&link->mutex);
            if (!go_on)
                break;
        }
        wait_ms(link, backoff_ms);
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
    unref_unlock(link);
    return NULL;
}

/* --- what the loop calls ------------------------------------------------------------------- */

static int start_thread(struct membership_link *link)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code != 0)
        return -code;
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    code = pthread_create(&thread, &attributes, thread_main, link);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -code;
}

static int init_locks(struct membership_link *link)
{
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);
    if (code != 0)
        return -code;
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    code = pthread_cond_init(&link->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (code == 0)
        code = pthread_mutex_init(&link->mutex, NULL);
    return -code;
}

int membership_link_new(const struct membership_link_options *options,
                        struct membership_link **ret_link, struct diag *diag)
{
    struct membership_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the membership");
    link->options = *options;
    (void)snprintf(link->group_name, sizeof(link->group_name), "%s", options->group);
    link->references = 2;
    int code = init_locks(link);
    if (code == 0)
        code = start_thread(link);
    if (code < 0) {
        free(link);
        return diag_fail(diag, code, "cannot start the membership thread: %s", uv_strerror(code));
    }
    *ret_link = link;
    return 0;
}

bool membership_link_take(struct membership_link *link, cpg_handle_t *ret_handle,
                          uint32_t *ret_node_id)
{
    (void)pthread_mutex_lock(&link->mutex);
    bool ready = link->ready && !link->lent;
    if (ready) {
        link->lent = true;
        *ret_handle = link->handle;
        *ret_node_id = link->node_id;
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return ready;
}

void membership_link_return(struct membership_link *link, cpg_handle_t handle)
{
    (void)handle;
    (void)pthread_mutex_lock(&link->mutex);
    link->lent = false;
    link->ready = false;
    link->returned = true;
    link->info = (struct membership_info){0};
    (void)pthread_cond_signal(&link->changed);
    (void)pthread_mutex_unlock(&link->mutex);
}

void membership_link_get_info(struct membership_link *link, struct membership_info *ret_info)
{
    (void)pthread_mutex_lock(&link->mutex);
    *ret_info = link->info;
    (void)pthread_mutex_unlock(&link->mutex);
}

void membership_link_leave(struct membership_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    link->left = true;
    (void)pthread_cond_signal(&link->changed);
    unref_unlock(link);
}
