/* sim_services.c - requests of clients: reading, the table of services, their answers. */
#include "simulator/sim_private.h"

#include "lib/common/common.h"
#include "lib/common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTIES_MAX = 16 };

/* --- answers ---------------------------------------------------------------------------------- */
void sim__answer(struct sim_link *link, unsigned invoke, enum csta_type type)
{
    sim__send(link, invoke, &(struct csta_message){.type = type});
}

void sim__answer_error(struct sim_link *link, unsigned invoke, enum csta_error error,
                       const char *value)
{
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_ERROR, .error = error, .error_value = value});
}

const char *sim__number_of(const struct csta_device *device, char *out)
{
    struct csta_device_parts parts;
    if (device->id == NULL || csta_device_parse(device->id, &parts) < 0)
        return NULL;
    (void)snprintf(out, EXCHANGE_NUMBER_CHARS, "%s", parts.number);
    return out;
}

/* --- status ----------------------------------------------------------------------------------- */
static void system_status(struct sim_link *link, unsigned invoke,
                          const struct csta_message *message)
{
    (void)message;
    sim__answer(link, invoke, CSTA_SYSTEM_STATUS_DONE);
}

static void request_status(struct sim_link *link, unsigned invoke,
                           const struct csta_message *message)
{
    (void)message;
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_REQUEST_STATUS_DONE, .system_status = "normal"});
}

static void system_register(struct sim_link *link, unsigned invoke,
                            const struct csta_message *message)
{
    char id[SIM__ID_CHARS];
    (void)message;
    (void)snprintf(id, sizeof(id), "%" PRIu64, link->id);
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_SYSTEM_REGISTER_DONE, .register_id = id});
}

/* --- device list ------------------------------------------------------------------------------ */
/* The phones from *phone on, as many as a segment takes; *phone becomes the first left out. */
static size_t fill_segment(const struct simulator *simulator, const struct exchange_phone **phone,
                           struct csta_listed_device *devices, struct buf *ids)
{
    size_t count = 0;
    for (; *phone != NULL && count < simulator->options.list_devices; count++) {
        struct csta_device_parts parts;
        (void)snprintf(parts.number, sizeof(parts.number), "%s", (*phone)->number);
        (void)snprintf(parts.name, sizeof(parts.name), "%s", (*phone)->name);
        (void)snprintf(parts.display_number, sizeof(parts.display_number), "%s",
                       (*phone)->main_number);
        ids[count] = (struct buf){0};
        (void)csta_device_format(&parts, &ids[count]);
        devices[count] = (struct csta_listed_device){
            .device = {.id = ids[count].data}, .category = "station", .model = (*phone)->model};
        *phone = exchange_phone_next(simulator->exchange, *phone);
    }
    return count;
}

static void send_list(struct sim_link *link, const char *id, const struct exchange_phone *phone)
{
    const struct simulator *simulator = link->simulator;
    size_t most = simulator->options.list_devices;
    AUTO(common_freep) struct csta_listed_device *devices = calloc(most, sizeof(*devices));
    AUTO(common_freep) struct buf *ids = calloc(most, sizeof(*ids));
    if (devices == NULL || ids == NULL) {
        sim__link_close(link, true, "out of memory");
        return;
    }
    for (int64_t segment = 1; segment == 1 || phone != NULL; segment++) {
        size_t count = fill_segment(simulator, &phone, devices, ids);
        sim__send(link, CSTA_INVOKE_EVENT,
                  &(struct csta_message){.type = CSTA_DEVICES,
                                         .cross_ref_id = id,
                                         .segment_id = {segment, true},
                                         .last_segment = {true, phone == NULL},
                                         .devices = devices,
                                         .device_count = count,
                                         .has_devices = true});
        for (size_t i = 0; i < count; i++)
            buf_done(&ids[i]);
    }
}

static void get_devices(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    char id[SIM__ID_CHARS];
    (void)snprintf(id, sizeof(id), "%" PRIu64, ++link->simulator->list_ids);
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_GET_DEVICES_DONE, .cross_ref_id = id});
    bool wants_stations = message->category == NULL || strcmp(message->category, "station") == 0;
    send_list(link, id,
              wants_stations ? exchange_phone_next(link->simulator->exchange, NULL) : NULL);
}

/* --- snapshots -------------------------------------------------------------------------------- */
/* The states in the call, the phone's own first. */
static size_t states_of(const struct exchange_connection *own, enum csta_local *locals)
{
    const struct exchange_connection *other;
    size_t count = 0;
    locals[count++] = sim__local(own->state);
    TAILQ_FOREACH(other, &own->call->connections, of_call)
    {
        if (other != own && count < PARTIES_MAX)
            locals[count++] = sim__local(other->state);
    }
    return count;
}

static size_t count_calls(const struct exchange_phone *phone)
{
    const struct exchange_connection *connection;
    size_t count = 0;
    TAILQ_FOREACH(connection, &phone->connections, of_phone)
    {
        count++;
    }
    return count;
}

