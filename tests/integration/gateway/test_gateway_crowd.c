/* Two hundred users telephone at once through a real gateway and the simulated PBX: every listener
 * hears every event of his users once, and each pair's events in the order of a call that is alone.
 *
 * And when the link to the telephone system breaks under a hundred calls, those that go on are the
 * same calls afterwards, and those that have ended meanwhile end for their users too.
 *
 * Ten workers have ten pairs each, a session, and a channel for their own users; one more channel
 * hears of everybody. The calls of all pairs are up at the same time. */
#include "tests/integration/gateway/harness.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "tests/support/simulator_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE "/api/rest/1.0"

enum {
    USERS = 200,
    FIRST = 2001,
    PAIRS = USERS / 2,
    WORKERS = 10,
    PAIRS_EACH = PAIRS / WORKERS,
    ROUNDS = 3,
    EVENTS_OF_A_CALL = 13,
    PATIENCE_MS = 30000,
    SURPLUS_MS = 500, /* time for an event too many */
};

/* One event channel, read by a thread of its own. */
struct listener {
    pthread_t thread;
    struct https_client owner, ear; /* the session and its channel */
    struct buf stories[PAIRS];      /* "caller OnCallCreated DIALING\n"… of each pair */
    char refs[PAIRS][24];           /* of the pair's present call */
    atomic_uint events;
    atomic_bool stop;
    char odd[256]; /* the first line that no pair expects; "": none */
};

struct worker {
    pthread_t thread;
    struct listener listener;
    unsigned first_pair;
    char refs[PAIRS_EACH][24];
    struct answer answer;
    char bad[512]; /* the first request that failed; "": none */
};

static struct harness harness;
static struct simulator_server pbx;
static struct worker workers[WORKERS];
static struct listener everybody;
static pthread_barrier_t together; /* of the workers and the test */
static struct answer answer;

static unsigned caller_of(unsigned pair)
{
    return FIRST + 2 * pair;
}

/* --- listening -------------------------------------------------------------------------------- */
static void note_odd(struct listener *listener, const char *line)
{
    if (listener->odd[0] == '\0')
        (void)snprintf(listener->odd, sizeof(listener->odd), "%s", line);
}

/* A call's events all carry the reference that it began with at its caller. */
static bool has_its_reference(char ref[24], const cJSON *event, bool begins)
{
    const char *told = json_string(event, "callRef");
    if (told == NULL)
        return strstr(json_string(event, "eventName"), "StateModified") != NULL;
    if (begins)
        (void)snprintf(ref, 24, "%s", told);
    return strcmp(told, ref) == 0;
}

static const char *state_of(const cJSON *event)
{
    const char *state = json_string(event, "state");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "callData");
    if (state == NULL && data != NULL)
        state = json_string(data, "state");
    return state != NULL ? state : "-";
}

static void hear(struct listener *listener, const char *line)
{
    AUTO(json_freep) cJSON *event = NULL;
    unsigned number = 0;
    if (json_parse(line, strlen(line), &event, NULL) < 0) {
        note_odd(listener, line);
        return;
    }
    const char *name = json_string(event, "eventName"), *login = json_string(event, "loginName");
    if (login == NULL && name != NULL && strcmp(name, "OnChannelInformation") == 0)
        return; /* heartbeat */
    if (login == NULL || name == NULL || sscanf(login, "oxe%u", &number) != 1 || number < FIRST ||
        number >= FIRST + USERS) {
        note_odd(listener, line);
        return;
    }
    unsigned pair = (number - FIRST) / 2;
    bool is_caller = number == caller_of(pair);
    bool begins = is_caller && strcmp(name, "OnCallCreated") == 0;
    if (!has_its_reference(listener->refs[pair], event, begins))
        note_odd(listener, line);
    buf_addf(&listener->stories[pair], "%s %s %s\n", is_caller ? "caller" : "callee", name,
             state_of(event));
    (void)atomic_fetch_add(&listener->events, 1);
}

static void *listen_on(void *listener_)
{
    struct listener *listener = listener_;
    char line[16384];
    while (!atomic_load(&listener->stop))
        if (https_client_line(&listener->ear, line, sizeof(line), 200))
            hear(listener, line);
    return NULL;
}

