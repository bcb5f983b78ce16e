/* vip_link.h - one raw socket that speaks ARP or IPv6 neighbour discovery on one device. */
#ifndef OG_HA_VIP_LINK_H
#define OG_HA_VIP_LINK_H

#include "lib/common/diag.h"
#include "lib/common/rtnl.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct vip_link;
/* A whole frame from another machine (or another device of this one). Never called with our own. */
typedef void (*vip_link_frame_fn)(void *context, const uint8_t *frame, size_t frame_bytes);

/* Listens for the address's family: all ARP, or neighbour solicitations and advertisements. */
int vip_link_open(uv_loop_t *loop, int link_index, const struct rtnl_addr *address,
                  vip_link_frame_fn fn, void *context, struct vip_link **ret_link,
                  struct diag *diag);
/* 0 or -errno (-ENETDOWN, -ENXIO …). */
int vip_link_send(struct vip_link *link, const uint8_t *frame, size_t frame_bytes);
void vip_link_close(struct vip_link *link); /* fn is not called any more; NULL is fine */

#endif
