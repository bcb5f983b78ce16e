#include "cli/roxed_status.h"

#include "cli/roxed_text.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <string.h>

enum { LABEL_WIDTH = 11, NAME_WIDTH = 17, STATE_WIDTH = 10, BAR_WIDTH = 24 };

struct view {
    struct buf *out;
    const struct roxed_look *look;
    const cJSON *status;
};

static const struct phase {
    const char *word;   /* solution-control's */
    const char *people; /* ours */
    enum roxed_colour colour;
} phases[] = {
    {"active", "ACTIVE", ROXED_GOOD},
    {"standby", "STANDBY", ROXED_GOOD},
    {"boot", "STARTING", ROXED_WARN},
    {"suspect", "ASKING TO TAKE OVER", ROXED_WARN},
    {"taking", "BECOMING ACTIVE", ROXED_WARN},
    {"releasing", "RELEASING", ROXED_WARN},
    {"wait", "WAITING (not active)", ROXED_BAD},
    {"stopped", "STOPPED", ROXED_WARN},
    {"fenced", "BEING RESET", ROXED_BAD},
};

/* --- pieces ---------------------------------------------------------------------------------- */

static void colour_begin(const struct view *view, enum roxed_colour colour)
{
    static const char *const codes[] = {[ROXED_PLAIN] = "",
                                        [ROXED_GOOD] = "\033[32m",
                                        [ROXED_WARN] = "\033[33m",
                                        [ROXED_BAD] = "\033[31m",
                                        [ROXED_BOLD] = "\033[1m"};
    if (view->look->colours)
        buf_adds(view->out, codes[colour]);
}

static void colour_end(const struct view *view, enum roxed_colour colour)
{
    if (view->look->colours && colour != ROXED_PLAIN)
        buf_adds(view->out, "\033[0m");
}

static void add_coloured(const struct view *view, enum roxed_colour colour, const char *text)
{
    colour_begin(view, colour);
    roxed_add_safe(view->out, text);
    colour_end(view, colour);
}

static void add_unknown(const struct view *view)
{
    add_coloured(view, ROXED_WARN, "unknown");
}

/* label "" continues the block above */
static void add_label(const struct view *view, const char *label)
{
    colour_begin(view, ROXED_BOLD);
    roxed_add_padded(view->out, label, LABEL_WIDTH - 1);
    colour_end(view, ROXED_BOLD);
    buf_adds(view->out, " ");
}

static void begin_row(const struct view *view, const char *label, const char *name)
{
    add_label(view, label);
    roxed_add_padded(view->out, name, NAME_WIDTH - 1);
    buf_adds(view->out, " ");
}

