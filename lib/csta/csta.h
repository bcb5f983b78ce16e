/* csta.h - CSTA III messages in XML: one plain struct for all of them, read and written by the same
 * table (csta_tables.c), which follows the schema's order of children.
 *
 * Reading looks at local names only: name spaces and prefixes differ between products and editions.
 * Unknown children are skipped wherever they stand, known ones are taken in any order, a byte order
 * mark and trailing NULs or blanks are tolerated. An unknown message is CSTA_UNKNOWN with its name;
 * so is an event of a monitor that lacks something or says something odd, since what it tells has
 * happened all the same: look at that monitor's device anew.
 * Writing puts the children in the schema's order, the default name space of the edition (the
 * session's own for session messages) on the outermost element, and nothing but ASCII into the
 * text, so that every peer counts the same number of bytes and characters.
 *
 * Which fields a message uses stands in csta_tables.c, one row for each child element; the comment
 * behind a field here gives the idea. Unset fields ({0}) are absent.
 *
 * Source: ECMA-269 (meaning), ECMA-323 edition 6 (elements), ECMA-354 (session). */
#ifndef OG_CSTA_H
#define OG_CSTA_H

#include "lib/common/buf.h"
#include "lib/common/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum csta_class {
    CSTA_CLASS_REQUEST,  /* wants an answer with the same invoke identifier */
    CSTA_CLASS_RESPONSE, /* is one, good or bad */
    CSTA_CLASS_EVENT,    /* wants none */
};

/* clang-format off */
#define CSTA_TYPES(X)                                                                              \
    /* the application session, ECMA-354 */                                                        \
    X(START_SESSION,            REQUEST,  "StartApplicationSession")                               \
    X(START_SESSION_DONE,       RESPONSE, "StartApplicationSessionPosResponse")                    \
    X(START_SESSION_REFUSED,    RESPONSE, "StartApplicationSessionNegResponse")                    \
    X(RESET_TIMER,              REQUEST,  "ResetApplicationSessionTimer")                          \
    X(RESET_TIMER_DONE,         RESPONSE, "ResetApplicationSessionTimerPosResponse")               \
    X(RESET_TIMER_REFUSED,      RESPONSE, "ResetApplicationSessionTimerNegResponse")               \
    X(STOP_SESSION,             REQUEST,  "StopApplicationSession")                                \
    X(STOP_SESSION_DONE,        RESPONSE, "StopApplicationSessionPosResponse")                     \
    X(STOP_SESSION_REFUSED,     RESPONSE, "StopApplicationSessionNegResponse")                     \
    X(SESSION_TERMINATED,       EVENT,    "ApplicationSessionTerminated")                          \
    /* status, directory, monitors, snapshots, ECMA-323 */                                         \
    X(ERROR,                    RESPONSE, "CSTAErrorCode")                                         \
    X(SYSTEM_STATUS,            REQUEST,  "SystemStatus")                                          \
    X(SYSTEM_STATUS_DONE,       RESPONSE, "SystemStatusResponse")                                  \
    X(REQUEST_STATUS,           REQUEST,  "RequestSystemStatus")                                   \
    X(REQUEST_STATUS_DONE,      RESPONSE, "RequestSystemStatusResponse")                           \
    X(SYSTEM_REGISTER,          REQUEST,  "SystemRegister")                                        \
    X(SYSTEM_REGISTER_DONE,     RESPONSE, "SystemRegisterResponse")                                \
    X(GET_DEVICES,              REQUEST,  "GetSwitchingFunctionDevices")                           \
    X(GET_DEVICES_DONE,         RESPONSE, "GetSwitchingFunctionDevicesResponse")                   \
    X(DEVICES,                  EVENT,    "SwitchingFunctionDevices")                              \
    X(MONITOR_START,            REQUEST,  "MonitorStart")                                          \
    X(MONITOR_START_DONE,       RESPONSE, "MonitorStartResponse")                                  \
    X(MONITOR_STOP,             REQUEST,  "MonitorStop")                                           \
    X(MONITOR_STOP_DONE,        RESPONSE, "MonitorStopResponse")                                   \
    X(SNAPSHOT_DEVICE,          REQUEST,  "SnapshotDevice")                                        \
    X(SNAPSHOT_DEVICE_DONE,     RESPONSE, "SnapshotDeviceResponse")                                \
    X(SNAPSHOT_DEVICE_DATA,     EVENT,    "SnapshotDeviceData")                                    \
    X(SNAPSHOT_CALL,            REQUEST,  "SnapshotCall")                                          \
    X(SNAPSHOT_CALL_DONE,       RESPONSE, "SnapshotCallResponse")                                  \
    /* calls */                                                                                    \
    X(MAKE_CALL,                REQUEST,  "MakeCall")                                              \
    X(MAKE_CALL_DONE,           RESPONSE, "MakeCallResponse")                                      \
    X(ANSWER_CALL,              REQUEST,  "AnswerCall")                                            \
    X(ANSWER_CALL_DONE,         RESPONSE, "AnswerCallResponse")                                    \
    X(CLEAR_CONNECTION,         REQUEST,  "ClearConnection")                                       \
    X(CLEAR_CONNECTION_DONE,    RESPONSE, "ClearConnectionResponse")                               \
    /* events of a monitor */                                                                      \
    X(SERVICE_INITIATED,        EVENT,    "ServiceInitiatedEvent")                                 \
    X(ORIGINATED,               EVENT,    "OriginatedEvent")                                       \
    X(DELIVERED,                EVENT,    "DeliveredEvent")                                        \
    X(ESTABLISHED,              EVENT,    "EstablishedEvent")                                      \
    X(FAILED,                   EVENT,    "FailedEvent")                                           \
    X(CONNECTION_CLEARED,       EVENT,    "ConnectionClearedEvent")                                \
    X(HELD,                     EVENT,    "HeldEvent")                                             \
    X(RETRIEVED,                EVENT,    "RetrievedEvent")                                        \
    X(DIVERTED,                 EVENT,    "DivertedEvent")                                         \
    X(NETWORK_REACHED,          EVENT,    "NetworkReachedEvent")                                   \
    X(BACK_IN_SERVICE,          EVENT,    "BackInServiceEvent")                                    \
    X(OUT_OF_SERVICE,           EVENT,    "OutOfServiceEvent")
