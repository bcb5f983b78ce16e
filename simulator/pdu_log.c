#include "simulator/pdu_log.h"

#include "lib/common/utf8.h"
#include "lib/http/repr.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A copy that is a text whatever came: JSON has no place for other bytes. */
static char *text_of(const char *xml, size_t len_bytes)
{
    if (len_bytes > PDU_LOG_XML_BYTES)
        len_bytes = PDU_LOG_XML_BYTES;
    char *text = malloc(len_bytes + 1);
    if (text == NULL)
        return NULL;
    for (size_t at = 0; at < len_bytes;) {
        size_t chars = xml[at] != '\0' ? utf8_next(xml + at, len_bytes - at, NULL) : 0;
        if (chars == 0)
            text[at++] = '?';
        for (size_t end = at + chars; chars > 0 && at < end; at++)
            text[at] = xml[at];
    }
    text[len_bytes] = '\0';
    return text;
}

void pdu_log_add(struct pdu_log *log, const struct pdu_log_entry *entry, const char *xml,
                 size_t len_bytes)
{
    struct pdu_log_entry *place = &log->entries[log->count % PDU_LOG_ENTRIES];
    free(place->xml);
    *place = *entry;
    place->number = ++log->count;
    place->xml = text_of(xml, len_bytes);
}

static void write_entry(const struct pdu_log_entry *entry, struct buf *out)
{
    char at[REPR_DATE_TIME_CHARS];
    repr_date_time_format(entry->at_ms, at);
    buf_addf(out,
             "{\"number\":%" PRIu64 ",\"at\":\"%s\",\"link\":%" PRIu64
             ",\"direction\":\"%s\",\"invoke\":\"%04u\",\"copies\":%u,\"xml\":",
             entry->number, at, entry->link, entry->is_out ? "out" : "in", entry->invoke,
             entry->copies);
    buf_add_json_string(out, entry->xml != NULL ? entry->xml : "");
    buf_adds(out, "}");
}

void pdu_log_write(const struct pdu_log *log, uint64_t since, struct buf *out)
{
    uint64_t oldest = log->count > PDU_LOG_ENTRIES ? log->count - PDU_LOG_ENTRIES : 0;
    if (since < oldest)
        since = oldest;
    buf_adds(out, "[");
    for (uint64_t i = since; i < log->count; i++) {
        if (i > since)
            buf_adds(out, ",");
        write_entry(&log->entries[i % PDU_LOG_ENTRIES], out);
    }
    buf_adds(out, "]");
}

void pdu_log_done(struct pdu_log *log)
{
    for (size_t i = 0; i < PDU_LOG_ENTRIES; i++)
        free(log->entries[i].xml);
    *log = (struct pdu_log){0};
}
