/* disk_beat.h - proof of contact through the replicated disk.
 *
 * When heartbeats stay unanswered the active node writes a small record, synchronously, to a file on
 * the replicated volume. While DRBD is connected (protocol C) such a write completes only after
 * the peer's kernel has it: so at the time it was *begun* the peer was there. The thread may hang in
 * the kernel for as long as DRBD has frozen the writes; nothing waits for it.
 * All calls come from the loop's thread. */
#ifndef OG_SOLUTION_DISK_BEAT_H
#define OG_SOLUTION_DISK_BEAT_H

#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_beat;

int disk_beat_new(struct disk_beat **ret_beat, struct diag *diag);
/* Opens (creating it) the file on the mounted volume; call it before the first write order. */
int disk_beat_open(struct disk_beat *beat, const char *path, struct diag *diag);
/* Asks for one write now, unless one is under way. */
void disk_beat_write(struct disk_beat *beat);
/* CLOCK_BOOTTIME ms at which the newest completed write was begun; 0: none since opening. */
uint64_t disk_beat_acknowledged_ms(const struct disk_beat *beat);
bool disk_beat_is_writing(const struct disk_beat *beat); /* one is under way (or hangs) */
/* Closes the file, so that the volume can be unmounted. -EBUSY while a write is under way. */
int disk_beat_close(struct disk_beat *beat);
/* Ends the thread; one that hangs in the kernel is left behind with its memory. NULL is fine. */
void disk_beat_free(struct disk_beat *beat);

#endif
