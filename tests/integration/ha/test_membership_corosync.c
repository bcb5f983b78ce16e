/* Two real corosyncs in two network namespaces, with the configuration that corosync_conf renders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ha/corosync_conf.h"
#include "lib/common/common.h"
#include "tests/integration/ha/support.h"

struct agent {
    pid_t pid, corosync;
    int in_fd, out_fd; /* its input, its output */
    char text[16384];  /* all events so far that were not waited past */
    size_t text_bytes;
};

struct scene {
    struct support_net net;
    char folder[64];
    struct agent agents[2];
};

static void start_agent(struct scene *scene, int which)
{
    struct agent *agent = &scene->agents[which];
    *agent = (struct agent){0};
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    char netns[64], conf[128];
    (void)snprintf(netns, sizeof(netns), "/proc/%d/fd/%d", (int)getpid(), scene->net.fds[which]);
    (void)snprintf(conf, sizeof(conf), "%s/corosync.conf", scene->folder);
    agent->pid = fork();
    assert_true(agent->pid >= 0);
    if (agent->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)execl(MEMBERSHIP_AGENT, "membership_agent", netns, conf, NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    agent->in_fd = in[1];
    agent->out_fd = out[0];
}

/* Waits for a line that begins with `wanted`; everything up to it is forgotten. The rest of the
 * line goes to rest (NULL: not wanted). */
static bool wait_for(struct agent *agent, const char *wanted, int ms, char *rest, size_t cap_chars)
{
    const uint64_t end_ms = common_boot_ms() + (uint64_t)ms;
    for (;;) {
        for (char *end = memchr(agent->text, '\n', agent->text_bytes); end != NULL;
             end = memchr(agent->text, '\n', agent->text_bytes)) {
            *end = '\0';
            bool found = strncmp(agent->text, wanted, strlen(wanted)) == 0;
            if (found && rest != NULL)
                (void)snprintf(rest, cap_chars, "%s", agent->text + strlen(wanted));
            size_t used = (size_t)(end - agent->text) + 1;
            agent->text_bytes -= used;
            memmove(agent->text, agent->text + used, agent->text_bytes);
            if (found)
                return true;
        }
        const uint64_t now_ms = common_boot_ms();
        struct pollfd output = {.fd = agent->out_fd, .events = POLLIN};
        if (now_ms >= end_ms || poll(&output, 1, (int)(end_ms - now_ms)) != 1)
            return false;
        ssize_t got = read(agent->out_fd, agent->text + agent->text_bytes,
                           sizeof(agent->text) - agent->text_bytes);
        if (got <= 0)
            return false;
        agent->text_bytes += (size_t)got;
    }
}

static void tell(struct agent *agent, const char *command)
{
    assert_int_equal(write(agent->in_fd, command, strlen(command)), (ssize_t)strlen(command));
}

static void must_see(struct agent *agent, const char *wanted, int ms)
{
    if (!wait_for(agent, wanted, ms, NULL, 0))
        fail_msg("not seen within %d ms: %s", ms, wanted);
}

static void wait_ready(struct agent *agent)
{
    char pid[32] = "";
    assert_true(wait_for(agent, "corosync ", 5000, pid, sizeof(pid)));
    agent->corosync = (pid_t)strtol(pid, NULL, 10);
    must_see(agent, "up ", 20000);
}

static int stop_agent(struct agent *agent)
{
    int status = 0;
    if (agent->pid <= 0)
        return 0;
    (void)kill(agent->corosync, SIGCONT);
    tell(agent, "quit\n");
    (void)waitpid(agent->pid, &status, 0);
    (void)close(agent->in_fd);
    (void)close(agent->out_fd);
    agent->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    (void)signal(SIGPIPE, SIG_IGN);
    support_net_init(&scene->net);
    support_net_enter(&scene->net, -1);
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/membership-test-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    char key_file[128], conf_file[128];
    (void)snprintf(key_file, sizeof(key_file), "%s/authkey", scene->folder);
    (void)snprintf(conf_file, sizeof(conf_file), "%s/corosync.conf", scene->folder);
    const struct corosync_conf conf = {
        .cluster = "test-pair",
        .token_ms = 1000,
        .version = 1,
        .key_file = key_file,
        .nodes = {{1, "one", {"10.9.0.1", "10.9.1.1"}}, {2, "two", {"10.9.0.2", "10.9.1.2"}}}};
    char *text = NULL;
    struct diag diag = {0};
    assert_int_equal(corosync_conf_render(&conf, &text, &diag), 0);
    assert_int_equal(corosync_conf_write_file(conf_file, text, &diag), 1);
    free(text);
    uint8_t key[COROSYNC_KEY_BYTES];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 7);
    assert_int_equal(corosync_key_write_file(key_file, key, &diag), 1);
    for (int i = 0; i < 2; i++)
        start_agent(scene, i);
    for (int i = 0; i < 2; i++)
        wait_ready(&scene->agents[i]);
    for (int i = 0; i < 2; i++)
        must_see(&scene->agents[i], "view 1 2", 20000);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(stop_agent(&scene->agents[i]), 0);
    support_must("rm", "-rf", scene->folder, NULL);
    support_net_done(&scene->net);
    free(scene);
    return 0;
}

static void messages_arrive_at_both_in_order(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 50; i++) {
        char command[64];
        (void)snprintf(command, sizeof(command), "send number %d\n", i);
        tell(&scene->agents[i % 2], command);
        (void)snprintf(command, sizeof(command), "message %d number %d", i % 2 + 1, i);
        must_see(&scene->agents[0], command, 3000);
        must_see(&scene->agents[1], command, 3000);
    }
}