static void send_snapshot(struct sim_link *link, unsigned invoke,
                          const struct exchange_phone *phone)
{
    size_t most = count_calls(phone), count = 0;
    AUTO(common_freep) struct csta_snapshot_call *calls = calloc(most + 1, sizeof(*calls));
    AUTO(common_freep) enum csta_local *locals = calloc(most + 1, PARTIES_MAX * sizeof(*locals));
    if (calls == NULL || locals == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_SYSTEM_RESOURCE, "internalResourceBusy");
        return;
    }
    const struct exchange_connection *connection;
    TAILQ_FOREACH(connection, &phone->connections, of_phone)
    {
        enum csta_local *states = locals + count * PARTIES_MAX;
        calls[count++] = (struct csta_snapshot_call){
            .connection = {.call_id = connection->call->id, .device = {.id = phone->number}},
            .locals = states,
            .local_count = states_of(connection, states)};
    }
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_SNAPSHOT_DEVICE_DONE,
                                     .calls = calls,
                                     .call_count = count,
                                     .has_calls = true});
}

static void snapshot_device(struct sim_link *link, unsigned invoke,
                            const struct csta_message *message)
{
    char number[EXCHANGE_NUMBER_CHARS];
    const struct exchange_phone *phone =
        sim__number_of(&message->device, number) != NULL
            ? exchange_phone_find(link->simulator->exchange, number)
            : NULL;
    if (phone == NULL)
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidDeviceID");
    else
        send_snapshot(link, invoke, phone);
}

static void snapshot_call(struct sim_link *link, unsigned invoke,
                          const struct csta_message *message)
{
    const char *id = message->connection.call_id;
    const struct exchange_call *call =
        id != NULL ? exchange_call_find(link->simulator->exchange, id) : NULL;
    if (call == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidCallID");
        return;
    }
    struct csta_snapshot_end ends[PARTIES_MAX];
    size_t count = 0;
    const struct exchange_connection *connection;
    TAILQ_FOREACH(connection, &call->connections, of_call)
    {
        if (count == PARTIES_MAX)
            break;
        ends[count++] = (struct csta_snapshot_end){
            .device = sim__party(connection->number),
            .connection = {.call_id = call->id, .device = {.id = connection->number}},
            .local = sim__local(connection->state)};
    }
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_SNAPSHOT_CALL_DONE,
                                     .ends = ends,
                                     .end_count = count,
                                     .has_ends = true,
                                     .calling = sim__party(call->calling),
                                     .called = sim__party(call->called),
                                     .correlator =
                                         call->correlator[0] != '\0' ? call->correlator : NULL});
}

/* --- calls ------------------------------------------------------------------------------------ */
/* Results of the exchange in the words of ECMA-269, for the caller of MakeCall and for others. */
struct error_row {
    enum csta_error error;
    const char *value;
};
static const struct error_row make_call_errors[EXCHANGE_RESULT_COUNT] = {
    [EXCHANGE_NO_PHONE] = {CSTA_ERROR_OPERATION, "invalidCallingDeviceID"},
    [EXCHANGE_OUT_OF_SERVICE] = {CSTA_ERROR_SYSTEM_RESOURCE, "callingDeviceOutOfService"},
    [EXCHANGE_IN_USE] = {CSTA_ERROR_STATE, "invalidCallingDeviceState"},
    [EXCHANGE_NO_NUMBER] = {CSTA_ERROR_OPERATION, "invalidCalledDeviceID"},
    [EXCHANGE_NO_MEMORY] = {CSTA_ERROR_SYSTEM_RESOURCE, "internalResourceBusy"},
};
static const struct error_row connection_errors[EXCHANGE_RESULT_COUNT] = {
    [EXCHANGE_NO_PHONE] = {CSTA_ERROR_OPERATION, "invalidDeviceID"},
    [EXCHANGE_OUT_OF_SERVICE] = {CSTA_ERROR_SYSTEM_RESOURCE, "deviceOutOfService"},
    [EXCHANGE_NO_CALL] = {CSTA_ERROR_OPERATION, "invalidConnectionID"},
    [EXCHANGE_NOT_RINGING] = {CSTA_ERROR_STATE, "noCallToAnswer"},
    [EXCHANGE_NO_MEMORY] = {CSTA_ERROR_SYSTEM_RESOURCE, "internalResourceBusy"},
};

static void answer_result(struct sim_link *link, unsigned invoke, const struct error_row *errors,
                          enum exchange_result result)
{
    const struct error_row *row = &errors[result];
    if (row->error != CSTA_ERROR_ABSENT)
        sim__answer_error(link, invoke, row->error, row->value);
    else
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "generic");
}

