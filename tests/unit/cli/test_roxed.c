/* The program itself, as it is called, against a played daemon: words, exit codes, questions. */
#include "cli/roxed_status.h"
#include "cli/roxed_unit.h"
#include "fake_daemon.h"
#include "lib/common/buf.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HEALTHY_STATUS                                                                             \
    "{\"node\":\"a\",\"peer\":\"b\",\"phase\":\"active\",\"protected\":true,\"alarms\":[],"        \
    "\"advice\":\"\"}\n"
#define DEGRADED_STATUS "{\"node\":\"a\",\"phase\":\"wait\",\"alarms\":[\"x\"]}\n"

enum { WORDS_MAX = 8 };

struct run {
    int code;
    struct buf text; /* both outputs */
    struct fake_daemon fake;
};

static void run_done(struct run *run)
{
    buf_done(&run->text);
}

/* Until "\n" has come count times. False when the program ended before. */
static bool read_lines(int fd, struct buf *text, unsigned count)
{
    char byte;
    while (count > 0) {
        if (read(fd, &byte, 1) != 1)
            return false;
        buf_add(text, &byte, 1);
        if (byte == '\n')
            count--;
    }
    return true;
}

static void become_roxed(const char *const *words, int output)
{
    const char *argv[WORDS_MAX + 2] = {ROXED_PROGRAM};
    char *copies[WORDS_MAX + 2] = {NULL};
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        argv[i + 1] = words[i];
    for (size_t i = 0; argv[i] != NULL; i++)
        copies[i] = strdup(argv[i]);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    (void)execv(ROXED_PROGRAM, copies);
    _exit(127);
}

/* words end with NULL */
static void run_words(struct run *run, const char *const *words)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become_roxed(words, ends[1]);
    (void)close(ends[1]);
    char chunk[4096];
    for (ssize_t n; (n = read(ends[0], chunk, sizeof(chunk))) > 0;)
        buf_add(&run->text, chunk, (size_t)n);
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    run->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    buf_adds(&run->text, "");
}

/* The same against a daemon that plays the scenes. */
static struct run run_scenes(const struct fake_scene *scenes, size_t count,
                             const char *const *words)
{
    struct run run = {0};
    const char *all[WORDS_MAX + 1] = {"--socket", run.fake.socket};
    for (size_t i = 0; i + 2 < WORDS_MAX && words[i] != NULL; i++)
        all[i + 2] = words[i];
    fake_daemon_init(&run.fake, scenes, count);
    run_words(&run, all);
    fake_daemon_done(&run.fake);
    return run;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct run run_answer(const char *answer, const char *const *words)
{
    const struct fake_scene scene = {.answer = answer};
    return run_scenes(&scene, 1, words);
}

static void a_healthy_status_ends_with_0(void **state)
{
    (void)state;
    struct run run = run_answer(HEALTHY_STATUS, WORDS("status"));
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.text.data, "a: ACTIVE since an unknown time, protected by b\n"));
    assert_null(strchr(run.text.data, '\033')); /* no terminal, no colours */
    assert_string_equal(run.fake.requests[0], "{\"command\":\"status\"}");
    run_done(&run);
}

static void a_degraded_status_ends_with_1(void **state)
{
    (void)state;
    struct run run = run_answer(DEGRADED_STATUS, WORDS("status"));
    assert_int_equal(run.code, 1);
    assert_non_null(strstr(run.text.data, "a: WAITING (not active)"));
    run_done(&run);
}

static void json_is_handed_on_as_one_line(void **state)
{
    (void)state;
    struct run run = run_answer(DEGRADED_STATUS, WORDS("status", "--json"));
    assert_int_equal(run.code, 1);
    assert_string_equal(run.text.data, DEGRADED_STATUS);
    run_done(&run);
}

static void a_daemon_that_closes_or_talks_nonsense_ends_with_4(void **state)
{
    (void)state;
    static const char *const answers[] = {NULL, "nonsense\n"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct run run = run_answer(answers[i], WORDS("status"));
        assert_int_equal(run.code, 4);
        assert_non_null(strstr(run.text.data, "NO ANSWER: "));
        run_done(&run);
    }
}

