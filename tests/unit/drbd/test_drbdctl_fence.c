/* The server and the real helper program over a real socket. */
#include "drbd/drbdctl_fence.h"

#include "lib/common/child.h"
#include "lib/common/common.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS_MAX = 4000, HELPERS_MAX = 12 };

struct helper {
    pid_t pid;
    int exit_code; /* -1 while it runs; 1000 + signal when killed by one */
    uint64_t began_ms, ended_ms;
};

struct fixture {
    uv_loop_t loop;
    char folder[64], path[96];
    struct drbdctl_fence *fence;
    unsigned asked, gone;
    drbdctl_fence_token token, gone_token;
    int answer_at_once; /* 0: keep the question */
    struct helper helper[HELPERS_MAX];
};

static void on_asked(void *context, drbdctl_fence_token token)
{
    struct fixture *f = context;
    f->asked++;
    f->token = token;
    if (f->answer_at_once != 0)
        assert_int_equal(drbdctl_fence_answer(f->fence, token, f->answer_at_once), 0);
}

static void on_gone(void *context, drbdctl_fence_token token)
{
    struct fixture *f = context;
    f->gone++;
    f->gone_token = token;
}

static void open_server(struct fixture *f, uint64_t limit_ms)
{
    const struct drbdctl_fence_options options = {.path = f->path,
                                                  .resource = "og",
                                                  .limit_ms = limit_ms,
                                                  .allowed_uid = geteuid(),
                                                  .asked = on_asked,
                                                  .gone = on_gone,
                                                  .context = f};
    struct diag diag = {0};
    if (drbdctl_fence_open(&f->loop, &options, &f->fence, &diag) != 0)
        fail_msg("%s", diag.text);
}

static int begin(void **ret_fixture)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/drbdctl-fence-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/fence.sock", f->folder);
    *ret_fixture = f;
    return 0;
}

static int end(void **fixture)
{
    struct fixture *f = *fixture;
    drbdctl_fence_close(f->fence);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0); /* every handle was closed */
    assert_int_not_equal(access(f->path, F_OK), 0);
    assert_int_equal(rmdir(f->folder), 0);
    for (int i = 0; i < HELPERS_MAX; i++)
        if (f->helper[i].pid > 0 && f->helper[i].exit_code < 0) {
            (void)kill(f->helper[i].pid, SIGKILL);
            (void)waitpid(f->helper[i].pid, NULL, 0);
        }
    free(f);
    return 0;
}

/* Starts the helper as drbdadm does, but with the socket and limit of the test. */
static struct helper *start_helper(struct fixture *f, const char *resource, const char *limit_ms)
{
    int place = 0;
    while (f->helper[place].pid != 0)
        assert_true(++place < HELPERS_MAX);
    struct helper *helper = &f->helper[place];
    *helper = (struct helper){.exit_code = -1, .began_ms = common_boot_ms()};
    char variable[600];
    (void)snprintf(variable, sizeof(variable), "DRBD_RESOURCE=%s",
                   resource != NULL ? resource : "");
    char name[] = "drbd-fence-peer";
    char limit[16];
    (void)snprintf(limit, sizeof(limit), "%s", limit_ms);
    char *const argv[] = {name, f->path, limit, NULL};
    char *const envp[] = {resource != NULL ? variable : NULL, NULL};
    helper->pid = fork();
    assert_true(helper->pid >= 0);
    if (helper->pid == 0) {
        (void)execve(FENCE_PEER, argv, envp);
        _exit(99);
    }
    return helper;
}

static void reap(struct fixture *f)
{
    for (int i = 0; i < HELPERS_MAX; i++) {
        struct helper *helper = &f->helper[i];
        int status = 0;
        if (helper->pid > 0 && helper->exit_code < 0 &&
            waitpid(helper->pid, &status, WNOHANG) == helper->pid) {
            helper->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
            helper->ended_ms = common_boot_ms();
        }
    }
}

static void step(struct fixture *f)
{
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    reap(f);
    (void)usleep(2000);
}

static int finish(struct fixture *f, struct helper *helper)
{
    for (int i = 0; i < STEPS_MAX && helper->exit_code < 0; i++)
        step(f);
    return helper->exit_code;
}

static void wait_asked(struct fixture *f, unsigned count)
{
    for (int i = 0; i < STEPS_MAX && f->asked < count; i++)
        step(f);
    assert_int_equal(f->asked, count);
}