static void make_call(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    char caller[EXCHANGE_NUMBER_CHARS], callee[EXCHANGE_NUMBER_CHARS];
    char id[EXCHANGE_CALL_ID_CHARS];
    if (message->correlator != NULL && strlen(message->correlator) >= EXCHANGE_CORRELATOR_CHARS) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "valueOutOfRange");
        return;
    }
    const struct exchange_make_call call = {
        .caller = sim__number_of(&message->device, caller) != NULL ? caller : "",
        .callee = sim__number_of(&message->destination, callee) != NULL ? callee : "",
        .correlator = message->correlator,
        .prompt = message->originate != CSTA_ORIGINATE_DO_NOT_PROMPT, /* as ECMA-269 has it */
    };
    struct simulator *simulator = link->simulator;
    enum exchange_result result = exchange_make_call(simulator->exchange, &call, id);
    if (result != EXCHANGE_DONE) {
        answer_result(link, invoke, make_call_errors, result);
        return;
    }
    sim__send(link, invoke,
              &(struct csta_message){.type = CSTA_MAKE_CALL_DONE,
                                     .connection = {.call_id = id, .device = {.id = caller}}});
}

/* Both name a connection by call and device, and have an empty answer. */
static void act_on_connection(struct sim_link *link, unsigned invoke,
                              const struct csta_message *message, enum csta_type done)
{
    struct exchange *exchange = link->simulator->exchange;
    const char *id = message->connection.call_id;
    char number[EXCHANGE_NUMBER_CHARS];
    if (id == NULL || sim__number_of(&message->connection.device, number) == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidConnectionID");
        return;
    }
    if (exchange_call_find(exchange, id) == NULL) {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "invalidCallID");
        return;
    }
    enum exchange_result result = done == CSTA_ANSWER_CALL_DONE
                                      ? exchange_answer(exchange, number, id)
                                      : exchange_clear(exchange, number, id);
    if (result == EXCHANGE_DONE)
        sim__answer(link, invoke, done);
    else
        answer_result(link, invoke, connection_errors, result);
}

static void answer_call(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    act_on_connection(link, invoke, message, CSTA_ANSWER_CALL_DONE);
}

static void clear_connection(struct sim_link *link, unsigned invoke,
                             const struct csta_message *message)
{
    act_on_connection(link, invoke, message, CSTA_CLEAR_CONNECTION_DONE);
}

/* --- table ------------------------------------------------------------------------------------ */
typedef void (*serve_fn)(struct sim_link *link, unsigned invoke,
                         const struct csta_message *message);
struct service {
    serve_fn serve; /* NULL: no service of ours */
    bool anytime;   /* also without a session */
};
static const struct service services[CSTA_TYPE_COUNT] = {
    [CSTA_START_SESSION] = {sim__start_session, true},
    [CSTA_RESET_TIMER] = {sim__reset_timer, true},
    [CSTA_STOP_SESSION] = {sim__stop_session, true},
    [CSTA_SYSTEM_STATUS] = {system_status, true},
    [CSTA_SYSTEM_STATUS_DONE] = {sim__poll_answered, true},
    [CSTA_REQUEST_STATUS] = {request_status, true},
    [CSTA_SYSTEM_REGISTER] = {system_register, true},
    [CSTA_GET_DEVICES] = {get_devices, false},
    [CSTA_MONITOR_START] = {sim__monitor_start, false},
    [CSTA_MONITOR_STOP] = {sim__monitor_stop, false},
    [CSTA_SNAPSHOT_DEVICE] = {snapshot_device, false},
    [CSTA_SNAPSHOT_CALL] = {snapshot_call, false},
    [CSTA_MAKE_CALL] = {make_call, false},
    [CSTA_ANSWER_CALL] = {answer_call, false},
    [CSTA_CLEAR_CONNECTION] = {clear_connection, false},
};

static void dispatch(struct sim_link *link, unsigned invoke, const struct csta_message *message)
{
    const struct service *service = &services[message->type];
    bool wants_answer =
        invoke != CSTA_INVOKE_EVENT &&
        (message->type == CSTA_UNKNOWN || csta_class(message->type) == CSTA_CLASS_REQUEST);
    if (service->serve == NULL) {
        if (wants_answer)
            sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "serviceNotSupported");
        return;
    }
    if (!service->anytime && !link->simulator->options.without_session &&
        link->session_id[0] == '\0') {
        sim__answer_error(link, invoke, CSTA_ERROR_OPERATION, "securityViolation");
        return;
    }
    sim__begin(link->simulator);
    service->serve(link, invoke, message);
    sim__settle(link->simulator);
}

void sim__serve(struct sim_link *link, const struct csta_pdu *pdu)
{
    struct csta_message message = {0};
    struct diag diag = {0};
    int r = csta_read(pdu->xml, pdu->len_bytes, &message, &diag);
    if (r < 0) {
        log_info(SIM__LOG, "link %" PRIu64 ", invoke %04u: %s", link->id, pdu->invoke, diag.text);
        if (pdu->invoke != CSTA_INVOKE_EVENT)
            sim__answer_error(link, pdu->invoke, CSTA_ERROR_OPERATION, "generic");
        return;
    }
    dispatch(link, pdu->invoke, &message);
    csta_message_done(&message);
}