static void a_missing_daemon_ends_with_3_for_every_command(void **state)
{
    (void)state;
    static const char nowhere[] = "/tmp/og-cli-there-is-no-such-folder/s";
    const char *const *const commands[] = {
        WORDS("--socket", nowhere, "status"),
        WORDS("--socket", nowhere, "status", "--json"),
        WORDS("--socket", nowhere, "switchover"),
        WORDS("--socket", nowhere, "simulate", "peer-dead"),
        WORDS("--socket", nowhere, "history"),
        WORDS("--socket", nowhere, "log-level", "all", "debug"),
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct run run = {0};
        run_words(&run, commands[i]);
        assert_int_equal(run.code, 3);
        assert_true(run.text.len_bytes > 0);
        run_done(&run);
    }
}

static void wrong_use_ends_with_2_and_asks_nobody(void **state)
{
    (void)state;
    const char *const *const uses[] = {
        WORDS("frobnicate"),
        WORDS("status", "--dry-run"),
        WORDS("status", "more"),
        WORDS("switchover", "--json"),
        WORDS("--frob"),
        WORDS("history", "--limit", "0"),
        WORDS("history", "--limit", "100001"),
        WORDS("history", "--limit", "5x"),
        WORDS("history", "--since", "whenever"),
        WORDS("simulate"),
        WORDS("simulate", "peer-dead", "more"),
        WORDS("log-level", "all"),
        WORDS("log-level", "all", "loud"),
        WORDS("log-level", "all", "debug", "more"),
        WORDS("start", "now"),
        WORDS("stop", "--watch"),
    };
    for (size_t i = 0; i < COUNT_OF(uses); i++) {
        struct run run = run_answer("{\"ok\":true}\n", uses[i]);
        assert_int_equal(run.code, 2);
        assert_int_equal(run.fake.served, 0);
        assert_true(run.text.len_bytes > 0);
        run_done(&run);
    }
    struct run run = {0};
    run_words(&run, (const char *const[]){NULL});
    assert_int_equal(run.code, 2);
    assert_non_null(strstr(run.text.data, "usage: roxed COMMAND"));
    run_done(&run);
}

static void help_and_version_end_with_0(void **state)
{
    (void)state;
    struct run help = {0}, version = {0};
    run_words(&help, WORDS("--help"));
    run_words(&version, WORDS("--version"));
    assert_int_equal(help.code, 0);
    assert_non_null(strstr(help.text.data, "switchover"));
    assert_int_equal(version.code, 0);
    assert_string_equal(version.text.data, "roxed " OG_VERSION "\n");
    run_done(&help);
    run_done(&version);
}

#define POSSIBLE "{\"ok\":true,\"checks\":[{\"what\":\"this node is active\",\"ok\":true}]}\n"
#define IMPOSSIBLE                                                                                 \
    "{\"ok\":false,\"error\":\"No witness.\",\"checks\":[{\"what\":\"both reach the witness\","    \
    "\"ok\":false,\"todo\":\"Bring it back.\"}]}\n"

static void a_dry_run_asks_but_does_not_follow(void **state)
{
    (void)state;
    struct run run = run_answer(POSSIBLE, WORDS("switchover", "--dry-run"));
    assert_int_equal(run.code, 0);
    assert_string_equal(run.text.data, "  ok      this node is active\n"
                                       "A switchover is possible now.\n");
    assert_int_equal(run.fake.served, 1);
    cJSON *request = NULL;
    assert_int_equal(json_parse(run.fake.requests[0], strlen(run.fake.requests[0]), &request, NULL),
                     0);
    assert_string_equal(json_string(request, "command"), "switchover");
    assert_true(json_bool(request, "dry_run", false));
    cJSON_Delete(request);
    run_done(&run);
}

