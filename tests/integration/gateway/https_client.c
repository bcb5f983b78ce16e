#include "tests/integration/gateway/https_client.h"

#include "lib/common/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

void https_client_init(struct https_client *client, uint16_t port)
{
    memset(client, 0, sizeof(*client));
    client->port = port;
    client->fd = -1;
}

void https_client_close(struct https_client *client)
{
    SSL_free(client->ssl);
    client->ssl = NULL;
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    client->rest_bytes = 0;
}

static bool connect_tcp(struct https_client *client)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    to.sin_port = htons(client->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1; /* head and body go as two pieces: no waiting for acknowledgements */
    if (client->fd < 0 || setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
        return false;
    if (client->address[0] != '\0' &&
        (inet_pton(AF_INET, client->address, &from.sin_addr) != 1 ||
         bind(client->fd, (struct sockaddr *)&from, sizeof(from)) < 0))
        return false;
    return connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool shake_hands(struct https_client *client)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    const struct timeval patience = {.tv_sec = 10};
    if (context == NULL)
        return false;
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    client->ssl = SSL_new(context);
    SSL_CTX_free(context);
    const struct timeval moment = {.tv_usec = 20000};
    return client->ssl != NULL && SSL_set_fd(client->ssl, client->fd) == 1 &&
           SSL_connect(client->ssl) == 1 &&
           setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment)) == 0;
}

static bool ensure_connected(struct https_client *client)
{
    if (client->fd >= 0)
        return true;
    if (connect_tcp(client) && (client->plain || shake_hands(client)))
        return true;
    https_client_close(client);
    return false;
}

static bool send_bytes(struct https_client *client, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t sent = client->plain ? send(client->fd, bytes, len_bytes, MSG_NOSIGNAL)
                                     : SSL_write(client->ssl, bytes, (int)len_bytes);
        if (sent <= 0)
            return false;
        bytes += sent;
        len_bytes -= (size_t)sent;
    }
    return true;
}

/* Reads more into rest; false at the end, on an error, or at the deadline. A TLS record without
 * data for us (a session ticket) makes the socket readable and SSL_read wait: hence its short
 * time-out, set after the handshake. */
static bool read_more(struct https_client *client, uint64_t deadline_ms)
{
    size_t room = sizeof(client->rest) - client->rest_bytes - 1;
    char *place = client->rest + client->rest_bytes;
    while (room > 0) {
        uint64_t now_ms = common_boot_ms();
        struct pollfd wait = {.fd = client->fd, .events = POLLIN};
        if (now_ms >= deadline_ms)
            return false;
        if ((client->plain || SSL_pending(client->ssl) == 0) &&
            poll(&wait, 1, (int)(deadline_ms - now_ms)) <= 0)
            return false;
        ssize_t got = client->plain ? recv(client->fd, place, room, 0)
                                    : SSL_read(client->ssl, place, (int)room);
        if (got > 0) {
            client->rest_bytes += (size_t)got;
            client->rest[client->rest_bytes] = '\0';
            return true;
        }
        if (client->plain || SSL_get_error(client->ssl, (int)got) != SSL_ERROR_WANT_READ)
            return false;
    }
    return false;
}

static void drop_rest(struct https_client *client, size_t len_bytes)
{
    client->rest_bytes -= len_bytes;
    memmove(client->rest, client->rest + len_bytes, client->rest_bytes);
    client->rest[client->rest_bytes] = '\0';
}

static bool send_request(struct https_client *client, const char *method, const char *path,
                         const char *body)
{
    char head[2048];
    int len = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n", method,
                       path, client->host != NULL ? client->host : "gateway");
    if (client->cookie[0] != '\0')
        len += snprintf(head + len, sizeof(head) - (size_t)len, "Cookie: AlcUserId=%s\r\n",
                        client->cookie);
    if (client->authorization != NULL)
        len += snprintf(head + len, sizeof(head) - (size_t)len, "Authorization: %s\r\n",
                        client->authorization);
    if (body != NULL)
        len += snprintf(head + len, sizeof(head) - (size_t)len,
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    len += snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
    return send_bytes(client, head, (size_t)len) &&
           (body == NULL || send_bytes(client, body, strlen(body)));
}

