/* The driver csta-xml against the simulated PBX, both on one loop. */
#include "tests/integration/pbx/driver_bench.h"
#include "tests/integration/pbx/scenes.h"

#include "lib/common/common.h"
#include "lib/common/log.h"
#include "simulator/sim_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct bench bench;
    struct simulator_options options;
    struct simulator *simulator;
};

static int prepare(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    assert_int_equal(uv_loop_init(&scene->bench.loop), 0);
    simulator_options_init(&scene->options);
    scene->options.users = 4;
    scene->options.user = "gateway";
    scene->options.password = "s3cret & <more>";
    scene->options.tone_ms = 60000;
    scene->bench.watch_all = true;
    *state = scene;
    return 0;
}

static void start(struct scene *scene)
{
    struct diag diag = {0};
    if (simulator_new(&scene->bench.loop, &scene->options, &scene->simulator, &diag) < 0)
        fail_msg("%s", diag.text);
    bench_settings(&scene->bench, simulator_csta_port(scene->simulator));
}

/* All phones are monitored and read; the story begins here. */
static void connect_all(struct scene *scene)
{
    bench_open(&scene->bench);
    assert_true(bench_until(&scene->bench, &scene->bench.snapshots, scene->options.users, 5000));
    scene->bench.story[0] = '\0';
}

static int begin(void **state)
{
    (void)prepare(state);
    start(*state);
    connect_all(*state);
    return 0;
}

static void check_log(const struct simulator *simulator)
{
    for (unsigned i = 0; i < PDU_LOG_ENTRIES; i++) {
        const struct pdu_log_entry *entry = &simulator->log.entries[i];
        struct diag diag = {0};
        if (entry->xml != NULL && !entry->is_out &&
            csta_check(entry->xml, strlen(entry->xml), &diag) < 0)
            fail_msg("%s: %s", diag.text, entry->xml);
    }
}

static int end(void **state)
{
    struct scene *scene = *state;
    pbx_close(scene->bench.pbx);
    scene->bench.pbx = NULL;
    bench_run(&scene->bench, 20);
    check_log(scene->simulator);
    simulator_free(scene->simulator);
    bench_close(&scene->bench);
    free(scene);
    return 0;
}

/* ---- people at their phones -------------------------------------------------------------- */

static void press(struct scene *scene,
                  enum exchange_result (*key)(struct exchange *, const char *, const char *),
                  const char *number, const char *with)
{
    sim__begin(scene->simulator);
    assert_int_equal(key(scene->simulator->exchange, number, with), EXCHANGE_DONE);
    sim__settle(scene->simulator);
}

static void call(struct scene *scene, const char *from, const char *to)
{
    const struct exchange_make_call wish = {.caller = from, .callee = to};
    sim__begin(scene->simulator);
    assert_int_equal(exchange_make_call(scene->simulator->exchange, &wish, NULL), EXCHANGE_DONE);
    sim__settle(scene->simulator);
}

static void set_service(struct scene *scene, const char *number, bool in_service)
{
    sim__begin(scene->simulator);
    assert_int_equal(exchange_phone_set_service(scene->simulator->exchange, number, in_service),
                     EXCHANGE_DONE);
    sim__settle(scene->simulator);
}

static void drop_links(struct scene *scene)
{
    struct sim_link *link = TAILQ_FIRST(&scene->simulator->links);
    assert_non_null(link);
    sim__link_close(link, true, "the test drops it");
}

/* The story with each call's identifier replaced by K1, K2, ... in the order of appearance. */
static const char *story(struct scene *scene)
{
    static const char digits[] = "0123456789ABCDEF";
    char known[4][EXCHANGE_CALL_ID_CHARS] = {{0}};
    char *text = scene->bench.story;
    for (char *at = text; *at != '\0'; at++) {
        if (strspn(at, digits) != EXCHANGE_CALL_ID_CHARS - 1)
            continue;
        unsigned n = 0;
        while (n < 3 && known[n][0] != '\0' && strncmp(known[n], at, 16) != 0)
            n++;
        (void)snprintf(known[n], sizeof(known[n]), "%.16s", at);
        at[0] = 'K';
        at[1] = (char)('1' + n);
        memmove(at + 2, at + 16, strlen(at + 16) + 1);
    }
    return text;
}

