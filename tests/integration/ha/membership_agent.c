/* membership_agent.c - one machine of the membership test: a corosync of its own in the network
 * namespace given, with private /run, /dev/shm and /var/lib/corosync, and a member of the process
 * group.
 *
 *   membership_agent NETNS COROSYNC-CONF      events on standard output, commands on standard input
 *
 * Events: "corosync PID", "up NODE", "view MEMBERS left LEFT:REASON", "message NODE TEXT", "down",
 * "info TOKEN LINKS". Commands: "send TEXT", "info", "quit". */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ha/membership.h"
#include "lib/common/common.h"

struct agent {
    uv_loop_t loop;
    struct membership *membership;
    uv_pipe_t input;
    char line[4096];
    size_t line_bytes;
    pid_t corosync;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "membership_agent: %s: %s\n", what, strerrordesc_np(errno));
    exit(1);
}

static void enter(const char *netns)
{
    static const char *const folders[] = {"/run", "/dev/shm", "/var/lib/corosync"};
    int fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die("namespaces");
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (mount("tmpfs", folders[i], "tmpfs", 0, "mode=0755") < 0)
            die(folders[i]);
}

static pid_t start_corosync(const char *conf)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)execlp("corosync", "corosync", "-f", "-c", conf, NULL);
        die("corosync");
    }
    return pid;
}

static void on_up(void *context, uint32_t node_id)
{
    (void)context;
    (void)printf("up %u\n", node_id);
}

static void on_view(void *context, const struct membership_view *view)
{
    (void)context;
    (void)printf("view");
    for (unsigned i = 0; i < view->member_count; i++)
        (void)printf(" %u", view->members[i].node_id);
    for (unsigned i = 0; i < view->left_count; i++)
        (void)printf(" left %u:%s", view->left[i].node_id,
                     membership_reason_name(view->left[i].reason));
    (void)printf("\n");
}

static void on_message(void *context, uint32_t node_id, uint32_t pid, const void *bytes,
                       size_t len_bytes)
{
    (void)context;
    (void)pid;
    if (len_bytes < 100)
        (void)printf("message %u %.*s\n", node_id, (int)len_bytes, (const char *)bytes);
    else
        (void)printf("message %u of %zu bytes\n", node_id, len_bytes);
}

static void on_down(void *context, const char *why)
{
    (void)context;
    (void)why;
    (void)printf("down\n");
}

static void tell_info(struct agent *agent)
{
    struct membership_info info;
    membership_get_info(agent->membership, &info);
    unsigned links = 0;
    for (unsigned i = 0; i < 2; i++)
        links += info.peer_link_known[i] && info.peer_link_connected[i];
    (void)printf("info %u %u\n", info.token_ms, links);
}

static void send_large(struct agent *agent)
{
    static char large[MEMBERSHIP_MESSAGE_MAX_BYTES];
    memset(large, 'x', sizeof(large));
    int sent = 0;
    for (int i = 0; i < 20; i++)
        sent += membership_send(agent->membership, large, sizeof(large)) == 0;
    (void)printf("sent %d\n", sent);
}

static void obey(struct agent *agent, const char *command)
{
    if (strncmp(command, "send ", 5) == 0)
        (void)printf("send %d\n",
                     membership_send(agent->membership, command + 5, strlen(command + 5)));
    else if (strcmp(command, "large") == 0)
        send_large(agent);
    else if (strcmp(command, "info") == 0)
        tell_info(agent);
    else if (strcmp(command, "quit") == 0)
        uv_stop(&agent->loop);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct agent *agent = handle->data;
    (void)suggested;
    *buf = uv_buf_init(agent->line + agent->line_bytes,
                       (unsigned)(sizeof(agent->line) - agent->line_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct agent *agent = stream->data;
    (void)buf;
    if (got < 0) {
        uv_stop(&agent->loop);
        return;
    }
    agent->line_bytes += (size_t)got;
    for (char *end = memchr(agent->line, '\n', agent->line_bytes); end != NULL;
         end = memchr(agent->line, '\n', agent->line_bytes)) {
        *end = '\0';
        obey(agent, agent->line);
        size_t used = (size_t)(end - agent->line) + 1;
        agent->line_bytes -= used;
        memmove(agent->line, agent->line + used, agent->line_bytes);
    }
}

int main(int argc, char **argv)
{
    static struct agent agent;
    if (argc != 3)
        return 2;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter(argv[1]);
    agent.corosync = start_corosync(argv[2]);
    (void)printf("corosync %d\n", (int)agent.corosync);

    (void)uv_loop_init(&agent.loop);
    const struct membership_options options = {.group = "og-test",
                                               .on_up = on_up,
                                               .on_view = on_view,
                                               .on_message = on_message,
                                               .on_down = on_down,
                                               .context = &agent};
    struct diag diag = {0};
    if (membership_open(&agent.loop, &options, &agent.membership, &diag) < 0) {
        (void)fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    (void)uv_pipe_init(&agent.loop, &agent.input, 0);
    agent.input.data = &agent;
    (void)uv_pipe_open(&agent.input, 0);
    (void)uv_read_start((uv_stream_t *)&agent.input, on_alloc, on_read);
    (void)uv_run(&agent.loop, UV_RUN_DEFAULT);

    membership_close(agent.membership);
    uv_close((uv_handle_t *)&agent.input, NULL);
    (void)uv_run(&agent.loop, UV_RUN_DEFAULT);
    int open_handles = uv_loop_close(&agent.loop);
    (void)usleep(300 * 1000); /* the helper thread leaves the group */
    (void)kill(agent.corosync, SIGKILL);
    return open_handles == 0 ? 0 : 3;
}
