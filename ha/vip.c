#include "ha/vip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ha/tickle.h"
#include "ha/vip_link.h"
#include "lib/common/common.h"
#include "lib/common/timer.h"

enum {
    BURST = 5,
    SECOND_BURST_MS = 5000,
    REFRESH_MS = 60000,
    FOREIGN_INTERVAL_MS = 100,
};

struct vip {
    uv_loop_t *loop;
    struct vip_options options; /* device points to device_name */
    char device_name[IF_NAMESIZE];
    struct rtnl *rtnl;
    struct rtnl_monitor *monitor;

    struct rtnl_link device; /* index 0: not there now */
    bool carrier_told, carrier;
    struct vip_link *links[VIP_ADDRESSES_MAX]; /* one per address, NULL while the device is away */
    uint64_t foreign_at_ms[VIP_ADDRESSES_MAX];

    bool held;
    struct timer *announce_timer;
    unsigned announced_bursts;

    vip_probe_fn probe_done; /* NULL: no probe runs */
    void *probe_context;
    unsigned probes_sent;
    struct timer *probe_timer;
};

/* --- the device and its raw sockets -------------------------------------------------------- */

static void close_links(struct vip *vip)
{
    for (unsigned i = 0; i < VIP_ADDRESSES_MAX; i++) {
        vip_link_close(vip->links[i]);
        vip->links[i] = NULL;
    }
}

static void on_frame(void *context, const uint8_t *frame, size_t frame_bytes);

static int open_links(struct vip *vip, struct diag *diag)
{
    for (unsigned i = 0; i < vip->options.address_count; i++) {
        if (vip->links[i] != NULL)
            continue;
        int code = vip_link_open(vip->loop, vip->device.index, &vip->options.addresses[i], on_frame,
                                 vip, &vip->links[i], diag);
        if (code < 0)
            return code;
    }
    return 0;
}

static void tell_carrier(struct vip *vip)
{
    const bool carrier = vip->device.index != 0 && vip->device.carrier;
    if (vip->carrier_told && carrier == vip->carrier)
        return;
    vip->carrier_told = true;
    vip->carrier = carrier;
    if (vip->options.on_carrier != NULL)
        vip->options.on_carrier(vip->options.context, carrier);
}

/* A replaced device has another index: its sockets are opened anew. */
static int adopt_device(struct vip *vip, const struct rtnl_link *device, struct diag *diag)
{
    if (device->index != vip->device.index)
        close_links(vip);
    vip->device = *device;
    return open_links(vip, diag);
}

/* Asks the kernel, since the monitor's news may be a loop turn late. */
static int find_device(struct vip *vip, struct diag *diag)
{
    struct rtnl_link device;
    int code = rtnl_link_find(vip->rtnl, vip->device_name, &device, diag);
    return code < 0 ? code : adopt_device(vip, &device, diag);
}

/* --- announcing ---------------------------------------------------------------------------- */

static int send_packet(struct vip *vip, unsigned index, enum vip_packet kind)
{
    if (vip->links[index] == NULL)
        return -ENODEV;
    uint8_t frame[VIP_PACKET_MAX_BYTES];
    size_t frame_bytes =
        vip_packet_build(kind, &vip->options.addresses[index], vip->device.mac, frame);
    return vip_link_send(vip->links[index], frame, frame_bytes);
}

/* A lost announcement is repeated by the next one: errors are not worth a word here. */
static void announce_one(struct vip *vip, unsigned index)
{
    (void)send_packet(vip, index, VIP_PACKET_ANNOUNCE_REQUEST);
    if (vip->options.addresses[index].family == AF_INET)
        (void)send_packet(vip, index, VIP_PACKET_ANNOUNCE_REPLY);
}

static void announce(struct vip *vip, unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < vip->options.address_count; i++)
            announce_one(vip, i);
}

static void on_announce_timer(void *context)
{
    struct vip *vip = context;
    announce(vip, vip->announced_bursts < 2 ? BURST : 1);
    vip->announced_bursts = 2;
    timer_start(vip->announce_timer, REFRESH_MS, 0);
}

void vip_announce(struct vip *vip)
{
    if (!vip->held)
        return;
    announce(vip, BURST);
    vip->announced_bursts = 1;
    timer_start(vip->announce_timer, SECOND_BURST_MS, 0);
}

/* --- probing ------------------------------------------------------------------------------- */

static void finish_probe(struct vip *vip, const struct vip_probe_result *result)
{
    vip_probe_fn done = vip->probe_done;
    vip->probe_done = NULL;
    timer_stop(vip->probe_timer);
    done(vip->probe_context, result);
}

static int send_probes(struct vip *vip)
{
    for (unsigned i = 0; i < vip->options.address_count; i++) {
        int code = send_packet(vip, i, VIP_PACKET_PROBE);
        if (code < 0)
            return code;
    }
    return 0;
}

