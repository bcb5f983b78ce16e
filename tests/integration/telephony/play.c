#include "tests/integration/telephony/play.h"

#include "lib/common/common.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { BACKGROUND_MAX = 4, UNRELIABLE_QUIET_MS = 400, DEAF_QUIET_MS = 60 };

struct background {
    char who[32];
    struct actor actor; /* connection of its own */
    char *method, *path, *body;
    pthread_t thread;
    bool running;
    struct answer answer;
};

struct scene {
    struct stage *stage;
    struct record *record;
    const struct step *step;
    unsigned number; /* of the step */
    unsigned events; /* since the step began */
    bool unsettled;  /* this step leaves its events to the next one */
    struct background background[BACKGROUND_MAX];
};

static struct answer answer;

static bool fail(const struct scene *scene, const char *why, const char *detail)
{
    (void)fprintf(stderr, "line %u: %s: %s%s%s\n", scene->step->line, scene->step->text, why,
                  detail[0] != '\0' ? ": " : "", detail);
    return false;
}

/* --- events ----------------------------------------------------------------------------------- */

/* One event of interest; false: none within the time, or the channel has ended. */
static bool next_line(struct actor *actor, char *line, uint64_t timeout_ms)
{
    while (https_client_line(&actor->ear, line, STAGE_LINE_CHARS, timeout_ms))
        if (strstr(line, "\"OnChannelInformation\"") == NULL)
            return true;
    return false;
}

static void note(struct scene *scene, const struct actor *actor, const char *line)
{
    record_event(scene->record, actor->name, scene->number, line);
    scene->events++;
}

/* Everything up to the actor's marker. */
static void read_to_marker(struct scene *scene, struct actor *actor)
{
    static char line[STAGE_LINE_CHARS];
    while (next_line(actor, line, STAGE_PATIENCE_MS)) {
        if (stage_is_snapshot(line) && actor->owed-- == 0) {
            actor->owed = 0;
            return;
        }
        note(scene, actor, line);
    }
    actor->owed = 0;
    note(scene, actor, "(the channel has ended)");
}

static void read_until_quiet(struct scene *scene, struct actor *actor, uint64_t quiet_ms)
{
    static char line[STAGE_LINE_CHARS];
    while (next_line(actor, line, quiet_ms)) {
        if (stage_is_snapshot(line) && actor->owed > 0)
            actor->owed--;
        note(scene, actor, line);
    }
}