/* A server of the test that says whatever it likes. */
static int listen_raw(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static int connect_raw(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* What the server sends until it closes; runs the loop meanwhile. */
static void read_until_closed(struct fixture *f, int fd, char *ret_text, size_t text_bytes)
{
    size_t used = 0;
    for (int i = 0; i < STEPS_MAX; i++) {
        step(f);
        ssize_t got = read(fd, ret_text + used, text_bytes - 1 - used);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            ret_text[used] = '\0';
            return;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    fail_msg("the server did not close");
}

/* --- the helper with our server --- */

static void each_answer_becomes_the_exit_code(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    static const int codes[] = {7, 4, 6, 1};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        f->answer_at_once = codes[i];
        assert_int_equal(finish(f, start_helper(f, "og", "4000")), codes[i]);
    }
    assert_int_equal(f->asked, COUNT_OF(codes));
    assert_int_equal(f->gone, 0);
}

static void a_late_answer_is_waited_for(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct helper *helper = start_helper(f, "og", "4000");
    wait_asked(f, 1);
    assert_int_equal(drbdctl_fence_pending(f->fence), f->token);
    for (int i = 0; i < 150; i++)
        step(f);
    assert_int_equal(helper->exit_code, -1);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 7), 0);
    assert_int_equal(finish(f, helper), 7);
    assert_int_equal(drbdctl_fence_pending(f->fence), 0);
}

static void only_known_codes_are_answered_and_only_once(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct helper *helper = start_helper(f, "og", "4000");
    wait_asked(f, 1);
    for (int code = -1; code < 300; code++)
        if (code != 7 && code != 4 && code != 6 && code != 1)
            assert_int_equal(drbdctl_fence_answer(f->fence, f->token, code), -EINVAL);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token + 1, 7), -ENOENT);
    assert_int_equal(drbdctl_fence_answer(f->fence, 0, 7), -ENOENT);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 4), 0);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 7), -ENOENT);
    assert_int_equal(finish(f, helper), 4);
}

static void without_a_daemon_the_answer_is_not_known(void **fixture)
{
    struct fixture *f = *fixture;
    struct helper *helper = start_helper(f, "og", "4000");
    assert_int_equal(finish(f, helper), 1);
    assert_true(helper->ended_ms - helper->began_ms < 3000); /* at once, not at the limit */
}

static void a_silent_daemon_costs_the_limit_and_no_more(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct helper *helper = start_helper(f, "og", "400");
    assert_int_equal(finish(f, helper), 1);
    uint64_t took_ms = helper->ended_ms - helper->began_ms;
    assert_true(took_ms >= 400 && took_ms < 3000);
    for (int i = 0; i < 100 && f->gone == 0; i++)
        step(f);
    assert_int_equal(f->gone, 1); /* the server forgot it */
    assert_int_equal(f->gone_token, f->token);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 7), -ENOENT);
}

static void a_server_that_never_accepts_costs_the_limit_and_no_more(void **fixture)
{
    struct fixture *f = *fixture;
    int listener = listen_raw(f);
    struct helper *helper = start_helper(f, "og", "300");
    assert_int_equal(finish(f, helper), 1);
    assert_true(helper->ended_ms - helper->began_ms < 3000);
    (void)close(listener);
    (void)unlink(f->path);
}

static void the_servers_limit_ends_the_question_too(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 200);
    struct helper *helper = start_helper(f, "og", "8000");
    assert_int_equal(finish(f, helper), 1);
    assert_true(helper->ended_ms - helper->began_ms < 4000);
    assert_int_equal(f->gone, 1);
}

static void anything_but_the_one_line_is_not_known(void **fixture)
{
    struct fixture *f = *fixture;
    static const char *const lines[] = {
        "",
        "\n",
        "answer 7",
        "answer 7\nanswer 7\n",
        "answer 0\n",
        "answer 3\n",
        "answer 5\n",
        "answer 8\n",
        "answer 77\n",
        "answer  7\n",
        "answer 7 \n",
        "ANSWER 7\n",
        " answer 7\n",
        "answer 7\r\n",
        "7\n",
        "answer -7\n",
        "answer 7\n\n",
        "answer 7\n.",
        "answer x\n",
        "answer 7777777777777777777777777777777777777777777777777777777777777777777777777777\n",
    };
    int listener = listen_raw(f);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        memset(f->helper, 0, sizeof(f->helper));
        struct helper *helper = start_helper(f, "og", "4000");
        int fd = accept(listener, NULL, NULL);
        assert_true(fd >= 0);
        char question[64] = "";
        assert_true(recv(fd, question, sizeof(question) - 1, 0) > 0);
        assert_string_equal(question, "fence og\n");
        ssize_t sent = send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL);
        assert_int_equal(sent, strlen(lines[i]));
        (void)close(fd);
        if (finish(f, helper) != 1)
            fail_msg("\"%s\" led to exit %d", lines[i], helper->exit_code);
    }
    (void)close(listener);
    (void)unlink(f->path);
}