static void end_row(const struct view *view)
{
    buf_adds(view->out, "\n");
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_or(const cJSON *object, const char *name, const char *otherwise)
{
    const char *text = json_string(object, name);
    return text != NULL && text[0] != '\0' ? text : otherwise;
}

static bool is_known_bool(const cJSON *object, const char *name)
{
    return cJSON_IsBool(member(object, name));
}

static bool count_of(const cJSON *object, const char *name, uint64_t *ret_count)
{
    int64_t value = 0;
    if (!json_int64(object, name, &value) || value < 0)
        return false;
    *ret_count = (uint64_t)value;
    return true;
}

static void add_yes_no(const struct view *view, const cJSON *object, const char *name,
                       const char *yes, const char *no)
{
    if (!is_known_bool(object, name))
        add_unknown(view);
    else if (json_bool(object, name, false))
        add_coloured(view, ROXED_GOOD, yes);
    else
        add_coloured(view, ROXED_BAD, no);
}

/* ", heard 3.1 s ago" when the age is known; heartbeats come several times a second */
static void add_age(const struct view *view, const cJSON *object, const char *words)
{
    uint64_t age_ms;
    if (!count_of(object, "age_ms", &age_ms))
        return;
    buf_addf(view->out, ", %s ", words);
    if (age_ms < 1000) {
        buf_adds(view->out, "just now");
        return;
    }
    roxed_add_duration(view->out, age_ms);
    buf_adds(view->out, " ago");
}

static const char *peer_name(const struct view *view)
{
    return text_or(view->status, "peer", "other node");
}

/* --- blocks ---------------------------------------------------------------------------------- */

static void add_since(const struct view *view)
{
    uint64_t since_ms;
    if (!count_of(view->status, "since_ms", &since_ms)) {
        buf_adds(view->out, " since an unknown time");
        return;
    }
    if (view->look->now_s > 0 && (int64_t)(since_ms / 1000) <= view->look->now_s) {
        buf_adds(view->out, " since ");
        roxed_add_time(view->out, view->look->now_s - (int64_t)(since_ms / 1000));
        buf_adds(view->out, " (");
        roxed_add_duration(view->out, since_ms);
        buf_adds(view->out, ")");
    } else {
        buf_adds(view->out, " for ");
        roxed_add_duration(view->out, since_ms);
    }
}

static void add_protection(const struct view *view, const char *phase)
{
    buf_adds(view->out, ", ");
    if (!is_known_bool(view->status, "protected")) {
        add_coloured(view, ROXED_WARN, "protection unknown");
    } else if (!json_bool(view->status, "protected", false)) {
        add_coloured(view, ROXED_BAD, "NOT PROTECTED");
    } else if (strcmp(phase, "standby") == 0) {
        add_coloured(view, ROXED_GOOD, "protected (this node can take over)");
    } else {
        colour_begin(view, ROXED_GOOD);
        buf_adds(view->out, "protected by ");
        roxed_add_safe(view->out, peer_name(view));
        colour_end(view, ROXED_GOOD);
    }
}

const char *roxed_status_phase(const cJSON *status)
{
    return text_or(status, "phase", text_or(status, "role", ""));
}

static void add_headline(const struct view *view)
{
    const char *word = roxed_status_phase(view->status);
    struct phase phase = {word, word[0] != '\0' ? word : "role unknown", ROXED_WARN};
    for (size_t i = 0; i < COUNT_OF(phases); i++)
        if (strcmp(phases[i].word, word) == 0)
            phase = phases[i];
    add_coloured(view, ROXED_BOLD, text_or(view->status, "node", "this node"));
    buf_adds(view->out, ": ");
    add_coloured(view, phase.colour, phase.people);
    add_since(view);
    add_protection(view, word);
    buf_adds(view->out, "\n");

    const char *reason = text_or(view->status, "reason", "");
    if (reason[0] != '\0') {
        buf_adds(view->out, "  ");
        roxed_add_safe(view->out, reason);
        buf_adds(view->out, "\n");
    }
    buf_adds(view->out, "\n");
}

static void add_order(const struct view *view)
{
    const char *step = text_or(view->status, "step", "");
    const char *failure = text_or(view->status, "failure", "");
    if (step[0] != '\0') {
        begin_row(view, "Order", text_or(view->status, "executor", "unknown"));
        add_coloured(view, ROXED_WARN, step);
        end_row(view);
    }
    if (failure[0] != '\0') {
        begin_row(view, step[0] != '\0' ? "" : "Order", "last failure");
        add_coloured(view, ROXED_BAD, failure);
        end_row(view);
    }
}

static enum roxed_colour colour_of_service(const char *state)
{
    if (strcmp(state, "STARTED") == 0)
        return ROXED_GOOD;
    if (strcmp(state, "FAILED") == 0)
        return ROXED_BAD;
    return strcmp(state, "STOPPED") == 0 ? ROXED_PLAIN : ROXED_WARN;
}

static void add_service(const struct view *view, const char *label, const cJSON *service)
{
    const char *state = text_or(service, "state", "unknown");
    enum roxed_colour colour = colour_of_service(state);
    uint64_t since_ms, restarts;
    bool since_known = count_of(service, "since_ms", &since_ms);
    bool restarted = count_of(service, "restarts", &restarts) && restarts > 0;
    begin_row(view, label, text_or(service, "name", "unknown"));
    colour_begin(view, colour);
    if (since_known)
        roxed_add_padded(view->out, state, STATE_WIDTH - 1);
    else
        roxed_add_safe(view->out, state);
    colour_end(view, colour);
    if (since_known) {
        buf_adds(view->out, " for ");
        roxed_add_duration(view->out, since_ms);
    }
    if (restarted && restarts == 1)
        buf_adds(view->out, ", restarted once");
    else if (restarted)
        buf_addf(view->out, ", restarted %llu times", (unsigned long long)restarts);
    end_row(view);
}

static void add_services(const struct view *view)
{
    const cJSON *services = member(view->status, "services"), *service;
    if (!cJSON_IsArray(services) || cJSON_GetArraySize(services) == 0) {
        add_label(view, "Services");
        add_unknown(view);
        end_row(view);
        return;
    }
    const char *label = "Services";
    cJSON_ArrayForEach(service, services)
    {
        add_service(view, label, service);
        label = "";
    }
}

static void add_address(const struct view *view)
{
    const cJSON *vip = member(view->status, "vip");
    begin_row(view, "Address", text_or(vip, "address", "unknown"));
    if (!is_known_bool(vip, "held"))
        add_unknown(view);
    else if (json_bool(vip, "held", false))
        add_coloured(view, ROXED_GOOD, "held by this node");
    else
        add_coloured(view, ROXED_PLAIN, "not held by this node");
    end_row(view);
}

static enum roxed_colour colour_of_copy(const char *disk)
{
    if (strcmp(disk, "UpToDate") == 0)
        return ROXED_GOOD;
    return strcmp(disk, "Consistent") == 0 || strcmp(disk, "DUnknown") == 0 ? ROXED_WARN
                                                                            : ROXED_BAD;
}

static void add_copy(const struct view *view, const cJSON *drbd, const char *name)
{
    const char *disk = text_or(drbd, name, NULL);
    if (disk == NULL || strcmp(disk, "DUnknown") == 0)
        add_unknown(view);
    else
        add_coloured(view, colour_of_copy(disk), disk);
}

/* Percentage and time left of the resynchronisation, when one is running. */
static void add_resync(const struct view *view, const cJSON *drbd)
{
    const cJSON *percent = member(drbd, "resync_percent");
    if (!cJSON_IsNumber(percent))
        return;
    double done = percent->valuedouble < 0 ? 0 : percent->valuedouble;
    done = done > 100 ? 100 : done;
    unsigned filled = (unsigned)(done * BAR_WIDTH / 100);
    begin_row(view, "", "resync");
    buf_adds(view->out, "[");
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        buf_adds(view->out, i < filled ? "#" : ".");
    buf_addf(view->out, "] %.1f %%", done);
    uint64_t left_s;
    if (count_of(drbd, "resync_left_s", &left_s)) {
        buf_adds(view->out, ", about ");
        roxed_add_duration(view->out, left_s < UINT64_MAX / 1000 ? left_s * 1000 : UINT64_MAX);
        buf_adds(view->out, " left");
    } else {
        buf_adds(view->out, ", time left unknown");
    }
    end_row(view);
}

static void add_disk(const struct view *view)
{
    const cJSON *drbd = member(view->status, "drbd");
    bool is_down = !json_bool(drbd, "known", true);
    if (!cJSON_IsObject(drbd) || is_down) {
        add_label(view, "Disk");
        if (is_down)
            add_coloured(view, ROXED_BAD, "the replicated disk is not up");
        else
            add_unknown(view);
        end_row(view);
        return;
    }
    begin_row(view, "Disk", "this node");
    roxed_add_safe(view->out, text_or(drbd, "role", "unknown"));
    buf_adds(view->out, ", copy ");
    add_copy(view, drbd, "disk");
    end_row(view);
    begin_row(view, "", peer_name(view));
    buf_adds(view->out, "copy ");
    add_copy(view, drbd, "peer_disk");
    end_row(view);

    const char *connection = text_or(drbd, "connection", "unknown");
    const char *suspended = text_or(drbd, "suspended", "no");
    begin_row(view, "", "data link");
    add_coloured(view, strcmp(connection, "Connected") == 0 ? ROXED_GOOD : ROXED_BAD, connection);
    end_row(view);
    if (strcmp(suspended, "no") != 0) {
        begin_row(view, "", "writes");
        colour_begin(view, ROXED_BAD);
        buf_adds(view->out, "waiting (");
        roxed_add_safe(view->out, suspended);
        buf_adds(view->out, ")");
        colour_end(view, ROXED_BAD);
        end_row(view);
    }
    add_resync(view, drbd);
}

static void add_peer_state(const struct view *view, const cJSON *peer)
{
    begin_row(view, "Peer", peer_name(view));
    if (!is_known_bool(peer, "heard") && !is_known_bool(peer, "fresh")) {
        add_unknown(view);
    } else if (json_bool(peer, "fresh", false)) {
        add_coloured(view, ROXED_GOOD, text_or(peer, "phase", "heard"));
        add_age(view, peer, "heard");
    } else if (json_bool(peer, "heard", false)) {
        add_coloured(view, ROXED_BAD, "SILENT");
        buf_adds(view->out, ", last ");
        roxed_add_safe(view->out, text_or(peer, "phase", "unknown"));
        add_age(view, peer, "heard");
    } else {
        add_coloured(view, ROXED_BAD, "never heard since this node started");
    }
    end_row(view);
}

static void add_peer(const struct view *view)
{
    const cJSON *peer = member(view->status, "peer_state");
    const cJSON *links = member(peer, "links"), *link;
    add_peer_state(view, peer);
    if (!cJSON_IsArray(links)) {
        begin_row(view, "", "links");
        add_unknown(view);
        end_row(view);
        return;
    }
    cJSON_ArrayForEach(link, links)
    {
        begin_row(view, "", text_or(link, "name", "unknown"));
        add_yes_no(view, link, "up", "up", "DOWN");
        add_age(view, link, "heard");
        end_row(view);
    }
}

static void add_witness(const struct view *view)
{
    const cJSON *witness = member(view->status, "witness");
    add_label(view, "Witness");
    add_yes_no(view, witness, "reachable", "reachable", "NOT REACHABLE");
    add_age(view, witness, "answered");
    if (json_bool(witness, "reachable", false) && is_known_bool(witness, "agreed"))
        buf_adds(view->out, json_bool(witness, "agreed", false) ? ", agreed by both nodes"
                                                                : ", not yet agreed by both nodes");
    end_row(view);
}

static void add_watchdog(const struct view *view)
{
    const cJSON *watchdog = member(view->status, "watchdog");
    uint64_t late_ms;
    add_label(view, "Watchdog");
    add_yes_no(view, watchdog, "armed", "armed", "NOT ARMED");
    const char *device = text_or(watchdog, "device", "");
    if (device[0] != '\0') {
        buf_adds(view->out, " (");
        roxed_add_safe(view->out, device);
        buf_adds(view->out, ")");
    }
    if (count_of(watchdog, "worst_late_ms", &late_ms) && late_ms > 0)
        buf_addf(view->out, ", longest delay so far %llu ms", (unsigned long long)late_ms);
    end_row(view);
}

static void add_right(const struct view *view)
{
    uint64_t owner, term;
    add_label(view, "Right");
    roxed_add_safe(view->out, text_or(view->status, "right", "unknown"));
    if (count_of(view->status, "right_owner", &owner) && owner > 0)
        buf_addf(view->out, ", owner node %llu", (unsigned long long)owner);
    if (count_of(view->status, "term", &term))
        buf_addf(view->out, ", term %llu", (unsigned long long)term);
    end_row(view);
}

static void add_alarms(const struct view *view)
{
    const cJSON *alarms = member(view->status, "alarms"), *alarm;
    const char *label = "Alarms";
    buf_adds(view->out, "\n");
    cJSON_ArrayForEach(alarm, alarms)
    {
        const char *text = cJSON_GetStringValue(alarm);
        add_label(view, label);
        add_coloured(view, ROXED_BAD, text != NULL ? text : "unknown");
        end_row(view);
        label = "";
    }
    if (label[0] == '\0')
        return;
    add_label(view, label);
    if (cJSON_IsArray(alarms))
        add_coloured(view, ROXED_GOOD, "none");
    else
        add_unknown(view);
    end_row(view);
}

static void add_advice(const struct view *view)
{
    const cJSON *advice = member(view->status, "advice");
    const char *text = cJSON_GetStringValue(advice);
    add_label(view, "Next");
    if (text == NULL)
        add_unknown(view);
    else if (text[0] != '\0')
        roxed_add_safe(view->out, text);
    else if (roxed_status_judge(view->status) == ROXED_HEALTHY)
        buf_adds(view->out, "Nothing to do.");
    else
        buf_adds(view->out, "Wait some seconds; if this stays: roxed history.");
    buf_adds(view->out, "\n");
}

/* --- whole screens --------------------------------------------------------------------------- */

enum roxed_exit roxed_status_judge(const cJSON *status)
{
    const char *phase = roxed_status_phase(status);
    const cJSON *alarms = member(status, "alarms");
    bool in_role = strcmp(phase, "active") == 0 || strcmp(phase, "standby") == 0;
    return in_role && json_bool(status, "protected", false) && cJSON_IsArray(alarms) &&
                   cJSON_GetArraySize(alarms) == 0
               ? ROXED_HEALTHY
               : ROXED_DEGRADED;
}

void roxed_status_add(struct buf *out, const struct roxed_look *look, const cJSON *status)
{
    const struct view view = {.out = out, .look = look, .status = status};
    add_headline(&view);
    add_order(&view);
    add_services(&view);
    add_address(&view);
    add_disk(&view);
    add_peer(&view);
    add_witness(&view);
    add_watchdog(&view);
    add_right(&view);
    add_alarms(&view);
    add_advice(&view);
}

void roxed_status_add_unreachable(struct buf *out, const struct roxed_look *look,
                                  enum roxed_exit state, const char *why)
{
    const struct view view = {.out = out, .look = look};
    bool stopped = state == ROXED_STOPPED;
    add_coloured(&view, ROXED_BAD, stopped ? "STOPPED" : "NO ANSWER");
    buf_adds(out, stopped ? ": solution-control does not run; this node serves nothing.\n  "
                          : ": solution-control runs but does not answer.\n  ");
    roxed_add_safe(out, why);
    buf_adds(out, "\n\n");
    add_label(&view, "Next");
    buf_adds(out, stopped ? "roxed start\n"
                          : "Wait some seconds and ask again; if this stays, see "
                            "`journalctl -u solution-control`.\n");
}

void roxed_status_add_progress(struct buf *out, const cJSON *status)
{
    const char *phase = roxed_status_phase(status);
    const char *step = text_or(status, "step", "");
    roxed_add_safe(out, phase[0] != '\0' ? phase : "unknown");
    if (step[0] != '\0') {
        buf_adds(out, ": ");
        roxed_add_safe(out, step);
    }
}