/* What the step has led to is read. */
static void settle(struct scene *scene)
{
    struct stage *stage = scene->stage;
    if (!stage->unreliable)
        stage_reach_pbx(stage);
    for (unsigned i = 0; i < stage->listening_count; i++) {
        struct actor *actor = &stage->actors[stage->listening[i]];
        if (stage->unreliable)
            read_until_quiet(scene, actor, i == 0 ? UNRELIABLE_QUIET_MS : 10);
        else if (stage_ask_marker(stage, actor))
            read_to_marker(scene, actor);
        else
            read_until_quiet(scene, actor, DEAF_QUIET_MS);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

struct asking {
    char who[SCRIPT_WORD_CHARS], method[SCRIPT_WORD_CHARS];
    char *path, *body; /* body NULL: none */
};

static void asking_done(struct asking *asking)
{
    free(asking->path);
    free(asking->body);
}

static void read_asking(const struct scene *scene, const char *rest, struct asking *ret_asking)
{
    char path[SCRIPT_WORD_CHARS];
    script_word(&rest, ret_asking->who);
    script_word(&rest, ret_asking->method);
    script_word(&rest, path);
    ret_asking->path = record_expand(scene->record, path);
    ret_asking->body = *rest != '\0' ? record_expand(scene->record, rest) : NULL;
}

static void header_of(const struct answer *from, const char *name, char *out, size_t cap_bytes)
{
    const char *line = strcasestr(from->head, name);
    out[0] = '\0';
    if (line != NULL)
        (void)snprintf(out, cap_bytes, "%.*s", (int)strcspn(line + strlen(name), "\r"),
                       line + strlen(name));
}

static bool take_answer(struct scene *scene, const struct answer *from)
{
    char location[256], status[16];
    header_of(from, "\r\nLocation: ", location, sizeof(location));
    record_answer(scene->record, from->status, location, from->body);
    (void)snprintf(status, sizeof(status), "%d", from->status);
    return scene->step->status == 0 || scene->step->status == from->status ||
           fail(scene, from->body, status);
}

static bool do_rest(struct scene *scene, const char *rest)
{
    AUTO(asking_done) struct asking asking = {0};
    read_asking(scene, rest, &asking);
    struct actor *actor = stage_actor(scene->stage, asking.who);
    if (!stage_ask(actor, asking.method, asking.path, asking.body, &answer))
        return fail(scene, "no answer", asking.path);
    bool is_snapshot = strncmp(asking.path, "/telephony/state/snapshot", 25) == 0;
    if (is_snapshot && answer.status == 204 && actor->listening)
        actor->owed++;
    /* everybody's states come a few at a time, the marker's among them: the next step takes them */
    scene->unsettled =
        is_snapshot && strcmp(actor->name, TEST_LOGIN) == 0 && strchr(asking.path, '?') == NULL;
    return take_answer(scene, &answer);
}

/* Asks again and again; the record shows the last answer only. */
static bool do_until(struct scene *scene, const char *rest)
{
    AUTO(asking_done) struct asking asking = {0};
    uint64_t deadline_ms = common_boot_ms() + STAGE_LONG_PATIENCE_MS;
    read_asking(scene, rest, &asking);
    struct actor *actor = stage_actor(scene->stage, asking.who);
    while (stage_ask(actor, asking.method, asking.path, asking.body, &answer) &&
           answer.status != scene->step->status && common_boot_ms() < deadline_ms)
        (void)usleep(20000);
    return take_answer(scene, &answer);
}

static void *ask_in_background(void *context)
{
    struct background *background = context;
    (void)stage_ask(&background->actor, background->method, background->path, background->body,
                    &background->answer);
    return NULL;
}

static struct background *find_background(struct scene *scene, const char *who)
{
    for (unsigned i = 0; i < BACKGROUND_MAX; i++)
        if (strcmp(scene->background[i].who, who) == 0)
            return &scene->background[i];
    return NULL;
}

static bool do_later(struct scene *scene, const char *rest)
{
    struct asking asking = {0};
    read_asking(scene, rest, &asking);
    const struct actor *actor = stage_actor(scene->stage, asking.who);
    struct background *background = find_background(scene, "");
    if (background == NULL) {
        asking_done(&asking);
        return fail(scene, "too many at once", "");
    }
    (void)snprintf(background->who, sizeof(background->who), "%s", actor->name);
    https_client_init(&background->actor.rest, scene->stage->harness.port);
    memcpy(background->actor.rest.cookie, actor->rest.cookie, sizeof(actor->rest.cookie));
    background->method = strdup(asking.method);
    background->path = asking.path;
    background->body = asking.body;
    background->running =
        pthread_create(&background->thread, NULL, ask_in_background, background) == 0;
    return background->running;
}

static void end_background(struct background *background)
{
    if (background->running)
        (void)pthread_join(background->thread, NULL);
    background->running = false;
    background->who[0] = '\0';
    if (background->method != NULL)
        https_client_close(&background->actor.rest);
    free(background->method);
    free(background->path);
    free(background->body);
    background->method = background->path = background->body = NULL;
}

static bool do_join(struct scene *scene, const char *rest)
{
    char who[SCRIPT_WORD_CHARS];
    script_word(&rest, who);
    struct background *background = find_background(scene, who);
    if (who[0] == '\0' || background == NULL)
        return fail(scene, "nothing of his is under way", who);
    end_background(background);
    return take_answer(scene, &background->answer);
}

/* --- the other steps -------------------------------------------------------------------------- */

static bool do_users(struct scene *scene, const char *rest)
{
    char number[SCRIPT_WORD_CHARS];
    for (script_word(&rest, number); number[0] != '\0'; script_word(&rest, number)) {
        record_actor(scene->record, number);
        stage_listen(scene->stage, stage_actor(scene->stage, number), "");
    }
    return true;
}

static bool do_admin(struct scene *scene, const char *rest)
{
    record_actor(scene->record, TEST_LOGIN);
    stage_listen(scene->stage, stage_actor(scene->stage, TEST_LOGIN), rest);
    return true;
}

static bool control(struct scene *scene, const char *method, const char *path, const char *body)
{
    int status = stage_control(scene->stage, method, path, body, &answer);
    bool fine =
        scene->step->status != 0 ? status == scene->step->status : status >= 200 && status < 300;
    return fine || fail(scene, "the simulator does not", answer.body);
}

static bool do_phone(struct scene *scene, const char *rest)
{
    char number[SCRIPT_WORD_CHARS], key[SCRIPT_WORD_CHARS], path[3 * SCRIPT_WORD_CHARS];
    char body[SCRIPT_LINE_CHARS];
    script_word(&rest, number);
    script_word(&rest, key);
    (void)snprintf(path, sizeof(path), "/phones/%s/%s", number, key);
    (void)snprintf(body, sizeof(body), "{\"number\":\"%.*s\"}", (int)sizeof(body) / 2, rest);
    return control(scene, "POST", path, *rest != '\0' ? body : NULL);
}

static bool do_service(struct scene *scene, const char *rest)
{
    char number[SCRIPT_WORD_CHARS], path[2 * SCRIPT_WORD_CHARS];
    script_word(&rest, number);
    (void)snprintf(path, sizeof(path), "/phones/%s/service", number);
    return control(scene, "PUT", path,
                   strcmp(rest, "in") == 0 ? "{\"in\":true}" : "{\"in\":false}");
}

static bool do_control(struct scene *scene, const char *rest)
{
    char method[SCRIPT_WORD_CHARS], path[SCRIPT_WORD_CHARS];
    script_word(&rest, method);
    script_word(&rest, path);
    return control(scene, method, path, *rest != '\0' ? rest : NULL);
}

static bool do_misbehave(struct scene *scene, const char *rest)
{
    bool in_pieces = strstr(rest, "split_bytes") != NULL; /* which changes no order */
    scene->stage->unreliable = strcmp(rest, "{}") != 0 && !in_pieces;
    return control(scene, "PUT", "/misbehave", rest);
}

static bool do_link(struct scene *scene, const char *rest)
{
    char path[SCRIPT_LINE_CHARS];
    (void)snprintf(path, sizeof(path), "/link/%.*s", (int)sizeof(path) / 2, rest);
    scene->stage->link_lost = true;
    return control(scene, "POST", path, NULL);
}

static bool do_synced(struct scene *scene, const char *rest)
{
    stage_wait_synced(scene->stage, rest);
    return true;
}

static bool do_await(struct scene *scene, const char *rest)
{
    static char line[STAGE_LINE_CHARS];
    char who[SCRIPT_WORD_CHARS];
    script_word(&rest, who);
    AUTO(common_freep) char *text = record_expand(scene->record, rest);
    struct actor *actor = stage_actor(scene->stage, who);
    while (next_line(actor, line, STAGE_LONG_PATIENCE_MS)) {
        if (stage_is_snapshot(line) && actor->owed > 0)
            actor->owed--;
        note(scene, actor, line);
        if (strstr(line, text) != NULL)
            return true;
    }
    return fail(scene, "no such event", "");
}

static bool do_take(struct scene *scene, const char *rest)
{
    static char line[STAGE_LINE_CHARS];
    char who[SCRIPT_WORD_CHARS];
    script_word(&rest, who);
    struct actor *actor = stage_actor(scene->stage, who);
    for (long count = strtol(rest, NULL, 10); count > 0; count--) {
        if (!next_line(actor, line, STAGE_PATIENCE_MS))
            return fail(scene, "fewer events", "");
        note(scene, actor, line);
    }
    actor->owed = 0;
    return true;
}

static bool do_pause(struct scene *scene, const char *rest)
{
    (void)scene;
    return usleep((useconds_t)strtoul(rest, NULL, 10) * 1000) == 0;
}

static bool do_quiet(struct scene *scene, const char *rest)
{
    (void)rest;
    return scene->events == 0 || fail(scene, "the step before has led to events", "");
}

static const struct verb {
    const char *name;
    bool (*fn)(struct scene *scene, const char *rest);
    bool settles, silent; /* events are read after it; the record does not show it */
} verbs[] = {
    {"users", do_users, true, false},     {"admin", do_admin, true, false},
    {"rest", do_rest, true, false},       {"until", do_until, false, false},
    {"later", do_later, false, false},    {"join", do_join, true, false},
    {"phone", do_phone, true, false},     {"service", do_service, true, false},
    {"control", do_control, true, false}, {"misbehave", do_misbehave, true, false},
    {"link", do_link, false, false},      {"synced", do_synced, true, false},
    {"await", do_await, true, false},     {"take", do_take, true, false},
    {"pause", do_pause, false, true},     {"quiet", do_quiet, false, true},
};

static bool do_step(struct scene *scene)
{
    char name[SCRIPT_WORD_CHARS];
    const char *rest = scene->step->text;
    script_word(&rest, name);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(verbs[i].name, name) != 0)
            continue;
        if (!verbs[i].silent) {
            scene->events = 0;
            record_step(scene->record, ++scene->number, scene->step->text);
        }
        scene->unsettled = !verbs[i].settles;
        bool fine = verbs[i].fn(scene, rest);
        if (!scene->unsettled)
            settle(scene);
        return fine;
    }
    return fail(scene, "no such step", name);
}

bool play(struct stage *stage, const struct script *script, struct record *record)
{
    static struct scene scene;
    bool fine = true;
    memset(&scene, 0, sizeof(scene));
    scene.stage = stage;
    scene.record = record;
    for (unsigned i = 0; i < script->step_count && fine; i++) {
        scene.step = &script->steps[i];
        fine = do_step(&scene);
    }
    for (unsigned i = 0; i < BACKGROUND_MAX; i++)
        end_background(&scene.background[i]);
    stage_stop_listening(stage);
    return fine;
}
