#include "ha/vip_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/vip_packets.h"
#include "lib/common/common.h"

enum { FRAMES_PER_TURN = 64, FRAME_MAX_BYTES = 2048 };

struct vip_link {
    int fd;
    int index;
    uv_poll_t poll;
    vip_link_frame_fn fn; /* NULL once closed */
    void *context;
};

/* Next header ICMPv6 (58) and type 135 or 136; the rest of IPv6 traffic does not wake us. */
static int attach_nd_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 40),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = COUNT_OF(code), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int join_group(int fd, int link_index, const uint8_t mac[VIP_MAC_BYTES])
{
    struct packet_mreq request = {
        .mr_ifindex = link_index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = VIP_MAC_BYTES};
    memcpy(request.mr_address, mac, VIP_MAC_BYTES);
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0 ? -errno
                                                                                            : 0;
}

static int prepare_nd(int fd, int link_index, const struct rtnl_addr *address)
{
    static const uint8_t all_nodes[VIP_MAC_BYTES] = {0x33, 0x33, 0, 0, 0, 1};
    uint8_t solicited[VIP_MAC_BYTES];
    vip_packet_solicited_mac(address, solicited);
    int code = attach_nd_filter(fd);
    if (code == 0)
        code = join_group(fd, link_index, all_nodes);
    if (code == 0)
        code = join_group(fd, link_index, solicited);
    return code;
}

static int open_socket(int link_index, const struct rtnl_addr *address)
{
    /* Protocol 0 until everything is set: nothing arrives unfiltered. */
    AUTO(common_closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int code = address->family == AF_INET6 ? prepare_nd(fd, link_index, address) : 0;
    if (code < 0)
        return code;
    const uint16_t protocol = address->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_ARP;
    const struct sockaddr_ll where = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = link_index};
    if (bind(fd, (const struct sockaddr *)&where, sizeof(where)) < 0)
        return -errno;
    int result = fd;
    fd = -1;
    return result;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct vip_link *link = poll->data;
    for (int i = 0; i < FRAMES_PER_TURN && link->fn != NULL; i++) {
        uint8_t frame[FRAME_MAX_BYTES];
        struct sockaddr_ll from = {0};
        socklen_t from_bytes = sizeof(from);
        ssize_t got = recvfrom(link->fd, frame, sizeof(frame), MSG_DONTWAIT,
                               (struct sockaddr *)&from, &from_bytes);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            continue; /* ENETDOWN is told once and clears itself; the monitor follows the device */
        if (from.sll_pkttype != PACKET_OUTGOING)
            link->fn(link->context, frame, (size_t)got);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct vip_link *link = handle->data;
    (void)close(link->fd);
    free(link);
}

int vip_link_open(uv_loop_t *loop, int link_index, const struct rtnl_addr *address,
                  vip_link_frame_fn fn, void *context, struct vip_link **ret_link,
                  struct diag *diag)
{
    struct vip_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for a raw socket");
    link->index = link_index;
    link->fn = fn;
    link->context = context;
    link->fd = open_socket(link_index, address);
    int code = link->fd;
    if (code >= 0) {
        code = uv_poll_init(loop, &link->poll, link->fd);
        if (code < 0)
            (void)close(link->fd);
    }
    if (code < 0) {
        free(link);
        return diag_fail(diag, code, "cannot open a raw socket on device %d: %s", link_index,
                         uv_strerror(code));
    }
    link->poll.data = link;
    code = uv_poll_start(&link->poll, UV_READABLE, on_readable);
    if (code < 0) {
        vip_link_close(link);
        return diag_fail(diag, code, "cannot watch a raw socket: %s", uv_strerror(code));
    }
    *ret_link = link;
    return 0;
}

int vip_link_send(struct vip_link *link, const uint8_t *frame, size_t frame_bytes)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = link->index, .sll_halen = VIP_MAC_BYTES};
    memcpy(to.sll_addr, frame, VIP_MAC_BYTES);
    to.sll_protocol = htons((uint16_t)((unsigned)frame[12] << 8 | frame[13]));
    ssize_t sent = sendto(link->fd, frame, frame_bytes, MSG_DONTWAIT, (const struct sockaddr *)&to,
                          sizeof(to));
    return sent < 0 ? -errno : 0;
}

void vip_link_close(struct vip_link *link)
{
    if (link == NULL)
        return;
    link->fn = NULL;
    (void)uv_poll_stop(&link->poll);
    uv_close((uv_handle_t *)&link->poll, on_closed);
}
