/* The client of the control socket against a daemon that misbehaves. */
#include "cli/control_client.h"
#include "fake_daemon.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct outcome {
    int result;
    uint64_t took_ms;
    struct diag diag;
    struct buf line;
    cJSON *answer;
    char request[FAKE_REQUEST_CHARS];
};

static void outcome_done(struct outcome *outcome)
{
    buf_done(&outcome->line);
    cJSON_Delete(outcome->answer);
}

static struct outcome ask_at(const char *path, uint32_t budget_ms, size_t max_bytes)
{
    struct outcome outcome = {0};
    const struct control_client client = {
        .socket = path, .budget_ms = budget_ms, .answer_max_bytes = max_bytes};
    uint64_t begin_ms = common_boot_ms();
    outcome.result = control_client_ask(&client, "{\"command\":\"status\"}", &outcome.line,
                                        &outcome.answer, &outcome.diag);
    outcome.took_ms = common_boot_ms() - begin_ms;
    if (outcome.result < 0) {
        assert_null(outcome.answer);
        assert_true(strlen(outcome.diag.text) > 0);
    }
    return outcome;
}

static struct outcome ask_scene(const struct fake_scene *scene, uint32_t budget_ms,
                                size_t max_bytes)
{
    struct fake_daemon fake;
    fake_daemon_init(&fake, scene, 1);
    struct outcome outcome = ask_at(fake.socket, budget_ms, max_bytes);
    fake_daemon_done(&fake);
    memcpy(outcome.request, fake.requests[0], sizeof(outcome.request));
    return outcome;
}

static void a_good_answer_is_parsed_and_kept_as_text(void **state)
{
    (void)state;
    const struct fake_scene scene = {.answer = "{\"role\":\"active\"}\n"};
    struct outcome outcome = ask_scene(&scene, 5000, 1000);
    assert_int_equal(outcome.result, 0);
    assert_string_equal(outcome.request, "{\"command\":\"status\"}");
    assert_string_equal(outcome.line.data, "{\"role\":\"active\"}");
    assert_string_equal(json_string(outcome.answer, "role"), "active");
    outcome_done(&outcome);
}

static void an_answer_in_single_bytes_is_put_together(void **state)
{
    (void)state;
    const struct fake_scene scene = {.answer = "{\"ok\":true}\n", .drip_ms = 5};
    struct outcome outcome = ask_scene(&scene, 5000, 1000);
    assert_int_equal(outcome.result, 0);
    assert_true(json_bool(outcome.answer, "ok", false));
    outcome_done(&outcome);
}

static void a_refusal_sent_before_the_question_is_read(void **state)
{
    (void)state;
    const struct fake_scene scene = {.answer = "{\"ok\":false,\"error\":\"use root\"}\n",
                                     .before_asked = true};
    for (int i = 0; i < 200; i++) { /* the order of closing and asking is a race */
        struct outcome outcome = ask_scene(&scene, 5000, 1000);
        assert_int_equal(outcome.result, 0);
        assert_string_equal(json_string(outcome.answer, "error"), "use root");
        outcome_done(&outcome);
    }
}

static void a_silent_daemon_costs_no_more_than_the_budget(void **state)
{
    (void)state;
    const struct fake_scene scene = {.keep_open = true};
    struct outcome outcome = ask_scene(&scene, 300, 1000);
    assert_int_equal(outcome.result, -ETIMEDOUT);
    assert_string_equal(outcome.diag.text, "no answer within 0.3 s");
    assert_in_range(outcome.took_ms, 290, 3000);
    outcome_done(&outcome);
}

static void a_daemon_that_drips_for_ever_costs_no_more_than_the_budget(void **state)
{
    (void)state;
    const struct fake_scene scene = {
        .answer = "                                                                      "
                  "                                                                      ",
        .drip_ms = 20,
        .keep_open = true};
    struct outcome outcome = ask_scene(&scene, 300, 1000);
    assert_int_equal(outcome.result, -ETIMEDOUT);
    assert_in_range(outcome.took_ms, 290, 2500);
    outcome_done(&outcome);
}