static bool read_head(struct https_client *client, struct answer *answer, uint64_t deadline_ms)
{
    char *end;
    while (client->rest_bytes == 0 || (end = strstr(client->rest, "\r\n\r\n")) == NULL) {
        if (!read_more(client, deadline_ms))
            return false;
    }
    size_t head_bytes = (size_t)(end - client->rest) + 4;
    if (head_bytes >= sizeof(answer->head) || head_bytes < 12)
        return false;
    memcpy(answer->head, client->rest, head_bytes);
    answer->head[head_bytes] = '\0';
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    drop_rest(client, head_bytes);
    return true;
}

static bool read_body(struct https_client *client, struct answer *answer, uint64_t deadline_ms)
{
    const char *length = strcasestr(answer->head, "\r\nContent-Length:");
    size_t body_bytes = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    if (body_bytes >= sizeof(answer->body))
        return false;
    while (client->rest_bytes < body_bytes) {
        if (!read_more(client, deadline_ms))
            return false;
    }
    memcpy(answer->body, client->rest, body_bytes);
    answer->body[body_bytes] = '\0';
    drop_rest(client, body_bytes);
    return true;
}

static bool begin(struct https_client *client, const char *method, const char *path,
                  const char *body, struct answer *answer)
{
    uint64_t patience_ms = client->timeout_ms > 0 ? client->timeout_ms : 10000;
    memset(answer, 0, sizeof(*answer));
    if (!ensure_connected(client))
        return false;
    if (send_request(client, method, path, body) &&
        read_head(client, answer, common_boot_ms() + patience_ms))
        return true;
    answer->status = 0;
    https_client_close(client);
    return false;
}

bool https_client_ask(struct https_client *client, const char *method, const char *path,
                      const char *body, struct answer *answer)
{
    if (!begin(client, method, path, body, answer))
        return false;
    bool complete = read_body(client, answer, common_boot_ms() + 10000);
    if (!complete || strcasestr(answer->head, "\r\nConnection: close") != NULL)
        https_client_close(client);
    return complete;
}

bool https_client_send(struct https_client *client, const char *bytes)
{
    return ensure_connected(client) && send_bytes(client, bytes, strlen(bytes));
}

bool https_client_receive(struct https_client *client, struct answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    if (client->fd >= 0 && read_head(client, answer, common_boot_ms() + 10000) &&
        read_body(client, answer, common_boot_ms() + 10000))
        return true;
    answer->status = 0;
    https_client_close(client);
    return false;
}

bool https_client_stream(struct https_client *client, const char *method, const char *path,
                         struct answer *answer)
{
    return begin(client, method, path, NULL, answer);
}

/* Takes the framing of one chunk away: "5\r\nabcd\n\r\n". Each chunk holds whole lines here. */
bool https_client_line(struct https_client *client, char *line, size_t cap_bytes,
                       uint64_t timeout_ms)
{
    uint64_t deadline_ms = common_boot_ms() + timeout_ms;
    for (;;) {
        char *end = client->rest_bytes == 0 ? NULL : strchr(client->rest, '\n');
        if (end == NULL) {
            if (!read_more(client, deadline_ms))
                return false;
            continue;
        }
        size_t len_bytes = (size_t)(end - client->rest);
        bool is_event = client->rest[0] == '{';
        bool is_last = len_bytes == 2 && client->rest[0] == '0';
        if (is_event)
            (void)snprintf(line, cap_bytes, "%.*s", (int)len_bytes, client->rest);
        drop_rest(client, len_bytes + 1);
        if (is_event || is_last)
            return is_event;
    }
}
