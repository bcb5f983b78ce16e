#include "tests/integration/http/http_test_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

int http_test_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct timeval patience = {.tv_sec = 10};
    const int on = 1;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* A server may close while we still send: that is no failure of the test. */
void http_test_send_bytes(int fd, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t sent = send(fd, bytes, len_bytes, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        len_bytes -= (size_t)sent;
    }
}

void http_test_send(int fd, const char *text)
{
    http_test_send_bytes(fd, text, strlen(text));
}

static bool read_byte(int fd, char *ret_byte)
{
    return recv(fd, ret_byte, 1, 0) == 1;
}

static bool read_head(int fd, struct http_test_answer *answer)
{
    size_t used = 0;
    while (used + 1 < sizeof(answer->head) && read_byte(fd, answer->head + used)) {
        answer->head[++used] = '\0';
        if (used >= 4 && memcmp(answer->head + used - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static size_t read_body(int fd, struct http_test_answer *answer, size_t len_bytes)
{
    char part[16384];
    size_t got = 0;
    while (got < len_bytes) {
        size_t wanted = len_bytes - got < sizeof(part) ? len_bytes - got : sizeof(part);
        ssize_t count = recv(fd, part, wanted, 0);
        if (count <= 0)
            break;
        for (ssize_t i = 0; i < count; i++, answer->body_bytes++)
            if (answer->body_bytes + 1 < sizeof(answer->body))
                answer->body[answer->body_bytes] = part[i];
        got += (size_t)count;
    }
    return got;
}

static bool read_chunks(int fd, struct http_test_answer *answer)
{
    for (;;) {
        char line[32] = "";
        size_t used = 0;
        while (used + 1 < sizeof(line) && read_byte(fd, line + used) && line[used] != '\n')
            used++;
        if (used == 0 || line[used] != '\n')
            return false;
        size_t size = strtoull(line, NULL, 16);
        char end[2];
        if (size > 0 && read_body(fd, answer, size) < size)
            return false;
        if (!read_byte(fd, end) || !read_byte(fd, end + 1) || memcmp(end, "\r\n", 2) != 0)
            return false;
        if (size == 0)
            return true;
    }
}

struct http_test_answer http_test_read(int fd, bool is_head)
{
    struct http_test_answer answer = {0};
    do {
        memset(&answer, 0, sizeof(answer));
        if (!read_head(fd, &answer))
            return answer;
        answer.status = (int)strtol(answer.head + 9, NULL, 10);
    } while (answer.status == 100);
    const char *length = strcasestr(answer.head, "\r\nContent-Length:");
    if (is_head || answer.status == 204)
        answer.complete = true;
    else if (strcasestr(answer.head, "\r\nTransfer-Encoding: chunked") != NULL)
        answer.complete = read_chunks(fd, &answer);
    else if (length != NULL) {
        size_t wanted = strtoull(length + 17, NULL, 10);
        answer.complete = read_body(fd, &answer, wanted) == wanted;
    }
    return answer;
}

bool http_test_is_closed(int fd)
{
    char byte;
    ssize_t count = recv(fd, &byte, 1, 0);
    return count == 0 || (count < 0 && errno == ECONNRESET);
}

struct http_test_answer http_test_ask(uint16_t port, const char *request)
{
    int fd = http_test_connect(port);
    http_test_send(fd, request);
    struct http_test_answer answer = http_test_read(fd, strncmp(request, "HEAD ", 5) == 0);
    (void)close(fd);
    return answer;
}

void http_test_sleep_ms(unsigned delay_ms)
{
    const struct timespec delay = {.tv_sec = delay_ms / 1000,
                                   .tv_nsec = (long)(delay_ms % 1000) * 1000000};
    (void)nanosleep(&delay, NULL);
}

uint64_t http_test_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
