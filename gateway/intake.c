#include "gateway/intake.h"

#include "gateway/api/system_events.h"
#include "gateway/directory.h"
#include "gateway/gateway.h"
#include "gateway/model/calls.h"

/* The driver has said why in the log. */
static void on_link(void *context, struct pbx *pbx, bool up, const char *why)
{
    struct gateway *gateway = context;
    (void)why;
    if (!up)
        calls_link_down(gateway->calls, pbx);
    system_events_cti_link(gateway, pbx->node, up);
}

static void on_directory(void *context, struct pbx *pbx, const struct pbx_device *devices,
                         size_t count)
{
    directory_apply(context, pbx->node, devices, count);
}

static void on_device_state(void *context, struct pbx *pbx, const char *number,
                            enum operational_state state)
{
    struct gateway *gateway = context;
    (void)pbx;
    calls_device_state(gateway->calls, number, state);
}

static bool on_call(void *context, struct pbx *pbx, const struct pbx_event *event)
{
    struct gateway *gateway = context;
    return calls_event(gateway->calls, pbx, event);
}

static void on_snapshot(void *context, struct pbx *pbx, const char *number,
                        const struct pbx_snapshot_call *calls, size_t count)
{
    struct gateway *gateway = context;
    calls_snapshot(gateway->calls, pbx, number, calls, count);
}

void intake_events(struct gateway *gateway, struct pbx_events *ret_events)
{
    *ret_events = (struct pbx_events){.link = on_link,
                                      .directory = on_directory,
                                      .device_state = on_device_state,
                                      .call = on_call,
                                      .snapshot = on_snapshot,
                                      .context = gateway};
}