static void a_daemon_that_does_not_accept_costs_no_more_than_the_budget(void **state)
{
    (void)state;
    char folder[] = "/tmp/og-cli-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    int server = socket(AF_UNIX, SOCK_STREAM, 0), waiting[8];
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server, 0), 0);
    int full = 0; /* fill its queue */
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(waiting[i], (struct sockaddr *)&address, sizeof(address)) != 0)
            full = errno;
    }
    assert_int_equal(full, EAGAIN);
    struct outcome outcome = ask_at(address.sun_path, 300, 1000);
    assert_int_equal(outcome.result, -ETIMEDOUT);
    assert_in_range(outcome.took_ms, 290, 3000);
    outcome_done(&outcome);
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        (void)close(waiting[i]);
    (void)close(server);
    (void)unlink(address.sun_path);
    assert_int_equal(rmdir(folder), 0);
}

static void garbage_is_told_from_an_answer(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "hello\n",
        "\n",
        "[1,2]\n",
        "\"text\"\n",
        "{\"a\":1}{\"b\":2}\n",
        "{\"a\":1,\"a\":2}\n",
        "{\"a\":\"\xff\xfe\"}\n",
        "{\"a\":\"\033[2J\"}\n",
    };
    for (size_t i = 0; i < COUNT_OF(garbage); i++) {
        const struct fake_scene scene = {.answer = garbage[i]};
        struct outcome outcome = ask_scene(&scene, 5000, 1000);
        assert_int_equal(outcome.result, -EPROTO);
        outcome_done(&outcome);
    }
}

static void an_oversized_answer_is_given_up(void **state)
{
    (void)state;
    const struct fake_scene scene = {.answer = "{\"a\":\"", .fill_bytes = 8 << 20};
    struct outcome outcome = ask_scene(&scene, 5000, 100000);
    assert_int_equal(outcome.result, -EMSGSIZE);
    assert_true(outcome.line.len_bytes < 200000);
    outcome_done(&outcome);
}

static void the_longest_allowed_answer_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    const struct fake_scene scene = {.answer = "{\"a\":\"12345\"}\n"};
    struct outcome fits = ask_scene(&scene, 5000, 13), longer = ask_scene(&scene, 5000, 12);
    assert_int_equal(fits.result, 0);
    assert_int_equal(longer.result, -EMSGSIZE);
    outcome_done(&fits);
    outcome_done(&longer);
}

static void a_connection_closed_early_is_no_answer(void **state)
{
    (void)state;
    static const char *const parts[] = {NULL, "{\"role\":", "{\"role\":\"active\"}"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct fake_scene scene = {.answer = parts[i]};
        struct outcome outcome = ask_scene(&scene, 5000, 1000);
        assert_int_equal(outcome.result, -ECONNRESET);
        outcome_done(&outcome);
    }
}

static void a_missing_socket_and_one_without_a_listener_are_told_apart(void **state)
{
    (void)state;
    struct fake_daemon fake;
    const struct fake_scene scene = {.answer = "{}\n"};
    struct outcome missing = ask_at("/tmp/og-cli-there-is-no-such-folder/s", 1000, 100);
    assert_int_equal(missing.result, -ENOENT);
    fake_daemon_init(&fake, &scene, 1);
    assert_int_equal(shutdown(fake.server, SHUT_RDWR), 0);
    struct outcome refused = ask_at(fake.socket, 1000, 100);
    assert_int_equal(refused.result, -ECONNREFUSED);
    fake_daemon_done(&fake);
    outcome_done(&missing);
    outcome_done(&refused);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    struct outcome outcome = ask_at(path, 1000, 100);
    assert_int_equal(outcome.result, -ENAMETOOLONG);
    outcome_done(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_answer_is_parsed_and_kept_as_text),
        cmocka_unit_test(an_answer_in_single_bytes_is_put_together),
        cmocka_unit_test(a_refusal_sent_before_the_question_is_read),
        cmocka_unit_test(a_silent_daemon_costs_no_more_than_the_budget),
        cmocka_unit_test(a_daemon_that_drips_for_ever_costs_no_more_than_the_budget),
        cmocka_unit_test(a_daemon_that_does_not_accept_costs_no_more_than_the_budget),
        cmocka_unit_test(garbage_is_told_from_an_answer),
        cmocka_unit_test(an_oversized_answer_is_given_up),
        cmocka_unit_test(the_longest_allowed_answer_is_taken_and_one_byte_more_is_not),
        cmocka_unit_test(a_connection_closed_early_is_no_answer),
        cmocka_unit_test(a_missing_socket_and_one_without_a_listener_are_told_apart),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