static void an_answer_in_pieces_is_read(void **fixture)
{
    struct fixture *f = *fixture;
    int listener = listen_raw(f);
    struct helper *helper = start_helper(f, "og", "4000");
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    char question[64];
    assert_true(recv(fd, question, sizeof(question), 0) > 0); /* unread, it would reset */
    for (const char *at = "answer 7\n"; *at != '\0'; at++) {
        assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
        (void)usleep(5000);
    }
    (void)close(fd);
    assert_int_equal(finish(f, helper), 7);
    (void)close(listener);
    (void)unlink(f->path);
}

static void a_signal_is_not_known(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct helper *helper = start_helper(f, "og", "4000");
        wait_asked(f, (unsigned)i + 1);
        (void)kill(helper->pid, signals[i]);
        assert_int_equal(finish(f, helper), 1);
    }
}

static void a_helper_without_a_sound_resource_name_does_not_ask(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    f->answer_at_once = 7;
    static const char *const names[] = {
        NULL,    "",
        "o g",   "og\nanswer 7",
        "og;id", "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(finish(f, start_helper(f, names[i], "4000")), 1);
    assert_int_equal(f->asked, 0);
}

static void another_resource_is_not_known_and_not_asked_about(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    f->answer_at_once = 7;
    assert_int_equal(finish(f, start_helper(f, "ogx", "4000")), 1);
    assert_int_equal(finish(f, start_helper(f, "o", "4000")), 1);
    assert_int_equal(f->asked, 0);
}

static void two_questions_get_their_own_answers(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct helper *first = start_helper(f, "og", "4000");
    wait_asked(f, 1);
    drbdctl_fence_token first_token = f->token;
    struct helper *second = start_helper(f, "og", "4000");
    wait_asked(f, 2);
    assert_int_equal(drbdctl_fence_pending(f->fence), first_token);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 6), 0);
    assert_int_equal(drbdctl_fence_answer(f->fence, first_token, 7), 0);
    assert_int_equal(finish(f, first), 7);
    assert_int_equal(finish(f, second), 6);
}

static void closing_the_server_lets_the_helper_go(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct helper *helper = start_helper(f, "og", "8000");
    wait_asked(f, 1);
    drbdctl_fence_close(f->fence);
    f->fence = NULL;
    assert_int_equal(finish(f, helper), 1);
    assert_true(helper->ended_ms - helper->began_ms < 4000);
    assert_int_equal(f->gone, 0);
}

/* --- the server with other visitors --- */

static void garbage_ends_the_connection_without_a_question(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    static const char *const lines[] = {"hello\n", "\n", "fence\n", "FENCE og\n",
                                        "fence og\nfence og\n"};
    char text[64];
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        int fd = connect_raw(f);
        (void)send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL);
        read_until_closed(f, fd, text, sizeof(text));
        assert_string_equal(text, "");
        (void)close(fd);
    }
    int fd = connect_raw(f); /* endless line */
    char flood[500];
    memset(flood, 'x', sizeof(flood));
    (void)send(fd, flood, sizeof(flood), MSG_NOSIGNAL);
    read_until_closed(f, fd, text, sizeof(text));
    (void)close(fd);
    assert_int_equal(f->asked, 0);
}

static void talking_after_the_question_withdraws_it(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    int fd = connect_raw(f);
    (void)send(fd, "fence og\n", 9, MSG_NOSIGNAL);
    wait_asked(f, 1);
    (void)send(fd, "x", 1, MSG_NOSIGNAL);
    char text[64];
    read_until_closed(f, fd, text, sizeof(text));
    (void)close(fd);
    assert_int_equal(f->gone, 1);
    assert_int_equal(drbdctl_fence_answer(f->fence, f->token, 7), -ENOENT);
}

static void a_question_in_pieces_is_one_question(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    f->answer_at_once = 4;
    int fd = connect_raw(f);
    for (const char *at = "fence og\n"; *at != '\0'; at++) {
        assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
        step(f);
    }
    char text[64];
    read_until_closed(f, fd, text, sizeof(text));
    assert_string_equal(text, "answer 4\n");
    assert_int_equal(f->asked, 1);
    (void)close(fd);
}

static void the_number_of_open_questions_is_bounded(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    int fd[DRBDCTL_FENCE_OPEN_MAX];
    for (unsigned i = 0; i < DRBDCTL_FENCE_OPEN_MAX; i++) {
        fd[i] = connect_raw(f);
        (void)send(fd[i], "fence og\n", 9, MSG_NOSIGNAL);
        wait_asked(f, i + 1);
    }
    int extra = connect_raw(f);
    char text[64];
    read_until_closed(f, extra, text, sizeof(text));
    (void)close(extra);
    assert_int_equal(f->asked, DRBDCTL_FENCE_OPEN_MAX);
    (void)close(fd[3]); /* a place becomes free */
    for (int i = 0; i < STEPS_MAX && f->gone == 0; i++)
        step(f);
    f->answer_at_once = 7;
    assert_int_equal(finish(f, start_helper(f, "og", "4000")), 7);
    for (unsigned i = 0; i < DRBDCTL_FENCE_OPEN_MAX; i++)
        if (i != 3)
            (void)close(fd[i]);
}

