/* wire.c - one TCP connection with TLS, every step with a deadline. */
#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int trust(struct wire_target *target, const char *ca_file)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(target->tls);

    if (SSL_CTX_load_verify_locations(target->tls, ca_file, NULL) != 1)
        return -EINVAL;
    if (X509_VERIFY_PARAM_set1_ip_asc(param, target->host) != 1 &&
        X509_VERIFY_PARAM_set1_host(param, target->host, 0) != 1)
        return -EINVAL;
    SSL_CTX_set_verify(target->tls, SSL_VERIFY_PEER, NULL);
    target->verify = true;
    return 0;
}

int wire_target_init(struct wire_target *target, const struct client_options *options)
{
    memset(target, 0, sizeof(*target));
    if (strlen(options->address) >= sizeof(target->host) ||
        strlen(options->port) >= sizeof(target->port)) {
        fprintf(stderr, "og-lab-client: address or port is too long\n");
        return -EINVAL;
    }
    memcpy(target->host, options->address, strlen(options->address) + 1);
    memcpy(target->port, options->port, strlen(options->port) + 1);
    target->tls = SSL_CTX_new(TLS_client_method());
    if (target->tls == NULL)
        return -ENOMEM;
    (void)SSL_CTX_set_mode(target->tls, SSL_MODE_ENABLE_PARTIAL_WRITE);
    /* a server that vanishes without close_notify is what this client is here to see */
    (void)SSL_CTX_set_options(target->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (options->ca_file != NULL && trust(target, options->ca_file) < 0) {
        fprintf(stderr, "og-lab-client: cannot use the authority in %s\n", options->ca_file);
        wire_target_done(target);
        return -EINVAL;
    }
    return 0;
}

void wire_target_done(struct wire_target *target)
{
    SSL_CTX_free(target->tls);
    target->tls = NULL;
}

void wire_init(struct wire *wire)
{
    wire->fd = -1;
    wire->ssl = NULL;
    wire->requests = 0;
    wire->begin = wire->end = 0;
}

void wire_close(struct wire *wire)
{
    SSL_free(wire->ssl);
    if (wire->fd >= 0)
        (void)close(wire->fd);
    wire_init(wire);
}

/* Waits for readiness in slices, so that a stop is seen. 0, -ETIMEDOUT or -ECANCELED. */
static int wait_ready(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int64_t left_ms = deadline_ms == 0 ? 100 : deadline_ms - client_mono_ms();
        if (left_ms <= 0)
            return -ETIMEDOUT;
        if (deadline_ms == 0 && client_stop)
            return -ECANCELED;
        int n = poll(&poll_fd, 1, left_ms > 100 ? 100 : (int)left_ms);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

/* What to do after an SSL call that did not succeed: 0 to try again, or -errno. */
static int wait_ssl(struct wire *wire, int result, int saved_errno, int64_t deadline_ms)
{
    int reason = SSL_get_error(wire->ssl, result);
    if (reason == SSL_ERROR_WANT_READ)
        return wait_ready(wire->fd, POLLIN, deadline_ms);
    if (reason == SSL_ERROR_WANT_WRITE)
        return wait_ready(wire->fd, POLLOUT, deadline_ms);
    if (reason == SSL_ERROR_ZERO_RETURN)
        return -EPIPE;
    if (reason == SSL_ERROR_SYSCALL)
        return saved_errno != 0 ? -saved_errno : -EPIPE;
    return -EPROTO;
}

static int connect_one(const struct addrinfo *info, int64_t deadline_ms)
{
    const int one = 1;
    int error = 0;
    socklen_t length = sizeof(error);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int r = connect(fd, info->ai_addr, info->ai_addrlen) == 0 ? 0 : -errno;
    if (r == -EINPROGRESS)
        r = wait_ready(fd, POLLOUT, deadline_ms);
    if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0)
        r = -error;
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    return fd;
}

static int shake_hands(struct wire *wire, const struct wire_target *target, int64_t deadline_ms)
{
    wire->ssl = SSL_new(target->tls);
    if (wire->ssl == NULL || SSL_set_fd(wire->ssl, wire->fd) != 1)
        return -ENOMEM;
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(wire->ssl);
        if (result == 1)
            return 0;
        int r = wait_ssl(wire, result, errno, deadline_ms);
        if (r < 0)
            return target->verify && SSL_get_verify_result(wire->ssl) != X509_V_OK ? -EKEYREJECTED
                                                                                   : r;
    }
}

