#include "gateway/model/users.h"

#include "lib/common/common.h"
#include "lib/common/map.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGIN_PREFIX "oxe"

struct users {
    struct user_list all;
    uint64_t last_serial;
    struct map *by_login, *by_external_login; /* struct user */
    struct map *by_number;                    /* struct device */
};

struct users *users_new(void)
{
    struct users *users = calloc(1, sizeof(*users));
    if (users == NULL)
        return NULL;
    TAILQ_INIT(&users->all);
    users->by_login = map_new();
    users->by_external_login = map_new();
    users->by_number = map_new();
    if (users->by_login != NULL && users->by_external_login != NULL && users->by_number != NULL)
        return users;
    users_free(users);
    return NULL;
}

size_t users_count(const struct users *users)
{
    return map_count(users->by_login);
}

struct user *users_first(const struct users *users)
{
    return TAILQ_FIRST(&users->all);
}

/* The one met last may be gone: users stand in the order of their serial numbers. */
static struct user *next_of(const struct users *users, const struct users_walk *walk)
{
    const struct user *last = map_get(users->by_login, walk->login);
    if (last != NULL && last->serial == walk->serial)
        return TAILQ_NEXT(last, of_all);
    struct user *user = TAILQ_FIRST(&users->all);
    while (user != NULL && user->serial <= walk->serial)
        user = TAILQ_NEXT(user, of_all);
    return user;
}

struct user *users_walk_on(const struct users *users, struct users_walk *walk)
{
    struct user *user = next_of(users, walk);
    if (user != NULL) {
        walk->serial = user->serial;
        memcpy(walk->login, user->login, sizeof(walk->login));
    }
    return user;
}

/* --- devices -----------------------------------------------------------------------------------
 */

static void device_free(struct device *device)
{
    if (device == NULL)
        return;
    free(device->model);
    free(device);
}

static char *copy_or_null(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static struct device *device_new(const struct device_record *record)
{
    struct device *device = calloc(1, sizeof(*device));
    if (device == NULL)
        return NULL;
    (void)snprintf(device->number, sizeof(device->number), "%s", record->number);
    device->type = record->type;
    device->model = copy_or_null(record->model);
    device->state = DEVICE_UNKNOWN;
    if (device->model != NULL || record->model == NULL)
        return device;
    device_free(device);
    return NULL;
}

static void free_parted(struct user *user)
{
    while (user->parted != NULL) {
        struct device *device = user->parted;
        user->parted = device->next_parted;
        device_free(device);
    }
}

/* While the user has calls a leg may point at it. */
static void part_with(struct users *users, struct user *user, struct device *device)
{
    (void)map_remove(users->by_number, device->number);
    device->next_parted = user->parted;
    user->parted = device;
    if (TAILQ_EMPTY(&user->calls))
        free_parted(user);
}

/* --- records -----------------------------------------------------------------------------------
 */

static int check_record(const struct user_record *record)
{
    if (record->device_count == 0 || record->device_count > USER_DEVICES_MAX ||
        strlen(record->node) >= USER_NODE_CHARS)
        return -EINVAL;
    for (unsigned i = 0; i < record->device_count; i++) {
        size_t chars = strlen(record->devices[i].number);
        if (chars == 0 || chars >= PBX_NUMBER_CHARS)
            return -EINVAL;
    }
    return 0;
}

/* May the user have the device of this number? user NULL: one that is to come. */
static bool is_free_for(const struct users *users, const struct user *user, const char *number)
{
    const struct device *device = map_get(users->by_number, number);
    return device == NULL || device->user == user;
}

/* What a user gets: everything that can fail, made before anything is touched. */
struct outfit {
    char *first_name, *last_name;
    struct device *devices[USER_DEVICES_MAX];
    unsigned count;
};

static void outfit_done(struct outfit *outfit)
{
    free(outfit->first_name);
    free(outfit->last_name);
    for (unsigned i = 0; i < outfit->count; i++)
        device_free(outfit->devices[i]);
    *outfit = (struct outfit){0};
}

static bool comes_again(const struct user_record *record, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (strcmp(record->devices[i].number, record->devices[index].number) == 0)
            return true;
    }
    return false;
}

/* Devices that somebody else has, or that are there twice, are left out. */
static int outfit_make(const struct users *users, const struct user *user,
                       const struct user_record *record, struct outfit *ret_outfit)
{
    AUTO(outfit_done)
    struct outfit outfit = {.first_name = strdup(record->first_name),
                            .last_name = strdup(record->last_name)};
    if (outfit.first_name == NULL || outfit.last_name == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < record->device_count; i++) {
        if (comes_again(record, i) || !is_free_for(users, user, record->devices[i].number))
            continue;
        outfit.devices[outfit.count] = device_new(&record->devices[i]);
        if (outfit.devices[outfit.count] == NULL)
            return -ENOMEM;
        outfit.count++;
    }
    *ret_outfit = outfit;
    outfit = (struct outfit){0};
    return 0;
}

