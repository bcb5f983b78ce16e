#include "drbd/drbdctl_events.h"

#include "drbd/drbdctl_names.h"
#include "lib/common/common.h"

#include <stdio.h>
#include <string.h>

enum {
    PAIRS_MAX = 48,       /* keys of one line; the longest of DRBD 9 has some 20 */
    RATE_WINDOW_MS = 1000 /* a shorter distance makes the rate jump */
};
#define NUMBER_MAX (UINT64_C(1) << 53) /* KiB; far above every disk, and *1000 still fits */

#define NAME_TEXT(id, text) text,
static const char *const roles[] = {DRBDCTL_ROLES(NAME_TEXT)};
static const char *const disks[] = {DRBDCTL_DISKS(NAME_TEXT)};
static const char *const connections[] = {DRBDCTL_CONNECTIONS(NAME_TEXT)};
static const char *const replications[] = {DRBDCTL_REPLICATIONS(NAME_TEXT)};
static const char *const ends[] = {DRBDCTL_ENDS(NAME_TEXT)};

#define SUSPENSION_ROW(id, bit, text) {(bit), (text)},
static const struct {
    uint32_t bit;
    const char *text;
} suspensions[] = {DRBDCTL_SUSPENSIONS(SUSPENSION_ROW)};

const char *drbdctl_role_name(enum drbdctl_role role)
{
    return drbdctl__name(roles, COUNT_OF(roles), role);
}

const char *drbdctl_disk_name(enum drbdctl_disk disk)
{
    return drbdctl__name(disks, COUNT_OF(disks), disk);
}

const char *drbdctl_connection_name(enum drbdctl_connection connection)
{
    return drbdctl__name(connections, COUNT_OF(connections), connection);
}

const char *drbdctl_replication_name(enum drbdctl_replication replication)
{
    return drbdctl__name(replications, COUNT_OF(replications), replication);
}

const char *drbdctl_end_name(enum drbdctl_end end)
{
    return drbdctl__name(ends, COUNT_OF(ends), end);
}

const char *drbdctl_suspended_text(uint32_t suspended, char *ret_text)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(suspensions); i++)
        if ((suspended & suspensions[i].bit) != 0)
            used += (size_t)snprintf(ret_text + used, DRBDCTL_WORD_MAX - used, "%s%s",
                                     used > 0 ? "," : "", suspensions[i].text);
    if (used == 0)
        (void)snprintf(ret_text, DRBDCTL_WORD_MAX, "no");
    return ret_text;
}

bool drbdctl_state_is_syncing(const struct drbdctl_state *state)
{
    return state->replication >= DRBDCTL_REPLICATION_STARTING_SYNC_SOURCE &&
           state->replication <= DRBDCTL_REPLICATION_BEHIND;
}

bool drbdctl_state_is_whole(const struct drbdctl_state *state)
{
    return state->valid && state->up && state->connection == DRBDCTL_CONNECTION_CONNECTED &&
           state->replication == DRBDCTL_REPLICATION_ESTABLISHED &&
           state->disk == DRBDCTL_DISK_UPTODATE && state->peer_disk == DRBDCTL_DISK_UPTODATE;
}

/* --- one line, taken apart ------------------------------------------------------------------- */

enum object { RESOURCE, CONNECTION, DEVICE, PEER_DEVICE, HELPER, DUMP_END, FOREIGN };
static const char *const objects[] = {"resource",    "connection", "device",
                                      "peer-device", "helper",     "-"};

enum event { EXISTS, CREATE, CHANGE, DESTROY, CALL, RESPONSE, RENAME };
static const char *const event_words[] = {"exists", "create",   "change", "destroy",
                                          "call",   "response", "rename"};

struct line {
    enum event event;
    enum object object;
    unsigned count;
    struct {
        const char *key, *value;
    } pair[PAIRS_MAX];
};

static const char *line_value(const struct line *line, const char *key)
{
    for (unsigned i = 0; i < line->count; i++)
        if (strcmp(line->pair[i].key, key) == 0)
            return line->pair[i].value;
    return NULL;
}

/* The next word of *cursor, ended in place; NULL at the end. */
static char *next_word(char **cursor)
{
    char *word = *cursor + strspn(*cursor, " ");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " ");
    *cursor = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static bool is_time(const char *word)
{
    return word[0] >= '0' && word[0] <= '9' && strspn(word, "0123456789-:+.TZ") == strlen(word);
}