static void on_probe_timer(void *context)
{
    struct vip *vip = context;
    if (vip->probe_done == NULL)
        return;
    if (vip->probes_sent == VIP_PROBES) {
        finish_probe(vip, &(struct vip_probe_result){0});
        return;
    }
    /* An unplugged cable answers nothing: that is not "free". */
    int code = vip->device.index != 0 && vip->device.carrier ? send_probes(vip) : -ENETDOWN;
    if (code < 0) {
        finish_probe(vip, &(struct vip_probe_result){.error = code});
        return;
    }
    vip->probes_sent++;
    timer_start(vip->probe_timer, VIP_PROBE_INTERVAL_MS, 0);
}

int vip_probe(struct vip *vip, vip_probe_fn done, void *context, struct diag *diag)
{
    if (vip->probe_done != NULL)
        return diag_fail(diag, -EBUSY, "a probe for the virtual address is running already");
    int code = find_device(vip, diag);
    if (code < 0)
        return code;
    vip->probe_done = done;
    vip->probe_context = context;
    vip->probes_sent = 0;
    timer_start(vip->probe_timer, 0, 0);
    return 0;
}

void vip_probe_cancel(struct vip *vip)
{
    if (vip->probe_done != NULL)
        finish_probe(vip, &(struct vip_probe_result){.error = -ECANCELED});
}

/* --- hearing others ------------------------------------------------------------------------ */

static void hear_foreign(struct vip *vip, unsigned index, enum vip_claim claim, const uint8_t *mac)
{
    const int family = vip->options.addresses[index].family;
    const uint64_t now_ms = common_boot_ms();
    if (now_ms >= vip->foreign_at_ms[index] + FOREIGN_INTERVAL_MS ||
        vip->foreign_at_ms[index] == 0) {
        vip->foreign_at_ms[index] = now_ms;
        if (vip->held)
            announce_one(vip, index);
        vip->options.on_foreign(vip->options.context, family, claim, mac);
    }
    if (vip->probe_done != NULL) {
        struct vip_probe_result result = {.taken = true, .family = family};
        memcpy(result.mac, mac, sizeof(result.mac));
        finish_probe(vip, &result);
    }
}

static void on_frame(void *context, const uint8_t *frame, size_t frame_bytes)
{
    struct vip *vip = context;
    for (unsigned i = 0; i < vip->options.address_count; i++) {
        uint8_t mac[VIP_MAC_BYTES];
        enum vip_claim claim = vip_packet_read(frame, frame_bytes, &vip->options.addresses[i], mac);
        if (claim == VIP_CLAIM_NONE || memcmp(mac, vip->device.mac, sizeof(mac)) == 0)
            continue;
        hear_foreign(vip, i, claim, mac);
        return; /* a frame speaks of one address; the vip may be freed by now */
    }
}

/* --- news from the kernel ------------------------------------------------------------------ */

/* The event may be older than a later claim: only the kernel's present answer counts. */
static void check_held(struct vip *vip, unsigned index)
{
    struct rtnl_link link;
    if (!vip->held || rtnl_link_by_address(vip->rtnl, &vip->options.addresses[index], &link,
                                           NULL) != -EADDRNOTAVAIL)
        return;
    if (vip->options.on_lost != NULL)
        vip->options.on_lost(vip->options.context, vip->options.addresses[index].family);
}

static void on_link_event(struct vip *vip, const struct rtnl_event *event)
{
    const struct rtnl_link *link = &event->link;
    const bool ours = strcmp(link->name, vip->device_name) == 0;
    if (event->kind == RTNL_LINK_CHANGED && ours) {
        /* A raw socket that cannot be opened now is tried again by the next probe or claim. */
        (void)adopt_device(vip, link, NULL);
    } else if (link->index == vip->device.index) { /* removed or renamed */
        close_links(vip);
        vip->device = (struct rtnl_link){0};
    } else {
        return;
    }
    tell_carrier(vip);
}

static void on_kernel_event(void *context, const struct rtnl_event *event)
{
    struct vip *vip = context;
    switch (event->kind) {
    case RTNL_LINK_CHANGED:
    case RTNL_LINK_REMOVED:
        on_link_event(vip, event);
        break;
    case RTNL_ADDRESS_REMOVED:
        for (unsigned i = 0; i < vip->options.address_count; i++)
            if (rtnl_addr_same_host(&vip->options.addresses[i], &event->address.addr)) {
                check_held(vip, i);
                return;
            }
        break;
    case RTNL_RESYNC:
        /* When the device is among the links that follow, its events correct this at once. */
        if (vip->device.index != 0 && find_device(vip, NULL) == -ENODEV) {
            close_links(vip);
            vip->device = (struct rtnl_link){0};
        }
        tell_carrier(vip);
        break;
    case RTNL_ADDRESS_ADDED:
        break;
    }
}

/* --- life ---------------------------------------------------------------------------------- */

