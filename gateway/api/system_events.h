/* system_events.h - events of package system, for administrators (contract of the maintenance
 * service, section Events). */
#ifndef OG_GATEWAY_SYSTEM_EVENTS_H
#define OG_GATEWAY_SYSTEM_EVENTS_H

#include <stdbool.h>

struct gateway;
/* OnCtiLinkUp or OnCtiLinkDown. */
void system_events_cti_link(struct gateway *gateway, const char *node, bool up);

#endif
