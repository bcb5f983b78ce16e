#include "gateway/model/users_compare.h"

#include "lib/common/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reading { /* the directory as records */
    const struct users_compare *question;
    const char *node; /* lives in the arena */
    struct arena *arena;
    struct user_record *records;
    size_t count;
    struct map *by_main; /* number of the main device: record */
    struct map *seen;    /* every number taken */
    size_t ignored;
    bool failed; /* no memory */
};

void users_changes_done(struct users_changes *changes)
{
    arena_done(&changes->arena);
    *changes = (struct users_changes){0};
}

static bool is_number(const char *text)
{
    size_t chars = strspn(text, "0123456789");
    return chars > 0 && chars < PBX_NUMBER_CHARS && text[chars] == '\0';
}

/* Text that the database takes: well-formed, not endless; cut between characters. */
static size_t usable_bytes(const char *text)
{
    size_t len_bytes = strlen(text), good = 0;
    while (good < len_bytes) {
        size_t step = utf8_next(text + good, len_bytes - good, NULL);
        if (step == 0 || good + step > USER_NAME_BYTES_MAX)
            break;
        good += step;
    }
    return good;
}

static char *copy(struct reading *reading, const char *text, size_t len_bytes)
{
    char *result = arena_strndup(reading->arena, text, len_bytes);
    reading->failed |= result == NULL;
    return result;
}

/* "Nora van Dam": first name the first word, last name the rest. */
static void split_name(struct reading *reading, const char *name, struct user_record *record)
{
    const char *text = name == NULL ? "" : name + strspn(name, " ");
    size_t len_bytes = usable_bytes(text);
    while (len_bytes > 0 && text[len_bytes - 1] == ' ')
        len_bytes--;
    const char *space = memchr(text, ' ', len_bytes);
    size_t first_bytes = space == NULL ? len_bytes : (size_t)(space - text);
    const char *rest = text + first_bytes;
    while (rest < text + len_bytes && *rest == ' ')
        rest++;
    record->first_name = copy(reading, text, first_bytes);
    record->last_name = copy(reading, rest, (size_t)(text + len_bytes - rest));
}

static bool is_main(const struct pbx_device *device)
{
    return device->main_number == NULL || strcmp(device->main_number, device->number) == 0;
}

/* A device of another node's user stays his. */
static bool is_foreign(const struct reading *reading, const char *number)
{
    const struct device *device = users_find_device(reading->question->users, number);
    return device != NULL && strcmp(device->user->node, reading->node) != 0;
}

static bool take_number(struct reading *reading, const struct pbx_device *device)
{
    if (!is_number(device->number) || map_get(reading->seen, device->number) != NULL ||
        is_foreign(reading, device->number)) {
        reading->ignored++;
        return false;
    }
    if (map_put(reading->seen, device->number, reading, NULL) < 0)
        reading->failed = true;
    return !reading->failed;
}

static void add_device(struct reading *reading, struct user_record *record,
                       const struct pbx_device *device)
{
    const char *model = device->model;
    if (record->device_count >= USER_DEVICES_MAX) {
        reading->ignored++;
        return;
    }
    record->devices[record->device_count++] = (struct device_record){
        .number = copy(reading, device->number, strlen(device->number)),
        .type = device->type,
        .model = model == NULL || *model == '\0' ? NULL : copy(reading, model, usable_bytes(model)),
    };
}

static void add_main(struct reading *reading, const struct pbx_device *device)
{
    if (!take_number(reading, device))
        return;
    if (reading->count >= USERS_MAX) {
        reading->ignored++;
        return;
    }
    struct user_record *record = &reading->records[reading->count++];
    record->node = reading->node;
    split_name(reading, device->name, record);
    add_device(reading, record, device);
    if (map_put(reading->by_main, device->number, record, NULL) < 0)
        reading->failed = true;
}

/* Secondary devices come after all main ones, so that the order of the list does not matter. Those
 * that nobody has become main ones only after that: none gets secondary devices by its place. */
static void read_directory(struct reading *reading)
{
    const struct users_compare *question = reading->question;
    const struct pbx_device *devices = question->devices;
    for (size_t i = 0; i < question->device_count && !reading->failed; i++) {
        if (is_main(&devices[i]))
            add_main(reading, &devices[i]);
    }
    for (size_t i = 0; i < question->device_count && !reading->failed; i++) {
        struct user_record *owner =
            is_main(&devices[i]) ? NULL : map_get(reading->by_main, devices[i].main_number);
        if (owner != NULL && take_number(reading, &devices[i]))
            add_device(reading, owner, &devices[i]);
    }
    size_t mains = reading->count;
    for (size_t i = 0; i < question->device_count && !reading->failed; i++) {
        const struct user_record *owner =
            is_main(&devices[i]) ? NULL : map_get(reading->by_main, devices[i].main_number);
        bool owned = owner != NULL && owner < reading->records + mains;
        if (!is_main(&devices[i]) && !owned)
            add_main(reading, &devices[i]);
    }
}

