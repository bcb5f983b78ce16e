/* journal.h - the history of decisions: one JSON object a line, on the local disk, across reboots.
 *
 * Written by the thread pool with fdatasync; at most JOURNAL_MAX_BYTES are kept in two files, the
 * older one as PATH.1. What a power cut tore or zeroed is skipped when reading, wherever it stands,
 * and never swallows the entry that is written next. */
#ifndef OG_SOLUTION_JOURNAL_H
#define OG_SOLUTION_JOURNAL_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { JOURNAL_MAX_BYTES = 4 * 1024 * 1024 };

struct journal_entry {
    const char *event;  /* "transition", "order", "fence", "alarm", "start", … */
    const char *text;   /* a sentence */
    const char *from, *to; /* phases, or NULL */
    unsigned row;       /* rule, 0: none */
    uint64_t term;
};

struct journal;

int journal_open(uv_loop_t *loop, const char *path, struct journal **ret_journal,
                 struct diag *diag);
void journal_write(struct journal *journal, const struct journal_entry *entry);
/* Calls done once everything written so far is on the disk, or after limit_ms. */
void journal_flush(struct journal *journal, uint64_t limit_ms, void (*done)(void *context),
                   void *context);
/* Appends the newest entries (at most limit) not older than since (seconds since 1970) to out as a JSON
 * array, in the order of writing; a clock that was set back hides nothing. Blocks: reads up to JOURNAL_MAX_BYTES. */
int journal_read(const char *path, unsigned limit, int64_t since_s, struct buf *out,
                 struct diag *diag);
void journal_close(struct journal *journal); /* writes what waits */

#endif