/* clang-format on */
#define CSTA_TYPE_ENUM(id, class_, name) CSTA_##id,
enum csta_type { CSTA_UNKNOWN, CSTA_TYPES(CSTA_TYPE_ENUM) CSTA_TYPE_COUNT };
const char *csta_type_name(enum csta_type type); /* the element; "?" out of range and for UNKNOWN */
enum csta_class csta_class(enum csta_type type); /* UNKNOWN: CSTA_CLASS_EVENT */

/* Editions of ECMA-323, as name spaces .../csta/ed3. */
enum csta_version { CSTA_VERSION_NONE, CSTA_ED3, CSTA_ED4, CSTA_ED5, CSTA_ED6, CSTA_VERSION_COUNT };
const char *csta_version_name(enum csta_version version); /* "ed6"; "" for NONE */
const char *csta_version_uri(enum csta_version version);  /* the name space; "" for NONE */
/* From "ed6" or a name space, what a vendor has put behind it ("/privA") ignored. NONE: neither. */
enum csta_version csta_version_parse(const char *text);

/* Connection states as seen from one device; ABSENT: the message does not say. */
#define CSTA_LOCALS(X)                                                                             \
    X(NONE, "null")                                                                                \
    X(INITIATED, "initiated")                                                                      \
    X(ALERTING, "alerting")                                                                        \
    X(CONNECTED, "connected")                                                                      \
    X(HOLD, "hold")                                                                                \
    X(QUEUED, "queued")                                                                            \
    X(FAIL, "fail")
