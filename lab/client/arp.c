/* arp.c - who holds the service address, as everybody on the client LAN sees it.
 *
 * Asks "who has ADDRESS" every --every ms and notes each machine that answers or announces it. A
 * machine holds the address from its first to its last answer, as long as no more than SPAN_GAP_MS
 * lie between two. Two machines whose times overlap were both there: that is two_active_ms.
 * The record: CLAIM MS MAC when another machine than before is heard.
 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SPANS = 500, SPAN_GAP_MS = 300 };

struct span {
    unsigned char mac[ETH_ALEN];
    int64_t begin_ms, end_ms; /* wall clock */
};

struct arp_watch {
    int fd;
    struct sockaddr_ll link; /* where requests go to */
    struct ether_arp request;
    struct client_record record;
    unsigned char last_mac[ETH_ALEN];
    unsigned answers;
    unsigned span_count;
    struct span spans[MAX_SPANS];
};

static void mac_text(const unsigned char *mac, char *text, size_t size)
{
    (void)snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                   mac[4], mac[5]);
}

static void note_claim(struct arp_watch *watch, const unsigned char *mac)
{
    char text[24];
    int64_t now_ms = client_wall_ms();
    struct span *span = NULL;

    watch->answers++;
    if (memcmp(mac, watch->last_mac, ETH_ALEN) != 0) {
        mac_text(mac, text, sizeof(text));
        client_record_line(&watch->record, "CLAIM %lld %s", (long long)now_ms, text);
        memcpy(watch->last_mac, mac, ETH_ALEN);
    }
    for (unsigned i = watch->span_count; i > 0 && span == NULL; i--)
        if (memcmp(watch->spans[i - 1].mac, mac, ETH_ALEN) == 0)
            span = &watch->spans[i - 1];
    if (span != NULL && now_ms - span->end_ms <= SPAN_GAP_MS) {
        span->end_ms = now_ms;
        return;
    }
    if (watch->span_count == MAX_SPANS)
        return;
    span = &watch->spans[watch->span_count++];
    memcpy(span->mac, mac, ETH_ALEN);
    span->begin_ms = span->end_ms = now_ms;
}

static int arp_open(struct arp_watch *watch, const struct client_options *options)
{
    struct ifreq request = {0};
    struct in_addr address;
    struct in_addr own = {0};

    if (inet_pton(AF_INET, options->address, &address) != 1 ||
        strlen(options->interface) >= sizeof(request.ifr_name))
        return -EINVAL;
    watch->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
    if (watch->fd < 0)
        return -errno;
    memcpy(request.ifr_name, options->interface, strlen(options->interface) + 1);
    if (ioctl(watch->fd, SIOCGIFINDEX, &request) < 0)
        return -errno;
    watch->link = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ARP),
        .sll_ifindex = request.ifr_ifindex,
        .sll_halen = ETH_ALEN,
    };
    if (bind(watch->fd, (struct sockaddr *)&watch->link, sizeof(watch->link)) < 0)
        return -errno;
    memset(watch->link.sll_addr, 0xff, ETH_ALEN);
    if (ioctl(watch->fd, SIOCGIFHWADDR, &request) < 0)
        return -errno;
    memcpy(watch->request.arp_sha, request.ifr_hwaddr.sa_data, ETH_ALEN);

    int inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (inet >= 0 && ioctl(inet, SIOCGIFADDR, &request) == 0) {
        struct sockaddr_in found;
        memcpy(&found, &request.ifr_addr, sizeof(found));
        own = found.sin_addr;
    }
    if (inet >= 0)
        (void)close(inet);
    watch->request.ea_hdr = (struct arphdr){
        .ar_hrd = htons(ARPHRD_ETHER),
        .ar_pro = htons(ETH_P_IP),
        .ar_hln = ETH_ALEN,
        .ar_pln = sizeof(own),
        .ar_op = htons(ARPOP_REQUEST),
    };
    memcpy(watch->request.arp_spa, &own, sizeof(own));
    memcpy(watch->request.arp_tpa, &address, sizeof(address));
    return 0;
}

static void arp_read(struct arp_watch *watch)
{
    struct ether_arp packet;
    struct sockaddr_ll from;
    socklen_t from_length = sizeof(from);
    ssize_t length = recvfrom(watch->fd, &packet, sizeof(packet), MSG_DONTWAIT,
                              (struct sockaddr *)&from, &from_length);

    if (length < (ssize_t)sizeof(packet) || from.sll_pkttype == PACKET_OUTGOING)
        return;
    /* the sender says that it has the address: an answer or an announcement; a probe does not */
    if (memcmp(packet.arp_spa, watch->request.arp_tpa, sizeof(packet.arp_spa)) == 0)
        note_claim(watch, packet.arp_sha);
}

static void arp_loop(struct arp_watch *watch, const struct client_options *options)
{
    int64_t deadline_ms = client_deadline(options);
    int64_t next_ms = client_mono_ms();

    while (!client_over(deadline_ms)) {
        int64_t now_ms = client_mono_ms();
        if (now_ms >= next_ms) {
            (void)sendto(watch->fd, &watch->request, sizeof(watch->request), MSG_DONTWAIT,
                         (struct sockaddr *)&watch->link, sizeof(watch->link));
            next_ms = now_ms + options->every_ms;
        }
        struct pollfd poll_fd = {.fd = watch->fd, .events = POLLIN};
        int64_t wait_ms = next_ms - client_mono_ms();
        if (poll(&poll_fd, 1, wait_ms > 0 ? (int)wait_ms : 0) > 0)
            arp_read(watch);
    }
}

/* Time in which two different machines held the address. */
static int64_t overlap_ms(const struct arp_watch *watch)
{
    int64_t sum_ms = 0;
    for (unsigned i = 0; i < watch->span_count; i++)
        for (unsigned j = i + 1; j < watch->span_count; j++) {
            const struct span *one = &watch->spans[i];
            const struct span *two = &watch->spans[j];
            if (memcmp(one->mac, two->mac, ETH_ALEN) == 0)
                continue;
            int64_t begin_ms = one->begin_ms > two->begin_ms ? one->begin_ms : two->begin_ms;
            int64_t end_ms = one->end_ms < two->end_ms ? one->end_ms : two->end_ms;
            if (end_ms > begin_ms)
                sum_ms += end_ms - begin_ms;
        }
    return sum_ms;
}

static void print_result(const struct arp_watch *watch)
{
    char text[24];
    (void)printf("{\"answers\":%u,\"two_active_ms\":%lld,\"holders\":[", watch->answers,
                 (long long)overlap_ms(watch));
    for (unsigned i = 0; i < watch->span_count; i++) {
        mac_text(watch->spans[i].mac, text, sizeof(text));
        (void)printf("%s{\"mac\":\"%s\",\"begin_ms\":%lld,\"end_ms\":%lld}", i > 0 ? "," : "", text,
                     (long long)watch->spans[i].begin_ms, (long long)watch->spans[i].end_ms);
    }
    (void)puts("]}");
}

int client_run_arp(const struct client_options *options)
{
    static struct arp_watch watch;
    int status = 1;

    watch.fd = -1;
    if (client_record_open(&watch.record, options->out_file) < 0)
        return 1;
    int r = arp_open(&watch, options);
    if (r < 0) {
        fprintf(stderr, "og-lab-client: arp on %s: %s\n", options->interface, strerror(-r));
    } else {
        arp_loop(&watch, options);
        print_result(&watch);
        status = watch.answers > 0 ? 0 : 1;
    }
    if (watch.fd >= 0)
        (void)close(watch.fd);
    client_record_close(&watch.record);
    return status;
}
