#include "tests/integration/telephony/stage.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE     "/api/rest/1.0"
#define PASSWORD "secret-of-tests"

static struct answer answer;

/* --- the simulator ---------------------------------------------------------------------------- */

static void run_simulator(int out)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, STDOUT_FILENO);
    (void)execl(OXE_SIMULATOR, "oxe-simulator", "--users", "20", "--first-number", STAGE_FIRST,
                "--no-answer", "6000", "--tone", "6000", "--session", "60", "--json", (char *)NULL);
    _exit(127);
}

static void start_simulator(struct stage *stage)
{
    int pipe_fds[2];
    char line[256];
    size_t len = 0;
    AUTO(json_freep) cJSON *json = NULL;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    stage->simulator = fork();
    assert_true(stage->simulator >= 0);
    if (stage->simulator == 0)
        run_simulator(pipe_fds[1]);
    (void)close(pipe_fds[1]);
    while (len < sizeof(line) - 1 && read(pipe_fds[0], line + len, 1) == 1 && line[len] != '\n')
        len++;
    (void)close(pipe_fds[0]);
    assert_int_equal(json_parse(line, len, &json, NULL), 0);
    stage->csta_port = (uint16_t)cJSON_GetObjectItem(json, "csta_port")->valueint;
    stage->control_port = (uint16_t)cJSON_GetObjectItem(json, "control_port")->valueint;
    https_client_init(&stage->control, stage->control_port);
    stage->control.plain = true;
}

int stage_control(struct stage *stage, const char *method, const char *path, const char *body,
                  struct answer *ret_answer)
{
    assert_true(https_client_ask(&stage->control, method, path, body, ret_answer));
    return ret_answer->status;
}

/* --- actors ----------------------------------------------------------------------------------- */

bool stage_ask(struct actor *actor, const char *method, const char *path, const char *body,
               struct answer *ret_answer)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), BASE "%s", path);
    return https_client_ask(&actor->rest, method, whole, body, ret_answer);
}

static bool is_administrator(const struct actor *actor)
{
    return strcmp(actor->name, TEST_LOGIN) == 0;
}

static void set_password(struct stage *stage, const char *number)
{
    char path[128];
    struct actor *administrator = stage_actor(stage, TEST_LOGIN);
    (void)snprintf(path, sizeof(path), "/users/oxe%s/password", number);
    assert_true(
        stage_ask(administrator, "PUT", path, "{\"newPassword\":\"" PASSWORD "\"}", &answer));
    assert_int_equal(answer.status, 204);
}

static void log_in(struct stage *stage, struct actor *actor)
{
    char basic[256], login[64];
    (void)snprintf(login, sizeof(login), "%s%s", is_administrator(actor) ? "" : "oxe", actor->name);
    harness_basic(login, is_administrator(actor) ? TEST_PASSWORD : PASSWORD, basic, sizeof(basic));
    https_client_init(&actor->rest, stage->harness.port);
    actor->rest.authorization = basic;
    assert_true(
        https_client_ask(&actor->rest, "GET", "/api/rest/authenticate?version=1.0", NULL, &answer));
    actor->rest.authorization = NULL;
    assert_int_equal(answer.status, 200);
    harness_text(&answer, "credential", actor->rest.cookie, sizeof(actor->rest.cookie));
    assert_true(stage_ask(actor, "POST", "/sessions", "{\"applicationName\":\"tests\"}", &answer));
    assert_int_equal(answer.status, 200);
}

struct actor *stage_actor(struct stage *stage, const char *name)
{
    for (unsigned i = 0; i < stage->actor_count; i++)
        if (strcmp(stage->actors[i].name, name) == 0)
            return &stage->actors[i];
    if (strcmp(name, TEST_LOGIN) != 0)
        set_password(stage, name);
    assert_true(stage->actor_count < STAGE_ACTORS_MAX);
    struct actor *actor = &stage->actors[stage->actor_count++];
    (void)snprintf(actor->name, sizeof(actor->name), "%s", name);
    log_in(stage, actor);
    return actor;
}

/* --- listening -------------------------------------------------------------------------------- */

/* An administrator's marker is an event of the marker's user: he is always among the ids. */
static void write_ids(const struct actor *actor, const char *ids, struct buf *out)
{
    char word[64];
    int taken;
    if (*ids == '\0' || !is_administrator(actor))
        return;
    while (sscanf(ids, "%63s%n", word, &taken) == 1) {
        buf_addf(out, "\"oxe%s\",", word);
        ids += taken;
    }
    buf_adds(out, "\"oxe" STAGE_MARKER "\"");
}

void stage_listen(struct stage *stage, struct actor *actor, const char *ids)
{
    struct buf body = {0};
    char path[160];
    buf_adds(&body, "{\"filter\":{\"selectors\":[{\"ids\":[");
    write_ids(actor, ids, &body);
    buf_adds(&body, "],\"names\":[\"telephony\"]}]},\"version\":\"1.0\",\"timeout\":10}");
    assert_true(stage_ask(actor, "POST", "/subscriptions", body.data, &answer));
    buf_done(&body);
    assert_int_equal(answer.status, 200);
    harness_text(&answer, "subscriptionId", actor->subscription, sizeof(actor->subscription));
    assert_true(actor->subscription[0] != '\0');

    (void)snprintf(path, sizeof(path), BASE "/events?subscriptionId=%s", actor->subscription);
    https_client_init(&actor->ear, stage->harness.port);
    assert_true(https_client_stream(&actor->ear, "GET", path, &answer));
    assert_int_equal(answer.status, 200);
    actor->listening = true;
    actor->owed = 0;
    stage->listening[stage->listening_count++] = (unsigned)(actor - stage->actors);
}