/* Makes room in the index for all numbers; those already there keep their devices. */
static int reserve_numbers(struct users *users, struct outfit *outfit)
{
    for (unsigned i = 0; i < outfit->count; i++) {
        struct device *device = outfit->devices[i];
        if (map_get(users->by_number, device->number) != NULL ||
            map_put(users->by_number, device->number, device, NULL) == 0)
            continue;
        while (i-- > 0) {
            if (map_get(users->by_number, outfit->devices[i]->number) == outfit->devices[i])
                (void)map_remove(users->by_number, outfit->devices[i]->number);
        }
        return -ENOMEM;
    }
    return 0;
}

/* A device that stays keeps its object and state, and gets the record's type and model. */
static struct device *keep(struct device *old, struct device *new)
{
    char *model = old->model;
    old->type = new->type;
    old->model = new->model;
    new->model = model;
    device_free(new);
    return old;
}

static void put_on(struct users *users, struct user *user, struct outfit *outfit)
{
    struct device *former[USER_DEVICES_MAX];
    unsigned former_count = user->device_count;
    memcpy(former, user->devices, sizeof(former));
    free(user->first_name);
    free(user->last_name);
    user->first_name = TAKE(outfit->first_name);
    user->last_name = TAKE(outfit->last_name);
    user->device_count = 0;

    for (unsigned i = 0; i < outfit->count; i++) {
        struct device *device = outfit->devices[i];
        struct device *same = NULL;
        for (unsigned j = 0; j < former_count && same == NULL; j++) {
            if (former[j] != NULL && strcmp(former[j]->number, device->number) == 0) {
                same = keep(former[j], device);
                former[j] = NULL;
            }
        }
        if (same == NULL)
            device->user = user;
        user->devices[user->device_count++] = same != NULL ? same : device;
    }
    for (unsigned j = 0; j < former_count; j++) {
        if (former[j] != NULL)
            part_with(users, user, former[j]);
    }
    outfit->count = 0;
}

/* --- changes -----------------------------------------------------------------------------------
 */

void user_login_of(const char *number, char out[USER_LOGIN_CHARS])
{
    (void)snprintf(out, USER_LOGIN_CHARS, LOGIN_PREFIX "%s", number);
}

static void user_free(struct user *user)
{
    for (unsigned i = 0; i < user->device_count; i++)
        device_free(user->devices[i]);
    free_parted(user);
    free(user->first_name);
    free(user->last_name);
    free(user->external_login);
    free(user->mail);
    free(user->gui_language);
    free(user->password_hash);
    free(user);
}

static int add_new(struct users *users, const struct user_record *record, struct user *user)
{
    AUTO(outfit_done) struct outfit outfit = {0};
    (void)snprintf(user->node, sizeof(user->node), "%s", record->node);
    user_login_of(record->devices[0].number, user->login);
    int r = outfit_make(users, NULL, record, &outfit);
    if (r == 0)
        r = map_put(users->by_login, user->login, user, NULL);
    if (r < 0)
        return r;
    r = reserve_numbers(users, &outfit);
    if (r < 0) {
        (void)map_remove(users->by_login, user->login);
        return r;
    }
    put_on(users, user, &outfit);
    user->serial = ++users->last_serial;
    TAILQ_INSERT_TAIL(&users->all, user, of_all);
    return 0;
}

int users_add(struct users *users, const struct user_record *record,
              const struct user_account *account, struct user **ret_user)
{
    char login[USER_LOGIN_CHARS];
    int r = check_record(record);
    if (r < 0)
        return r;
    user_login_of(record->devices[0].number, login);
    if (map_get(users->by_login, login) != NULL ||
        !is_free_for(users, NULL, record->devices[0].number))
        return -EEXIST;
    if (users_count(users) >= USERS_MAX)
        return -ENOSPC;

    struct user *user = calloc(1, sizeof(*user));
    if (user == NULL)
        return -ENOMEM;
    user->state = USER_STATE_UNKNOWN;
    TAILQ_INIT(&user->calls);
    r = add_new(users, record, user);
    if (r < 0) {
        user_free(user);
        return r;
    }
    if (account != NULL)
        r = users_set_account(users, user, account);
    if (r < 0) {
        users_remove(users, user);
        return r;
    }
    *ret_user = user;
    return 0;
}