#define CSTA_LOCAL_ENUM(id, text) CSTA_LOCAL_##id,
enum csta_local { CSTA_LOCAL_ABSENT, CSTA_LOCALS(CSTA_LOCAL_ENUM) CSTA_LOCAL_COUNT };
const char *csta_local_name(enum csta_local local); /* "?" out of range and for ABSENT */

enum csta_originate { /* MakeCall: does the caller's device ring first? */
                      CSTA_ORIGINATE_ABSENT,
                      CSTA_ORIGINATE_PROMPT,
                      CSTA_ORIGINATE_DO_NOT_PROMPT,
                      CSTA_ORIGINATE_COUNT
};

/* Categories of CSTAErrorCode; the value is a text ("invalidDeviceID"), empty for UNSPECIFIED. */
#define CSTA_ERRORS(X)                                                                             \
    X(OPERATION, "operation")                                                                      \
    X(STATE, "stateIncompatibility")                                                               \
    X(SYSTEM_RESOURCE, "systemResourceAvailibility") /* the schema spells it so */                 \
    X(SUBSCRIBED_RESOURCE, "subscribedResourceAvailability")                                       \
    X(PERFORMANCE, "performanceManagement")                                                        \
    X(SECURITY, "security")                                                                        \
    X(PRIVATE_DATA, "privateData")                                                                 \
    X(UNSPECIFIED, "unspecified")                                                                  \
    X(PRIVATE, "privateErrorCode")
#define CSTA_ERROR_ENUM(id, text) CSTA_ERROR_##id,
enum csta_error { CSTA_ERROR_ABSENT, CSTA_ERRORS(CSTA_ERROR_ENUM) CSTA_ERROR_COUNT };
const char *csta_error_name(enum csta_error error); /* "?" out of range and for ABSENT */

struct csta_number {
    int64_t value;
    bool set;
};
struct csta_bool {
    bool set, value;
};

struct csta_device {
    const char *id; /* NULL: absent; perhaps in the form that csta_device_parse() reads */
    const char *type_of_number; /* NULL: dialingNumber, the default */
};

struct csta_connection { /* absent when both are NULL */
    const char *call_id;
    struct csta_device device;
};

enum csta_party_kind {
    CSTA_PARTY_ABSENT, /* written as the next one (redirection: NOT_SPECIFIED) where one must be */
    CSTA_PARTY_NOT_KNOWN,
    CSTA_PARTY_DEVICE,       /* `device` holds it */
    CSTA_PARTY_RESTRICTED,   /* not to be shown */
    CSTA_PARTY_NOT_REQUIRED, /* this and the next: only a last redirection device */
    CSTA_PARTY_NOT_SPECIFIED,
    CSTA_PARTY_COUNT
};
struct csta_party {
    enum csta_party_kind kind;
    struct csta_device device;
};

struct csta_listed_device { /* of SwitchingFunctionDevices */
    struct csta_device device;
    const char *category;    /* "station"; NULL: station, the default */
    const char *named_types; /* "station", "trunk", ... */
    const char *model;
};

struct csta_snapshot_call { /* of SnapshotDevice: a call at the device */
    struct csta_connection connection;
    struct csta_party endpoint;
    const enum csta_local *locals; /* compound state: first the device's own, then the others' */
    size_t local_count;
    const char *simple_state; /* "callEstablished"; instead of locals */
};
/* The device's own state from either form; ABSENT when the switch does not tell it. */
enum csta_local csta_snapshot_local(const struct csta_snapshot_call *call);

struct csta_snapshot_end { /* of SnapshotCall: a device in the call */
    struct csta_party device;
    struct csta_connection connection;
    enum csta_local local;
};

struct csta_memory;
struct csta_message {
    enum csta_type type;
    const char *name; /* of the element, when it was read */

    /* session */
    const char *application_id, *user, *password;
    const char *const *versions; /* name spaces, best first */
    size_t version_count;
    const char *version; /* agreed on */
    const char *session_id;
    struct csta_number session_s; /* duration wanted or granted */
    const char *reason;           /* why refused, ended, terminated: one of the standard's words */
    const char *private_reason;   /* or the application's own */

