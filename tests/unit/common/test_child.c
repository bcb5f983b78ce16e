#include "lib/common/child.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What one child told us, kept past its callback. */
struct run {
    uv_loop_t loop;
    int calls;
    int status;
    uint64_t took_ms;
    struct buf output, stream;
    struct child *child;
};

static void on_done(void *context, const struct child_result *result)
{
    struct run *run = context;
    run->calls++;
    run->status = result->status;
    run->took_ms = result->took_ms;
    assert_int_equal(strlen(result->output), result->output_bytes);
    buf_adds(&run->output, result->output);
}

static void on_output(void *context, const char *bytes, size_t len_bytes)
{
    struct run *run = context;
    buf_add(&run->stream, bytes, len_bytes);
}

static int set_up(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL || uv_loop_init(&run->loop) != 0)
        return -1;
    buf_adds(&run->output, "");
    buf_adds(&run->stream, "");
    *state = run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;
    /* fails when a handle was left behind */
    int r = uv_loop_close(&run->loop);
    buf_done(&run->output);
    buf_done(&run->stream);
    free(run);
    return r;
}

static void start(struct run *run, struct child_options options)
{
    options.done = on_done;
    options.context = run;
    run->child = child_start(&run->loop, &options);
    assert_non_null(run->child);
}

static void run_to_end(struct run *run)
{
    (void)uv_run(&run->loop, UV_RUN_DEFAULT);
}

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void output_of_both_streams_and_the_exit_code_are_reported(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("echo one; echo two >&2; exit 7"),
                                      .budget_ms = 20000});
    assert_int_equal(run->calls, 0);
    run_to_end(run);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->status, 7);
    assert_string_equal(run->output.data, "one\ntwo\n");
}

static void a_signal_death_is_128_plus_the_signal(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("kill -9 $$"), .budget_ms = 20000});
    run_to_end(run);
    assert_int_equal(run->status, 128 + SIGKILL);
}

static void a_missing_program_is_reported_from_the_loop(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = (const char *const[]){"no-such-program", NULL}});
    assert_int_equal(run->calls, 0);
    assert_int_equal(child_pid(run->child), 0);
    child_signal(run->child, SIGTERM);
    run_to_end(run);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->status, -ENOENT);
    assert_non_null(strstr(run->output.data, "no-such-program"));
}

static void a_file_that_is_no_program_is_reported(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = (const char *const[]){"/etc/passwd", NULL}});
    run_to_end(run);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->status, -EACCES);
    assert_non_null(strstr(run->output.data, "/etc/passwd"));
}

static void an_unknown_user_is_reported(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("true"), .user = "nobody-of-this-name"});
    run_to_end(run);
    assert_int_equal(run->status, -ESRCH);
    assert_non_null(strstr(run->output.data, "nobody-of-this-name"));
}

static void a_child_can_run_as_another_user(void **state)
{
    struct run *run = *state;
    /* Only root may change users; for others the promise is that it fails and never runs as is. */
    bool root = getuid() == 0;
    start(run, (struct child_options){.argv = SHELL("id -un; id -G | wc -w"),
                                      .user = root ? "nobody" : "root"});
    run_to_end(run);
    if (root)
        assert_string_equal(run->output.data, "nobody\n1\n");
    else
        assert_int_equal(run->status, -EPERM);
}

static void a_budget_ends_a_child_that_obeys_sigterm(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("exec sleep 30"), .budget_ms = 100});
    run_to_end(run);
    assert_int_equal(run->status, -ETIMEDOUT);
    assert_in_range(run->took_ms, 90, 900);
}

static void a_child_that_ignores_sigterm_is_killed_a_second_later(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){
                   .argv = SHELL("trap '' TERM; echo armed; while :; do sleep 0.05; done"),
                   .budget_ms = 300});
    run_to_end(run);
    assert_int_equal(run->status, -ETIMEDOUT);
    assert_string_equal(run->output.data, "armed\n");
    assert_in_range(run->took_ms, 1200, 5000);
}

static void descendants_of_a_stopped_child_die_with_it(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("(trap '' TERM; sleep 30) & echo $!; wait"),
                                      .budget_ms = 200});
    run_to_end(run);
    assert_int_equal(run->status, -ETIMEDOUT);
    pid_t descendant = (pid_t)strtol(run->output.data, NULL, 10);
    assert_true(descendant > 1);
    /* it is no child of ours: init reaps it in its own time */
    int alive = 0;
    for (int i = 0; i < 100; i++) {
        char path[64], status[64] = "";
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)descendant);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd >= 0 ? read(fd, status, sizeof(status) - 1) : 0;
        if (fd >= 0)
            (void)close(fd);
        alive = got > 0 && strstr(status, ") Z ") == NULL;
        if (!alive)
            break;
        (void)usleep(10000);
    }
    assert_false(alive);
}