static void a_dry_run_names_what_is_missing_and_what_to_do(void **state)
{
    (void)state;
    struct run run = run_answer(IMPOSSIBLE, WORDS("switchover", "--dry-run"));
    assert_int_equal(run.code, 1);
    assert_string_equal(run.text.data, "  NOT OK  both reach the witness\n"
                                       "          -> Bring it back.\n"
                                       "A switchover is not possible now: No witness.\n");
    run_done(&run);
    struct run json = run_answer(IMPOSSIBLE, WORDS("switchover", "--dry-run", "--json"));
    assert_int_equal(json.code, 1);
    assert_string_equal(json.text.data, IMPOSSIBLE);
    run_done(&json);
    struct run refused =
        run_answer("{\"ok\":false,\"error\":\"use root\"}\n", WORDS("switchover", "--dry-run"));
    assert_int_equal(refused.code, 1);
    assert_string_equal(refused.text.data, "roxed: refused: use root\n");
    run_done(&refused);
    struct run odd = run_answer("{\"ok\":true}\n", WORDS("switchover", "--dry-run"));
    assert_int_equal(odd.code, 4);
    run_done(&odd);
}

#define STEPS                                                                                      \
    "{\"ok\":true,\"text\":\"It dies.\",\"assumed\":\"calm\",\"end\":\"all is quiet\",\"steps\":[" \
    "{\"at_ms\":0,\"phase\":\"standby\",\"row\":3,\"reason\":\"It stands by.\",\"address\":false," \
    "\"actions\":[]},{\"at_ms\":1250,\"phase\":\"active\",\"row\":10,\"reason\":\"It serves.\","   \
    "\"address\":true,\"actions\":[\"answers the kernel\"],\"answer\":7}]}\n"

static void a_simulation_is_shown_step_by_step(void **state)
{
    (void)state;
    struct run run = run_answer(STEPS, WORDS("simulate", "peer-dead"));
    assert_int_equal(run.code, 0);
    assert_string_equal(run.fake.requests[0], "{\"command\":\"simulate\",\"fault\":\"peer-dead\"}");
    assert_string_equal(run.text.data,
                        "If now: It dies.\n\n"
                        "      now  standby   It stands by. (rule 3)\n"
                        "     1.25  active    It serves. (rule 10)\n"
                        "                     -> answers the kernel\n"
                        "                     -> the answer is 7\n"
                        "                     -> may answer for the virtual address from here on\n"
                        "\nThen all is quiet.\nAssumed: calm.\nNothing was changed.\n");
    run_done(&run);
    struct run json = run_answer(STEPS, WORDS("simulate", "peer-dead", "--json"));
    assert_int_equal(json.code, 0);
    assert_string_equal(json.text.data, STEPS);
    run_done(&json);
    struct run refused =
        run_answer("{\"ok\":false,\"error\":\"no such fault\"}\n", WORDS("simulate", "weather"));
    assert_int_equal(refused.code, 1);
    assert_string_equal(refused.text.data, "roxed: refused: no such fault\n");
    run_done(&refused);
}

static void a_refused_switchover_says_why_and_ends_with_1(void **state)
{
    (void)state;
    struct run run = run_answer("{\"ok\":false,\"error\":\"The pair is not protected yet.\"}\n",
                                WORDS("switchover"));
    assert_int_equal(run.code, 1);
    assert_string_equal(run.text.data, "roxed: refused: The pair is not protected yet.\n");
    assert_int_equal(run.fake.served, 1);
    run_done(&run);
}

static void a_switchover_is_followed_until_this_node_is_standby(void **state)
{
    (void)state;
    static const struct fake_scene scenes[] = {
        {.answer = "{\"ok\":true}\n"},
        {.answer = "{\"phase\":\"active\"}\n"},
        {.answer = "{\"phase\":\"releasing\",\"step\":\"stop PostgreSQL\"}\n"},
        {.answer = "{\"phase\":\"releasing\",\"step\":\"stop PostgreSQL\"}\n"},
        {.answer = NULL}, /* one lost answer is survived */
        {.answer =
             "{\"phase\":\"standby\",\"peer\":\"b\",\"peer_state\":{\"phase\":\"taking\"}}\n"},
    };
    struct run run = run_scenes(scenes, COUNT_OF(scenes), WORDS("switchover"));
    assert_int_equal(run.code, 0);
    assert_int_equal(run.fake.served, COUNT_OF(scenes));
    assert_ptr_equal(strstr(run.text.data, "The switchover is ordered.\n"), run.text.data);
    const char *step = strstr(run.text.data, "s  releasing: stop PostgreSQL\n");
    assert_non_null(step);
    assert_null(strstr(strchr(step, '\n'), "stop PostgreSQL")); /* once, though seen twice */
    assert_non_null(strstr(run.text.data, "This node is standby after "));
    assert_non_null(strstr(run.text.data, "; b is taking.\n"));
    assert_non_null(strstr(run.fake.requests[0], "\"dry_run\":false,\"by\":\""));
    run_done(&run);
}