/* Session, subscription, channel; the present states of so many users are read and forgotten. */
static void open_listener(struct listener *listener, unsigned first, unsigned users)
{
    AUTO(buf_done) struct buf body = {0};
    char id[64], path[160], line[16384];
    if (listener->owner.cookie[0] == '\0')
        harness_open_session(&harness, &listener->owner);
    buf_adds(&body, "{\"filter\":{\"selectors\":[{\"ids\":[");
    for (unsigned i = 0; users < USERS && i < users; i++)
        buf_addf(&body, "%s\"oxe%u\"", i > 0 ? "," : "", first + i);
    buf_adds(&body, "],\"names\":[\"telephony\"]}]},\"version\":\"1.0\",\"timeout\":10}");
    assert_true(
        https_client_ask(&listener->owner, "POST", BASE "/subscriptions", body.data, &answer));
    assert_int_equal(answer.status, 200);
    harness_text(&answer, "subscriptionId", id, sizeof(id));
    (void)snprintf(path, sizeof(path), BASE "/events?subscriptionId=%s", id);
    https_client_init(&listener->ear, harness.port);
    assert_true(https_client_stream(&listener->ear, "GET", path, &answer));
    for (unsigned i = 0; i < 1 + 2 * users; i++) /* "Chunk started", devices and user of each */
        assert_true(https_client_line(&listener->ear, line, sizeof(line), PATIENCE_MS));
    assert_int_equal(pthread_create(&listener->thread, NULL, listen_on, listener), 0);
}

static void close_listener(struct listener *listener)
{
    atomic_store(&listener->stop, true);
    (void)pthread_join(listener->thread, NULL);
    https_client_close(&listener->ear);
    https_client_close(&listener->owner);
    for (unsigned pair = 0; pair < PAIRS; pair++)
        buf_done(&listener->stories[pair]);
}

/* --- telephoning ------------------------------------------------------------------------------ */
static bool ask(struct worker *worker, const char *method, const char *path, const char *body,
                int expected)
{
    bool came = https_client_ask(&worker->listener.owner, method, path, body, &worker->answer);
    if (came && worker->answer.status == expected)
        return true;
    if (worker->bad[0] == '\0')
        (void)snprintf(worker->bad, sizeof(worker->bad), "%s %s: %d %.200s", method, path,
                       came ? worker->answer.status : 0, came ? worker->answer.body : "no answer");
    return false;
}

static void make_call(struct worker *worker, unsigned i)
{
    unsigned caller = caller_of(worker->first_pair + i);
    char path[96], body[96];
    (void)snprintf(path, sizeof(path), BASE "/telephony/calls?loginName=oxe%u", caller);
    (void)snprintf(body, sizeof(body), "{\"deviceId\":\"%u\",\"callee\":\"%u\"}", caller,
                   caller + 1);
    worker->refs[i][0] = '\0';
    if (!ask(worker, "POST", path, body, 201))
        return;
    const char *at = strstr(worker->answer.head, "/telephony/calls/");
    if (at == NULL || sscanf(at, "/telephony/calls/%16[0-9A-Za-z]", worker->refs[i]) != 1)
        (void)snprintf(worker->bad, sizeof(worker->bad), "no reference in %.200s",
                       worker->answer.head);
}

static void answer_call(struct worker *worker, unsigned i)
{
    char path[96], body[64];
    (void)snprintf(path, sizeof(path), BASE "/telephony/calls/%s/answer", worker->refs[i]);
    (void)snprintf(body, sizeof(body), "{\"deviceId\":\"%u\"}",
                   caller_of(worker->first_pair + i) + 1);
    (void)ask(worker, "POST", path, body, 204);
}

static bool callee_releases(unsigned pair)
{
    return pair % 2 == 1;
}

static void release_call(struct worker *worker, unsigned i)
{
    unsigned pair = worker->first_pair + i;
    char path[96];
    (void)snprintf(path, sizeof(path), BASE "/telephony/calls/%s?loginName=oxe%u", worker->refs[i],
                   caller_of(pair) + (callee_releases(pair) ? 1 : 0));
    (void)ask(worker, "DELETE", path, NULL, 204);
}

static void *telephone(void *worker_)
{
    static void (*const steps[])(struct worker *, unsigned) = {make_call, answer_call,
                                                               release_call};
    struct worker *worker = worker_;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned step = 0; step < COUNT_OF(steps); step++) {
            for (unsigned i = 0; i < PAIRS_EACH; i++)
                steps[step](worker, i);
            (void)pthread_barrier_wait(&together); /* all have done it */
            (void)pthread_barrier_wait(&together); /* the test has looked */
        }
    return NULL;
}