static bool split_pairs(struct line *line, char *cursor)
{
    for (char *word = next_word(&cursor); word != NULL; word = next_word(&cursor)) {
        char *colon = strchr(word, ':');
        if (colon == NULL || colon == word || line->count == PAIRS_MAX)
            return false;
        *colon = '\0';
        if (line_value(line, word) != NULL)
            return false; /* the same key twice: which one holds is not for us to guess */
        line->pair[line->count].key = word;
        line->pair[line->count].value = colon + 1;
        line->count++;
    }
    return true;
}

/* Takes `text` apart in place; false: not a line of events2. */
static bool line_split(struct line *line, char *text)
{
    char *cursor = text;
    const char *word = next_word(&cursor);
    if (word != NULL && is_time(word))
        word = next_word(&cursor);
    int event = word != NULL ? drbdctl__index(event_words, COUNT_OF(event_words), word) : -1;
    word = event >= 0 ? next_word(&cursor) : NULL;
    if (word == NULL)
        return false;
    int object = drbdctl__index(objects, COUNT_OF(objects), word);
    line->event = (enum event)event;
    line->object = object < 0 ? FOREIGN : (enum object)object;
    line->count = 0;
    bool is_run = line->event == CALL || line->event == RESPONSE;
    if (is_run != (line->object == HELPER) && line->object != FOREIGN)
        return false;
    return split_pairs(line, cursor);
}

/* --- what a line changes --------------------------------------------------------------------- */

#define SET(field, to)                                                                             \
    do {                                                                                           \
        const __typeof__(field) to_ = (to); /* once: reading a word may count it as unknown */     \
        if ((field) != to_) {                                                                      \
            (field) = to_;                                                                         \
            changed = true;                                                                        \
        }                                                                                          \
    } while (0)

/* A word of a table; a word we do not know is UNKNOWN (0 in every table), never the old value. */
static unsigned read_word(struct drbdctl_state *state, const char *const *names, size_t count,
                          const char *word)
{
    int index = drbdctl__index(names, count, word);
    if (index >= 0)
        return (unsigned)index;
    state->unknown_words++;
    return 0;
}

static bool read_number(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > NUMBER_MAX)
            return false;
    }
    *ret_number = number;
    return true;
}

static uint32_t read_suspended(struct drbdctl_state *state, const char *text)
{
    if (strcmp(text, "no") == 0)
        return DRBDCTL_SUSPENDED_NONE;
    uint32_t bits = 0;
    while (true) {
        size_t len = strcspn(text, ",");
        uint32_t bit = 0;
        for (size_t i = 0; i < COUNT_OF(suspensions); i++)
            if (strlen(suspensions[i].text) == len && strncmp(suspensions[i].text, text, len) == 0)
                bit = suspensions[i].bit;
        if (bit == 0)
            state->unknown_words++;
        bits |= bit != 0 ? bit : (uint32_t)DRBDCTL_SUSPENDED_UNKNOWN;
        if (text[len] == '\0')
            return bits;
        text += len + 1;
    }
}

static enum drbdctl_end end_of(enum drbdctl_connection connection)
{
    switch (connection) {
    case DRBDCTL_CONNECTION_TIMEOUT:
    case DRBDCTL_CONNECTION_BROKEN_PIPE:
    case DRBDCTL_CONNECTION_NETWORK_FAILURE:
    case DRBDCTL_CONNECTION_PROTOCOL_ERROR:
        return DRBDCTL_END_FAILURE;
    case DRBDCTL_CONNECTION_TEARDOWN:
        return DRBDCTL_END_ORDERLY;
    case DRBDCTL_CONNECTION_DISCONNECTING:
        return DRBDCTL_END_LOCAL;
    case DRBDCTL_CONNECTION_UNKNOWN:
    case DRBDCTL_CONNECTION_STANDALONE:
    case DRBDCTL_CONNECTION_UNCONNECTED:
    case DRBDCTL_CONNECTION_CONNECTING:
    case DRBDCTL_CONNECTION_CONNECTED:
    case DRBDCTL_CONNECTION_COUNT:
        break;
    }
    return DRBDCTL_END_UNKNOWN;
}

/* Counts connects and losses. Within a dump nothing is counted before its end, so that a restart
 * of the stream neither hides a loss nor makes one up. */
