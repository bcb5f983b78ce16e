#include "lib/common/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/common/common.h"
#include "lib/common/timer.h"

enum { REQUEST_BYTES = 256, ANSWER_BYTES = 32 * 1024, DUMP_TRIES = 5, LOWER_UP = 1 << 16 };

struct rtnl {
    struct mnl_socket *socket;
    unsigned port;
    unsigned sequence;
    /* aligned for struct nlmsghdr; part of the heap object so that no call needs memory */
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
};

/* --- addresses as text --------------------------------------------------------------------- */

static unsigned address_bytes(int family)
{
    return family == AF_INET ? 4 : 16;
}

int rtnl_addr_parse(const char *text, struct rtnl_addr *ret_addr, struct diag *diag)
{
    char host[INET6_ADDRSTRLEN + 1];
    const char *slash = strchr(text, '/');
    size_t host_chars = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (host_chars == 0 || host_chars >= sizeof(host))
        return diag_fail(diag, -EINVAL, "\"%s\" is no IP address", text);
    memcpy(host, text, host_chars);
    host[host_chars] = '\0';

    struct rtnl_addr addr = {.family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET};
    if (inet_pton(addr.family, host, addr.bytes) != 1)
        return diag_fail(diag, -EINVAL, "\"%s\" is no IP address", text);

    unsigned long longest = address_bytes(addr.family) * 8UL, prefix = longest;
    if (slash != NULL) {
        char *end = NULL;
        errno = 0;
        prefix = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || errno != 0 || prefix > longest)
            return diag_fail(diag, -EINVAL, "\"%s\": the prefix must be 0 to %lu", text, longest);
    }
    addr.prefix_bits = (uint8_t)prefix;
    *ret_addr = addr;
    return 0;
}

void rtnl_addr_format(const struct rtnl_addr *addr, bool with_prefix,
                      char out[RTNL_ADDR_TEXT_CHARS])
{
    char host[INET6_ADDRSTRLEN];
    if (addr->family == 0 || inet_ntop(addr->family, addr->bytes, host, sizeof(host)) == NULL)
        (void)snprintf(out, RTNL_ADDR_TEXT_CHARS, "none");
    else if (with_prefix)
        (void)snprintf(out, RTNL_ADDR_TEXT_CHARS, "%s/%u", host, addr->prefix_bits);
    else
        (void)snprintf(out, RTNL_ADDR_TEXT_CHARS, "%s", host);
}

bool rtnl_addr_same_host(const struct rtnl_addr *a, const struct rtnl_addr *b)
{
    return a->family == b->family && a->family != 0 &&
           memcmp(a->bytes, b->bytes, address_bytes(a->family)) == 0;
}

/* --- the synchronous socket ---------------------------------------------------------------- */

