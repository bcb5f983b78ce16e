/* http_test_client.h - a blocking client that sends exactly the bytes that a test wants. */
#ifndef OG_TESTS_HTTP_TEST_CLIENT_H
#define OG_TESTS_HTTP_TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connects to 127.0.0.1; reads give up after 10 s. Fails the test on errors. */
int http_test_connect(uint16_t port);
void http_test_send(int fd, const char *text);
void http_test_send_bytes(int fd, const char *bytes, size_t len_bytes);

struct http_test_answer {
    int status; /* 0: the connection ended before a status line */
    char head[4096];
    char body[8192];   /* first part, NUL-terminated */
    size_t body_bytes; /* all of it, chunk framing removed */
    bool complete;     /* the body ended as its framing says */
};
/* Reads one answer; for HEAD requests there is no body. */
struct http_test_answer http_test_read(int fd, bool is_head);
/* True when the other side has closed and nothing more comes. */
bool http_test_is_closed(int fd);
/* One request on a fresh connection. */
struct http_test_answer http_test_ask(uint16_t port, const char *request);
/* Waits up to 10 s until *value is at least wanted. */
#define http_test_await(condition)                                                                 \
    do {                                                                                           \
        for (int turn_ = 0; turn_ < 1000 && !(condition); turn_++)                                 \
            http_test_sleep_ms(10);                                                                \
        assert_true(condition);                                                                    \
    } while (0)
void http_test_sleep_ms(unsigned delay_ms);
uint64_t http_test_now_ms(void);

#endif