static void history_is_shown_as_text_and_as_an_array(void **state)
{
    (void)state;
    static const char answer[] =
        "{\"ok\":true,\"entries\":[{\"at_s\":1,\"event\":\"start\",\"text\":\"T\"}]}\n";
    struct run text = run_answer(answer, WORDS("history", "--since", "1970-01-02", "--limit", "7"));
    assert_int_equal(text.code, 0);
    assert_non_null(strstr(text.text.data, "  start                  T\n"));
    assert_non_null(strstr(text.fake.requests[0], "\"limit\":7}"));
    assert_null(strstr(text.fake.requests[0], "\"since_s\":0,"));
    struct run json = run_answer(answer, WORDS("history", "--json"));
    assert_int_equal(json.code, 0);
    assert_string_equal(json.text.data, "[{\"at_s\":1,\"event\":\"start\",\"text\":\"T\"}]\n");
    assert_string_equal(json.fake.requests[0],
                        "{\"command\":\"history\",\"since_s\":0,\"limit\":200}");
    struct run bad = run_answer("{\"ok\":true}\n", WORDS("history"));
    assert_int_equal(bad.code, 4);
    run_done(&text);
    run_done(&json);
    run_done(&bad);
}

static void log_level_names_the_module_or_none_for_all(void **state)
{
    (void)state;
    struct run all = run_answer("{\"ok\":true}\n", WORDS("log-level", "all", "debug"));
    struct run one = run_answer("{\"ok\":true}\n", WORDS("log-level", "a\"b", "trace"));
    assert_int_equal(all.code, 0);
    assert_string_equal(all.fake.requests[0], "{\"command\":\"log_level\",\"level\":\"debug\"}");
    assert_int_equal(one.code, 0);
    assert_string_equal(one.fake.requests[0],
                        "{\"command\":\"log_level\",\"level\":\"trace\",\"module\":\"a\\\"b\"}");
    run_done(&all);
    run_done(&one);
}

static void watch_goes_on_until_it_is_interrupted(void **state)
{
    (void)state;
    static const struct fake_scene scenes[] = {
        {.answer = HEALTHY_STATUS}, {.answer = NULL}, {.answer = DEGRADED_STATUS}};
    struct run run = {0};
    int ends[2], status = 0;
    fake_daemon_init(&run.fake, scenes, COUNT_OF(scenes));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become_roxed(WORDS("--socket", run.fake.socket, "status", "--watch", "--json"), ends[1]);
    (void)close(ends[1]);
    assert_true(read_lines(ends[0], &run.text, 3));
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_non_null(strstr(run.text.data, "\"phase\":\"active\""));
    assert_non_null(strstr(run.text.data, "roxed: the connection was closed"));
    assert_non_null(strstr(run.text.data, "\"phase\":\"wait\""));
    (void)close(ends[0]);
    fake_daemon_done(&run.fake);
    run_done(&run);
}

/* What roxed writes to a terminal. */
static struct run run_on_terminal(const char *no_color)
{
    const struct fake_scene scene = {.answer = HEALTHY_STATUS};
    struct run run = {0};
    int master, slave, status = 0;
    fake_daemon_init(&run.fake, &scene, 1);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setenv("TERM", "linux", 1);
        (void)setenv("NO_COLOR", no_color, 1);
        (void)close(master);
        become_roxed(WORDS("--socket", run.fake.socket, "status"), slave);
    }
    (void)close(slave);
    char chunk[4096];
    for (ssize_t n; (n = read(master, chunk, sizeof(chunk))) > 0;)
        buf_add(&run.text, chunk, (size_t)n);
    (void)close(master);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fake_daemon_done(&run.fake);
    return run;
}