static void note_connection(struct drbdctl_events *events, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    if (!state->valid || state->connection == DRBDCTL_CONNECTION_UNKNOWN)
        return;
    bool connected = state->connection == DRBDCTL_CONNECTION_CONNECTED;
    if (connected == events->was_connected)
        return;
    events->was_connected = connected;
    if (connected) {
        state->connects++;
        return;
    }
    state->losses++;
    state->lost_at_ms = now_ms;
    state->lost_by = end_of(state->connection);
}

static bool apply_resource(struct drbdctl_events *events, const struct line *line)
{
    struct drbdctl_state *state = &events->state;
    bool changed = false;
    const char *value = line_value(line, "role");
    if (value != NULL)
        SET(state->role, (enum drbdctl_role)read_word(state, roles, COUNT_OF(roles), value));
    value = line_value(line, "suspended");
    if (value != NULL)
        SET(state->suspended, read_suspended(state, value));
    SET(state->up, true);
    if (state->valid && !events->have_connection) { /* a new resource; in a dump its end tells */
        SET(state->connection, DRBDCTL_CONNECTION_STANDALONE);
        SET(state->replication, DRBDCTL_REPLICATION_OFF);
    }
    return changed;
}

static bool apply_connection(struct drbdctl_events *events, const struct line *line,
                             uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    bool changed = false;
    events->have_connection = true;
    const char *value = line_value(line, "connection");
    if (value != NULL)
        SET(state->connection,
            (enum drbdctl_connection)read_word(state, connections, COUNT_OF(connections), value));
    value = line_value(line, "role");
    if (value != NULL)
        SET(state->peer_role, (enum drbdctl_role)read_word(state, roles, COUNT_OF(roles), value));
    note_connection(events, now_ms);
    return changed;
}

static bool apply_device(struct drbdctl_events *events, const struct line *line)
{
    struct drbdctl_state *state = &events->state;
    bool changed = false;
    uint64_t number = 0;
    const char *value = line_value(line, "disk");
    if (value != NULL)
        SET(state->disk, (enum drbdctl_disk)read_word(state, disks, COUNT_OF(disks), value));
    value = line_value(line, "size");
    if (value != NULL && read_number(value, &number))
        SET(state->size_kib, number);
    value = line_value(line, "blocked");
    if (value != NULL)
        SET(state->blocked, strcmp(value, "no") != 0);
    return changed;
}

static bool apply_peer_device(struct drbdctl_events *events, const struct line *line)
{
    struct drbdctl_state *state = &events->state;
    bool changed = false;
    uint64_t number = 0;
    const char *value = line_value(line, "replication");
    if (value != NULL)
        SET(state->replication, (enum drbdctl_replication)read_word(state, replications,
                                                                    COUNT_OF(replications), value));
    value = line_value(line, "peer-disk");
    if (value != NULL)
        SET(state->peer_disk, (enum drbdctl_disk)read_word(state, disks, COUNT_OF(disks), value));
    value = line_value(line, "resync-suspended");
    if (value != NULL)
        SET(state->resync_suspended, strcmp(value, "no") != 0);
    value = line_value(line, "out-of-sync");
    if (value != NULL && read_number(value, &number))
        SET(state->out_of_sync_kib, number);
    return changed;
}

static void note_call(struct drbdctl_helper *helper, const char *name, uint64_t now_ms)
{
    (void)snprintf(helper->name, sizeof(helper->name), "%s", name);
    helper->calls++;
    helper->running = true;
    helper->called_at_ms = now_ms;
}

static void note_response(struct drbdctl_helper *helper, const char *name, int exit_code,
                          uint64_t now_ms)
{
    (void)snprintf(helper->name, sizeof(helper->name), "%s", name);
    helper->running = false;
    helper->exit_code = exit_code;
    helper->answered_at_ms = now_ms;
}

/* status is what wait(2) gives: the exit code in the second byte, a signal in the first. */
static int exit_code_of(const char *status)
{
    uint64_t number = 0;
    if (status == NULL || !read_number(status, &number) || number > UINT16_MAX)
        return -1;
    return (number & 0x7f) == 0 ? (int)(number >> 8) : -1;
}

static bool apply_helper(struct drbdctl_events *events, const struct line *line, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    const char *name = line_value(line, "helper");
    if (name == NULL)
        return false;
    bool is_fence = strcmp(name, "fence-peer") == 0;
    if (line->event == CALL) {
        note_call(&state->helper, name, now_ms);
        if (is_fence)
            note_call(&state->fence, name, now_ms);
        if (strcmp(name, "split-brain") == 0)
            state->split_brains++;
        return true;
    }
    int exit_code = exit_code_of(line_value(line, "status"));
    note_response(&state->helper, name, exit_code, now_ms);
    if (is_fence)
        note_response(&state->fence, name, exit_code, now_ms);
    return true;
}

