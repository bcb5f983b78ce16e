#include "tests/support/simulator_server.h"

#include "lib/common/common.h"
#include "lib/common/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { READY_MS = 30000, ANSWER_MS = 30000 };

/* Runs the program with its output in a pipe, whose read end is returned. */
static int launch(const char *const *options, pid_t *ret_pid)
{
    const char *arguments[SIMULATOR_OPTIONS_MAX + 3] = {OXE_SIMULATOR, "--json"};
    for (size_t i = 0; options != NULL && options[i] != NULL; i++) {
        assert_true(i < SIMULATOR_OPTIONS_MAX);
        arguments[i + 2] = options[i];
    }
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *ret_pid = fork();
    assert_true(*ret_pid >= 0);
    if (*ret_pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)execv(OXE_SIMULATOR, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(ends[1]);
    return ends[0];
}

/* Reads until a line that begins like JSON; the output so far goes to output. */
static bool read_ready(int fd, struct buf *output)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char bytes[512];
    uint64_t deadline_ms = common_boot_ms() + READY_MS;
    while (common_boot_ms() < deadline_ms && poll(&waiting, 1, 1000) >= 0) {
        ssize_t count = (waiting.revents & (POLLIN | POLLHUP)) != 0 ? read(fd, bytes, 512) : -1;
        if (count == 0)
            return false;
        if (count > 0)
            buf_add(output, bytes, (size_t)count);
        const char *line = output->data != NULL ? strchr(output->data, '{') : NULL;
        if (line != NULL && strchr(line, '\n') != NULL)
            return true;
    }
    return false;
}

void simulator_server_start(struct simulator_server *server, const char *const *options)
{
    AUTO(buf_done) struct buf output = {0};
    unsigned csta_port = 0, control_port = 0;
    int fd = launch(options, &server->pid);
    bool ready = read_ready(fd, &output);
    if (!ready)
        print_message("%s\n", output.data != NULL ? output.data : "no output");
    assert_true(ready);
    assert_int_equal(sscanf(strchr(output.data, '{'), "{\"csta_port\":%u,\"control_port\":%u}",
                            &csta_port, &control_port),
                     2);
    server->csta_port = (uint16_t)csta_port;
    server->control_port = (uint16_t)control_port;
    (void)close(fd); /* what it says later goes nowhere */
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int simulator_server_stop(struct simulator_server *server)
{
    int status = 0;
    if (server->pid == 0)
        return 0;
    (void)kill(server->pid, SIGTERM);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    server->pid = 0;
    return exit_code(status);
}

int simulator_server_run(const char *const *options, struct buf *output)
{
    pid_t pid;
    char bytes[512];
    int status = 0, fd = launch(options, &pid);
    ssize_t count;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(output, bytes, (size_t)count);
    (void)close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return exit_code(status);
}

/* --- control interface ------------------------------------------------------------------------ */
static int connect_control(const struct simulator_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server->control_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = ANSWER_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void read_all(int fd, struct buf *answer)
{
    char bytes[4096];
    ssize_t count;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(answer, bytes, (size_t)count);
}

int simulator_server_ask(const struct simulator_server *server, const char *method,
                         const char *path, const char *body, struct buf *ret_body)
{
    AUTO(buf_done) struct buf request = {0};
    AUTO(buf_done) struct buf answer = {0};
    AUTO(common_closep) int fd = connect_control(server);
    int status = 0;
    buf_addf(&request,
             "%s %s HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, body != NULL ? strlen(body) : 0, body != NULL ? body : "");
    assert_true(write(fd, request.data, request.len_bytes) == (ssize_t)request.len_bytes);
    read_all(fd, &answer);
    if (answer.data == NULL || sscanf(answer.data, "HTTP/1.1 %d", &status) != 1)
        return 0;
    const char *text = strstr(answer.data, "\r\n\r\n");
    if (ret_body != NULL)
        *ret_body = (struct buf){0};
    if (ret_body != NULL && text != NULL)
        buf_adds(ret_body, text + 4);
    return status;
}

void simulator_server_do(const struct simulator_server *server, const char *method,
                         const char *path, const char *body)
{
    AUTO(buf_done) struct buf answer = {0};
    int status = simulator_server_ask(server, method, path, body, &answer);
    if (status != 200 && status != 201 && status != 204)
        fail_msg("%s %s: %d %s", method, path, status, answer.data != NULL ? answer.data : "");
}

const char *simulator_server_phone_state(const struct simulator_server *server, const char *number,
                                         char out[32])
{
    AUTO(buf_done) struct buf answer = {0};
    AUTO(json_freep) cJSON *phone = NULL;
    char path[96];
    (void)snprintf(path, sizeof(path), "/phones/%s", number);
    assert_int_equal(simulator_server_ask(server, "GET", path, NULL, &answer), 200);
    assert_int_equal(json_parse(answer.data, answer.len_bytes, &phone, NULL), 0);
    (void)snprintf(out, 32, "%s", json_string(phone, "state"));
    return out;
}