static void many_large_messages_pass_although_corosync_wants_pauses(void **state)
{
    struct scene *scene = *state;
    tell(&scene->agents[0], "large\n");
    must_see(&scene->agents[0], "sent 20", 3000);
    for (int i = 0; i < 20; i++)
        must_see(&scene->agents[1], "message 1 of 32768 bytes", 10000);
}

static void token_and_links_are_read_from_corosync(void **state)
{
    struct scene *scene = *state;
    char rest[64] = "";
    for (int i = 0; i < 20 && strcmp(rest, "1000 2") != 0; i++) {
        (void)usleep(500 * 1000);
        tell(&scene->agents[0], "info\n");
        assert_true(wait_for(&scene->agents[0], "info ", 3000, rest, sizeof(rest)));
    }
    assert_string_equal(rest, "1000 2");
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "ic", "down", NULL);
    support_net_enter(&scene->net, -1);
    for (int i = 0; i < 20 && strcmp(rest, "1000 1") != 0; i++) {
        (void)usleep(500 * 1000);
        tell(&scene->agents[0], "info\n");
        assert_true(wait_for(&scene->agents[0], "info ", 3000, rest, sizeof(rest)));
    }
    assert_string_equal(rest, "1000 1"); /* and the membership stays */
    tell(&scene->agents[0], "send still here\n");
    must_see(&scene->agents[1], "message 1 still here", 3000);
}

static void a_cut_of_both_links_is_node_down_and_healing_brings_it_back(void **state)
{
    struct scene *scene = *state;
    support_net_enter(&scene->net, 1);
    support_must("ip", "link", "set", "ic", "down", NULL);
    support_must("ip", "link", "set", "lan", "down", NULL);
    const uint64_t before_ms = common_boot_ms();
    must_see(&scene->agents[0], "view 1 left 2:node down", 10000);
    print_message("loss told after %u ms\n", (unsigned)(common_boot_ms() - before_ms));
    must_see(&scene->agents[1], "view 2 left 1:node down", 10000);
    tell(&scene->agents[0], "send alone\n"); /* works without quorum as well */
    must_see(&scene->agents[0], "message 1 alone", 3000);
    support_must("ip", "link", "set", "ic", "up", NULL);
    support_must("ip", "link", "set", "lan", "up", NULL);
    support_net_enter(&scene->net, -1);
    must_see(&scene->agents[0], "view 1 2", 20000);
    must_see(&scene->agents[1], "view ", 20000);
}

static void a_program_that_leaves_or_dies_is_told_apart_from_a_dead_node(void **state)
{
    struct scene *scene = *state;
    /* dies: its corosync lives on for the moment of the news */
    (void)kill(scene->agents[1].pid, SIGSTOP); /* the helper cannot say goodbye */
    (void)kill(scene->agents[1].corosync, 0);
    (void)kill(scene->agents[1].pid, SIGKILL);
    char rest[64] = "";
    assert_true(wait_for(&scene->agents[0], "view 1 left 2:", 10000, rest, sizeof(rest)));
    /* corosync goes with its parent here, so either reason is right; never a clean leave */
    assert_true(strcmp(rest, "left") != 0);
    int status = 0;
    (void)waitpid(scene->agents[1].pid, &status, 0);
    (void)close(scene->agents[1].in_fd);
    (void)close(scene->agents[1].out_fd);
    start_agent(scene, 1);
    wait_ready(&scene->agents[1]);
    must_see(&scene->agents[0], "view 1 2", 20000);
    must_see(&scene->agents[1], "view 1 2", 20000);
    assert_int_equal(stop_agent(&scene->agents[1]), 0);
    must_see(&scene->agents[0], "view 1 left 2:left", 10000);
}

static void a_dead_corosync_is_down_at_once_and_the_peer_is_told(void **state)
{
    struct scene *scene = *state;
    (void)kill(scene->agents[1].corosync, SIGKILL);
    must_see(&scene->agents[1], "down", 1000);
    must_see(&scene->agents[0], "view 1 left 2:node down", 10000);
    tell(&scene->agents[1], "send nobody\n");
    char wanted[32];
    (void)snprintf(wanted, sizeof(wanted), "send %d", -ENOTCONN);
    must_see(&scene->agents[1], wanted, 1000);
}

static void a_frozen_corosync_does_not_freeze_us(void **state)
{
    struct scene *scene = *state;
    (void)kill(scene->agents[1].corosync, SIGSTOP);
    must_see(&scene->agents[0], "view 1 left 2:node down", 10000);
    tell(&scene->agents[1], "info\n"); /* its loop turns although the helper may hang */
    must_see(&scene->agents[1], "info ", 1000);
    (void)kill(scene->agents[1].corosync, SIGCONT);
    must_see(&scene->agents[0], "view 1 2", 20000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_arrive_at_both_in_order),
        CASE(many_large_messages_pass_although_corosync_wants_pauses),
        CASE(token_and_links_are_read_from_corosync),
        CASE(a_cut_of_both_links_is_node_down_and_healing_brings_it_back),
        CASE(a_program_that_leaves_or_dies_is_told_apart_from_a_dead_node),
        CASE(a_dead_corosync_is_down_at_once_and_the_peer_is_told),
        CASE(a_frozen_corosync_does_not_freeze_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