int rtnl_new(struct rtnl **ret_rtnl, struct diag *diag)
{
    struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
    if (rtnl == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for a netlink socket");
    rtnl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (rtnl->socket == NULL) {
        int code = -errno;
        free(rtnl);
        return diag_fail(diag, code, "cannot open a netlink socket: %s", uv_strerror(code));
    }
    /* The kernel answers inside the send; the time-out only guards against a kernel that does not.
     */
    const struct timeval patience = {.tv_sec = 1};
    if (mnl_socket_bind(rtnl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(rtnl->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof(patience)) < 0) {
        int code = -errno;
        rtnl_free(rtnl);
        return diag_fail(diag, code, "cannot bind a netlink socket: %s", uv_strerror(code));
    }
    rtnl->port = mnl_socket_get_portid(rtnl->socket);
    *ret_rtnl = rtnl;
    return 0;
}

void rtnl_free(struct rtnl *rtnl)
{
    if (rtnl == NULL)
        return;
    if (rtnl->socket != NULL)
        (void)mnl_socket_close(rtnl->socket);
    free(rtnl);
}

/* Walks one datagram of the kernel's answer. Returns 1 to go on, 0 at the end, -errno. */
static int walk_answer(struct rtnl *rtnl, size_t got, bool *interrupted, mnl_cb_t fn, void *context)
{
    int left = (int)got;
    for (const struct nlmsghdr *message = (const struct nlmsghdr *)rtnl->answer;
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        /* An answer to an earlier request that timed out may still be in the queue. */
        if (message->nlmsg_seq != rtnl->sequence || message->nlmsg_pid != rtnl->port)
            continue;
        if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
            *interrupted = true;
        if (message->nlmsg_type == NLMSG_DONE)
            return 0;
        if (message->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
            return mnl_nlmsg_get_payload_len(message) < sizeof(*error) ? -EBADMSG : error->error;
        }
        if (fn != NULL)
            (void)fn(message, context);
    }
    return 1;
}

/* Sends one request and feeds every answer to fn until its end. A dump that raced with a change is
 * read to its end all the same (the kernel runs one dump per socket) and reported as -EINTR. */
static int exchange(struct rtnl *rtnl, struct nlmsghdr *request, mnl_cb_t fn, void *context)
{
    request->nlmsg_seq = ++rtnl->sequence;
    if (mnl_socket_sendto(rtnl->socket, request, request->nlmsg_len) < 0)
        return -errno;
    bool interrupted = false;
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(rtnl->socket, rtnl->answer, sizeof(rtnl->answer));
        if (got < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        int state = walk_answer(rtnl, (size_t)got, &interrupted, fn, context);
        if (state <= 0)
            return state == 0 && interrupted ? -EINTR : state;
    }
}

static int read_link_attribute(const struct nlattr *attribute, void *context)
{
    struct rtnl_link *link = context;
    uint16_t type = mnl_attr_get_type(attribute), length = mnl_attr_get_payload_len(attribute);
    if (type == IFLA_IFNAME && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
        (void)snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
    else if (type == IFLA_ADDRESS && length == sizeof(link->mac))
        memcpy(link->mac, mnl_attr_get_payload(attribute), sizeof(link->mac));
    return MNL_CB_OK;
}

static bool link_from_message(const struct nlmsghdr *message, struct rtnl_link *ret_link)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
        return false;
    *ret_link = (struct rtnl_link){
        .index = info->ifi_index,
        .up = (info->ifi_flags & IFF_UP) != 0,
        .carrier = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & LOWER_UP) != 0,
        .loopback = (info->ifi_flags & IFF_LOOPBACK) != 0,
    };
    return mnl_attr_parse(message, sizeof(*info), read_link_attribute, ret_link) >= 0;
}

struct address_reading {
    struct rtnl_address *address;
    bool local_seen;
};

static int read_address_attribute(const struct nlattr *attribute, void *context)
{
    struct address_reading *reading = context;
    struct rtnl_address *address = reading->address;
    uint16_t type = mnl_attr_get_type(attribute), length = mnl_attr_get_payload_len(attribute);
    const void *value = mnl_attr_get_payload(attribute);
    /* IFA_LOCAL is ours; on point-to-point links IFA_ADDRESS is the other end's. */
    if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !reading->local_seen)) &&
        length == address_bytes(address->addr.family)) {
        memcpy(address->addr.bytes, value, length);
        reading->local_seen |= type == IFA_LOCAL;
    } else if (type == IFA_FLAGS && length == sizeof(uint32_t)) {
        memcpy(&address->flags, value, sizeof(uint32_t));
    } else if (type == IFA_CACHEINFO && length >= sizeof(struct ifa_cacheinfo)) {
        struct ifa_cacheinfo cache;
        memcpy(&cache, value, sizeof(cache));
        address->valid_s = cache.ifa_valid;
    }
    return MNL_CB_OK;
}

static bool address_from_message(const struct nlmsghdr *message, struct rtnl_address *ret_address)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) ||
        (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
        return false;
    *ret_address = (struct rtnl_address){
        .addr = {.family = info->ifa_family, .prefix_bits = info->ifa_prefixlen},
        .link_index = (int)info->ifa_index,
        .valid_s = UINT32_MAX,
        .flags = info->ifa_flags,
    };
    struct address_reading reading = {.address = ret_address};
    return mnl_attr_parse(message, sizeof(*info), read_address_attribute, &reading) >= 0;
}

struct link_visit {
    rtnl_link_fn fn;
    void *context;
};

static int visit_link(const struct nlmsghdr *message, void *context)
{
    const struct link_visit *visit = context;
    struct rtnl_link link;
    if (message->nlmsg_type == RTM_NEWLINK && link_from_message(message, &link))
        visit->fn(visit->context, &link);
    return MNL_CB_OK;
}

