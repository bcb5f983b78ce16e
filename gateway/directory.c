#include "gateway/directory_private.h"

#include "gateway/roster.h"
#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/log.h"
#include "lib/common/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "directory";

/* --- readings ----------------------------------------------------------------------------------
 */

static void carry_on(struct reading *reading);

static struct reading *next_of(const struct directory *directory, const struct reading *reading)
{
    struct reading *next = reading == NULL ? NULL : TAILQ_NEXT(reading, next);
    return next != NULL ? next : TAILQ_FIRST(&directory->readings);
}

/* In turn: a node whose users cannot be saved does not keep the others waiting. */
static void carry_on_next(struct directory *directory)
{
    struct reading *begin = next_of(directory, directory->last), *reading = begin;
    if (begin == NULL)
        return;
    do {
        carry_on(reading);
        reading = next_of(directory, reading);
    } while (reading != begin && directory->under_way == NULL);
}

static void on_retry(void *context)
{
    carry_on_next(context);
}

struct directory *directory_new(struct gateway *gateway)
{
    struct directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL)
        return NULL;
    directory->gateway = gateway;
    TAILQ_INIT(&directory->readings);
    directory->left_out = map_new();
    directory->retry = timer_new(gateway->loop, on_retry, directory);
    if (directory->left_out != NULL && directory->retry != NULL)
        return directory;
    directory_free(directory);
    return NULL;
}

void directory_free(struct directory *directory)
{
    struct reading *reading;
    if (directory == NULL)
        return;
    while ((reading = TAILQ_FIRST(&directory->readings)) != NULL) {
        TAILQ_REMOVE(&directory->readings, reading, next);
        users_changes_done(&reading->changes);
        arena_done(&reading->arena);
        free(reading);
    }
    timer_free(directory->retry);
    map_free(directory->left_out, NULL);
    free(directory);
}

struct reading *directory__find_reading(const struct directory *directory, const char *node)
{
    struct reading *reading;
    TAILQ_FOREACH(reading, &directory->readings, next)
    {
        if (strcmp(reading->node, node) == 0)
            return reading;
    }
    return NULL;
}

static struct reading *find_or_add_reading(struct directory *directory, const char *node)
{
    struct reading *reading = directory__find_reading(directory, node);
    size_t len_bytes = strlen(node) + 1;
    if (reading != NULL || len_bytes > sizeof(reading->node))
        return reading;
    reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return NULL;
    reading->directory = directory;
    memcpy(reading->node, node, len_bytes);
    TAILQ_INSERT_TAIL(&directory->readings, reading, next);
    return reading;
}

static bool copy_text(struct arena *arena, const char **text)
{
    *text = *text == NULL ? NULL : arena_strdup(arena, *text);
    return *text != NULL;
}

static int copy_devices(struct arena *arena, const struct pbx_device *devices, size_t count,
                        struct pbx_device **ret_devices)
{
    struct pbx_device *copy = arena_calloc(arena, count + 1, sizeof(*copy));
    if (copy == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        copy[i] = devices[i];
        if (!copy_text(arena, &copy[i].number) ||
            (devices[i].name != NULL && !copy_text(arena, &copy[i].name)) ||
            (devices[i].main_number != NULL && !copy_text(arena, &copy[i].main_number)) ||
            (devices[i].model != NULL && !copy_text(arena, &copy[i].model)))
            return -ENOMEM;
    }
    *ret_devices = copy;
    return 0;
}

static void add_text(struct buf *out, const char *text)
{
    if (text != NULL)
        buf_add(out, text, strlen(text) + 1);
    buf_add(out, text == NULL ? "-" : "+", 1);
}

/* Most readings are the last one again: this is cheaper than to compare them with the users. */
static int digest_of_list(const struct pbx_device *devices, size_t count, struct digest *ret_digest)
{
    AUTO(buf_done) struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        add_text(&text, devices[i].number);
        add_text(&text, devices[i].name);
        add_text(&text, devices[i].main_number);
        add_text(&text, devices[i].model);
        const char type = (char)devices[i].type;
        buf_add(&text, &type, 1);
    }
    secrets_sha256(text.data, text.len_bytes, ret_digest->bytes);
    return text.failed ? -ENOMEM : 0;
}

