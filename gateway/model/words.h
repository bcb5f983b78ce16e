/* words.h - the words of telephony that clients read: states, causes, error families. One list per
 * word family gives the enum, its names and the NULL-terminated table that representations use;
 * value 0 is "absent", the first name is 1, as REPR_ENUM wants it.
 *
 * Source: contract of the telephony service, section Representations, and of errors. */
#ifndef OG_GATEWAY_WORDS_H
#define OG_GATEWAY_WORDS_H

#define MEDIA_STATES(X)                                                                            \
    X(UNKNOWN)                                                                                     \
    X(OFF_HOOK)                                                                                    \
    X(IDLE)                                                                                        \
    X(RELEASING)                                                                                   \
    X(DIALING)                                                                                     \
    X(HELD)                                                                                        \
    X(RINGING_INCOMING)                                                                            \
    X(RINGING_OUTGOING)                                                                            \
    X(ACTIVE)

#define CALL_CAUSES(X)                                                                             \
    X(ABANDONED)                                                                                   \
    X(ALL_TRUNK_BUSY)                                                                              \
    X(BUSY)                                                                                        \
    X(CLEARED)                                                                                     \
    X(PARTICIPANT_LEFT)                                                                            \
    X(CONFERENCED)                                                                                 \
    X(INVALID_NUMBER)                                                                              \
    X(DESTINATION_NOT_OBTAINABLE)                                                                  \
    X(DO_NOT_DISTURB)                                                                              \
    X(FORWARDED)                                                                                   \
    X(NOT_ANSWERED)                                                                                \
    X(PICKED_UP)                                                                                   \
    X(PARKED)                                                                                      \
    X(REDIRECTED)                                                                                  \
    X(OVERFLOWN)                                                                                   \
    X(TRANSFERRED)                                                                                 \
    X(CAMP_ON)                                                                                     \
    X(UNKNOWN)                                                                                     \
    X(PICKED_UP_TANDEM)                                                                            \
    X(CALL_BACK)                                                                                   \
    X(RECALL)                                                                                      \
    X(DISTRIBUTED)                                                                                 \
    X(ACD_ENTER_DISTRIBUTION)                                                                      \
    X(RESOURCES_NOT_AVAILABLE)                                                                     \
    X(SUPERVISOR_LISTENING)                                                                        \
    X(SUPERVISOR_INTRUSION)                                                                        \
    X(SUPERVISOR_RESTRICT_INTRUSION)                                                               \
    X(NO_AVAILABLE_AGENT)                                                                          \
    X(LOCKOUT)

#define USER_STATES(X)        X(FREE) X(BUSY) X(UNKNOWN)
#define OPERATIONAL_STATES(X) X(IN_SERVICE) X(OUT_OF_SERVICE) X(UNKNOWN)
#define DEVICE_TYPES(X)       X(DECT) X(DESKPHONE) X(MOBILE) X(SOFTPHONE)
#define PARTY_TYPES(X)        X(USER) X(DEVICE) X(SERVICE) X(EXTERNAL) X(UNKNOWN)

#define TELEPHONY_ERROR_TYPES(X)                                                                   \
    X(UNKNOWN)                                                                                     \
    X(CALL_REFERENCE_NOT_FOUND)                                                                    \
    X(LEG_NOT_FOUND)                                                                               \
    X(BAD_PARAMETER_VALUE)                                                                         \
    X(INCOMPATIBLE_WITH_STATE)                                                                     \
    X(SERVICE_NOT_PROVIDED)                                                                        \
    X(SERVICE_UNAVAILABLE)                                                                         \
    X(INITIALIZATION)                                                                              \
    X(UNAUTHORIZED)                                                                                \
    X(CALL_SERVER_ERROR)                                                                           \
    X(REQUEST_TIMEOUT)

#define TELEPHONY_ERROR_CAUSES(X)                                                                  \
    X(UNKNOWN)                                                                                     \
    X(INVALID_CALLING)                                                                             \
    X(INVALID_DESTINATION)                                                                         \
    X(INVALID_CALL_ID)                                                                             \
    X(INVALID_CONNECTION_STATE)                                                                    \
    X(DEVICE_OUT_OF_SERVICE)                                                                       \
    X(INVALID_DEVICE)                                                                              \
    X(INVALID_DEVICE_STATE)                                                                        \
    X(INVALID_DATA)                                                                                \
    X(RESOURCE_BUSY)

#define MEDIA_STATE_ENUM(id)       MEDIA_##id,
#define CALL_CAUSE_ENUM(id)        CAUSE_##id,
#define USER_STATE_ENUM(id)        USER_STATE_##id,
#define OPERATIONAL_STATE_ENUM(id) DEVICE_##id,
#define DEVICE_TYPE_ENUM(id)       DEVICE_TYPE_##id,
#define PARTY_TYPE_ENUM(id)        PARTY_##id,
#define TELEPHONY_TYPE_ENUM(id)    TELEPHONY_##id,
#define TELEPHONY_CAUSE_ENUM(id)   TELEPHONY_CAUSE_##id,

enum media_state { MEDIA_ABSENT, MEDIA_STATES(MEDIA_STATE_ENUM) MEDIA_STATE_COUNT };
enum call_cause { CAUSE_ABSENT, CALL_CAUSES(CALL_CAUSE_ENUM) CALL_CAUSE_COUNT };
enum user_state { USER_STATE_ABSENT, USER_STATES(USER_STATE_ENUM) USER_STATE_COUNT };
enum operational_state {
    DEVICE_STATE_ABSENT,
    OPERATIONAL_STATES(OPERATIONAL_STATE_ENUM) OPERATIONAL_STATE_COUNT
};
enum device_type { DEVICE_TYPE_ABSENT, DEVICE_TYPES(DEVICE_TYPE_ENUM) DEVICE_TYPE_COUNT };
enum party_type { PARTY_ABSENT, PARTY_TYPES(PARTY_TYPE_ENUM) PARTY_TYPE_COUNT };
enum telephony_error_type {
    TELEPHONY_ABSENT,
    TELEPHONY_ERROR_TYPES(TELEPHONY_TYPE_ENUM) TELEPHONY_ERROR_TYPE_COUNT
};
enum telephony_error_cause {
    TELEPHONY_CAUSE_ABSENT,
    TELEPHONY_ERROR_CAUSES(TELEPHONY_CAUSE_ENUM) TELEPHONY_ERROR_CAUSE_COUNT
};

/* Names without the absent value, ended by NULL: name of value v is at v - 1. */
extern const char *const media_state_names[],
    *const call_cause_names[], *const user_state_names[],
                                   *const operational_state_names[],
                                       *const device_type_names[],
                                           *const party_type_names[],
                                               *const telephony_error_type_names[],
                                                   *const telephony_error_cause_names[];

#endif