void stage_stop_listening(struct stage *stage)
{
    char path[160];
    for (unsigned i = 0; i < stage->listening_count; i++) {
        struct actor *actor = &stage->actors[stage->listening[i]];
        (void)snprintf(path, sizeof(path), "/subscriptions/%s", actor->subscription);
        (void)stage_ask(actor, "DELETE", path, NULL, &answer);
        https_client_close(&actor->ear);
        actor->listening = false;
    }
    stage->listening_count = 0;
}

bool stage_is_snapshot(const char *line)
{
    return strncmp(line, "{\"eventName\":\"OnTelephonyState\"", 31) == 0;
}

bool stage_ask_marker(struct stage *stage, struct actor *actor)
{
    const char *path = is_administrator(actor)
                           ? "/telephony/state/snapshot?loginName=oxe" STAGE_MARKER
                           : "/telephony/state/snapshot";
    (void)stage;
    return stage_ask(actor, "POST", path, NULL, &answer) && answer.status == 204;
}

/* --- the way to the PBX ----------------------------------------------------------------------- */

/* The marker's phone cannot call: the PBX says so, after everything that it has said before. */
static bool reach_pbx(struct stage *stage)
{
    static const char body[] = "{\"deviceId\":\"" STAGE_MARKER "\",\"callee\":\"" STAGE_FIRST "\"}";
    struct actor *administrator = stage_actor(stage, TEST_LOGIN);
    assert_true(stage_ask(administrator, "POST", "/telephony/basicCall", body, &answer));
    assert_true(answer.status >= 400);
    return strstr(answer.body, "DEVICE_OUT_OF_SERVICE") != NULL;
}

void stage_reach_pbx(struct stage *stage)
{
    (void)reach_pbx(stage);
}

/* After a new link the devices' snapshots come one by one; a device that is known again has a
 * state. */
static bool is_read(struct stage *stage, const char *number)
{
    char path[128];
    struct actor *administrator = stage_actor(stage, TEST_LOGIN);
    (void)snprintf(path, sizeof(path), "/telephony/state?loginName=oxe%s", number);
    return stage_ask(administrator, "GET", path, NULL, &answer) && answer.status == 200 &&
           strstr(answer.body, "\"userState\":\"UNKNOWN\"") == NULL;
}

static void wait_until_read(struct stage *stage, const char *number, uint64_t deadline_ms)
{
    while (!is_read(stage, number)) {
        if (common_boot_ms() >= deadline_ms)
            fail_msg("the calls of %s are not read: %s", number, answer.body);
        (void)usleep(10000);
    }
}

void stage_wait_synced(struct stage *stage, const char *numbers)
{
    uint64_t deadline_ms = common_boot_ms() + STAGE_LONG_PATIENCE_MS;
    char number[32];
    int taken;
    while (!reach_pbx(stage)) {
        assert_true(common_boot_ms() < deadline_ms);
        (void)usleep(10000);
    }
    for (unsigned i = 0; *numbers == '\0' && i < STAGE_USERS; i++) {
        (void)snprintf(number, sizeof(number), "%u", 1001 + i);
        wait_until_read(stage, number, deadline_ms);
    }
    for (; sscanf(numbers, "%31s%n", number, &taken) == 1; numbers += taken)
        wait_until_read(stage, number, deadline_ms);
}

/* --- life ------------------------------------------------------------------------------------- */

static void hang_up_all(struct stage *stage)
{
    char path[64];
    for (unsigned i = 0; i < STAGE_PHONES; i++) {
        (void)snprintf(path, sizeof(path), "/phones/%u/hangup", 1001 + i);
        (void)stage_control(stage, "POST", path, NULL, &answer);
    }
}

/* A gateway that has lost its link waits longer from loss to loss: a new one begins anew. */
static void restart_gateway(struct stage *stage)
{
    for (unsigned i = 0; i < stage->actor_count; i++)
        https_client_close(&stage->actors[i].rest);
    (void)harness_stop(&stage->harness, SIGTERM);
    harness_start(&stage->harness);
    stage->link_lost = false;
}

void stage_tidy(struct stage *stage)
{
    unsigned tries = 0;
    assert_int_equal(stage_control(stage, "PUT", "/misbehave", "{}", &answer), 200);
    stage->unreliable = false;
    (void)stage_control(stage, "PUT", "/phones/" STAGE_MARKER "/service", "{\"in\":false}",
                        &answer);
    assert_int_equal(stage_control(stage, "GET", "/calls", NULL, &answer), 200);
    while (strcmp(answer.body, "[]") != 0) {
        assert_true(++tries < 10);
        hang_up_all(stage);
        assert_int_equal(stage_control(stage, "GET", "/calls", NULL, &answer), 200);
    }
    if (stage->link_lost)
        restart_gateway(stage);
    stage_wait_synced(stage, "");
}

void stage_open(struct stage *stage)
{
    char more[256];
    memset(stage, 0, sizeof(*stage));
    start_simulator(stage);
    (void)snprintf(more, sizeof(more),
                   ",\"pbx\":[{\"node\":\"1\",\"driver\":\"csta-xml\",\"address\":\"127.0.0.1\","
                   "\"port\":%u,\"directory_s\":5}]",
                   stage->csta_port);
    harness_open(&stage->harness, more);
    harness_start(&stage->harness);
    stage_tidy(stage);
}

void stage_close(struct stage *stage)
{
    for (unsigned i = 0; i < stage->actor_count; i++) {
        https_client_close(&stage->actors[i].rest);
        https_client_close(&stage->actors[i].ear);
    }
    https_client_close(&stage->control);
    harness_close(&stage->harness);
    if (stage->simulator > 0) {
        (void)kill(stage->simulator, SIGTERM);
        (void)waitpid(stage->simulator, NULL, 0);
    }
}