/* The kernel keeps what it knows for certain of a copy that is worse than its own, also without a
 * connection object: a new dump shows it again, and it permits a promotion unasked. */
static bool forget_peer_device(struct drbdctl_state *state)
{
    bool changed = false;
    SET(state->replication, DRBDCTL_REPLICATION_OFF);
    if (state->peer_disk != DRBDCTL_DISK_INCONSISTENT && state->peer_disk != DRBDCTL_DISK_OUTDATED)
        SET(state->peer_disk, DRBDCTL_DISK_UNKNOWN);
    return changed;
}

static bool forget_connection(struct drbdctl_events *events, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    bool changed = forget_peer_device(state);
    events->have_connection = false;
    SET(state->connection, DRBDCTL_CONNECTION_STANDALONE);
    SET(state->peer_role, DRBDCTL_ROLE_UNKNOWN);
    note_connection(events, now_ms);
    return changed;
}

static bool forget_device(struct drbdctl_state *state)
{
    bool changed = false;
    SET(state->disk, DRBDCTL_DISK_UNKNOWN);
    SET(state->size_kib, 0);
    SET(state->blocked, false);
    return changed;
}

static bool forget_resource(struct drbdctl_events *events, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    bool changed = forget_connection(events, now_ms);
    changed |= forget_device(state);
    SET(state->connection, DRBDCTL_CONNECTION_UNKNOWN);
    SET(state->replication, DRBDCTL_REPLICATION_UNKNOWN);
    SET(state->peer_disk, DRBDCTL_DISK_UNKNOWN);
    SET(state->role, DRBDCTL_ROLE_UNKNOWN);
    SET(state->suspended, 0);
    SET(state->out_of_sync_kib, 0);
    SET(state->up, false);
    return changed;
}

static bool apply_destroy(struct drbdctl_events *events, const struct line *line, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    switch (line->object) {
    case RESOURCE:
        return forget_resource(events, now_ms);
    case CONNECTION:
        return forget_connection(events, now_ms);
    case DEVICE:
        return forget_device(state);
    case PEER_DEVICE:
        return forget_peer_device(state);
    case HELPER:
    case DUMP_END:
    case FOREIGN:
        break;
    }
    return false;
}

/* The dump is complete: what it did not mention does not exist. */
static bool end_dump(struct drbdctl_events *events, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    bool changed = false;
    if (!state->up) {
        changed |= forget_resource(events, now_ms);
    } else if (!events->have_connection) {
        changed |= forget_connection(events, now_ms);
    }
    SET(state->valid, true);
    if (state->up)
        note_connection(events, now_ms);
    else
        events->was_connected = false;
    return changed;
}

/* --- progress -------------------------------------------------------------------------------- */

static void measure(struct drbdctl_progress *progress, uint64_t left_kib, uint64_t now_ms)
{
    progress->left_kib = left_kib;
    if (left_kib > progress->begin_kib)
        progress->begin_kib = left_kib;
    progress->done_permille =
        progress->begin_kib > 0
            ? (uint32_t)((progress->begin_kib - left_kib) * 1000 / progress->begin_kib)
            : 0;

    uint64_t passed_ms = now_ms > progress->mark_ms ? now_ms - progress->mark_ms : 0;
    if (passed_ms >= RATE_WINDOW_MS) {
        uint64_t done_kib = progress->mark_kib > left_kib ? progress->mark_kib - left_kib : 0;
        uint64_t rate = done_kib * 1000 / passed_ms;
        if (progress->rate_kib_per_s > 0)
            rate = (3 * (uint64_t)progress->rate_kib_per_s + rate) / 4;
        progress->rate_kib_per_s = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
        progress->mark_ms = now_ms;
        progress->mark_kib = left_kib;
    }
    progress->left_s = left_kib == 0                   ? 0
                       : progress->rate_kib_per_s == 0 ? UINT64_MAX
                                                       : left_kib / progress->rate_kib_per_s;
}

static void follow_progress(struct drbdctl_state *state, uint64_t now_ms)
{
    struct drbdctl_progress *progress = &state->progress;
    if (!drbdctl_state_is_syncing(state)) {
        progress->running = false;
        return;
    }
    if (!progress->running) {
        *progress = (struct drbdctl_progress){.running = true,
                                              .begin_kib = state->out_of_sync_kib,
                                              .mark_ms = now_ms,
                                              .mark_kib = state->out_of_sync_kib};
    }
    measure(progress, state->out_of_sync_kib, now_ms);
}

