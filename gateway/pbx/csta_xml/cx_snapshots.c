#include "gateway/pbx/csta_xml/cx_snapshots.h"

#include "gateway/pbx/csta_xml/cx_events.h"
#include "lib/common/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gathered {
    char *call_id, *device_id; /* device_id as the PBX wrote it; NULL: it did not */
    enum pbx_local local;
    struct csta_message answer;
    struct cx_party *parties; /* where the texts of a made call lie */
};

struct cx_snapshot {
    struct gathered calls[CX_SNAPSHOT_CALLS_MAX];
    size_t count, answered;
    bool overtaken;
    struct pbx_snapshot_call *made;
};

struct cx_snapshot *cx_snapshot_new(void)
{
    return calloc(1, sizeof(struct cx_snapshot));
}

void cx_snapshot_free(struct cx_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->count; i++) {
        free(snapshot->calls[i].call_id);
        free(snapshot->calls[i].device_id);
        free(snapshot->calls[i].parties);
        csta_message_done(&snapshot->calls[i].answer);
    }
    free(snapshot->made);
    free(snapshot);
}

/* ---- gathering --------------------------------------------------------------------------- */

static int add_call(struct cx_snapshot *snapshot, const struct csta_snapshot_call *call)
{
    enum csta_local local = csta_snapshot_local(call);
    if (!cx_call_id_usable(call->connection.call_id) || local == CSTA_LOCAL_NONE)
        return 0;
    struct gathered *to = &snapshot->calls[snapshot->count];
    *to = (struct gathered){.local = cx_local_of(local)};
    to->call_id = strdup(call->connection.call_id);
    if (to->call_id == NULL)
        return -ENOMEM;
    if (call->connection.device.id != NULL) {
        to->device_id = strdup(call->connection.device.id);
        if (to->device_id == NULL) {
            free(to->call_id);
            return -ENOMEM;
        }
    }
    snapshot->count++;
    return 0;
}

int cx_snapshot_add_calls(struct cx_snapshot *snapshot, const struct csta_message *list)
{
    for (size_t i = 0; i < list->call_count && snapshot->count < CX_SNAPSHOT_CALLS_MAX; i++) {
        int r = add_call(snapshot, &list->calls[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

bool cx_snapshot_next(const struct cx_snapshot *snapshot, struct csta_connection *ret_connection)
{
    if (snapshot->answered >= snapshot->count)
        return false;
    const struct gathered *call = &snapshot->calls[snapshot->answered];
    *ret_connection =
        (struct csta_connection){.call_id = call->call_id, .device = {.id = call->device_id}};
    return true;
}

void cx_snapshot_answer(struct cx_snapshot *snapshot, struct csta_message *answer)
{
    if (snapshot->answered >= snapshot->count)
        return;
    struct gathered *call = &snapshot->calls[snapshot->answered++];
    if (answer == NULL)
        return;
    call->answer = *answer;
    *answer = (struct csta_message){0};
}

void cx_snapshot_overtake(struct cx_snapshot *snapshot)
{
    snapshot->overtaken = true;
}

bool cx_snapshot_is_overtaken(const struct cx_snapshot *snapshot)
{
    return snapshot->overtaken;
}

/* ---- making ------------------------------------------------------------------------------ */

static void read_end(struct cx_party *party, const struct csta_snapshot_end *end)
{
    cx_party_from(party, &end->device);
    if (party->party.number == NULL && !party->party.restricted)
        cx_party_from_device(party, &end->connection.device);
}

static bool is_number(const struct cx_party *party, const char *number)
{
    return party->party.number != NULL && strcmp(party->party.number, number) == 0;
}

/* parties has room for calling, called and each end. */
static void make_call(struct gathered *from, const char *number, struct pbx_snapshot_call *to)
{
    struct cx_party *calling = &from->parties[0], *called = &from->parties[1];
    cx_party_from(calling, &from->answer.calling);
    cx_party_from(called, &from->answer.called);
    *to = (struct pbx_snapshot_call){.call_id = from->call_id,
                                     .local = from->local,
                                     .calling = calling->party,
                                     .called = called->party};
    for (size_t i = 0; i < from->answer.end_count; i++) {
        const struct csta_snapshot_end *end = &from->answer.ends[i];
        struct cx_party *party = &from->parties[2 + i];
        read_end(party, end);
        if (is_number(party, number)) {
            if (to->local == PBX_LOCAL_NONE)
                to->local = cx_local_of(end->local);
        } else if (to->party_count < PBX_PARTIES_MAX) {
            to->parties[to->party_count].party = party->party;
            to->parties[to->party_count++].local = cx_local_of(end->local);
        }
    }
    if (to->local == PBX_LOCAL_NONE) /* the list has the call, though not its state */
        to->local = PBX_LOCAL_CONNECTED;
}

int cx_snapshot_calls(struct cx_snapshot *snapshot, const char *number,
                      const struct pbx_snapshot_call **ret_calls, size_t *ret_count)
{
    free(snapshot->made);
    snapshot->made = calloc(snapshot->count + 1, sizeof(*snapshot->made));
    if (snapshot->made == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < snapshot->count; i++) {
        struct gathered *call = &snapshot->calls[i];
        free(call->parties);
        call->parties = calloc(call->answer.end_count + 2, sizeof(*call->parties));
        if (call->parties == NULL)
            return -ENOMEM;
        make_call(call, number, &snapshot->made[i]);
    }
    *ret_calls = snapshot->made;
    *ret_count = snapshot->count;
    return 0;
}
