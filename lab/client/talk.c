/* talk.c - two users who telephone while the machines under them change. Both were logged in before
 * (--session of the caller, --peer of the called); this never logs in again.
 *
 * Told on standard input, one word a line: 'call' makes a call and has it answered; from then on
 * both users ask for it again and again, over every outage; 'hangup' ends it, as soon as both could
 * read it after the last outage and have their channels back. The end of the input ends the mode.
 *
 * The record: EVENT MS caller|called LINE | OPEN MS caller|called | RESET MS caller|called WHY
 *   | TALKING MS REF | LOST MS REF WHY (no answer any more) | READABLE MS REF AFTER_MS OUTAGE_MS
 *   | ENDED MS REF | FAILED MS WHY (the call, or an order, failed; the mode goes on)
 */
#include "talk.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAUSE_MS = 2000,   /* a longer outage is another machine, or another gateway */
    PACE_MS = 100,     /* between two looks at a living call */
    PACE_LOST_MS = 20, /* between two tries of a lost one */
    LOOK_MS = 1000,    /* limit of one look at the call */
};

void talk_fail(struct talk *talk, const char *what, const char *detail)
{
    (void)snprintf(talk->failure, sizeof(talk->failure), "%s: %.150s", what, detail);
    client_record_line(&talk->record, "FAILED %lld %s", (long long)client_wall_ms(), talk->failure);
    talk->failures++;
}

static bool has_channel(const struct talk_user *user)
{
    return user->open && talk_order_begun(&user->order);
}
static bool has_new_channel(const struct talk_user *user)
{
    return user->opened >= user->opened_wanted && has_channel(user);
}
static bool hears_ringing(const struct talk_user *user)
{
    return user->order.caller || talk_order_ringing(&user->order);
}
static bool hears_talking(const struct talk_user *user)
{
    return talk_order_talking(&user->order);
}
static bool hears_end(const struct talk_user *user)
{
    return talk_order_idle(&user->order);
}

/* ---- the call ---- */

static bool make_call(struct talk *talk, struct fate *fate)
{
    struct talk_user *caller = &talk->users[CALLER];
    struct talk_user *called = &talk->users[CALLED];
    char body[256], tail[160];

    (void)snprintf(body, sizeof(body),
                   "{\"deviceId\":\"%s\",\"callee\":\"%s\",\"autoAnswer\":true}", caller->device,
                   called->device);
    if (!talk_user_act(caller, (struct question){"POST", "/telephony/calls", body, 0}, 201))
        return false;
    if (!talk_wait_both(talk, hears_ringing, ACT_MS)) {
        talk_fail(talk, "call", "the called user heard of no call");
        return false;
    }
    (void)pthread_mutex_lock(&talk->lock);
    (void)snprintf(fate->ref, sizeof(fate->ref), "%s", called->order.ref);
    (void)pthread_mutex_unlock(&talk->lock);
    (void)snprintf(tail, sizeof(tail), "/telephony/calls/%s/answer", fate->ref);
    (void)snprintf(body, sizeof(body), "{\"deviceId\":\"%s\"}", called->device);
    if (!talk_user_act(called, (struct question){"POST", tail, body, 0}, 204))
        return false;
    if (!talk_wait_both(talk, hears_talking, ACT_MS)) {
        talk_fail(talk, "answer", "not both users heard that they talk");
        return false;
    }
    return true;
}

static void call(struct talk *talk)
{
    struct fate *fate = &talk->fates[talk->call_count];
    if (talk->talking || talk->call_count == MAX_CALLS) {
        talk_fail(talk, "call", "there is one already, or there were too many");
        return;
    }
    *fate = (struct fate){.survived = true};
    if (!make_call(talk, fate))
        return;
    talk->call_count++;
    talk->talking = true;
    talk->lost = false;
    talk->good_ms = client_mono_ms();
    client_record_line(&talk->record, "TALKING %lld %s", (long long)client_wall_ms(), fate->ref);
}

/* 1: the user reads the same call, active; 0: an answer, but not that yet; or -errno. */
static int look(struct talk_user *user, struct fate *fate)
{
    char tail[160];
    (void)snprintf(tail, sizeof(tail), "/telephony/calls/%s", fate->ref);
    int status = talk_user_ask(user, (struct question){"GET", tail, NULL, LOOK_MS});
    if (status < 0)
        return status;
    if (status != 200) {
        /* only "not yet" is tolerated: the call and the session may not be gone */
        if (status != 503 && fate->survived) {
            fate->survived = false;
            talk_fail(user->talk, tail, user->talk->answer.body);
        }
        return 0;
    }
    cJSON *object = cJSON_Parse(user->talk->answer.body);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(object, "callData");
    const char *ref = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "callRef"));
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "state"));
    bool good =
        ref != NULL && state != NULL && strcmp(ref, fate->ref) == 0 && strcmp(state, "ACTIVE") == 0;
    if (!good && fate->survived) {
        fate->survived = false;
        talk_fail(user->talk, "the call is another", user->talk->answer.body);
    }
    cJSON_Delete(object);
    return good;
}

