/* durable.h - struct arb_durable on the local disk, surviving a power cut at any moment.
 *
 * One preallocated file with two slots, 4 KiB apart. A write goes to the slot that does not hold
 * the newest state, then fdatasync; so one whole state is on the disk at any time, and writing
 * needs no free space. A slot counts only with magic, version and checksum in order; the higher
 * counter wins. A file without a whole slot is not repaired: what the node once promised is unknown
 * then, and the daemon must WAIT (struct arb_facts, durable_readable).
 *
 * All functions block (disk): call them on the thread pool, one at a time per file. */
#ifndef OG_HA_DURABLE_H
#define OG_HA_DURABLE_H

#include "ha/arbiter.h"
#include "lib/common/diag.h"

/* For the installer: makes the file anew (atomically, mode 0600) with this state. An existing file
 * is kept and -EEXIST returned. -ENOSPC, -EACCES, -EINVAL for a state that is none. */
int durable_create(const char *path, const struct arb_durable *state, struct diag *diag);

/* The newest whole state. -ENODATA: no file. -EBADMSG: no whole slot. -EPROTONOSUPPORT: written by
 * a newer program. On an error ret_state is untouched. */
int durable_read(const char *path, struct arb_durable *ret_state, struct diag *diag);

/* On return 0 the state is on the disk. On an error the state before it, or this one, is there.
 * Errors as durable_read(): what is not readable is not written either. */
int durable_write(const char *path, const struct arb_durable *state, struct diag *diag);

enum { DURABLE_SLOT_BYTES = 512, DURABLE_SLOT_STEP_BYTES = 4096, DURABLE_FILE_BYTES = 8192 };

#endif
