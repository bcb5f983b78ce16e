/* pdu_log.h - the last PDUs in and out, for people and tests. Pure apart from its own memory. */
#ifndef OG_SIMULATOR_PDU_LOG_H
#define OG_SIMULATOR_PDU_LOG_H

#include "lib/common/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { PDU_LOG_ENTRIES = 1000, PDU_LOG_XML_BYTES = 8192 };

struct pdu_log_entry {
    uint64_t number; /* from 1, without gaps */
    int64_t at_ms;   /* since 1970 */
    uint64_t link;   /* of which connection */
    bool is_out;
    unsigned invoke;
    unsigned copies; /* that went out: 0 lost on purpose, 2 doubled on purpose; 1 for PDUs in */
    char *xml;       /* the first PDU_LOG_XML_BYTES of it */
};

struct pdu_log { /* start it as {0} */
    struct pdu_log_entry entries[PDU_LOG_ENTRIES];
    uint64_t count; /* of all PDUs ever; entry n is at (n - 1) % PDU_LOG_ENTRIES */
};

/* Takes the entry but for number and xml, which it sets from the bytes. */
void pdu_log_add(struct pdu_log *log, const struct pdu_log_entry *entry, const char *xml,
                 size_t len_bytes);
/* Appends [{"number":1,"at":"…","link":1,"direction":"out","invoke":"0001","copies":1,"xml":"…"},…]
 * of the entries with a number above `since`, oldest first. */
void pdu_log_write(const struct pdu_log *log, uint64_t since, struct buf *out);
void pdu_log_done(struct pdu_log *log);

#endif