/* ---- scenes ------------------------------------------------------------------------------ */

static void the_directory_and_the_phones_are_read(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(scene->bench.stations, 4);
    assert_string_equal(scene->bench.first_station, "1001");
    assert_string_equal(scene->bench.first_name,
                        exchange_phone_find(scene->simulator->exchange, "1001")->name);
    set_service(scene, "1002", false);
    set_service(scene, "1002", true);
    assert_true(bench_until(&scene->bench, &scene->bench.states, 6, 1000));
    assert_string_equal(scene->bench.story, "1002:out 1002:in ");
}

static void a_call_is_made_answered_and_cleared(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    struct answer made = {0}, answered = {0}, cleared = {0};
    const struct pbx_make_call wish = {.device = "1001", .callee = "1002", .auto_answer = true};
    assert_int_equal(pbx_make_call(bench->pbx, &wish, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &bench->events, 3, 1000));
    assert_true(made.good);
    assert_int_equal(pbx_answer(bench->pbx, made.call_id, "1002", bench_note_answer, &answered), 0);
    assert_true(bench_until(bench, &bench->events, 5, 1000));
    assert_int_equal(
        pbx_clear_connection(bench->pbx, made.call_id, "1001", bench_note_answer, &cleared), 0);
    assert_true(bench_until(bench, &bench->events, 8, 1000));
    assert_true(answered.good && cleared.good);
    assert_string_equal(story(scene), "originated@1001(K1 1001,1001>1002,connected,) "
                                      "delivered@1002(K1 1002,1001>1002,alerting,) "
                                      "delivered@1001(K1 1002,1001>1002,connected,) "
                                      "established@1002(K1 1002,1001>1002,connected,) "
                                      "established@1001(K1 1002,1001>1002,connected,) "
                                      "connection cleared@1001(K1 1001,->-,null,CLEARED) "
                                      "connection cleared@1002(K1 1001,->-,connected,CLEARED) "
                                      "connection cleared@1002(K1 1002,->-,null,CLEARED) ");
}

static void a_prompted_call_rings_at_its_caller_first(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    struct answer made = {0};
    const struct pbx_make_call wish = {.device = "1001", .callee = "1002", .correlator = "beef"};
    assert_int_equal(pbx_make_call(bench->pbx, &wish, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &bench->events, 1, 1000));
    press(scene, exchange_answer, "1001", NULL);
    assert_true(bench_until(bench, &bench->events, 4, 1000));
    assert_string_equal(story(scene), "service initiated@1001(K1 1001,1001>1002,initiated,) "
                                      "originated@1001(K1 1001,1001>1002,connected,) "
                                      "delivered@1002(K1 1002,1001>1002,alerting,) "
                                      "delivered@1001(K1 1002,1001>1002,connected,) ");
}

static void failures_come_with_their_cause(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    set_service(scene, "1004", false);
    call(scene, "1002", "1003");
    assert_true(bench_until(bench, &bench->events, 3, 1000));
    bench->story[0] = '\0';
    call(scene, "1001", "1004");
    press(scene, exchange_clear, "1001", NULL);
    call(scene, "1001", "1003");
    press(scene, exchange_clear, "1001", NULL);
    call(scene, "1001", "5555");
    press(scene, exchange_clear, "1001", NULL);
    assert_true(bench_until(bench, &bench->events, 12, 1000));
    const char *told = story(scene);
    assert_non_null(strstr(told, "failed@1001(K1 1004,1001>1004,fail,DESTINATION_NOT_OBTAINABLE)"));
    assert_non_null(strstr(told, "failed@1001(K2 1003,1001>1003,fail,BUSY)"));
    assert_non_null(strstr(told, "failed@1001(K3 5555,1001>5555,fail,INVALID_NUMBER)"));
}