static void note_lost(struct talk *talk, const struct fate *fate, int reason)
{
    talk->lost = true;
    talk->answered_ms = 0;
    (void)pthread_mutex_lock(&talk->lock);
    for (int i = 0; i < USERS; i++)
        talk->users[i].opened_before = talk->users[i].opened;
    (void)pthread_mutex_unlock(&talk->lock);
    client_record_line(&talk->record, "LOST %lld %s %s", (long long)client_wall_ms(), fate->ref,
                       reason < 0 ? strerror(-reason) : "refused");
}

static void note_readable(struct talk *talk, struct fate *fate)
{
    int64_t now_ms = client_mono_ms();
    int64_t after_ms = now_ms - talk->answered_ms;
    int64_t outage_ms = now_ms - talk->good_ms;
    talk->lost = false;
    fate->broken = true;
    (void)pthread_mutex_lock(&talk->lock);
    for (int i = 0; i < USERS && outage_ms >= PAUSE_MS; i++)
        talk->users[i].opened_wanted = talk->users[i].opened_before + 1;
    (void)pthread_mutex_unlock(&talk->lock);
    if (outage_ms > fate->outage_ms) {
        fate->outage_ms = outage_ms;
        fate->readable_ms = after_ms;
    }
    client_record_line(&talk->record, "READABLE %lld %s %lld %lld", (long long)client_wall_ms(),
                       fate->ref, (long long)after_ms, (long long)outage_ms);
}

/* Both users look for the call once. */
static void watch(struct talk *talk)
{
    struct fate *fate = &talk->fates[talk->call_count - 1];
    int results[USERS];
    for (int i = 0; i < USERS; i++) {
        results[i] = look(&talk->users[i], fate);
        if (results[i] < 1 && !talk->lost)
            note_lost(talk, fate, results[i]);
        if (results[i] >= 0 && talk->lost && talk->answered_ms == 0)
            talk->answered_ms = client_mono_ms();
        if (results[i] < 0)
            return; /* nobody is there: the other user need not wait for that as well */
    }
    if (results[CALLER] != 1 || results[CALLED] != 1)
        return;
    if (talk->lost)
        note_readable(talk, fate);
    talk->good_ms = client_mono_ms();
}

/* After an outage the channels come back by themselves; whoever hangs up before misses the end. */
static bool service_is_back(struct talk *talk)
{
    int64_t until_ms = client_mono_ms() + BACK_MS;
    do {
        watch(talk);
        if (talk->lost)
            client_sleep_until(client_mono_ms() + PACE_LOST_MS);
    } while (talk->lost && client_mono_ms() < until_ms && !client_stop);
    return !talk->lost && talk_wait_both(talk, has_new_channel, BACK_MS);
}

static void hang_up(struct talk *talk)
{
    struct fate *fate = &talk->fates[talk->call_count - 1];
    if (!talk->talking) {
        talk_fail(talk, "hangup", "there is no call");
        return;
    }
    talk->talking = false;
    if (!service_is_back(talk)) {
        fate->survived = false;
        talk_fail(talk, "hangup", "the call or the channels did not come back");
        return;
    }
    if (!talk_user_act(&talk->users[CALLER],
                       (struct question){"POST", "/telephony/basicCall/dropme", NULL, 0}, 204) ||
        !talk_wait_both(talk, hears_end, ACT_MS)) {
        fate->survived = false;
        talk_fail(talk, "hangup", "not both users heard of the call's end");
        return;
    }
    client_record_line(&talk->record, "ENDED %lld %s", (long long)client_wall_ms(), fate->ref);
}

/* ---- the mode ---- */

static void obey(struct talk *talk, const char *word)
{
    if (strcmp(word, "call") == 0)
        call(talk);
    else if (strcmp(word, "hangup") == 0)
        hang_up(talk);
    else
        talk_fail(talk, "there is no such order", word);
}

