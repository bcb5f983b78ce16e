#include "gateway/pbx/csta_xml/cx_events.h"

#include "lib/common/common.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------------------- */

enum call_cause cx_cause_of(const char *cause)
{
    /* clang-format off */
    static const struct {
        const char *cause;
        enum call_cause means;
    } exact[] = {
        /* nothing special: the event itself says it all */
        {"normal", CAUSE_ABSENT}, {"newCall", CAUSE_ABSENT}, {"makeCall", CAUSE_ABSENT},
        {"keyOperation", CAUSE_ABSENT}, {"consultation", CAUSE_ABSENT}, {"alternate", CAUSE_ABSENT},
        {"activeMonitor", CAUSE_ABSENT}, {"networkSignal", CAUSE_ABSENT},

        {"busy", CAUSE_BUSY}, {"busyOverflow", CAUSE_BUSY},
        {"trunksBusy", CAUSE_ALL_TRUNK_BUSY}, {"selectedTrunkBusy", CAUSE_ALL_TRUNK_BUSY},
        {"networkCongestion", CAUSE_ALL_TRUNK_BUSY},
        {"normalClearing", CAUSE_CLEARED}, {"callCancelled", CAUSE_CLEARED},
        {"doNotDisturb", CAUSE_DO_NOT_DISTURB},
        {"redirected", CAUSE_REDIRECTED}, {"callPickup", CAUSE_PICKED_UP}, {"park", CAUSE_PARKED},
        {"overflow", CAUSE_OVERFLOWN}, {"queueTimeOverflow", CAUSE_OVERFLOWN},
        {"transfer", CAUSE_TRANSFERRED}, {"singleStepTransfer", CAUSE_TRANSFERRED},
        {"conference", CAUSE_CONFERENCED}, {"singleStepConference", CAUSE_CONFERENCED},
        {"callNotAnswered", CAUSE_NOT_ANSWERED}, {"alertTimeExpired", CAUSE_NOT_ANSWERED},
        {"destNotObtainable", CAUSE_DESTINATION_NOT_OBTAINABLE},
        {"networkNotObtainable", CAUSE_DESTINATION_NOT_OBTAINABLE},
        {"destOutOfOrder", CAUSE_DESTINATION_NOT_OBTAINABLE},
        {"invalidNumberFormat", CAUSE_INVALID_NUMBER}, {"numberUnallocated", CAUSE_INVALID_NUMBER},
        {"incompatibleDestination", CAUSE_INVALID_NUMBER},
        {"campOn", CAUSE_CAMP_ON}, {"campOnTrunks", CAUSE_CAMP_ON},
        {"callBack", CAUSE_CALL_BACK}, {"distributed", CAUSE_DISTRIBUTED},
        {"enteringDistribution", CAUSE_ACD_ENTER_DISTRIBUTION},
        {"noAvailableAgents", CAUSE_NO_AVAILABLE_AGENT},
        {"resourcesNotAvailable", CAUSE_RESOURCES_NOT_AVAILABLE},
        {"lockout", CAUSE_LOCKOUT},
    };
    /* clang-format on */
    if (cause == NULL)
        return CAUSE_ABSENT;
    for (size_t i = 0; i < COUNT_OF(exact); i++)
        if (strcmp(exact[i].cause, cause) == 0)
            return exact[i].means;
    if (strncmp(cause, "callForward", strlen("callForward")) == 0)
        return CAUSE_FORWARDED;
    return strncmp(cause, "recall", strlen("recall")) == 0 ? CAUSE_RECALL : CAUSE_UNKNOWN;
}

enum pbx_local cx_local_of(enum csta_local local)
{
    static const enum pbx_local means[CSTA_LOCAL_COUNT] = {
        [CSTA_LOCAL_ABSENT] = PBX_LOCAL_NONE,         [CSTA_LOCAL_NONE] = PBX_LOCAL_NONE,
        [CSTA_LOCAL_INITIATED] = PBX_LOCAL_INITIATED, [CSTA_LOCAL_ALERTING] = PBX_LOCAL_ALERTING,
        [CSTA_LOCAL_CONNECTED] = PBX_LOCAL_CONNECTED, [CSTA_LOCAL_HOLD] = PBX_LOCAL_HOLD,
        [CSTA_LOCAL_QUEUED] = PBX_LOCAL_QUEUED,       [CSTA_LOCAL_FAIL] = PBX_LOCAL_FAIL,
    };
    return (unsigned)local < CSTA_LOCAL_COUNT ? means[local] : PBX_LOCAL_NONE;
}