static void errors_of_requests_are_told(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    struct answer made = {0}, answered = {0}, cleared = {0};
    const struct pbx_make_call wish = {.device = "7777", .callee = "1002", .auto_answer = true};
    assert_int_equal(pbx_make_call(bench->pbx, &wish, bench_note_answer, &made), 0);
    assert_int_equal(pbx_answer(bench->pbx, "nonsense", "1002", bench_note_answer, &answered), 0);
    assert_int_equal(
        pbx_clear_connection(bench->pbx, "nonsense", "1001", bench_note_answer, &cleared), 0);
    assert_true(bench_until(bench, &cleared.count, 1, 1000));
    assert_false(made.good || answered.good || cleared.good);
    print_message("told: %s, %s, %s\n", made.text, answered.text, cleared.text);
    assert_int_equal(made.type, TELEPHONY_BAD_PARAMETER_VALUE);
    assert_int_equal(answered.cause, TELEPHONY_CAUSE_INVALID_CALL_ID);
    assert_int_equal(cleared.cause, TELEPHONY_CAUSE_INVALID_CALL_ID);
}

static void calls_in_progress_survive_the_loss_of_the_link(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    call(scene, "1001", "1002");
    press(scene, exchange_answer, "1002", NULL);
    call(scene, "1003", "1004");
    assert_true(bench_until(bench, &bench->events, 8, 1000));
    drop_links(scene);
    assert_true(bench_until(bench, &bench->downs, 1, 1000));
    /* meanwhile one call ends and another is answered */
    press(scene, exchange_clear, "1002", NULL);
    press(scene, exchange_answer, "1004", NULL);
    bench->story[0] = '\0';
    bench->watch_all = false; /* wanted already: the driver keeps that */
    assert_true(bench_until(bench, &bench->snapshots, 8, 5000));
    const char *told = story(scene);
    assert_non_null(strstr(told, "up directory:4 "));
    assert_non_null(strstr(told, "snapshot@1001[] "));
    assert_non_null(strstr(told, "snapshot@1002[] "));
    assert_non_null(strstr(told, "snapshot@1003[K1 connected 1003>1004 with 1004 connected] "));
    assert_non_null(strstr(told, "snapshot@1004[K1 connected 1003>1004 with 1003 connected] "));
    press(scene, exchange_clear, "1003", NULL);
    assert_true(bench_until(bench, &bench->events, 11, 1000));
}

static void a_pbx_that_falls_silent_is_left(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    scene->options.session_s = 4;
    start(scene);
    connect_all(scene);
    struct answer made = {0};
    const struct pbx_make_call wish = {.device = "1001", .callee = "1002", .auto_answer = true};
    misbehave_set(&scene->simulator->misbehave, &(struct misbehave_wishes){.silent = true});
    uint64_t start_ms = common_boot_ms();
    assert_int_equal(pbx_make_call(bench->pbx, &wish, bench_note_answer, &made), 0);
    assert_true(bench_until(bench, &made.count, 1, 7000));
    assert_in_range(common_boot_ms() - start_ms, 4900, 6000);
    assert_int_equal(made.type, TELEPHONY_REQUEST_TIMEOUT);
    assert_true(bench_until(bench, &bench->downs, 1, 4000));
    misbehave_set(&scene->simulator->misbehave, &(struct misbehave_wishes){0});
    assert_true(bench_until(bench, &bench->ups, 2, 4000));
}

static void answers_that_get_lost_are_asked_for_again(void **state)
{
    struct scene *scene = *state;
    struct bench *bench = &scene->bench;
    scene->options.users = 30;
    start(scene);
    bench_open(bench);
    assert_true(bench_until(bench, &bench->directories, 1, 2000));
    misbehave_set(&scene->simulator->misbehave, &(struct misbehave_wishes){.drop_responses = 4});
    assert_true(bench->stations >= 30);
    assert_true(bench_until(bench, &bench->snapshots, (unsigned)bench->stations, 60000));
    assert_int_equal(bench->snapshots, bench->stations);
    assert_int_equal(bench->downs, 0);
}

static void bytes_may_come_one_at_a_time(void **state)
{
    struct scene *scene = *state;
    start(scene);
    misbehave_set(&scene->simulator->misbehave,
                  &(struct misbehave_wishes){.split_bytes = 1, .delay_ms = 3});
    scene->bench.watch_all = false;
    bench_open(&scene->bench);
    assert_true(bench_until(&scene->bench, &scene->bench.directories, 1, 20000));
    assert_int_equal(scene->bench.stations, 4);
}