struct address_visit {
    rtnl_address_fn fn;
    void *context;
};

static int visit_address(const struct nlmsghdr *message, void *context)
{
    const struct address_visit *visit = context;
    struct rtnl_address address;
    if (message->nlmsg_type == RTM_NEWADDR && address_from_message(message, &address))
        visit->fn(visit->context, &address);
    return MNL_CB_OK;
}

/* The kernel marks a dump that raced with a change (EINTR); it is repeated, the callbacks see the
 * repeated state again. */
static int dump(struct rtnl *rtnl, uint16_t type, mnl_cb_t fn, void *context, struct diag *diag)
{
    int code = -EINTR;
    for (int i = 0; i < DUMP_TRIES && code == -EINTR; i++) {
        _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
        struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
        request->nlmsg_type = type;
        request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
        info->ifi_family = AF_UNSPEC;
        code = exchange(rtnl, request, fn, context);
    }
    if (code < 0)
        return diag_fail(diag, code, "the kernel does not list its %s: %s",
                         type == RTM_GETLINK ? "network devices" : "addresses", uv_strerror(code));
    return 0;
}

int rtnl_link_list(struct rtnl *rtnl, rtnl_link_fn fn, void *context, struct diag *diag)
{
    struct link_visit visit = {.fn = fn, .context = context};
    return dump(rtnl, RTM_GETLINK, visit_link, &visit, diag);
}

int rtnl_address_list(struct rtnl *rtnl, rtnl_address_fn fn, void *context, struct diag *diag)
{
    struct address_visit visit = {.fn = fn, .context = context};
    return dump(rtnl, RTM_GETADDR, visit_address, &visit, diag);
}

struct link_search {
    const char *name; /* or NULL: */
    int index;
    bool found;
    struct rtnl_link link;
};

static void match_link(void *context, const struct rtnl_link *link)
{
    struct link_search *search = context;
    if (search->name != NULL ? strcmp(search->name, link->name) == 0
                             : search->index == link->index) {
        search->found = true;
        search->link = *link;
    }
}

int rtnl_link_find(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link,
                   struct diag *diag)
{
    struct link_search search = {.name = name};
    int code = rtnl_link_list(rtnl, match_link, &search, diag);
    if (code < 0)
        return code;
    if (!search.found)
        return diag_fail(diag, -ENODEV, "there is no network device \"%s\"", name);
    *ret_link = search.link;
    return 0;
}

struct address_search {
    const struct rtnl_addr *addr;
    bool found;
    struct rtnl_address first;
};

static void match_address(void *context, const struct rtnl_address *address)
{
    struct address_search *search = context;
    if (!search->found && rtnl_addr_same_host(search->addr, &address->addr)) {
        search->found = true;
        search->first = *address;
    }
}

int rtnl_link_by_address(struct rtnl *rtnl, const struct rtnl_addr *addr,
                         struct rtnl_link *ret_link, struct diag *diag)
{
    struct address_search search = {.addr = addr};
    int code = rtnl_address_list(rtnl, match_address, &search, diag);
    if (code < 0)
        return code;
    char text[RTNL_ADDR_TEXT_CHARS];
    rtnl_addr_format(addr, false, text);
    if (!search.found)
        return diag_fail(diag, -EADDRNOTAVAIL, "no network device carries the address %s", text);

    struct link_search link = {.index = search.first.link_index};
    code = rtnl_link_list(rtnl, match_link, &link, diag);
    if (code < 0)
        return code;
    if (!link.found)
        return diag_fail(diag, -EADDRNOTAVAIL, "the device that carries %s went away", text);
    *ret_link = link.link;
    return 0;
}

/* --- changing addresses: no memory, no log ------------------------------------------------- */

static void put_address(struct nlmsghdr *request, int link_index, const struct rtnl_addr *addr)
{
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
    info->ifa_family = (uint8_t)addr->family;
    info->ifa_prefixlen = addr->prefix_bits;
    info->ifa_index = (uint32_t)link_index;
    unsigned bytes = address_bytes(addr->family);
    mnl_attr_put(request, IFA_LOCAL, bytes, addr->bytes);
    mnl_attr_put(request, IFA_ADDRESS, bytes, addr->bytes);
}