static void the_socket_is_for_its_owner_only(void **fixture)
{
    struct fixture *f = *fixture;
    open_server(f, 0);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_visitor_who_is_not_root_is_turned_away(void **fixture)
{
    struct fixture *f = *fixture;
    if (geteuid() != 0)
        fail_msg("this test needs root: it becomes another user");
    open_server(f, 0);
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_int_equal(chmod(f->path, 0666), 0); /* even if the mode were lost */
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
            _exit(3);
        (void)send(fd, "fence og\n", 9, MSG_NOSIGNAL);
        char byte;
        _exit(recv(fd, &byte, 1, 0) > 0 ? 4 : 0);
    }
    int status = -1;
    for (int i = 0; i < STEPS_MAX && waitpid(pid, &status, WNOHANG) == 0; i++)
        step(f);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(f->asked, 0);
}

static void an_impostor_socket_of_another_user_is_not_believed(void **fixture)
{
    struct fixture *f = *fixture;
    if (geteuid() != 0)
        fail_msg("this test needs root: it becomes another user");
    assert_int_equal(chmod(f->folder, 0777), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        int listener = listen_raw(f);
        (void)alarm(20);
        int fd = accept(listener, NULL, NULL);
        (void)send(fd, "answer 7\n", 9, MSG_NOSIGNAL);
        _exit(0);
    }
    for (int i = 0; i < STEPS_MAX && access(f->path, F_OK) != 0; i++)
        step(f);
    (void)usleep(50000); /* bind is there, listen follows */
    assert_int_equal(finish(f, start_helper(f, "og", "2000")), 1);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)unlink(f->path);
}

/* --- opening --- */

static void a_stale_socket_is_replaced_and_a_living_one_respected(void **fixture)
{
    struct fixture *f = *fixture;
    int listener = listen_raw(f);
    const struct drbdctl_fence_options options = {
        .path = f->path, .resource = "og", .asked = on_asked, .context = f};
    struct drbdctl_fence *fence = NULL;
    struct diag diag = {0};
    assert_int_equal(drbdctl_fence_open(&f->loop, &options, &fence, &diag), -EADDRINUSE);
    assert_non_null(strstr(diag.text, "another program listens"));
    assert_null(fence);
    (void)close(listener); /* killed: the file stays */
    assert_int_equal(access(f->path, F_OK), 0);
    open_server(f, 0);
    f->answer_at_once = 7;
    assert_int_equal(finish(f, start_helper(f, "og", "4000")), 7);
}

static void impossible_places_are_refused_with_a_reason(void **fixture)
{
    struct fixture *f = *fixture;
    struct drbdctl_fence *fence = NULL;
    char file[100], longest[200];
    (void)snprintf(file, sizeof(file), "%s/file", f->folder);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    const struct {
        const char *path;
        int error;
    } rows[] = {{file, -EEXIST}, {longest, -ENAMETOOLONG}, {"/nonexistent/x.sock", 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct drbdctl_fence_options options = {
            .path = rows[i].path, .resource = "og", .asked = on_asked, .context = f};
        struct diag diag = {0};
        int r = drbdctl_fence_open(&f->loop, &options, &fence, &diag);
        assert_true(r < 0 && (rows[i].error == 0 || r == rows[i].error));
        assert_true(diag.text[0] != '\0');
    }
    assert_null(fence);
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(each_answer_becomes_the_exit_code),
        CASE(a_late_answer_is_waited_for),
        CASE(only_known_codes_are_answered_and_only_once),
        CASE(without_a_daemon_the_answer_is_not_known),
        CASE(a_silent_daemon_costs_the_limit_and_no_more),
        CASE(a_server_that_never_accepts_costs_the_limit_and_no_more),
        CASE(the_servers_limit_ends_the_question_too),
        CASE(anything_but_the_one_line_is_not_known),
        CASE(an_answer_in_pieces_is_read),
        CASE(a_signal_is_not_known),
        CASE(a_helper_without_a_sound_resource_name_does_not_ask),
        CASE(another_resource_is_not_known_and_not_asked_about),
        CASE(two_questions_get_their_own_answers),
        CASE(closing_the_server_lets_the_helper_go),
        CASE(garbage_ends_the_connection_without_a_question),
        CASE(talking_after_the_question_withdraws_it),
        CASE(a_question_in_pieces_is_one_question),
        CASE(the_number_of_open_questions_is_bounded),
        CASE(the_socket_is_for_its_owner_only),
        CASE(a_visitor_who_is_not_root_is_turned_away),
        CASE(an_impostor_socket_of_another_user_is_not_believed),
        CASE(a_stale_socket_is_replaced_and_a_living_one_respected),
        CASE(impossible_places_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