static void a_terminal_gets_colours_unless_they_are_unwanted(void **state)
{
    (void)state;
    struct run coloured = run_on_terminal(""), plain = run_on_terminal("1");
    assert_non_null(strstr(coloured.text.data, "\033[32mACTIVE\033[0m"));
    assert_non_null(strstr(plain.text.data, "a: ACTIVE since"));
    assert_null(strchr(plain.text.data, '\033'));
    run_done(&coloured);
    run_done(&plain);
}

/* --- systemctl, played by a script ----------------------------------------------------------- */

struct script {
    char folder[64], path[96], words[96];
};

static void script_init(struct script *script, const char *body)
{
    (void)snprintf(script->folder, sizeof(script->folder), "/tmp/og-cli-XXXXXX");
    assert_non_null(mkdtemp(script->folder));
    (void)snprintf(script->path, sizeof(script->path), "%s/systemctl", script->folder);
    (void)snprintf(script->words, sizeof(script->words), "%s/words", script->folder);
    FILE *file = fopen(script->path, "we");
    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\necho \"$*\" >%s\n%s\n", script->words, body);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(script->path, 0700), 0);
}

static void script_check_words(const struct script *script, const char *expected)
{
    char words[128] = "";
    FILE *file = fopen(script->words, "re");
    assert_non_null(file);
    assert_non_null(fgets(words, sizeof(words), file));
    (void)fclose(file);
    assert_string_equal(words, expected);
}

static void script_done(struct script *script)
{
    (void)unlink(script->words);
    (void)unlink(script->path);
    assert_int_equal(rmdir(script->folder), 0);
}

static void systemctl_is_run_for_our_unit_and_its_status_returned(void **state)
{
    (void)state;
    struct script script;
    struct diag diag = {0};
    script_init(&script, "exit 5");
    assert_int_equal(roxed_unit_run(script.path, "restart", &diag), 5);
    script_check_words(&script, "restart solution-control.service\n");
    script_done(&script);
    script_init(&script, "kill -9 $$");
    assert_int_equal(roxed_unit_run(script.path, "stop", &diag), 128 + 9);
    script_done(&script);
    assert_int_equal(roxed_unit_run("/nowhere/systemctl", "stop", &diag), -ENOENT);
    assert_non_null(strstr(diag.text, "/nowhere/systemctl"));
}

static void a_unit_is_up_while_it_runs_starts_or_stops(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool up;
    } cases[] = {
        {"echo active", true},
        {"echo activating; exit 3", true},
        {"echo deactivating; exit 3", true},
        {"echo inactive; exit 3", false},
        {"echo failed; exit 3", false},
        {"exit 1", false},
        {"echo no bus >&2; exit 1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script;
        script_init(&script, cases[i].body);
        assert_int_equal(roxed_unit_is_up(script.path), cases[i].up);
        script_check_words(&script, "is-active solution-control.service\n");
        script_done(&script);
    }
    assert_false(roxed_unit_is_up("/nowhere/systemctl"));
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_status_ends_with_0),
        cmocka_unit_test(a_degraded_status_ends_with_1),
        cmocka_unit_test(json_is_handed_on_as_one_line),
        cmocka_unit_test(a_daemon_that_closes_or_talks_nonsense_ends_with_4),
        cmocka_unit_test(a_missing_daemon_ends_with_3_for_every_command),
        cmocka_unit_test(wrong_use_ends_with_2_and_asks_nobody),
        cmocka_unit_test(help_and_version_end_with_0),
        cmocka_unit_test(a_dry_run_asks_but_does_not_follow),
        cmocka_unit_test(a_dry_run_names_what_is_missing_and_what_to_do),
        cmocka_unit_test(a_simulation_is_shown_step_by_step),
        cmocka_unit_test(a_refused_switchover_says_why_and_ends_with_1),
        cmocka_unit_test(a_switchover_is_followed_until_this_node_is_standby),
        cmocka_unit_test(history_is_shown_as_text_and_as_an_array),
        cmocka_unit_test(log_level_names_the_module_or_none_for_all),
        cmocka_unit_test(watch_goes_on_until_it_is_interrupted),
        cmocka_unit_test(a_terminal_gets_colours_unless_they_are_unwanted),
        cmocka_unit_test(systemctl_is_run_for_our_unit_and_its_status_returned),
        cmocka_unit_test(a_unit_is_up_while_it_runs_starts_or_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