static bool is_settled(const struct directory *directory, const char *node,
                       const struct digest *list)
{
    const struct reading *reading = directory__find_reading(directory, node);
    return reading != NULL && reading->settled && memcmp(&reading->list, list, sizeof(*list)) == 0;
}

void directory_apply(struct gateway *gateway, const char *node, const struct pbx_device *devices,
                     size_t count)
{
    struct arena arena;
    struct pbx_device *copy = NULL;
    struct digest list;
    int r = digest_of_list(devices, count, &list);
    if (r == 0 && is_settled(gateway->directory, node, &list))
        return;
    arena_init(&arena, USERS_COMPARE_MEMORY_BYTES);
    struct reading *reading = r < 0 || copy_devices(&arena, devices, count, &copy) < 0
                                  ? NULL
                                  : find_or_add_reading(gateway->directory, node);
    if (reading == NULL) {
        log_error(module, "the directory of node %s is not taken: not enough memory", node);
        arena_done(&arena);
        return;
    }
    arena_done(&reading->arena);
    reading->arena = arena;
    reading->devices = copy;
    reading->count = count;
    reading->list = list;
    reading->settled = false;
    reading->waits = true;
    carry_on(reading);
}

static void retry_later(struct reading *reading)
{
    reading->waits = true;
    timer_start(reading->directory->retry, DIRECTORY_RETRY_MS, 0);
}

/* --- carrying out ------------------------------------------------------------------------------
 */

static size_t part_count(const struct reading *reading)
{
    const size_t counts[PART_COUNT] = {[PART_DELETED] = reading->changes.deleted_count,
                                       [PART_CHANGED] = reading->changes.changed_count,
                                       [PART_CREATED] = reading->changes.created_count};
    return counts[reading->part];
}

static const struct user_record *record_at(const struct reading *reading, size_t index)
{
    return reading->part == PART_CHANGED ? &reading->changes.changed[index]
                                         : &reading->changes.created[index];
}

/* A load may have merged the same change in between, or an administrator may have removed him. */
static void take_over(struct reading *reading, size_t index)
{
    struct directory *directory = reading->directory;
    struct gateway *gateway = directory->gateway;
    char login[USER_LOGIN_CHARS];
    if (reading->part == PART_DELETED) {
        struct user *gone = users_find_login(gateway->users, reading->changes.deleted[index]);
        if (gone != NULL)
            roster_remove(gateway, gone);
        return;
    }
    const struct user_record *record = record_at(reading, index);
    user_login_of(record->devices[0].number, login);
    struct user *user = users_find_login(gateway->users, login);
    if (user != NULL && !user_matches(user, record))
        roster_change(gateway, user, record);
    else if (user == NULL && reading->part == PART_CREATED &&
             map_get(directory->left_out, login) == NULL)
        (void)roster_add(gateway, record, NULL);
}

static void send_group(struct reading *reading);

static void on_group(void *context, int error)
{
    struct reading *reading = context;
    if (error != 0) {
        reading->directory->under_way = NULL;
        users_changes_done(&reading->changes);
        retry_later(reading);
        return;
    }
    for (size_t i = 0; i < reading->group_count; i++)
        take_over(reading, reading->at + i);
    reading->at += reading->group_count;
    send_group(reading);
}

/* The users may not be those of the lists any more: the next readings are compared with them. */
static void unsettle(struct directory *directory)
{
    struct reading *reading;
    TAILQ_FOREACH(reading, &directory->readings, next)
    {
        reading->settled = false;
    }
}

static void end(struct reading *reading)
{
    const struct users_changes *changes = &reading->changes;
    log_notice(module, "node %s: %zu users created, %zu changed, %zu deleted", reading->node,
               changes->created_count, changes->changed_count, changes->deleted_count);
    reading->directory->under_way = NULL;
    users_changes_done(&reading->changes);
    unsettle(reading->directory);      /* a number may be free for another node now */
    carry_on_next(reading->directory); /* another node's list may wait, or a newer one */
}