static unsigned count_calls(void)
{
    AUTO(buf_done) struct buf body = {0};
    AUTO(json_freep) cJSON *calls = NULL;
    if (simulator_server_ask(&pbx, "GET", "/calls", NULL, &body) != 200 ||
        json_parse(body.data, body.len_bytes, &calls, NULL) < 0)
        return UINT32_MAX;
    return (unsigned)cJSON_GetArraySize(calls);
}

/* --- the test --------------------------------------------------------------------------------- */
/* What the devices of each user are doing is known. */
static void wait_until_read(void)
{
    uint64_t deadline_ms = common_boot_ms() + PATIENCE_MS;
    struct https_client *client = &everybody.owner;
    char path[96];
    for (unsigned number = FIRST; number < FIRST + USERS;) {
        (void)snprintf(path, sizeof(path), BASE "/telephony/state?loginName=oxe%u", number);
        assert_true(https_client_ask(client, "GET", path, NULL, &answer));
        if (answer.status == 200 && strstr(answer.body, "\"UNKNOWN\"") == NULL)
            number++;
        else
            (void)usleep(20000);
        if (common_boot_ms() > deadline_ms)
            fail_msg("oxe%u is not read: %d %s", number, answer.status, answer.body);
    }
}

static void await_events(struct listener *listener, unsigned count)
{
    uint64_t deadline_ms = common_boot_ms() + PATIENCE_MS;
    while (atomic_load(&listener->events) < count && common_boot_ms() < deadline_ms)
        (void)usleep(10000);
}

static void expect_stories(const struct listener *listener, unsigned first_pair, unsigned count)
{
    static const char begin[] = "caller OnCallCreated DIALING\n"
                                "caller OnUserStateModified BUSY\n"
                                "callee OnCallCreated RINGING_INCOMING\n"
                                "caller OnCallModified RINGING_OUTGOING\n"
                                "caller OnCallModified RINGING_OUTGOING\n"
                                "callee OnCallModified ACTIVE\n"
                                "callee OnUserStateModified BUSY\n"
                                "caller OnCallModified ACTIVE\n";
    static const char *const sides[] = {"caller", "callee"};
    assert_string_equal(listener->odd, "");
    for (unsigned pair = first_pair; pair < first_pair + count; pair++) {
        AUTO(buf_done) struct buf expected = {0};
        const char *first = sides[callee_releases(pair)], *second = sides[!callee_releases(pair)];
        for (unsigned round = 0; round < ROUNDS; round++)
            buf_addf(&expected,
                     "%s%s OnCallRemoved -\n%s OnUserStateModified FREE\n"
                     "%s OnCallModified RELEASING\n%s OnCallRemoved -\n"
                     "%s OnUserStateModified FREE\n",
                     begin, first, first, second, second, second);
        const char *story = listener->stories[pair].data;
        if (story == NULL || strcmp(story, expected.data) != 0)
            fail_msg("pair of %u:\n%s", caller_of(pair), story != NULL ? story : "nothing");
    }
}

static int open_crowd(void **unused)
{
    (void)unused;
    const char *const options[] = {"--users", "200", "--first-number", "2001", NULL};
    char more[160];
    simulator_server_start(&pbx, options);
    (void)snprintf(more, sizeof(more),
                   ",\"pbx\":[{\"node\":\"1\",\"driver\":\"csta-xml\",\"address\":\"127.0.0.1\","
                   "\"port\":%u}]",
                   (unsigned)pbx.csta_port);
    harness_open(&harness, more);
    harness_start(&harness);
    harness_open_session(&harness, &everybody.owner);
    wait_until_read();
    open_listener(&everybody, FIRST, USERS);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].first_pair = i * PAIRS_EACH;
        open_listener(&workers[i].listener, caller_of(workers[i].first_pair), 2 * PAIRS_EACH);
    }
    return 0;
}

static int close_crowd(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < WORKERS; i++)
        close_listener(&workers[i].listener);
    close_listener(&everybody);
    harness_close(&harness);
    return simulator_server_stop(&pbx);
}

