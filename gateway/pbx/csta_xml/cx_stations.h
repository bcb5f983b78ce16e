/* cx_stations.h - the list of stations, gathered from the segments in which a PBX sends it. Pure.
 *
 * Taken are stations whose number is made of digits, each number once (the first wins). A fully
 * qualified identifier gives the name, and by displayNumber the user's main device: a number that
 * is in the list too and is itself a main device, else the device is one itself.
 *
 * Segments come in order; one that comes twice is skipped, one that is missing spoils the list.
 * Source: ECMA-269 13.1 (switching function devices), identifiers as products write them. */
#ifndef OG_GATEWAY_CX_STATIONS_H
#define OG_GATEWAY_CX_STATIONS_H

#include "gateway/pbx/pbx.h"
#include "lib/csta/csta.h"

enum { CX_STATIONS_MAX = 100000 };

struct cx_stations;
struct cx_stations *cx_stations_new(void); /* NULL: no memory */
void cx_stations_free(struct cx_stations *stations);
/* One device. 0, also when it is not wanted; -EOVERFLOW: too many; -ENOMEM. */
int cx_stations_add(struct cx_stations *stations, const struct csta_listed_device *device);
/* A segment. 1: it was the last one, 0: more are to come; -EPROTO: one is missing; as above. */
int cx_stations_add_segment(struct cx_stations *stations, const struct csta_message *segment);
/* The list in the PBX's order; lives until the next call. NULL: no memory or nothing in it. */
const struct pbx_device *cx_stations_list(struct cx_stations *stations, size_t *ret_count);

/* "DECT 8262" -> DEVICE_TYPE_DECT and so on; what is not known is a desk phone. */
enum device_type cx_device_type_of(const char *model);

#endif
