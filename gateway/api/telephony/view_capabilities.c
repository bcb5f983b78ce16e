#include "gateway/api/telephony/view.h"

#include "lib/common/common.h"

/* Sets of states. */
#define IN(id)  (1U << MEDIA_##id)
#define IN_TALK (IN(ACTIVE) | IN(HELD))
#define IN_ANY_CALL                                                                                \
    (IN(OFF_HOOK) | IN(RELEASING) | IN(DIALING) | IN(HELD) | IN(RINGING_INCOMING) |                \
     IN(RINGING_OUTGOING) | IN(ACTIVE))

struct row {
    size_t field;          /* a struct repr_bool of the view */
    const char *operation; /* of this release; NULL: not offered yet, hence never announced */
    unsigned states;       /* of the call, leg or device */
};

#define CALL_FIELD(name)   offsetof(struct call_capabilities_view, name)
#define LEG_FIELD(name)    offsetof(struct leg_capabilities_view, name)
#define DEVICE_FIELD(name) offsetof(struct device_capabilities_view, name)

/* clang-format off */
static const struct row call_rows[] = {
    /* capability                          operation                       possible in */
    {CALL_FIELD(transfer),                 NULL,                           IN(RINGING_OUTGOING) | IN(ACTIVE)},
    {CALL_FIELD(blind_transfer),           NULL,                           IN(ACTIVE)},
    {CALL_FIELD(merge),                    NULL,                           IN(ACTIVE)},
    {CALL_FIELD(redirect),                 NULL,                           IN(RINGING_INCOMING)},
    {CALL_FIELD(picked_up),                NULL,                           IN(RINGING_INCOMING)},
    {CALL_FIELD(redirect_to_voice_mail),   NULL,                           IN(RINGING_INCOMING)},
    {CALL_FIELD(overflow_to_voice_mail),   NULL,                           IN(RINGING_OUTGOING)},
    {CALL_FIELD(drop_me),                  "POST calls/{callRef}/dropme",  IN_TALK},
    {CALL_FIELD(terminate),                "DELETE calls/{callRef}",       IN_ANY_CALL},
    {CALL_FIELD(call_back),                NULL,                           IN(RELEASING) | IN(RINGING_OUTGOING)},
    {CALL_FIELD(park),                     NULL,                           IN(ACTIVE)},
    {CALL_FIELD(start_record),             NULL,                           IN(ACTIVE)},
};

static const struct row leg_rows[] = {
    {LEG_FIELD(answer),                    "POST calls/{callRef}/answer",  IN(RINGING_INCOMING)},
    {LEG_FIELD(drop),                      "POST basicCall/dropme",        IN_ANY_CALL & ~IN(RINGING_INCOMING)},
    {LEG_FIELD(hold),                      NULL,                           IN(ACTIVE)},
    {LEG_FIELD(retrieve),                  NULL,                           IN(HELD)},
    {LEG_FIELD(reconnect),                 NULL,                           IN(HELD)},
    {LEG_FIELD(send_dtmf),                 NULL,                           IN(ACTIVE)},
};

/* A second call beside an active one is an enquiry call, which this release has not: hence a row of
 * its own. */
static const struct row device_rows[] = {
    {DEVICE_FIELD(make_call),              "POST calls",                   IN(IDLE)},
    {DEVICE_FIELD(make_call),              NULL,                           IN_TALK},
    {DEVICE_FIELD(make_business_call),     NULL,                           IN(IDLE) | IN_TALK},
    {DEVICE_FIELD(make_private_call),      NULL,                           IN(IDLE)},
    {DEVICE_FIELD(un_park_call),           NULL,                           IN(IDLE) | IN_TALK},
};
/* clang-format on */

static void set_from(const struct row *rows, size_t count, enum media_state state, void *view)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].operation != NULL && (rows[i].states & 1U << state) != 0)
            *(struct repr_bool *)(void *)((char *)view + rows[i].field) =
                (struct repr_bool){.set = true, .value = true};
    }
}

void view_set_call_capabilities(enum media_state state, struct call_capabilities_view *out)
{
    out->add_medias.set = true;
    set_from(call_rows, COUNT_OF(call_rows), state, out);
}

void view_set_leg_capabilities(enum media_state state, struct leg_capabilities_view *out)
{
    set_from(leg_rows, COUNT_OF(leg_rows), state, out);
}

void view_set_device_capabilities(enum media_state state, struct device_capabilities_view *out)
{
    set_from(device_rows, COUNT_OF(device_rows), state, out);
}