static void two_hundred_users_telephone_and_no_event_is_lost_or_out_of_order(void **unused)
{
    (void)unused;
    unsigned most_calls = 0;
    uint64_t started_ms = common_boot_ms();
    assert_int_equal(pthread_barrier_init(&together, NULL, WORKERS + 1), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, telephone, &workers[i]), 0);
    for (unsigned turn = 0; turn < ROUNDS * 3; turn++) {
        (void)pthread_barrier_wait(&together);
        unsigned calls = count_calls();
        most_calls = calls > most_calls ? calls : most_calls;
        (void)pthread_barrier_wait(&together);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    uint64_t took_ms = common_boot_ms() - started_ms;
    (void)pthread_barrier_destroy(&together);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_string_equal(workers[i].bad, "");
    assert_int_equal(most_calls, PAIRS);

    await_events(&everybody, PAIRS * ROUNDS * EVENTS_OF_A_CALL);
    for (unsigned i = 0; i < WORKERS; i++)
        await_events(&workers[i].listener, PAIRS_EACH * ROUNDS * EVENTS_OF_A_CALL);
    (void)usleep(SURPLUS_MS * 1000);
    expect_stories(&everybody, 0, PAIRS);
    for (unsigned i = 0; i < WORKERS; i++)
        expect_stories(&workers[i].listener, workers[i].first_pair, PAIRS_EACH);
    print_message("%d calls, %d events to each of two listeners in %u ms\n", PAIRS * ROUNDS,
                  PAIRS * ROUNDS * EVENTS_OF_A_CALL, (unsigned)took_ms);
}

/* --- a broken link ---------------------------------------------------------------------------- */
/* Waits until the user's calls hold the text. */
static void expect_calls(unsigned number, const char *text)
{
    uint64_t deadline_ms = common_boot_ms() + PATIENCE_MS;
    char path[96];
    (void)snprintf(path, sizeof(path), BASE "/telephony/calls?loginName=oxe%u", number);
    do {
        assert_true(https_client_ask(&everybody.owner, "GET", path, NULL, &answer));
        if (answer.status == 200 && strstr(answer.body, text) != NULL)
            return;
        (void)usleep(20000);
    } while (common_boot_ms() < deadline_ms);
    fail_msg("oxe%u: no '%s' in %d %s", number, text, answer.status, answer.body);
}

static void everybody_talks(void)
{
    for (unsigned pair = 0; pair < PAIRS; pair++)
        make_call(&workers[pair / PAIRS_EACH], pair % PAIRS_EACH);
    for (unsigned pair = 0; pair < PAIRS; pair++) { /* 201 comes before it rings */
        expect_calls(caller_of(pair) + 1, workers[pair / PAIRS_EACH].refs[pair % PAIRS_EACH]);
        answer_call(&workers[pair / PAIRS_EACH], pair % PAIRS_EACH);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_string_equal(workers[i].bad, "");
    assert_int_equal(count_calls(), PAIRS);
}

static unsigned count_removed(const char *story)
{
    unsigned count = 0;
    while ((story = strstr(story, "OnCallRemoved")) != NULL) {
        story++;
        count++;
    }
    return count;
}

static void a_broken_link_ends_no_call_and_hides_no_end(void **unused)
{
    (void)unused;
    static size_t before[PAIRS]; /* bytes of each story */
    everybody_talks();
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        const struct worker *worker = &workers[pair / PAIRS_EACH];
        expect_calls(caller_of(pair), worker->refs[pair % PAIRS_EACH]);
        before[pair] = everybody.stories[pair].len_bytes;
    }
    simulator_server_do(&pbx, "POST", "/link/drop", NULL);
    for (unsigned pair = 1; pair < PAIRS; pair += 2) { /* the gateway cannot hear of it */
        char path[64];
        (void)snprintf(path, sizeof(path), "/phones/%u/hangup", caller_of(pair));
        simulator_server_do(&pbx, "POST", path, NULL);
    }
    wait_until_read();
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        const struct worker *worker = &workers[pair / PAIRS_EACH];
        const char *text = pair % 2 == 1 ? "{\"calls\":[]}" : worker->refs[pair % PAIRS_EACH];
        expect_calls(caller_of(pair), text);
        expect_calls(caller_of(pair) + 1, text);
    }
    (void)usleep(SURPLUS_MS * 1000);
    assert_string_equal(everybody.odd, "");
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        const char *news = everybody.stories[pair].data + before[pair];
        if (count_removed(news) != (pair % 2 == 1 ? 2 : 0))
            fail_msg("pair of %u:\n%s", caller_of(pair), news);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_users_telephone_and_no_event_is_lost_or_out_of_order),
        cmocka_unit_test(a_broken_link_ends_no_call_and_hides_no_end),
    };
    return cmocka_run_group_tests_name("gateway_crowd", tests, open_crowd, close_crowd);
}
