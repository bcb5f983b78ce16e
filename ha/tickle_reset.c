/* tickle_reset.c - closes this machine's own TCP connections on an address (SOCK_DESTROY of the
 * kernel's socket diagnosis). */
#include "ha/tickle.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/common/common.h"

enum {
    ANSWER_BYTES = 32 * 1024,
    REQUEST_BYTES = 256,
    TCP_STATE_ESTABLISHED = 1,
    TCP_STATE_TIME_WAIT = 6,
    TCP_STATE_LISTEN = 10,
    TCP_STATE_COUNT = 13,
};

struct found {
    struct inet_diag_sockid *ids;
    uint8_t *families;
    size_t count, cap;
    bool no_memory;
};

struct search {
    const struct rtnl_addr *local;
    struct found found;
};

/* A listener on :: shows its IPv4 connections as IPv4-mapped IPv6. */
static bool is_local(const struct inet_diag_msg *message, const struct rtnl_addr *local)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *source = (const uint8_t *)message->id.idiag_src;
    if (message->idiag_family == local->family)
        return memcmp(source, local->bytes, local->family == AF_INET ? 4 : 16) == 0;
    return message->idiag_family == AF_INET6 && local->family == AF_INET &&
           memcmp(source, mapped, sizeof(mapped)) == 0 &&
           memcmp(source + sizeof(mapped), local->bytes, 4) == 0;
}

static int on_socket(const struct nlmsghdr *header, void *context)
{
    struct search *search = context;
    struct found *found = &search->found;
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    if (mnl_nlmsg_get_payload_len(header) < sizeof(*message) || !is_local(message, search->local))
        return MNL_CB_OK;
    if (found->count == found->cap) {
        size_t cap = found->cap == 0 ? 64 : found->cap * 2;
        struct inet_diag_sockid *ids = realloc(found->ids, cap * sizeof(*ids));
        if (ids != NULL)
            found->ids = ids;
        uint8_t *families = realloc(found->families, cap);
        if (families != NULL)
            found->families = families;
        if (ids == NULL || families == NULL) {
            found->no_memory = true;
            return MNL_CB_OK;
        }
        found->cap = cap;
    }
    found->ids[found->count] = message->id;
    found->families[found->count] = message->idiag_family;
    found->count++;
    return MNL_CB_OK;
}

static int receive(struct mnl_socket *netlink, unsigned sequence, mnl_cb_t fn, void *context)
{
    _Alignas(struct nlmsghdr) static _Thread_local char answer[ANSWER_BYTES];
    const unsigned port = mnl_socket_get_portid(netlink);
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(netlink, answer, sizeof(answer));
        if (got < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        int state = mnl_cb_run(answer, (size_t)got, sequence, port, fn, context);
        if (state == MNL_CB_STOP)
            return 0;
        if (state < 0)
            return -errno;
    }
}

static struct nlmsghdr *put_request(char *bytes, uint16_t type, uint16_t flags, unsigned sequence,
                                    uint8_t family, const struct inet_diag_sockid *id)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = type;
    request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    request->nlmsg_seq = sequence;
    struct inet_diag_req_v2 *body = mnl_nlmsg_put_extra_header(request, sizeof(*body));
    body->sdiag_family = family;
    body->sdiag_protocol = IPPROTO_TCP;
    body->idiag_states =
        ((1u << TCP_STATE_COUNT) - 1) & ~(1u << TCP_STATE_LISTEN | 1u << TCP_STATE_TIME_WAIT | 1u);
    if (id != NULL)
        body->id = *id;
    return request;
}

static int list_sockets(struct mnl_socket *netlink, uint8_t family, unsigned sequence,
                        struct search *search)
{
    _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
    struct nlmsghdr *request =
        put_request(bytes, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sequence, family, NULL);
    if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
        return -errno;
    int code = receive(netlink, sequence, on_socket, search);
    return code == 0 && search->found.no_memory ? -ENOMEM : code;
}

static int destroy_found(struct mnl_socket *netlink, unsigned sequence, const struct found *found)
{
    int destroyed = 0;
    for (size_t i = 0; i < found->count; i++) {
        _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
        struct nlmsghdr *request = put_request(bytes, SOCK_DESTROY, NLM_F_ACK, ++sequence,
                                               found->families[i], &found->ids[i]);
        int code = mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0
                       ? -errno
                       : receive(netlink, sequence, NULL, NULL);
        if (code == -EOPNOTSUPP || code == -EPERM)
            return code;
        destroyed += code == 0; /* any other error: it closed by itself meanwhile */
    }
    return destroyed;
}

static int reset_with(struct mnl_socket *netlink, const struct rtnl_addr *local)
{
    const struct timeval patience = {.tv_sec = 1};
    if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof(patience)) < 0)
        return -errno;
    struct search search = {.local = local};
    int code = local->family == AF_INET ? list_sockets(netlink, AF_INET, 1, &search) : 0;
    if (code == 0) {
        code = list_sockets(netlink, AF_INET6, 2, &search);
        if (code == -ENOENT && local->family == AF_INET)
            code = 0; /* a kernel without IPv6 */
    }
    if (code == 0)
        code = destroy_found(netlink, 3, &search.found);
    free(search.found.ids);
    free(search.found.families);
    return code;
}

int tickle_reset_own(const struct rtnl_addr *local, struct diag *diag)
{
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (netlink == NULL)
        return diag_fail(diag, -errno, "cannot ask the kernel for its connections: %s",
                         uv_strerror(-errno));
    int code = reset_with(netlink, local);
    (void)mnl_socket_close(netlink);
    return code >= 0 ? code
                     : diag_fail(diag, code, "cannot close the connections of an address: %s",
                                 uv_strerror(code));
}