static void put_broadcast(struct nlmsghdr *request, const struct rtnl_addr *addr)
{
    if (addr->family != AF_INET || addr->prefix_bits > 30)
        return;
    uint32_t host;
    memcpy(&host, addr->bytes, sizeof(host));
    host |= htonl(addr->prefix_bits == 0 ? UINT32_MAX : UINT32_MAX >> addr->prefix_bits);
    mnl_attr_put(request, IFA_BROADCAST, sizeof(host), &host);
}

int rtnl_address_set(struct rtnl *rtnl, int link_index, const struct rtnl_addr *addr,
                     uint32_t lifetime_s, struct diag *diag)
{
    _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_NEWADDR;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    put_address(request, link_index, addr);
    put_broadcast(request, addr);
    const uint32_t lifetime = lifetime_s == 0 ? UINT32_MAX : lifetime_s;
    const struct ifa_cacheinfo cache = {.ifa_prefered = lifetime, .ifa_valid = lifetime};
    mnl_attr_put(request, IFA_CACHEINFO, sizeof(cache), &cache);
    if (addr->family == AF_INET6)
        mnl_attr_put_u32(request, IFA_FLAGS, IFA_F_NODAD);

    int code = exchange(rtnl, request, NULL, NULL);
    if (code == 0 || diag == NULL)
        return code;
    char text[RTNL_ADDR_TEXT_CHARS];
    rtnl_addr_format(addr, true, text);
    return diag_fail(diag, code, "cannot set the address %s on device %d: %s", text, link_index,
                     uv_strerror(code));
}

int rtnl_address_remove(struct rtnl *rtnl, int link_index, const struct rtnl_addr *addr,
                        struct diag *diag)
{
    _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_DELADDR;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    put_address(request, link_index, addr);

    int code = exchange(rtnl, request, NULL, NULL);
    /* ENODEV: a device that is gone carries no address either */
    if (code == 0 || code == -EADDRNOTAVAIL || code == -ENODEV || code == -ENXIO)
        return 0;
    if (diag == NULL)
        return code;
    char text[RTNL_ADDR_TEXT_CHARS];
    rtnl_addr_format(addr, true, text);
    return diag_fail(diag, code, "cannot remove the address %s from device %d: %s", text,
                     link_index, uv_strerror(code));
}

int rtnl_address_remove_everywhere(struct rtnl *rtnl, const struct rtnl_addr *addr,
                                   unsigned *ret_removed, struct diag *diag)
{
    /* One per turn: a dump cannot be interleaved with requests on the same socket. The limit only
     * ends a race with a program that keeps adding it. */
    unsigned removed = 0;
    for (;;) {
        struct address_search search = {.addr = addr};
        int code = rtnl_address_list(rtnl, match_address, &search, diag);
        if (code < 0)
            return code;
        if (!search.found)
            break;
        if (removed == 64)
            return diag_fail(diag, -EBUSY, "another program keeps adding the address");
        code = rtnl_address_remove(rtnl, search.first.link_index, &search.first.addr, diag);
        if (code < 0)
            return code;
        removed++;
    }
    if (ret_removed != NULL)
        *ret_removed = removed;
    return 0;
}

/* --- the monitor --------------------------------------------------------------------------- */

struct rtnl_monitor {
    struct mnl_socket *socket;
    struct rtnl *rtnl; /* for the dumps */
    struct timer *resync;
    uv_poll_t poll;
    rtnl_event_fn fn; /* NULL once freed */
    void *context;
    _Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
};

enum { RESYNC_RETRY_MS = 200 };

static void emit(struct rtnl_monitor *monitor, const struct rtnl_event *event)
{
    if (monitor->fn != NULL)
        monitor->fn(monitor->context, event);
}

static void emit_link(void *context, const struct rtnl_link *link)
{
    emit(context, &(struct rtnl_event){.kind = RTNL_LINK_CHANGED, .link = *link});
}

static void emit_address(void *context, const struct rtnl_address *address)
{
    emit(context, &(struct rtnl_event){.kind = RTNL_ADDRESS_ADDED, .address = *address});
}