static void its_questions_about_our_state_are_answered(void **state)
{
    struct scene *scene = *state;
    scene->options.status_poll_s = 1;
    start(scene);
    connect_all(scene);
    bench_run(&scene->bench, 3500); /* two unanswered ones would end the link */
    assert_int_equal(scene->bench.downs, 0);
    assert_non_null(TAILQ_FIRST(&scene->simulator->links));
    assert_int_equal(TAILQ_FIRST(&scene->simulator->links)->unanswered, 0);
}

static void a_terminated_session_begins_anew(void **state)
{
    struct scene *scene = *state;
    sim__session_terminate(TAILQ_FIRST(&scene->simulator->links), "resourcesUnavailable");
    assert_true(bench_until(&scene->bench, &scene->bench.ups, 2, 4000));
    assert_string_equal(scene->bench.why_down, "the PBX ended the session");
    assert_true(bench_until(&scene->bench, &scene->bench.snapshots, 8, 4000));
}

/* All that is logged, at the finest level, while `what` runs. */
static char *capture_log(void (*what)(struct bench *), struct bench *bench)
{
    int file = memfd_create("log", 0), screen = dup(STDERR_FILENO);
    assert_true(file >= 0 && screen >= 0);
    log_set_level(NULL, LOG_LEVEL_TRACE);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    what(bench);
    assert_true(dup2(screen, STDERR_FILENO) >= 0);
    log_set_level(NULL, LOG_LEVEL_INFO);
    off_t len = lseek(file, 0, SEEK_END);
    char *text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)len, 0), len);
    (void)close(file);
    (void)close(screen);
    return text;
}

static void open_for_a_second(struct bench *bench)
{
    bench_open(bench);
    bench_run(bench, 1500);
}

static void a_wrong_password_is_refused_and_never_shown(void **state)
{
    struct scene *scene = *state;
    start(scene);
    (void)snprintf(scene->bench.settings.password, PBX_PASSWORD_CHARS, "tell-nobody");
    AUTO(common_freep) char *log = capture_log(open_for_a_second, &scene->bench);
    assert_int_equal(scene->bench.ups, 0);
    assert_non_null(strstr(log, "invalidApplicationInfo"));
    assert_null(strstr(log, "tell-nobody"));
}

static void twenty_thousand_devices_are_monitored_within_thirty_seconds(void **state)
{
    struct scene *scene = *state;
    scene->options.users = 20000;
    start(scene);
    uint64_t start_ms = common_boot_ms();
    bench_open(&scene->bench);
    assert_true(bench_until(&scene->bench, &scene->bench.snapshots, 5000, 30000));
    uint64_t first_ms = common_boot_ms() - start_ms;
    assert_true(bench_until(&scene->bench, &scene->bench.snapshots, 20000, 30000));
    uint64_t all_ms = common_boot_ms() - start_ms;
    print_message("monitored and read: 5000 devices after %llu ms, 20000 after %llu ms\n",
                  (unsigned long long)first_ms, (unsigned long long)all_ms);
    assert_in_range(all_ms, 0, 30000);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define FRESH(name) cmocka_unit_test_setup_teardown(name, prepare, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(the_directory_and_the_phones_are_read),
        SCENE(a_call_is_made_answered_and_cleared),
        SCENE(a_prompted_call_rings_at_its_caller_first),
        SCENE(failures_come_with_their_cause),
        SCENE(errors_of_requests_are_told),
        SCENE(calls_in_progress_survive_the_loss_of_the_link),
        FRESH(a_pbx_that_falls_silent_is_left),
        FRESH(answers_that_get_lost_are_asked_for_again),
        FRESH(bytes_may_come_one_at_a_time),
        FRESH(its_questions_about_our_state_are_answered),
        SCENE(a_terminated_session_begins_anew),
        FRESH(a_wrong_password_is_refused_and_never_shown),
        FRESH(twenty_thousand_devices_are_monitored_within_thirty_seconds),
    };
    return scenes_run(tests, COUNT_OF(tests));
}