/* --- the difference ----------------------------------------------------------------------------
 */

/* What a record is to the known users. */
enum verdict { VERDICT_KNOWN, VERDICT_CHANGED, VERDICT_CREATED, VERDICT_COUNT };

static enum verdict judge(const struct users_compare *question, const struct user_record *record)
{
    char login[USER_LOGIN_CHARS];
    user_login_of(record->devices[0].number, login);
    const struct user *user = users_find_login(question->users, login);
    if (user != NULL)
        return user_matches(user, record) ? VERDICT_KNOWN : VERDICT_CHANGED;
    bool left_out = question->left_out != NULL && map_get(question->left_out, login) != NULL;
    return left_out ? VERDICT_KNOWN : VERDICT_CREATED;
}

/* Counts first: most readings change nothing and need no memory here. */
static int sort_records(struct reading *reading, struct users_changes *changes)
{
    size_t counts[VERDICT_COUNT] = {0};
    unsigned char *verdicts = arena_calloc(reading->arena, reading->count + 1, 1);
    if (verdicts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reading->count; i++) {
        verdicts[i] = (unsigned char)judge(reading->question, &reading->records[i]);
        counts[verdicts[i]]++;
    }
    changes->created =
        arena_calloc(reading->arena, counts[VERDICT_CREATED] + 1, sizeof(*changes->created));
    changes->changed =
        arena_calloc(reading->arena, counts[VERDICT_CHANGED] + 1, sizeof(*changes->changed));
    if (changes->created == NULL || changes->changed == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < reading->count; i++) {
        if (verdicts[i] == VERDICT_CREATED)
            changes->created[changes->created_count++] = reading->records[i];
        else if (verdicts[i] == VERDICT_CHANGED)
            changes->changed[changes->changed_count++] = reading->records[i];
    }
    return 0;
}

static void find_deleted(const struct users_compare *question, struct reading *reading,
                         struct users_changes *changes)
{
    size_t known = 0;
    const struct user *user = users_first(question->users);
    struct digest *digest = &changes->deletion;
    for (; user != NULL; user = TAILQ_NEXT(user, of_all)) {
        if (strcmp(user->node, question->node) != 0)
            continue;
        known++;
        if (map_get(reading->by_main, user_phone(user)) != NULL)
            continue;
        changes->deleted[changes->deleted_count++] =
            copy(reading, user->login, strlen(user->login));
        struct { /* a chain: the order of known users does not change between two readings */
            struct digest before;
            char login[USER_LOGIN_CHARS];
        } link = {.before = *digest};
        memcpy(link.login, user->login, sizeof(link.login));
        secrets_sha256(&link, sizeof(link), digest->bytes);
    }
    changes->drastic = (known > 0 && question->device_count == 0) ||
                       (known >= USERS_DRASTIC_FROM && changes->deleted_count * 2 > known);
}

static int compare(struct reading *reading, struct users_changes *changes)
{
    const struct users_compare *question = reading->question;
    size_t known = users_count(question->users);
    reading->node = copy(reading, question->node, strlen(question->node));
    reading->records =
        arena_calloc(reading->arena, question->device_count + 1, sizeof(*reading->records));
    changes->deleted = arena_calloc(reading->arena, known + 1, sizeof(*changes->deleted));
    if (reading->failed || reading->records == NULL || changes->deleted == NULL)
        return -ENOMEM;
    read_directory(reading);
    if (reading->failed || sort_records(reading, changes) < 0)
        return -ENOMEM;
    find_deleted(question, reading, changes);
    changes->ignored = reading->ignored;
    return reading->failed ? -ENOMEM : 0;
}

int users_compare(const struct users_compare *question, struct users_changes *ret_changes)
{
    struct users_changes changes = {0};
    arena_init(&changes.arena, USERS_COMPARE_MEMORY_BYTES);
    struct reading reading = {
        .question = question, .arena = &changes.arena, .by_main = map_new(), .seen = map_new()};
    int r = reading.by_main == NULL || reading.seen == NULL ? -ENOMEM : compare(&reading, &changes);
    map_free(reading.by_main, NULL);
    map_free(reading.seen, NULL);
    if (r < 0)
        users_changes_done(&changes);
    else
        *ret_changes = changes;
    return r;
}