static void send_group(struct reading *reading)
{
    struct store *store = reading->directory->gateway->store;
    while (reading->part < PART_COUNT && reading->at == part_count(reading)) {
        reading->part++;
        reading->at = 0;
    }
    if (reading->part == PART_COUNT) {
        end(reading);
        return;
    }
    size_t left = part_count(reading) - reading->at;
    reading->group_count = left < DIRECTORY_GROUP ? left : DIRECTORY_GROUP;
    int r = reading->part == PART_DELETED
                ? store_remove_users(store, reading->changes.deleted + reading->at,
                                     reading->group_count, on_group, reading)
                : store_save_users(store, record_at(reading, reading->at), reading->group_count,
                                   false, on_group, reading);
    if (r < 0)
        on_group(reading, r);
}

/* Believed when it is no great loss, or the second reading in a row that says so. */
static bool is_believed(struct reading *reading)
{
    const struct users_changes *changes = &reading->changes;
    bool again = reading->doubted &&
                 memcmp(&reading->deletion, &changes->deletion, sizeof(reading->deletion)) == 0;
    reading->doubted = changes->drastic && !again;
    reading->deletion = changes->deletion;
    if (reading->doubted)
        log_warning(module,
                    "node %s: the directory lacks %zu users that were there; they stay until it "
                    "says so again",
                    reading->node, changes->deleted_count);
    return !reading->doubted;
}

static void carry_on(struct reading *reading)
{
    struct directory *directory = reading->directory;
    const struct users_compare question = {.users = directory->gateway->users,
                                           .left_out = directory->left_out,
                                           .node = reading->node,
                                           .devices = reading->devices,
                                           .device_count = reading->count};
    if (!reading->waits || directory->under_way != NULL)
        return;
    if (!store_is_ready(directory->gateway->store)) {
        retry_later(reading);
        return;
    }
    if (users_compare(&question, &reading->changes) < 0) {
        log_error(module, "the directory of node %s is not compared: not enough memory",
                  reading->node);
        retry_later(reading);
        return;
    }
    const struct users_changes *changes = &reading->changes;
    reading->waits = false;
    if (changes->ignored > 0)
        log_info(module, "node %s: %zu stations are no users", reading->node, changes->ignored);
    bool believed = is_believed(reading);
    reading->settled =
        believed && changes->created_count + changes->changed_count + changes->deleted_count == 0;
    if (!believed || reading->settled) {
        users_changes_done(&reading->changes);
        return;
    }
    directory->under_way = directory->last = reading;
    reading->part = PART_DELETED;
    reading->at = 0;
    send_group(reading);
}

/* --- the store's load --------------------------------------------------------------------------
 */

void directory_load_begin(struct gateway *gateway)
{
    struct map *empty = map_new();
    for (struct user *user = users_first(gateway->users); user != NULL;
         user = TAILQ_NEXT(user, of_all))
        user->confirmed = false;
    unsettle(gateway->directory);
    if (empty == NULL)
        return; /* those left out so far stay so */
    map_free(gateway->directory->left_out, NULL);
    gateway->directory->left_out = empty;
}

void directory_load_user(void *context, const struct store_user *loaded)
{
    struct gateway *gateway = context;
    struct directory *directory = gateway->directory;
    struct user *user = users_find_login(gateway->users, loaded->login);
    if (loaded->left_out) {
        (void)map_put(directory->left_out, loaded->login, directory, NULL);
        return;
    }
    if (user == NULL)
        user = roster_add(gateway, &loaded->record, &loaded->account);
    else if (!user_matches(user, &loaded->record))
        roster_change(gateway, user, &loaded->record);
    if (user == NULL)
        return;
    user->confirmed = true;
    int r = users_set_account(gateway->users, user, &loaded->account);
    if (r < 0)
        log_error(module, "what the database has of %s is not taken: %s", user->login,
                  strerror(-r));
}

void directory_load_end(struct gateway *gateway)
{
    struct user *user = users_first(gateway->users);
    while (user != NULL) {
        struct user *next = TAILQ_NEXT(user, of_all);
        if (!user->confirmed)
            roster_remove(gateway, user);
        user = next;
    }
    timer_start(gateway->directory->retry, 0, 0); /* readings that waited for the database */
}
