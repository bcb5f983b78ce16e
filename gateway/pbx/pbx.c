#include "gateway/pbx/pbx.h"

#define NAME(id, text) text,

const char *pbx_local_name(enum pbx_local local)
{
    static const char *const names[] = {PBX_LOCALS(NAME)};
    return (unsigned)local < PBX_LOCAL_COUNT ? names[local] : "?";
}

const char *pbx_event_name(enum pbx_event_type type)
{
    static const char *const names[] = {PBX_EVENTS(NAME)};
    return (unsigned)type < PBX_EVENT_COUNT ? names[type] : "?";
}

int pbx_make_call(struct pbx *pbx, const struct pbx_make_call *call, pbx_done_fn done,
                  void *context)
{
    return pbx->ops->make_call(pbx, call, done, context);
}

int pbx_answer(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
               void *context)
{
    return pbx->ops->answer(pbx, call_id, device, done, context);
}

int pbx_clear_connection(struct pbx *pbx, const char *call_id, const char *device, pbx_done_fn done,
                         void *context)
{
    return pbx->ops->clear_connection(pbx, call_id, device, done, context);
}

int pbx_monitor(struct pbx *pbx, const char *device)
{
    return pbx->ops->monitor(pbx, device);
}

void pbx_unmonitor(struct pbx *pbx, const char *device)
{
    pbx->ops->unmonitor(pbx, device);
}

void pbx_hasten(struct pbx *pbx, const char *device)
{
    pbx->ops->hasten(pbx, device);
}

void pbx_close(struct pbx *pbx)
{
    if (pbx != NULL)
        pbx->ops->close(pbx);
}