int wire_open(struct wire *wire, const struct wire_target *target, unsigned connect_ms,
              int64_t deadline_mono_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    int64_t connect_deadline = client_mono_ms() + connect_ms;

    wire_close(wire);
    if (getaddrinfo(target->host, target->port, &hints, &info) != 0)
        return -EHOSTUNREACH;
    if (deadline_mono_ms != 0 && connect_deadline > deadline_mono_ms)
        connect_deadline = deadline_mono_ms;
    wire->fd = connect_one(info, connect_deadline);
    freeaddrinfo(info);
    int r = wire->fd < 0 ? wire->fd : 0;
    if (r == 0 && target->tls != NULL)
        r = shake_hands(wire, target, deadline_mono_ms);
    if (r < 0)
        wire_close(wire);
    return r;
}

bool wire_usable(struct wire *wire)
{
    char byte;

    if (wire->fd < 0 || wire->begin != wire->end)
        return false;
    if (wire->ssl == NULL)
        return recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    ERR_clear_error();
    errno = 0;
    /* reads session tickets on the way; answers that nobody asked for make it unusable */
    int result = SSL_peek(wire->ssl, &byte, 1);
    return result <= 0 && SSL_get_error(wire->ssl, result) == SSL_ERROR_WANT_READ;
}

int wire_send(struct wire *wire, const char *data, size_t length, int64_t deadline_mono_ms)
{
    size_t sent = 0;
    while (sent < length) {
        int r;
        ERR_clear_error();
        errno = 0;
        if (wire->ssl != NULL) {
            int result = SSL_write(wire->ssl, data + sent, (int)(length - sent));
            if (result > 0) {
                sent += (size_t)result;
                continue;
            }
            r = wait_ssl(wire, result, errno, deadline_mono_ms);
        } else {
            ssize_t result = send(wire->fd, data + sent, length - sent, MSG_NOSIGNAL);
            if (result > 0) {
                sent += (size_t)result;
                continue;
            }
            r = errno == EAGAIN ? wait_ready(wire->fd, POLLOUT, deadline_mono_ms) : -errno;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int wire_fill(struct wire *wire, int64_t deadline_mono_ms)
{
    if (wire->begin == wire->end)
        wire->begin = wire->end = 0;
    if (wire->end == sizeof(wire->buffer)) {
        memmove(wire->buffer, wire->buffer + wire->begin, wire->end - wire->begin);
        wire->end -= wire->begin;
        wire->begin = 0;
        if (wire->end == sizeof(wire->buffer))
            return -EMSGSIZE;
    }
    for (;;) {
        char *place = wire->buffer + wire->end;
        size_t room = sizeof(wire->buffer) - wire->end;
        int r;
        ERR_clear_error();
        errno = 0;
        if (wire->ssl != NULL) {
            int result = SSL_read(wire->ssl, place, (int)room);
            if (result > 0) {
                wire->end += (size_t)result;
                return result;
            }
            if (SSL_get_error(wire->ssl, result) == SSL_ERROR_ZERO_RETURN)
                return 0;
            r = wait_ssl(wire, result, errno, deadline_mono_ms);
            if (r == -EPIPE)
                return 0;
        } else {
            ssize_t result = recv(wire->fd, place, room, 0);
            if (result >= 0) {
                wire->end += (size_t)result;
                return (int)result;
            }
            r = errno == EAGAIN ? wait_ready(wire->fd, POLLIN, deadline_mono_ms) : -errno;
        }
        if (r < 0)
            return r;
    }
}