    /* status and lists */
    const char *register_id;
    struct csta_bool wants_status, wants_status_requests; /* SystemRegister: what may be sent */
    const char *system_status; /* "enabled"; written as "normal" where one must be */
    const char *cross_ref_id;  /* of a list in segments */
    struct csta_number segment_id;
    struct csta_bool last_segment;
    const char *category; /* of devices asked for */
    const struct csta_listed_device *devices;
    size_t device_count;
    bool has_devices; /* an empty list is a list: no devices; needs no setting for DEVICES */
    const struct csta_snapshot_call *calls; /* SnapshotDevice */
    size_t call_count;
    bool has_calls;                       /* set it in an answer without any */
    const struct csta_snapshot_end *ends; /* SnapshotCall */
    size_t end_count;
    bool has_ends;

    /* monitors, requests, events */
    const char *monitor_id; /* monitorCrossRefID; of an UNKNOWN event too */
    const char *monitor_type;
    struct csta_bool existing_calls;
    struct csta_device device;         /* the object asked about, the caller of MakeCall */
    struct csta_device destination;    /* MakeCall: the number to dial */
    enum csta_originate originate;     /* MakeCall */
    struct csta_connection connection; /* the subject connection; the call that was begun */
    struct csta_party subject;         /* the device of the subject connection */
    struct csta_party calling, called, redirection;
    struct csta_party new_destination; /* Diverted */
    enum csta_local local;             /* of the monitored device after the event */
    const char *correlator;            /* hexadecimal digits */
    const char *user_data;             /* hexadecimal digits */
    const char *cause; /* EventCause, "newCall"; written as "normal" where one must be */

    /* CSTAErrorCode */
    enum csta_error error;
    const char *error_value;

    struct csta_memory *memory; /* of what was read; NULL in a message of one's own */
};

/* Reads one message; texts and lists live until csta_message_done(). -EPROTO: no XML, too deep, a
 * document type, or a known message without what it must have or with a value that its type does
 * not allow: the diag names the element (it does so, too, when an event is UNKNOWN for that
 * reason). -ENOMEM. On an error nothing needs to be freed. */
int csta_read(const char *xml, size_t len_bytes, struct csta_message *ret_message,
              struct diag *diag);
void csta_message_done(struct csta_message *message); /* {0} and messages of one's own are fine */

/* Appends the XML. -EINVAL: no type, or a field that the message must have is unset; -EMSGSIZE:
 * larger than a frame takes; -ENOMEM. On an error nothing was appended. */
int csta_write(const struct csta_message *message, enum csta_version version, struct buf *out,
               struct diag *diag);
/* The same as a whole frame. */
int csta_write_frame(const struct csta_message *message, enum csta_version version, unsigned invoke,
                     struct buf *out, struct diag *diag);

/* For tests of both sides: 0 when the XML is a known message in the schema's strict form (order of
 * children, all mandatory ones, no unknown one, name space, cause and state words of the
 * standard), ASCII, and written again gives the same bytes. -EPROTO: the diag says where not. */
int csta_check(const char *xml, size_t len_bytes, struct diag *diag);

/* Is it a word of EventCause (ECMA-269)? */
bool csta_cause_known(const char *cause);

/* A device identifier taken apart: "1001", or fully qualified as
 * "N<1001>Nora Lindqvist;displayNumber=1009;noa=nk": number between the angle brackets, name behind
 * them, parameters. name and display_number are empty when absent; a name that is too long is cut.
 */
struct csta_device_parts {
    char number[64], name[128], display_number[64];
};
/* -EINVAL: no number, control characters, or a number that is too long; the output is left alone.
 */
int csta_device_parse(const char *id, struct csta_device_parts *ret_parts);
/* The fully qualified text; -EINVAL when a part holds what its place does not allow (';', '<', '>',
 * control characters) or number is empty; nothing was appended then. */
int csta_device_format(const struct csta_device_parts *parts, struct buf *out);

#endif
