/* cx_directory.h - reads the list of stations when the link is there and then every directory_s
 * seconds. A PBX that has no such list, does not answer, or stops in its middle costs a few seconds
 * at most: then the configured list is told, unless the PBX once gave its own. Monitors begin after
 * the first reading, however it went. */
#ifndef OG_GATEWAY_CX_DIRECTORY_H
#define OG_GATEWAY_CX_DIRECTORY_H

#include "lib/csta/csta.h"

enum {
    CX_SEGMENT_MS = 5000,   /* to wait for the next segment */
    CX_DIRECTORY_MS = 60000 /* for the whole list */
};

struct cx;
struct cx_stations;
struct cx_directory {             /* start it as {0} */
    struct cx_stations *stations; /* being gathered; NULL: no reading is under way */
    char *list_id;                /* of the PBX; NULL: not known yet */
    uint64_t late_ms, end_ms;     /* the reading fails then */
    uint64_t next_ms;             /* when the next one begins */
    bool settled;                 /* the first reading of this link is over */
    bool pbx_has_list;            /* it once gave one */
};

void cx_directory_start(struct cx *cx); /* the link is up */
void cx_directory_tick(struct cx *cx, uint64_t now_ms);
void cx_directory_segment(struct cx *cx, const struct csta_message *segment);
void cx_directory_clear(struct cx *cx); /* the link is gone */

#endif