static void monitor_resync(void *context)
{
    struct rtnl_monitor *monitor = context;
    emit(monitor, &(struct rtnl_event){.kind = RTNL_RESYNC});
    /* fn may have freed the monitor; its memory lives until the next loop turn, fn is NULL then */
    if (monitor->fn == NULL)
        return;
    if (rtnl_link_list(monitor->rtnl, emit_link, monitor, NULL) < 0 ||
        rtnl_address_list(monitor->rtnl, emit_address, monitor, NULL) < 0) {
        if (monitor->fn != NULL)
            timer_start(monitor->resync, RESYNC_RETRY_MS, 0);
    }
}

static int monitor_message(const struct nlmsghdr *message, void *context)
{
    struct rtnl_monitor *monitor = context;
    struct rtnl_event event = {0};
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        event.kind = message->nlmsg_type == RTM_NEWLINK ? RTNL_LINK_CHANGED : RTNL_LINK_REMOVED;
        if (link_from_message(message, &event.link))
            emit(monitor, &event);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        event.kind = message->nlmsg_type == RTM_NEWADDR ? RTNL_ADDRESS_ADDED : RTNL_ADDRESS_REMOVED;
        if (address_from_message(message, &event.address))
            emit(monitor, &event);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static void monitor_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct rtnl_monitor *monitor = poll->data;
    while (monitor->fn != NULL) {
        ssize_t got = recv(mnl_socket_get_fd(monitor->socket), monitor->bytes,
                           sizeof(monitor->bytes), MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == ENOBUFS) {
            timer_start(monitor->resync, 0, 0);
            continue;
        }
        if (got <= 0)
            return;
        if ((size_t)got > sizeof(monitor->bytes)) {
            timer_start(monitor->resync, 0, 0);
            continue;
        }
        (void)mnl_cb_run(monitor->bytes, (size_t)got, 0, 0, monitor_message, monitor);
    }
}

static void monitor_dispose(struct rtnl_monitor *monitor)
{
    timer_free(monitor->resync);
    rtnl_free(monitor->rtnl);
    if (monitor->socket != NULL)
        (void)mnl_socket_close(monitor->socket);
    free(monitor);
}

static void monitor_closed(uv_handle_t *handle)
{
    monitor_dispose(handle->data);
}

int rtnl_monitor_new(uv_loop_t *loop, rtnl_event_fn fn, void *context,
                     struct rtnl_monitor **ret_monitor, struct diag *diag)
{
    struct rtnl_monitor *monitor = calloc(1, sizeof(*monitor));
    if (monitor == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the network monitor");
    monitor->fn = fn;
    monitor->context = context;
    int code = rtnl_new(&monitor->rtnl, diag);
    if (code < 0)
        goto fail;

    const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    monitor->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (monitor->socket == NULL || mnl_socket_bind(monitor->socket, groups, 0) < 0) {
        code = diag_fail(diag, -errno, "cannot watch the network devices: %s", uv_strerror(-errno));
        goto fail;
    }
    monitor->resync = timer_new(loop, monitor_resync, monitor);
    if (monitor->resync == NULL) {
        code = diag_fail(diag, -ENOMEM, "no memory for the network monitor");
        goto fail;
    }
    code = uv_poll_init(loop, &monitor->poll, mnl_socket_get_fd(monitor->socket));
    if (code < 0) {
        (void)diag_fail(diag, code, "cannot watch the network devices: %s", uv_strerror(code));
        goto fail;
    }
    monitor->poll.data = monitor;
    code = uv_poll_start(&monitor->poll, UV_READABLE, monitor_readable);
    if (code < 0) {
        uv_close((uv_handle_t *)&monitor->poll, monitor_closed);
        return diag_fail(diag, code, "cannot watch the network devices: %s", uv_strerror(code));
    }
    timer_start(monitor->resync, 0, 0);
    *ret_monitor = monitor;
    return 0;

fail:
    monitor_dispose(monitor);
    return code;
}

void rtnl_monitor_free(struct rtnl_monitor *monitor)
{
    if (monitor == NULL)
        return;
    monitor->fn = NULL;
    timer_stop(monitor->resync);
    (void)uv_poll_stop(&monitor->poll);
    uv_close((uv_handle_t *)&monitor->poll, monitor_closed);
}