static void what_a_finished_child_left_behind_lives_on(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("sleep 30 & echo $!"), .budget_ms = 20000});
    run_to_end(run);
    assert_int_equal(run->status, 0);
    /* the sleeping heir holds our pipe: the report must not wait for it */
    assert_in_range(run->took_ms, CHILD_DRAIN_MS - 10, 5000);
    pid_t heir = (pid_t)strtol(run->output.data, NULL, 10);
    assert_true(heir > 1);
    assert_int_equal(kill(heir, SIGKILL), 0);
}

static void input_arrives_whole_and_ends(void **state)
{
    struct run *run = *state;
    struct buf input = {0};
    while (input.len_bytes < 300000)
        buf_adds(&input, "0123456789");
    start(run,
          (struct child_options){.argv = SHELL("wc -c"), .input = input.data, .budget_ms = 20000});
    buf_done(&input); /* the module has its own copy */
    run_to_end(run);
    assert_string_equal(run->output.data, "300000\n");
}

static void output_past_the_limit_is_drained_and_dropped(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("head -c 5000000 /dev/zero | tr '\\0' x"),
                                      .budget_ms = 20000});
    run_to_end(run);
    assert_int_equal(run->status, 0);
    assert_int_equal(run->output.len_bytes, CHILD_OUTPUT_BYTES);
}

static void streamed_output_is_apart_from_errors(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("head -c 200000 /dev/zero; echo oops >&2"),
                                      .output = on_output,
                                      .budget_ms = 20000});
    run_to_end(run);
    assert_int_equal(run->stream.len_bytes, 200000);
    assert_string_equal(run->output.data, "oops\n");
}

static void the_environment_is_small_and_keeps_the_tunables(void **state)
{
    struct run *run = *state;
    /* the variable that changes nothing in a small program is the one to play with */
    const char *old = getenv("OPENSSL_ia32cap");
    struct buf before = {0};
    buf_adds(&before, old != NULL ? old : "");
    assert_int_equal(setenv("OPENSSL_ia32cap", ":~0x20", 1), 0);
    assert_int_equal(setenv("OG_LEAKED", "yes", 1), 0);
    start(run, (struct child_options){.argv = (const char *const[]){"env", NULL}});
    if (before.len_bytes > 0)
        assert_int_equal(setenv("OPENSSL_ia32cap", before.data, 1), 0);
    else
        assert_int_equal(unsetenv("OPENSSL_ia32cap"), 0);
    buf_done(&before);
    run_to_end(run);
    assert_non_null(strstr(run->output.data, "PATH=/usr/local/sbin:"));
    assert_non_null(strstr(run->output.data, "LANG=C.UTF-8\n"));
    assert_non_null(strstr(run->output.data, "OPENSSL_ia32cap=:~0x20\n"));
    assert_null(strstr(run->output.data, "OG_LEAKED"));
}

static void a_given_environment_is_used(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("echo $COLOUR"),
                                      .envp = (const char *const[]){"COLOUR=red", NULL}});
    run_to_end(run);
    assert_string_equal(run->output.data, "red\n");
}

static void no_descriptor_of_ours_reaches_a_child(void **state)
{
    struct run *run = *state;
    int leaky = open("/dev/null", O_RDONLY); /* without close-on-exec, as a careless library */
    assert_true(leaky > 3); /* 3 is what the shell itself opens to read the folder */
    start(run, (struct child_options){.argv = SHELL("cd /proc/self/fd && echo *")});
    run_to_end(run);
    (void)close(leaky);
    assert_string_equal(run->output.data, "0 1 2 3\n");
}

static void a_child_leads_its_own_session_in_the_given_folder(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("test $(ps -o sid= -p $$) -eq $$ && pwd"),
                                      .folder = "/usr"});
    run_to_end(run);
    assert_string_equal(run->output.data, "/usr\n");
}

