/* https_client.h - a small blocking HTTPS client for tests: one connection, one request at a time,
 * and streams read line by line. It trusts any certificate. Failures to connect are results, not
 * aborts: tests are about them too. */
#ifndef OG_TESTS_HTTPS_CLIENT_H
#define OG_TESTS_HTTPS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_BODY_CHARS = 64 * 1024, ANSWER_HEAD_CHARS = 4096, CREDENTIAL_CHARS = 64 };

struct https_client {
    uint16_t port;
    bool plain;                    /* no TLS */
    char address[32];              /* own address to connect from, "" for any: 127.x.y.z */
    char cookie[CREDENTIAL_CHARS]; /* credential to send, "" for none */
    const char *authorization;     /* header value, NULL for none */
    const char *host;              /* header value, NULL for "gateway" */
    uint64_t timeout_ms;           /* of one request; 0: 10 s */
    int fd;                        /* -1: not connected; set it so at the beginning */
    void *ssl;
    char rest[ANSWER_BODY_CHARS]; /* bytes read ahead */
    size_t rest_bytes;
};

struct answer {
    int status; /* 0: no answer */
    char head[ANSWER_HEAD_CHARS], body[ANSWER_BODY_CHARS];
};

void https_client_init(struct https_client *client, uint16_t port);
void https_client_close(struct https_client *client);
/* body NULL: none. Connects when needed and keeps the connection. True when an answer came. */
bool https_client_ask(struct https_client *client, const char *method, const char *path,
                      const char *body, struct answer *answer);
/* The pieces of a request as they are, and the answer to them. */
bool https_client_send(struct https_client *client, const char *bytes);
bool https_client_receive(struct https_client *client, struct answer *answer);
/* Sends a request and reads the head only; lines of the chunked body follow. */
bool https_client_stream(struct https_client *client, const char *method, const char *path,
                         struct answer *answer);
/* One line without its newline. False: the stream has ended, broken, or timeout_ms is over. */
bool https_client_line(struct https_client *client, char *line, size_t cap_bytes,
                       uint64_t timeout_ms);

#endif
