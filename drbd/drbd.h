/* drbd.h - what the room drbd/ is for, and where to begin reading.
 *
 * It is the adapter between the daemon and DRBD: it writes the resource file, reads the state that
 * the kernel reports, runs the administration commands with budgets, and carries the kernel's
 * fence-peer question to the daemon. It decides nothing: which node may be Primary, and what the
 * kernel is answered, is the arbiter's (ha/arbiter.h).
 *
 * Reading order
 *   drbdctl_resource.h    the resource file as text: settings, timer order, quoting     (pure)
 *   drbdctl_events.h      lines of `drbdsetup events2` -> struct drbdctl_state          (pure)
 *   drbdctl_generation.h  generation identifiers, comparison of two copies              (pure)
 *   drbdctl_command.h     argument lists, budgets, what exit codes and texts mean       (pure)
 *   drbdctl_link.h        event stream and commands on a uv loop                        (effects)
 *   drbdctl_fence.h       the socket on which the helper asks                           (effects)
 *   fence_peer.c          the program drbd-fence-peer, started by the kernel
 *
 * The reference is the in-kernel module 8.4 with drbd-utils 9; names of states are those which
 * `drbdsetup events2` prints there. The prefix is drbdctl_, as drbd_ belongs to the upstream
 * headers. */
#ifndef OG_DRBD_DRBD_H
#define OG_DRBD_DRBD_H

#define DRBDCTL_RESOURCE     "og"
#define DRBDCTL_DEVICE       "/dev/drbd0"
#define DRBDCTL_FENCE_HELPER "/usr/lib/open-gateway/drbd-fence-peer"
#define DRBDCTL_FENCE_SOCKET "/run/open-gateway/fence.sock"

#endif
