/* What administrators want of the directory: users left out and brought back. */
#include "gateway/directory_private.h"
#include "gateway/roster.h"
#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char module[] = "directory";

struct leaving {
    struct gateway *gateway;
    char login[USER_LOGIN_CHARS];
    store_done_fn done;
    void *context;
};

static void on_left_out(void *context, int error)
{
    struct leaving *leaving = context;
    struct gateway *gateway = leaving->gateway;
    struct user *user = users_find_login(gateway->users, leaving->login);
    if (error == 0) {
        (void)map_put(gateway->directory->left_out, leaving->login, gateway->directory, NULL);
        log_notice(module, "%s is no user any more: an administrator wants it", leaving->login);
    }
    if (error == 0 && user != NULL)
        roster_remove(gateway, user);
    leaving->done(leaving->context, error);
    free(leaving);
}

int directory_leave_out(struct gateway *gateway, const char *login, store_done_fn done,
                        void *context)
{
    struct leaving *leaving = calloc(1, sizeof(*leaving));
    if (leaving == NULL)
        return -ENOMEM;
    *leaving = (struct leaving){.gateway = gateway, .done = done, .context = context};
    (void)snprintf(leaving->login, sizeof(leaving->login), "%s", login);
    int r = store_leave_out_user(gateway->store, leaving->login, on_left_out, leaving);
    if (r < 0)
        free(leaving);
    return r;
}

struct bringing {
    struct directory *directory;
    struct users_changes changes; /* created: those to bring back */
    const char **logins;          /* that are answered */
    size_t login_count;
    directory_done_fn done;
    void *context;
};

static void bringing_free(struct bringing *bringing)
{
    users_changes_done(&bringing->changes);
    free(bringing);
}

DEFINE_FREEP(bringing_freep, struct bringing *, bringing_free)

static void on_brought_back(void *context, int error)
{
    AUTO(bringing_freep) struct bringing *bringing = context;
    struct directory *directory = bringing->directory;
    struct gateway *gateway = directory->gateway;
    const struct users_changes *changes = &bringing->changes;
    for (size_t i = 0; i < changes->created_count && error == 0; i++) {
        char login[USER_LOGIN_CHARS];
        user_login_of(changes->created[i].devices[0].number, login);
        (void)map_remove(directory->left_out, login);
        if (users_find_login(gateway->users, login) == NULL)
            (void)roster_add(gateway, &changes->created[i], NULL);
    }
    bringing->done(bringing->context, error, bringing->logins, bringing->login_count);
}

static int add_login(struct bringing *bringing, const char *number)
{
    char login[USER_LOGIN_CHARS];
    user_login_of(number, login);
    const char *copy = arena_strdup(&bringing->changes.arena, login);
    bringing->logins[bringing->login_count++] = copy;
    return copy == NULL ? -ENOMEM : 0;
}

static bool is_user_of(const struct gateway *gateway, const char *node, const char *number)
{
    const struct device *device = users_find_device(gateway->users, number);
    return device != NULL && strcmp(user_phone(device->user), number) == 0 &&
           strcmp(device->user->node, node) == 0;
}

/* What a wish that names numbers leaves of everybody who could be brought back. */
struct choice {
    struct map *by_number; /* of those who could be: struct user_record */
    struct map *taken;     /* numbers seen: one may be named twice */
    struct user_record *chosen;
    size_t count, unknown_count;
};

static void choice_done(struct choice *choice)
{
    map_free(choice->by_number, NULL);
    map_free(choice->taken, NULL);
}

/* As many as there is room for: never half a number. */
static void name_unknown(const struct directory_wish *wish, const char *number,
                         struct choice *choice)
{
    size_t used = strlen(wish->ret_unknown);
    const char *separator = used == 0 ? "" : ", ";
    choice->unknown_count++;
    if (used + strlen(separator) + strlen(number) < wish->unknown_cap_bytes)
        (void)snprintf(wish->ret_unknown + used, wish->unknown_cap_bytes - used, "%s%s", separator,
                       number);
}

static int choose_number(struct bringing *bringing, const struct directory_wish *wish,
                         const char *number, struct choice *choice)
{
    const struct user_record *record = map_get(choice->by_number, number);
    if (map_get(choice->taken, number) != NULL)
        return 0;
    if (record == NULL && !is_user_of(bringing->directory->gateway, wish->node, number)) {
        name_unknown(wish, number, choice);
        return map_put(choice->taken, number, choice, NULL);
    }
    if (record != NULL)
        choice->chosen[choice->count++] = *record;
    int r = map_put(choice->taken, number, choice, NULL);
    return r < 0 ? r : add_login(bringing, number);
}

static int choose_numbers(struct bringing *bringing, const struct directory_wish *wish)
{
    struct users_changes *changes = &bringing->changes;
    AUTO(choice_done)
    struct choice choice = {
        .by_number = map_new(),
        .taken = map_new(),
        .chosen = arena_calloc(&changes->arena, wish->count + 1, sizeof(*choice.chosen))};
    int r = choice.by_number == NULL || choice.taken == NULL || choice.chosen == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < changes->created_count && r == 0; i++)
        r = map_put(choice.by_number, changes->created[i].devices[0].number, &changes->created[i],
                    NULL);
    for (size_t i = 0; i < wish->count && r == 0; i++)
        r = choose_number(bringing, wish, wish->numbers[i], &choice);
    if (r < 0 || choice.unknown_count > 0)
        return r < 0 ? r : -ENOENT;
    changes->created = choice.chosen;
    changes->created_count = choice.count;
    return 0;
}

static int choose(struct bringing *bringing, const struct directory_wish *wish)
{
    struct users_changes *changes = &bringing->changes;
    size_t most = wish->numbers == NULL ? changes->created_count : wish->count;
    int r = 0;
    bringing->logins = arena_calloc(&changes->arena, most + 1, sizeof(*bringing->logins));
    if (bringing->logins == NULL)
        return -ENOMEM;
    if (wish->numbers != NULL)
        return choose_numbers(bringing, wish);
    for (size_t i = 0; i < changes->created_count && r == 0; i++)
        r = add_login(bringing, changes->created[i].devices[0].number);
    return r;
}

int directory_bring_back(struct gateway *gateway, const struct directory_wish *wish,
                         directory_done_fn done, void *context)
{
    const struct reading *reading = directory__find_reading(gateway->directory, wish->node);
    wish->ret_unknown[0] = '\0';
    if (reading == NULL || !store_is_ready(gateway->store))
        return -EAGAIN;
    AUTO(bringing_freep) struct bringing *bringing = calloc(1, sizeof(*bringing));
    if (bringing == NULL)
        return -ENOMEM;
    bringing->directory = gateway->directory;
    bringing->done = done;
    bringing->context = context;
    const struct users_compare question = {.users = gateway->users,
                                           .node = reading->node,
                                           .devices = reading->devices,
                                           .device_count = reading->count};
    int r = users_compare(&question, &bringing->changes);
    if (r == 0)
        r = choose(bringing, wish);
    if (r == 0)
        r = store_save_users(gateway->store, bringing->changes.created,
                             bringing->changes.created_count, true, on_brought_back, bringing);
    if (r == 0)
        (void)TAKE(bringing);
    return r;
}
