#include "gateway/api/system_events.h"

#include "gateway/events/bus.h"
#include "gateway/gateway.h"
#include "lib/common/buf.h"

void system_events_cti_link(struct gateway *gateway, const char *node, bool up)
{
    struct buf line = {0};
    buf_addf(&line, "{\"eventName\":\"%s\",\"nodeId\":", up ? "OnCtiLinkUp" : "OnCtiLinkDown");
    buf_add_json_string(&line, node);
    buf_adds(&line, "}");
    (void)bus_publish(&gateway->subscriptions, EVENT_PACKAGE_SYSTEM, NULL, &line);
}