/* Takes a line from standard input within pace_ms, if there is one. False at its end. */
static bool take_order(struct talk *talk, int pace_ms)
{
    static char line[64];
    static size_t length;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    while (poll(&input, 1, pace_ms) > 0) {
        if (read(STDIN_FILENO, &byte, 1) != 1)
            return false;
        if (byte == '\n') {
            line[length] = '\0';
            length = 0;
            obey(talk, line);
            return true;
        }
        if (length < sizeof(line) - 1)
            line[length++] = byte;
    }
    return true;
}

static bool all_survived(const struct talk *talk)
{
    bool all = talk->call_count > 0 && talk->failures == 0;
    for (unsigned i = 0; i < talk->call_count; i++)
        all = all && talk->fates[i].survived;
    return all;
}

static void add_times(cJSON *out, const char *name, const struct talk *talk, bool readable)
{
    cJSON *list = cJSON_AddArrayToObject(out, name);
    for (unsigned i = 0; i < talk->call_count; i++) {
        const struct fate *fate = &talk->fates[i];
        if (fate->broken)
            (void)cJSON_AddItemToArray(
                list, cJSON_CreateNumber((double)(readable ? fate->readable_ms : fate->outage_ms)));
    }
}

static bool print_result(const struct talk *talk)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *wrong = cJSON_CreateArray();
    unsigned events = 0;
    for (int i = 0; i < USERS; i++) {
        events += talk->users[i].events;
        if (talk->users[i].order.wrong[0] != '\0')
            (void)cJSON_AddItemToArray(wrong, cJSON_CreateString(talk->users[i].order.wrong));
    }
    bool in_order = cJSON_GetArraySize(wrong) == 0 && events > 0;
    (void)cJSON_AddNumberToObject(out, "calls", talk->call_count);
    (void)cJSON_AddBoolToObject(out, "call_survived", all_survived(talk));
    (void)cJSON_AddBoolToObject(out, "events_in_order", in_order);
    (void)cJSON_AddNumberToObject(out, "events", events);
    add_times(out, "call_readable_ms", talk, true);
    add_times(out, "call_outage_ms", talk, false);
    (void)cJSON_AddItemToObject(out, "wrong", wrong);
    (void)cJSON_AddNumberToObject(out, "failures", talk->failures);
    if (talk->failure[0] != '\0')
        (void)cJSON_AddStringToObject(out, "failure", talk->failure);
    char *text = cJSON_Print(out);
    (void)puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(out);
    return in_order && all_survived(talk);
}

static int talk_init(struct talk *talk, const struct client_options *options)
{
    talk->options = options;
    talk->record.fd = -1;
    (void)pthread_mutex_init(&talk->lock, NULL);
    (void)pthread_cond_init(&talk->changed, NULL);
    int r = wire_target_init(&talk->target, options);
    if (r == 0)
        r = talk_user_init(talk, CALLER, options->session_file);
    if (r == 0)
        r = talk_user_init(talk, CALLED, options->peer_file);
    return r < 0 ? r : client_record_open(&talk->record, options->out_file);
}

static void talk_loop(struct talk *talk)
{
    if (!talk_wait_both(talk, has_channel, BACK_MS) ||
        !talk_user_find_device(&talk->users[CALLER]) ||
        !talk_user_find_device(&talk->users[CALLED])) {
        talk_fail(talk, "talk", "no channels, or no telephones");
        return;
    }
    client_record_line(&talk->record, "READY %lld %s %s", (long long)client_wall_ms(),
                       talk->users[CALLER].device, talk->users[CALLED].device);
    while (!client_stop && take_order(talk, talk->lost ? PACE_LOST_MS : PACE_MS))
        if (talk->talking)
            watch(talk);
}

int client_run_talk(const struct client_options *options)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    int threads = 0;
    bool good = false;

    if (talk == NULL)
        return 1;
    if (talk_init(talk, options) == 0) {
        while (threads < USERS && pthread_create(&talk->users[threads].thread, NULL,
                                                 talk_user_listen, &talk->users[threads]) == 0)
            threads++;
        if (threads == USERS)
            talk_loop(talk);
        client_stop = 1; /* for the threads */
        for (int i = 0; i < threads; i++)
            (void)pthread_join(talk->users[i].thread, NULL);
        good = print_result(talk);
    }
    for (int i = 0; i < USERS; i++)
        wire_close(&talk->users[i].wire);
    client_record_close(&talk->record);
    wire_target_done(&talk->target);
    (void)pthread_cond_destroy(&talk->changed);
    (void)pthread_mutex_destroy(&talk->lock);
    free(talk);
    return good ? 0 : 1;
}