static int check_options(const struct vip_options *options, struct diag *diag)
{
    if (options->device == NULL || options->device[0] == '\0' ||
        strlen(options->device) >= IF_NAMESIZE)
        return diag_fail(diag, -EINVAL, "the virtual address needs the name of a network device");
    if (options->address_count == 0 || options->address_count > VIP_ADDRESSES_MAX)
        return diag_fail(diag, -EINVAL, "one or two virtual addresses, not %u",
                         options->address_count);
    for (unsigned i = 0; i < options->address_count; i++)
        if (options->addresses[i].family != AF_INET && options->addresses[i].family != AF_INET6)
            return diag_fail(diag, -EINVAL, "virtual address %u is missing", i + 1);
    if (options->lifetime_s == 0 || options->lifetime_s > 3600)
        return diag_fail(diag, -EINVAL,
                         "the virtual address's lifetime must be 1 to 3600 s, not %u",
                         options->lifetime_s);
    return options->on_foreign != NULL
               ? 0
               : diag_fail(diag, -EINVAL, "the virtual address needs a conflict listener");
}

int vip_new(uv_loop_t *loop, const struct vip_options *options, struct vip **ret_vip,
            struct diag *diag)
{
    int code = check_options(options, diag);
    if (code < 0)
        return code;
    struct vip *vip = calloc(1, sizeof(*vip));
    if (vip == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the virtual address");
    vip->loop = loop;
    vip->options = *options;
    (void)snprintf(vip->device_name, sizeof(vip->device_name), "%s", options->device);
    vip->options.device = vip->device_name;
    vip->announce_timer = timer_new(loop, on_announce_timer, vip);
    vip->probe_timer = timer_new(loop, on_probe_timer, vip);
    code = vip->announce_timer != NULL && vip->probe_timer != NULL
               ? rtnl_new(&vip->rtnl, diag)
               : diag_fail(diag, -ENOMEM, "no memory for the virtual address");
    if (code == 0)
        code = rtnl_monitor_new(loop, on_kernel_event, vip, &vip->monitor, diag);
    if (code == 0)
        code = find_device(vip, diag);
    if (code == -ENODEV) /* it may come later; the monitor will say so */
        code = 0;
    if (code < 0) {
        vip_free(vip);
        return code;
    }
    *ret_vip = vip;
    return 0;
}

void vip_free(struct vip *vip)
{
    if (vip == NULL)
        return;
    vip_probe_cancel(vip);
    close_links(vip);
    timer_free(vip->announce_timer);
    timer_free(vip->probe_timer);
    rtnl_monitor_free(vip->monitor);
    rtnl_free(vip->rtnl);
    free(vip); /* every uv handle belongs to a part that closes itself */
}

/* --- claiming and dropping ----------------------------------------------------------------- */

int vip_claim(struct vip *vip, struct diag *diag)
{
    int code = find_device(vip, diag);
    if (code < 0)
        return code;
    for (unsigned i = 0; i < vip->options.address_count && code == 0; i++)
        code = rtnl_address_set(vip->rtnl, vip->device.index, &vip->options.addresses[i],
                                vip->options.lifetime_s, diag);
    if (code < 0) {
        (void)vip_drop(vip, NULL);
        return code;
    }
    if (vip->options.watchdog != NULL)
        watchdog_set_addresses(vip->options.watchdog, vip->device.index, vip->options.addresses,
                               vip->options.address_count, vip->options.lifetime_s);
    vip->held = true;
    vip_announce(vip);
    return 0;
}

static int remove_addresses(struct vip *vip, struct diag *diag)
{
    int worst = 0;
    for (unsigned i = 0; i < vip->options.address_count; i++) {
        int code =
            rtnl_address_remove_everywhere(vip->rtnl, &vip->options.addresses[i], NULL, diag);
        if (code < 0)
            worst = code; /* the other address goes all the same */
    }
    return worst;
}

int vip_clean_up(struct vip *vip, struct diag *diag)
{
    vip->held = false;
    timer_stop(vip->announce_timer);
    if (vip->options.watchdog != NULL)
        watchdog_clear_addresses(vip->options.watchdog);
    return remove_addresses(vip, diag);
}

static void reset_connections(struct vip *vip)
{
    for (unsigned i = 0; i < vip->options.address_count; i++)
        (void)tickle_reset_own(&vip->options.addresses[i], NULL);
}

int vip_drop(struct vip *vip, struct diag *diag)
{
    vip->held = false;
    timer_stop(vip->announce_timer);
    if (vip->options.watchdog != NULL)
        watchdog_clear_addresses(vip->options.watchdog);
    /* Before the address goes, since the kernel sends a reset only from an address it has; once
     * more afterwards for whoever reconnected in between (he finds the new owner by his own next
     * packet). */
    reset_connections(vip);
    int code = remove_addresses(vip, diag);
    reset_connections(vip);
    return code;
}

bool vip_is_held(const struct vip *vip)
{
    return vip->held;
}

bool vip_get_mac(const struct vip *vip, uint8_t ret_mac[VIP_MAC_BYTES])
{
    if (vip->device.index == 0)
        return false;
    memcpy(ret_mac, vip->device.mac, VIP_MAC_BYTES);
    return true;
}

bool vip_has_carrier(const struct vip *vip)
{
    return vip->device.index != 0 && vip->device.carrier;
}
