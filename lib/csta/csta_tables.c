/* The messages: children in the order of the schema (ECMA-323 edition 6, ECMA-354), as far as they
 * are used here. Optional children that are not listed are skipped in reading. */
#include "lib/csta/csta_private.h"

#include "lib/common/common.h"

#include <string.h>

/* clang-format off */
#define AT(field) .offset = offsetof(struct csta_message, field)
#define ROW(need_, kind_, name_, field) \
    { .name = (name_), .kind = CSTA_KIND_##kind_, .need = CSTA_##need_, AT(field) }
#define ROW_OR(need_, kind_, name_, field, fallback_) \
    { .name = (name_), .kind = CSTA_KIND_##kind_, .need = CSTA_##need_, AT(field), .fallback = (fallback_) }
#define GROUP(need_, name_, rows_) \
    { .name = (name_), .kind = CSTA_KIND_GROUP, .need = CSTA_##need_, \
      .table = &(const struct csta_table){ .rows = (rows_), .count = COUNT_OF(rows_) } }
#define CHOICE(need_, name_, rows_) \
    { .name = (name_), .kind = CSTA_KIND_GROUP, .need = CSTA_##need_, \
      .table = &(const struct csta_table){ .rows = (rows_), .count = COUNT_OF(rows_), .choice = true } }

#define MONITOR                   ROW(MUST, TEXT, "monitorCrossRefID", monitor_id)
#define CONNECTION(name_)         ROW(MUST, CONNECTION, name_, connection)
#define PARTY(need_, name_, field) ROW_OR(need_, PARTY, name_, field, "notKnown")
#define CALLING                   PARTY(SHOULD, "callingDevice", calling)
#define CALLED                    PARTY(SHOULD, "calledDevice", called)
#define LAST_REDIRECTION          ROW_OR(SHOULD, REDIRECTION, "lastRedirectionDevice", redirection, "notSpecified")
#define LOCAL                     ROW(MAY, LOCAL, "localConnectionInfo", local)
#define CORRELATOR                CHOICE(MAY, "correlatorData", correlator_rows)
#define USER_DATA                 CHOICE(MAY, "userData", user_data_rows)
#define CAUSE                     ROW_OR(SHOULD, CAUSE, "cause", cause, "normal")

static const struct csta_row correlator_rows[] = { ROW(MUST, HEX, "string", correlator) };
static const struct csta_row user_data_rows[] = { ROW(MUST, HEX, "string", user_data) };

/* --- session --------------------------------------------------------------------------------- */

static const struct csta_row login_rows[] = {
    ROW(MAY, TEXT, "user", user),
    ROW(MAY, TEXT, "password", password),
};
static const struct csta_row application_rows[] = {
    ROW(MUST, TEXT, "applicationID", application_id),
    GROUP(MAY, "applicationSpecificInfo", login_rows), /* any content; this is a usual one */
};
static const struct csta_row version_item = { .name = "protocolVersion", .kind = CSTA_KIND_TEXT, .need = CSTA_MUST };
static const struct csta_row start_session_rows[] = {
    GROUP(MUST, "applicationInfo", application_rows),
    { .name = "requestedProtocolVersions", .kind = CSTA_KIND_LIST, .need = CSTA_MUST, AT(versions),
      .more_offset = offsetof(struct csta_message, version_count),
      .item_bytes = sizeof(const char *), .item = &version_item },
    ROW(MAY, NUMBER, "requestedSessionDuration", session_s),
};
static const struct csta_row start_session_done_rows[] = {
    ROW(MUST, TEXT, "sessionID", session_id),
    ROW(SHOULD, TEXT, "actualProtocolVersion", version),
    ROW(SHOULD, NUMBER, "actualSessionDuration", session_s),
};
static const struct csta_row error_code_rows[] = {
    ROW(MAY, TEXT, "definedError", reason),
    ROW(MAY, TEXT, "applError", private_reason),
};
static const struct csta_row refused_rows[] = { CHOICE(SHOULD, "errorCode", error_code_rows) };
static const struct csta_row reset_timer_rows[] = {
    ROW(MUST, TEXT, "sessionID", session_id),
    ROW(MAY, NUMBER, "requestedSessionDuration", session_s),
};
static const struct csta_row reset_timer_done_rows[] = {
    ROW(MAY, NUMBER, "actualSessionDuration", session_s),
};
static const struct csta_row end_reason_rows[] = {
    ROW(MAY, TEXT, "definedEndReason", reason),
    ROW(MAY, TEXT, "appEndReason", private_reason),
};
static const struct csta_row stop_session_rows[] = {
    ROW(MUST, TEXT, "sessionID", session_id),
    CHOICE(SHOULD, "sessionEndReason", end_reason_rows),
};
static const struct csta_row term_reason_rows[] = {
    ROW(MAY, TEXT, "definedTermReason", reason),
    ROW(MAY, TEXT, "appTermReason", private_reason),
};
static const struct csta_row session_terminated_rows[] = {
    ROW(SHOULD, TEXT, "sessionID", session_id),
    CHOICE(SHOULD, "sessionTermReason", term_reason_rows),
};

/* --- status, directory ----------------------------------------------------------------------- */

static const struct csta_row error_rows[] = {
    { .name = "operation", .kind = CSTA_KIND_ERROR, .need = CSTA_SHOULD, AT(error),
      .more_offset = offsetof(struct csta_message, error_value), .fallback = "unspecified" },
};
static const struct csta_row system_status_rows[] = {
    ROW(MAY, TEXT, "sysStatRegisterID", register_id),
    ROW_OR(SHOULD, TEXT, "systemStatus", system_status, "normal"), /* heart-beats can be empty */
};
static const struct csta_row request_status_rows[] = {
    ROW(MAY, TEXT, "sysStatRegisterID", register_id),
};
static const struct csta_row request_status_done_rows[] = {
    ROW_OR(SHOULD, TEXT, "systemStatus", system_status, "normal"),
};
/* A bit string in the schema: one truth value for each type of request. */
static const struct csta_row request_type_rows[] = {
    ROW(MAY, BOOL, "systemStatus", wants_status),
    ROW(MAY, BOOL, "requestSystemStatus", wants_status_requests),
};
static const struct csta_row system_register_rows[] = {
    GROUP(SHOULD, "requestTypes", request_type_rows),
};
static const struct csta_row system_register_done_rows[] = {
    ROW(MUST, TEXT, "sysStatRegisterID", register_id),
};
static const struct csta_row get_devices_rows[] = {
    ROW(MAY, DEVICE, "requestedDeviceID", device),
    ROW(MAY, TEXT, "requestedDeviceCategory", category),
};
static const struct csta_row get_devices_done_rows[] = {
    ROW(MUST, TEXT, "serviceCrossRefID", cross_ref_id),
};
#undef AT
#define AT(field) .offset = offsetof(struct csta_listed_device, field)
static const struct csta_row device_rows[] = {
    ROW(MUST, DEVICE, "deviceID", device),
    ROW(MAY, TEXT, "deviceCategory", category),
    ROW(MAY, TEXT, "namedDeviceTypes", named_types),
    ROW(MAY, TEXT, "deviceModelName", model),
};
static const struct csta_row device_item = GROUP(MUST, "device", device_rows);
#undef AT
#define AT(field) .offset = offsetof(struct csta_message, field)
static const struct csta_row devices_rows[] = {
    ROW(MUST, TEXT, "serviceCrossRefID", cross_ref_id),
    ROW(MAY, NUMBER, "segmentID", segment_id),
    ROW(SHOULD, BOOL, "lastSegment", last_segment),
    { .name = "deviceList", .kind = CSTA_KIND_LIST, .need = CSTA_MUST, AT(devices),
      .more_offset = offsetof(struct csta_message, device_count),
      .set_offset = offsetof(struct csta_message, has_devices),
      .item_bytes = sizeof(struct csta_listed_device), .item = &device_item },
};

/* --- monitors, snapshots --------------------------------------------------------------------- */

static const struct csta_row object_rows[] = {
    ROW(MAY, DEVICE, "deviceObject", device),
    ROW(MAY, CONNECTION, "callObject", connection),
};
static const struct csta_row monitor_start_rows[] = {
    CHOICE(MUST, "monitorObject", object_rows),
    ROW(MAY, TEXT, "monitorType", monitor_type),
};
static const struct csta_row monitor_start_done_rows[] = {
    MONITOR,
    ROW(MAY, BOOL, "monitorExistingCalls", existing_calls),
};
static const struct csta_row monitor_stop_rows[] = { MONITOR };

static const struct csta_row snapshot_device_rows[] = { ROW(MUST, DEVICE, "snapshotObject", device) };
#undef AT
#define AT(field) .offset = offsetof(struct csta_snapshot_call, field)
static const struct csta_row local_item = { .name = "localConnectionState", .kind = CSTA_KIND_LOCAL, .need = CSTA_MUST };
static const struct csta_row call_state_rows[] = {
    { .name = "compoundCallState", .kind = CSTA_KIND_LIST, .need = CSTA_MAY, AT(locals),
      .more_offset = offsetof(struct csta_snapshot_call, local_count),
      .item_bytes = sizeof(enum csta_local), .item = &local_item },
    ROW(MAY, TEXT, "simpleCallState", simple_state),
};
static const struct csta_row snapshot_call_item_rows[] = {
    CONNECTION("connectionIdentifier"),
    PARTY(MAY, "endpointDevice", endpoint),
    { .name = "localCallState", .kind = CSTA_KIND_GROUP, .need = CSTA_SHOULD, .fallback = "unknown",
      .table = &(const struct csta_table){ .rows = call_state_rows, .count = COUNT_OF(call_state_rows), .choice = true } },
};
static const struct csta_row snapshot_call_item = GROUP(MUST, "snapshotDeviceResponseInfo", snapshot_call_item_rows);
#undef AT
#define AT(field) .offset = offsetof(struct csta_message, field)
#define SNAPSHOT_CALLS(need_) \
    { .name = "snapshotData", .kind = CSTA_KIND_LIST, .need = CSTA_##need_, AT(calls), \
      .more_offset = offsetof(struct csta_message, call_count), \
      .set_offset = offsetof(struct csta_message, has_calls), \
      .item_bytes = sizeof(struct csta_snapshot_call), .item = &snapshot_call_item }
static const struct csta_row ref_or_calls_rows[] = {
    ROW(MAY, TEXT, "serviceCrossRefID", cross_ref_id),
    SNAPSHOT_CALLS(MAY),
};
static const struct csta_row snapshot_device_done_rows[] = {
    CHOICE(MUST, "crossRefIDorSnapshotData", ref_or_calls_rows),
};
static const struct csta_row snapshot_device_data_rows[] = {
    ROW(MUST, TEXT, "serviceCrossRefID", cross_ref_id),
    ROW(MAY, NUMBER, "segmentID", segment_id),
    ROW(SHOULD, BOOL, "lastSegment", last_segment),
    SNAPSHOT_CALLS(MUST),
};

static const struct csta_row snapshot_call_rows[] = { CONNECTION("snapshotObject") };
#undef AT
#define AT(field) .offset = offsetof(struct csta_snapshot_end, field)
static const struct csta_row snapshot_end_item_rows[] = {
    PARTY(SHOULD, "deviceOnCall", device),
    ROW(MAY, CONNECTION, "callIdentifier", connection),
    ROW(MAY, LOCAL, "localConnectionState", local),
};
static const struct csta_row snapshot_end_item = GROUP(MUST, "snapshotCallResponseInfo", snapshot_end_item_rows);
#undef AT
#define AT(field) .offset = offsetof(struct csta_message, field)
static const struct csta_row ref_or_ends_rows[] = {
    ROW(MAY, TEXT, "serviceCrossRefID", cross_ref_id),
    { .name = "snapshotData", .kind = CSTA_KIND_LIST, .need = CSTA_MAY, AT(ends),
      .more_offset = offsetof(struct csta_message, end_count),
      .set_offset = offsetof(struct csta_message, has_ends),
      .item_bytes = sizeof(struct csta_snapshot_end), .item = &snapshot_end_item },
};
static const struct csta_row snapshot_call_done_rows[] = {
    CHOICE(MUST, "crossRefIDorSnapshotData", ref_or_ends_rows),
    PARTY(MAY, "callingDevice", calling),
    PARTY(MAY, "calledDevice", called),
    CORRELATOR,
};

/* --- calls ----------------------------------------------------------------------------------- */

static const struct csta_row make_call_rows[] = {
    ROW(MUST, DEVICE, "callingDevice", device),
    ROW(MUST, DEVICE, "calledDirectoryNumber", destination),
    ROW(MAY, ORIGINATE, "autoOriginate", originate),
    CORRELATOR,
    USER_DATA,
};
static const struct csta_row make_call_done_rows[] = { CONNECTION("callingDevice") };
static const struct csta_row answer_call_rows[] = {
    CONNECTION("callToBeAnswered"),
    CORRELATOR,
    USER_DATA,
};
static const struct csta_row clear_connection_rows[] = {
    CONNECTION("connectionToBeCleared"),
    CORRELATOR,
    USER_DATA,
    ROW(MAY, CAUSE, "reason", cause),
};

/* --- events ---------------------------------------------------------------------------------- */

static const struct csta_row service_initiated_rows[] = {
    MONITOR,
    CONNECTION("initiatedConnection"),
    PARTY(SHOULD, "initiatingDevice", subject),
    PARTY(MAY, "calledDevice", called),
    LOCAL,
    CORRELATOR,
    CAUSE,
};
static const struct csta_row originated_rows[] = {
    MONITOR,
    CONNECTION("originatedConnection"),
    PARTY(SHOULD, "callingDevice", subject),
    CALLED,
    ROW(MAY, DEVICE, "originatingDevice", device),
    LOCAL,
    CORRELATOR,
    CAUSE,
};
static const struct csta_row delivered_rows[] = {
    MONITOR,
    CONNECTION("connection"),
    PARTY(SHOULD, "alertingDevice", subject),
    CALLING,
    CALLED,
    LAST_REDIRECTION,
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row established_rows[] = {
    MONITOR,
    CONNECTION("establishedConnection"),
    PARTY(SHOULD, "answeringDevice", subject),
    CALLING,
    CALLED,
    LAST_REDIRECTION,
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row failed_rows[] = {
    MONITOR,
    CONNECTION("failedConnection"),
    PARTY(SHOULD, "failingDevice", subject),
    CALLING,
    CALLED,
    LAST_REDIRECTION,
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row connection_cleared_rows[] = {
    MONITOR,
    CONNECTION("droppedConnection"),
    PARTY(SHOULD, "releasingDevice", subject),
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row held_rows[] = {
    MONITOR,
    CONNECTION("heldConnection"),
    PARTY(SHOULD, "holdingDevice", subject),
    LOCAL,
    CORRELATOR,
    CAUSE,
};
static const struct csta_row retrieved_rows[] = {
    MONITOR,
    CONNECTION("retrievedConnection"),
    PARTY(SHOULD, "retrievingDevice", subject),
    LOCAL,
    CORRELATOR,
    CAUSE,
};
static const struct csta_row diverted_rows[] = {
    MONITOR,
    CONNECTION("connection"),
    PARTY(SHOULD, "divertingDevice", subject),
    PARTY(SHOULD, "newDestination", new_destination),
    PARTY(MAY, "callingDevice", calling),
    PARTY(MAY, "calledDevice", called),
    LAST_REDIRECTION,
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row network_reached_rows[] = {
    MONITOR,
    CONNECTION("outboundConnection"),
    PARTY(SHOULD, "networkInterfaceUsed", subject),
    CALLING,
    CALLED,
    LAST_REDIRECTION,
    LOCAL,
    CORRELATOR,
    USER_DATA,
    CAUSE,
};
static const struct csta_row service_state_rows[] = {
    MONITOR,
    PARTY(SHOULD, "device", subject),
    ROW(MAY, CAUSE, "cause", cause),
};

/* --------------------------------------------------------------------------------------------- */

#define TABLE(id, rows_) [CSTA_##id] = { .rows = (rows_), .count = COUNT_OF(rows_) }
static const struct csta_table tables[CSTA_TYPE_COUNT] = {
    TABLE(START_SESSION, start_session_rows),
    TABLE(START_SESSION_DONE, start_session_done_rows),
    TABLE(START_SESSION_REFUSED, refused_rows),
    TABLE(RESET_TIMER, reset_timer_rows),
    TABLE(RESET_TIMER_DONE, reset_timer_done_rows),
    TABLE(RESET_TIMER_REFUSED, refused_rows),
    TABLE(STOP_SESSION, stop_session_rows),
    [CSTA_STOP_SESSION_DONE] = {0},
    TABLE(STOP_SESSION_REFUSED, refused_rows),
    TABLE(SESSION_TERMINATED, session_terminated_rows),
    TABLE(ERROR, error_rows),
    TABLE(SYSTEM_STATUS, system_status_rows),
    [CSTA_SYSTEM_STATUS_DONE] = {0},
    TABLE(REQUEST_STATUS, request_status_rows),
    TABLE(REQUEST_STATUS_DONE, request_status_done_rows),
    TABLE(SYSTEM_REGISTER, system_register_rows),
    TABLE(SYSTEM_REGISTER_DONE, system_register_done_rows),
    TABLE(GET_DEVICES, get_devices_rows),
    TABLE(GET_DEVICES_DONE, get_devices_done_rows),
    TABLE(DEVICES, devices_rows),
    TABLE(MONITOR_START, monitor_start_rows),
    TABLE(MONITOR_START_DONE, monitor_start_done_rows),
    TABLE(MONITOR_STOP, monitor_stop_rows),
    [CSTA_MONITOR_STOP_DONE] = {0},
    TABLE(SNAPSHOT_DEVICE, snapshot_device_rows),
    TABLE(SNAPSHOT_DEVICE_DONE, snapshot_device_done_rows),
    TABLE(SNAPSHOT_DEVICE_DATA, snapshot_device_data_rows),
    TABLE(SNAPSHOT_CALL, snapshot_call_rows),
    TABLE(SNAPSHOT_CALL_DONE, snapshot_call_done_rows),
    TABLE(MAKE_CALL, make_call_rows),
    TABLE(MAKE_CALL_DONE, make_call_done_rows),
    TABLE(ANSWER_CALL, answer_call_rows),
    [CSTA_ANSWER_CALL_DONE] = {0},
    TABLE(CLEAR_CONNECTION, clear_connection_rows),
    [CSTA_CLEAR_CONNECTION_DONE] = {0},
    TABLE(SERVICE_INITIATED, service_initiated_rows),
    TABLE(ORIGINATED, originated_rows),
    TABLE(DELIVERED, delivered_rows),
    TABLE(ESTABLISHED, established_rows),
    TABLE(FAILED, failed_rows),
    TABLE(CONNECTION_CLEARED, connection_cleared_rows),
    TABLE(HELD, held_rows),
    TABLE(RETRIEVED, retrieved_rows),
    TABLE(DIVERTED, diverted_rows),
    TABLE(NETWORK_REACHED, network_reached_rows),
    TABLE(BACK_IN_SERVICE, service_state_rows),
    TABLE(OUT_OF_SERVICE, service_state_rows),
};
/* clang-format on */

const struct csta_table *csta__table(enum csta_type type)
{
    return &tables[type < CSTA_TYPE_COUNT ? type : CSTA_UNKNOWN];
}

const struct csta_row *csta__row(const struct csta_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct csta_row *row = &table->rows[i];
        if (row->kind == CSTA_KIND_ERROR ? csta__error(name) != CSTA_ERROR_ABSENT
                                         : strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

bool csta__is_session(enum csta_type type)
{
    return type >= CSTA_START_SESSION && type <= CSTA_SESSION_TERMINATED;
}