bool drbdctl_events_measure(struct drbdctl_events *events, uint64_t out_of_sync_kib,
                            uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    if (!state->progress.running || out_of_sync_kib > NUMBER_MAX)
        return false;
    bool changed = state->out_of_sync_kib != out_of_sync_kib;
    state->out_of_sync_kib = out_of_sync_kib;
    measure(&state->progress, out_of_sync_kib, now_ms);
    return changed;
}

/* --- the stream ------------------------------------------------------------------------------ */

/* False: the line belongs to another resource or volume, or to an object without meaning here. */
static bool is_ours(const struct drbdctl_events *events, const struct line *line)
{
    const char *volume = line_value(line, "volume");
    const char *name = line_value(line, "name");
    return line->object != FOREIGN && line->object != DUMP_END && name != NULL &&
           strcmp(name, events->resource) == 0 && (volume == NULL || strcmp(volume, "0") == 0);
}

static bool apply_line(struct drbdctl_events *events, const struct line *line, uint64_t now_ms)
{
    if (line->event == DESTROY)
        return apply_destroy(events, line, now_ms);
    switch (line->object) {
    case RESOURCE:
        return apply_resource(events, line);
    case CONNECTION:
        return apply_connection(events, line, now_ms);
    case DEVICE:
        return apply_device(events, line);
    case PEER_DEVICE:
        return apply_peer_device(events, line);
    case HELPER:
        return apply_helper(events, line, now_ms);
    case DUMP_END:
    case FOREIGN:
        break;
    }
    return false;
}

static bool is_plain_text(const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* `events->line` holds a complete line without its end. */
static bool read_line(struct drbdctl_events *events, uint64_t now_ms)
{
    struct drbdctl_state *state = &events->state;
    size_t len = events->line_bytes;
    if (len > 0 && events->line[len - 1] == '\r')
        len--;
    if (len == 0 && !events->line_too_long)
        return false;

    state->lines++;
    struct line line = {0};
    events->line[len] = '\0';
    bool readable = !events->line_too_long && is_plain_text(events->line, len) &&
                    line_split(&line, events->line) &&
                    (line.object == DUMP_END || line_value(&line, "name") != NULL);
    if (!readable) {
        state->unreadable++;
        return true;
    }
    bool changed = false;
    if (line.object == DUMP_END)
        changed = line.event == EXISTS && end_dump(events, now_ms);
    else if (line.event != RENAME && is_ours(events, &line))
        changed = apply_line(events, &line, now_ms);
    if (state->valid) /* a restarted stream goes on with the old progress once its dump is read */
        follow_progress(state, now_ms);
    return changed;
}

bool drbdctl_events_feed(struct drbdctl_events *events, const char *bytes, size_t len_bytes,
                         uint64_t now_ms)
{
    bool changed = false;
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes[i] == '\n') {
            changed |= read_line(events, now_ms);
            events->line_bytes = 0;
            events->line_too_long = false;
        } else if (events->line_bytes < sizeof(events->line) - 1) {
            events->line[events->line_bytes++] = bytes[i];
        } else {
            events->line_too_long = true;
        }
    }
    return changed;
}

static void forget_all(struct drbdctl_events *events)
{
    struct drbdctl_state *state = &events->state;
    state->valid = state->up = false;
    state->role = state->peer_role = DRBDCTL_ROLE_UNKNOWN;
    state->disk = state->peer_disk = DRBDCTL_DISK_UNKNOWN;
    state->connection = DRBDCTL_CONNECTION_UNKNOWN;
    state->replication = DRBDCTL_REPLICATION_UNKNOWN;
    state->suspended = 0;
    state->blocked = state->resync_suspended = false;
    state->size_kib = state->out_of_sync_kib = 0;
    state->helper.running = state->fence.running = false;
    events->have_connection = false;
    events->line_bytes = 0;
    events->line_too_long = false;
}

void drbdctl_events_init(struct drbdctl_events *events, const char *resource)
{
    *events = (struct drbdctl_events){0};
    (void)snprintf(events->resource, sizeof(events->resource), "%s", resource);
    events->state.helper.exit_code = events->state.fence.exit_code = -1;
    forget_all(events);
}

void drbdctl_events_restart(struct drbdctl_events *events)
{
    forget_all(events);
}