bool cx_call_id_usable(const char *call_id)
{
    if (call_id == NULL || call_id[0] == '\0' || strlen(call_id) >= PBX_CALL_ID_CHARS)
        return false;
    for (const char *at = call_id; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            return false;
    return true;
}

/* Whole bytes in hexadecimal digits; a correlator that is none is as good as absent. */
static const char *usable_correlator(const char *correlator)
{
    if (correlator == NULL)
        return NULL;
    size_t digits = strspn(correlator, "0123456789abcdefABCDEF");
    return digits > 0 && digits % 2 == 0 && digits <= 64 && correlator[digits] == '\0' ? correlator
                                                                                       : NULL;
}

/* ---- parties ----------------------------------------------------------------------------- */

void cx_party_from_device(struct cx_party *party, const struct csta_device *device)
{
    party->party = (struct pbx_party){0};
    if (device == NULL || device->id == NULL || csta_device_parse(device->id, &party->parts) < 0)
        return;
    party->party.number = party->parts.number;
    party->party.name = party->parts.name[0] != '\0' ? party->parts.name : NULL;
}

void cx_party_from(struct cx_party *party, const struct csta_party *from)
{
    cx_party_from_device(party, from->kind == CSTA_PARTY_DEVICE ? &from->device : NULL);
    party->party.restricted = from->kind == CSTA_PARTY_RESTRICTED;
}

/* ---- events ------------------------------------------------------------------------------ */

/* Where a PBX leaves the state of the monitored device out, it follows from the event. */
struct kind {
    enum csta_type type;
    enum pbx_event_type means;
    enum pbx_local as_subject, as_other;
};

static const struct kind *find_kind(enum csta_type type)
{
    /* clang-format off */
    static const struct kind kinds[] = {
        {CSTA_SERVICE_INITIATED,  PBX_EVENT_INITIATED,   PBX_LOCAL_INITIATED, PBX_LOCAL_CONNECTED},
        {CSTA_ORIGINATED,         PBX_EVENT_ORIGINATED,  PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_DELIVERED,          PBX_EVENT_DELIVERED,   PBX_LOCAL_ALERTING,  PBX_LOCAL_CONNECTED},
        {CSTA_ESTABLISHED,        PBX_EVENT_ESTABLISHED, PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_HELD,               PBX_EVENT_HELD,        PBX_LOCAL_HOLD,      PBX_LOCAL_CONNECTED},
        {CSTA_RETRIEVED,          PBX_EVENT_RETRIEVED,   PBX_LOCAL_CONNECTED, PBX_LOCAL_CONNECTED},
        {CSTA_DIVERTED,           PBX_EVENT_DIVERTED,    PBX_LOCAL_NONE,      PBX_LOCAL_CONNECTED},
        {CSTA_FAILED,             PBX_EVENT_FAILED,      PBX_LOCAL_FAIL,      PBX_LOCAL_FAIL},
        {CSTA_CONNECTION_CLEARED, PBX_EVENT_CLEARED,     PBX_LOCAL_NONE,      PBX_LOCAL_CONNECTED},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

static bool is_same_number(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The device of the subject connection; products that do not name it still say it in the
 * connection's identifier. */
static void read_subject(struct cx_party *subject, const struct csta_message *message)
{
    cx_party_from(subject, &message->subject);
    if (subject->party.number == NULL && !subject->party.restricted)
        cx_party_from_device(subject, &message->connection.device);
}

/* Events that have only a subject are about the caller. */
static void read_calling(struct cx_event *event, const struct csta_message *message)
{
    bool is_caller = message->type == CSTA_SERVICE_INITIATED || message->type == CSTA_ORIGINATED;
    if (is_caller && message->calling.kind == CSTA_PARTY_ABSENT)
        read_subject(&event->calling, message);
    else
        cx_party_from(&event->calling, &message->calling);
}

static enum pbx_local read_local(const struct csta_message *message, const struct kind *kind,
                                 bool is_subject)
{
    if (message->local != CSTA_LOCAL_ABSENT)
        return cx_local_of(message->local);
    return is_subject ? kind->as_subject : kind->as_other;
}

int cx_event_from(struct cx_event *ret_event, const struct csta_message *message,
                  const char *monitored)
{
    const struct kind *kind = find_kind(message->type);
    if (kind == NULL)
        return -ENOMSG;
    if (!cx_call_id_usable(message->connection.call_id))
        return -EPROTO;
    read_subject(&ret_event->subject, message);
    read_calling(ret_event, message);
    cx_party_from(&ret_event->called, &message->called);
    cx_party_from(&ret_event->redirecting, &message->redirection);
    cx_party_from(&ret_event->new_destination, &message->new_destination);
    bool is_subject = is_same_number(ret_event->subject.party.number, monitored);
    ret_event->event = (struct pbx_event){
        .type = kind->means,
        .monitored = monitored,
        .call_id = message->connection.call_id,
        .subject = ret_event->subject.party,
        .calling = ret_event->calling.party,
        .called = ret_event->called.party,
        .redirecting = ret_event->redirecting.party,
        .new_destination = ret_event->new_destination.party.number,
        .local = read_local(message, kind, is_subject),
        .cause = cx_cause_of(message->cause),
        .correlator = usable_correlator(message->correlator),
    };
    return 0;
}