int users_change(struct users *users, struct user *user, const struct user_record *record)
{
    AUTO(outfit_done) struct outfit outfit = {0};
    int r = check_record(record);
    if (r < 0)
        return r;
    if (strcmp(record->devices[0].number, user_phone(user)) != 0 ||
        strcmp(record->node, user->node) != 0)
        return -EINVAL;
    r = outfit_make(users, user, record, &outfit);
    if (r == 0)
        r = reserve_numbers(users, &outfit);
    if (r == 0)
        put_on(users, user, &outfit);
    return r;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int index_external_login(struct users *users, struct user *user, const char *login)
{
    if (same_text(user->external_login, login))
        return 0;
    if (login != NULL && map_get(users->by_external_login, login) != NULL)
        return -EEXIST;
    if (login != NULL && map_put(users->by_external_login, login, user, NULL) < 0)
        return -ENOMEM;
    if (user->external_login != NULL)
        (void)map_remove(users->by_external_login, user->external_login);
    return 0;
}

int users_set_account(struct users *users, struct user *user, const struct user_account *account)
{
    const char *const texts[] = {account->external_login, account->mail, account->gui_language,
                                 account->password_hash};
    char **const fields[] = {&user->external_login, &user->mail, &user->gui_language,
                             &user->password_hash};
    char *copies[COUNT_OF(texts)] = {NULL};
    int r = 0;
    for (size_t i = 0; i < COUNT_OF(texts) && r == 0; i++) {
        copies[i] = copy_or_null(texts[i]);
        if (texts[i] != NULL && copies[i] == NULL)
            r = -ENOMEM;
    }
    if (r == 0)
        r = index_external_login(users, user, account->external_login);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (r == 0) {
            free(*fields[i]);
            *fields[i] = copies[i];
        } else {
            free(copies[i]);
        }
    }
    return r;
}

void users_remove(struct users *users, struct user *user)
{
    assert(TAILQ_EMPTY(&user->calls));
    for (unsigned i = 0; i < user->device_count; i++)
        (void)map_remove(users->by_number, user->devices[i]->number);
    if (user->external_login != NULL)
        (void)map_remove(users->by_external_login, user->external_login);
    (void)map_remove(users->by_login, user->login);
    TAILQ_REMOVE(&users->all, user, of_all);
    user_free(user);
}

void users_free(struct users *users)
{
    if (users == NULL)
        return;
    while (!TAILQ_EMPTY(&users->all))
        users_remove(users, TAILQ_FIRST(&users->all));
    map_free(users->by_login, NULL);
    map_free(users->by_external_login, NULL);
    map_free(users->by_number, NULL);
    free(users);
}

/* --- questions ---------------------------------------------------------------------------------
 */

struct user *users_find_login(const struct users *users, const char *login)
{
    return map_get(users->by_login, login);
}

struct user *users_find(const struct users *users, const char *login_or_number)
{
    char login[USER_LOGIN_CHARS];
    struct user *user = map_get(users->by_login, login_or_number);
    if (user == NULL && strlen(login_or_number) < PBX_NUMBER_CHARS) {
        user_login_of(login_or_number, login);
        user = map_get(users->by_login, login);
    }
    return user != NULL ? user : map_get(users->by_external_login, login_or_number);
}

struct device *users_find_device(const struct users *users, const char *number)
{
    return map_get(users->by_number, number);
}

const char *user_phone(const struct user *user)
{
    return user->devices[0]->number;
}

struct device *user_find_device(const struct user *user, const char *number)
{
    for (unsigned i = 0; i < user->device_count; i++) {
        if (strcmp(user->devices[i]->number, number) == 0)
            return user->devices[i];
    }
    return NULL;
}

struct user_account user_account_of(const struct user *user)
{
    return (struct user_account){user->external_login, user->mail, user->gui_language,
                                 user->password_hash};
}

bool user_matches(const struct user *user, const struct user_record *record)
{
    if (strcmp(user->node, record->node) != 0 ||
        strcmp(user->first_name, record->first_name) != 0 ||
        strcmp(user->last_name, record->last_name) != 0 ||
        user->device_count != record->device_count)
        return false;
    for (unsigned i = 0; i < record->device_count; i++) {
        const struct device *device = user->devices[i];
        const struct device_record *wanted = &record->devices[i];
        if (strcmp(device->number, wanted->number) != 0 || device->type != wanted->type ||
            !same_text(device->model, wanted->model))
            return false;
    }
    return true;
}
