/* membership_link.h - the helper thread of membership.h: everything of corosync that may block.
 *
 * The thread connects and joins, hands the connected handle over, and is given it back for
 * finalizing. It reads cmap and votequorum in between. It shares one reference-counted object with
 * the loop, so that a thread that hangs in a stopped corosync can be left behind. */
#ifndef OG_HA_MEMBERSHIP_LINK_H
#define OG_HA_MEMBERSHIP_LINK_H

#include "ha/membership.h"

#include <corosync/cpg.h>
#include <stdbool.h>
#include <stdint.h>

struct membership_link;

struct membership_link_options {
    const char *group;
    cpg_model_v1_data_t model;   /* the loop's callbacks */
    void *cpg_context;           /* cpg_context_get() in them */
    void (*wake)(void *context); /* a handle is ready; called from the thread */
    void *context;
};

int membership_link_new(const struct membership_link_options *options,
                        struct membership_link **ret_link, struct diag *diag);
/* The ready handle, once: true when there is one. */
bool membership_link_take(struct membership_link *link, cpg_handle_t *ret_handle,
                          uint32_t *ret_node_id);
/* Gives a broken (or no longer wanted) handle back; the thread finalizes it and connects again. */
void membership_link_return(struct membership_link *link, cpg_handle_t handle);
void membership_link_get_info(struct membership_link *link, struct membership_info *ret_info);
/* No wake comes any more once this returns. The thread ends by itself. */
void membership_link_leave(struct membership_link *link);

#endif