static void signals_reach_a_running_service(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("trap 'echo bye; exit 3' HUP; echo up; "
                                                    "while :; do sleep 0.02; done"),
                                      .output = on_output});
    while (run->stream.len_bytes == 0)
        (void)uv_run(&run->loop, UV_RUN_ONCE);
    child_signal(run->child, SIGHUP);
    run_to_end(run);
    assert_int_equal(run->status, 3);
    assert_string_equal(run->stream.data, "up\nbye\n");
}

static void stopping_a_service_reports_how_it_ended(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("exec sleep 30")});
    child_stop(run->child, 5000);
    child_stop(run->child, 5000); /* twice is once */
    run_to_end(run);
    assert_int_equal(run->calls, 1);
    assert_int_equal(run->status, 128 + SIGTERM);
    assert_true(run->took_ms < 4000);
}

static void an_abandoned_child_is_killed_without_a_word(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = SHELL("trap '' TERM; sleep 30")});
    pid_t pid = child_pid(run->child);
    child_abandon(run->child);
    run_to_end(run);
    assert_int_equal(run->calls, 0);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void a_child_that_could_not_start_can_be_abandoned(void **state)
{
    struct run *run = *state;
    start(run, (struct child_options){.argv = (const char *const[]){"no-such-program", NULL}});
    child_abandon(run->child);
    run_to_end(run);
    assert_int_equal(run->calls, 0);
}

static void on_done_abandon(void *context, const struct child_result *result)
{
    struct run *run = context;
    (void)result;
    run->calls++;
    child_abandon(run->child); /* an owner that goes away in its own callback */
}

static void abandoning_within_the_callback_is_harmless(void **state)
{
    struct run *run = *state;
    struct child_options options = {.argv = SHELL("true"), .done = on_done_abandon, .context = run};
    run->child = child_start(&run->loop, &options);
    run_to_end(run);
    assert_int_equal(run->calls, 1);
}

static void lines_of_a_service_reach_the_log_whole(void **state)
{
    struct run *run = *state;
    char path[] = "/tmp/og-child-XXXXXX", text[8192];
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    (void)unlink(path);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    start(run, (struct child_options){
                   .argv = SHELL("printf 'o'; sleep 0.1; printf 'ne\\r\\n\\n'; echo two >&2; "
                                 "head -c 1500 /dev/zero | tr '\\0' x; printf end"),
                   .log_output = true});
    run_to_end(run);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    ssize_t len = pread(file, text, sizeof(text) - 1, 0);
    (void)close(file);
    assert_true(len > 0);
    text[len] = '\0';

    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 4); /* an empty line is none; the long one came in two pieces */
    assert_non_null(strstr(text, " info sh: one\n"));
    assert_non_null(strstr(text, " info sh: two\n"));
    assert_non_null(strstr(text, "xxxend\n"));
}

static void many_children_at_once_all_report(void **state)
{
    struct run *run = *state;
    for (int i = 0; i < 30; i++)
        start(run, (struct child_options){.argv = SHELL("echo x; exit 1"), .budget_ms = 30000});
    run_to_end(run);
    assert_int_equal(run->calls, 30);
    assert_int_equal(run->output.len_bytes, 60);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(output_of_both_streams_and_the_exit_code_are_reported),
        CASE(a_signal_death_is_128_plus_the_signal),
        CASE(a_missing_program_is_reported_from_the_loop),
        CASE(a_file_that_is_no_program_is_reported),
        CASE(an_unknown_user_is_reported),
        CASE(a_child_can_run_as_another_user),
        CASE(a_budget_ends_a_child_that_obeys_sigterm),
        CASE(a_child_that_ignores_sigterm_is_killed_a_second_later),
        CASE(descendants_of_a_stopped_child_die_with_it),
        CASE(what_a_finished_child_left_behind_lives_on),
        CASE(input_arrives_whole_and_ends),
        CASE(output_past_the_limit_is_drained_and_dropped),
        CASE(streamed_output_is_apart_from_errors),
        CASE(the_environment_is_small_and_keeps_the_tunables),
        CASE(a_given_environment_is_used),
        CASE(no_descriptor_of_ours_reaches_a_child),
        CASE(a_child_leads_its_own_session_in_the_given_folder),
        CASE(signals_reach_a_running_service),
        CASE(stopping_a_service_reports_how_it_ended),
        CASE(an_abandoned_child_is_killed_without_a_word),
        CASE(a_child_that_could_not_start_can_be_abandoned),
        CASE(abandoning_within_the_callback_is_harmless),
        CASE(lines_of_a_service_reach_the_log_whole),
        CASE(many_children_at_once_all_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
