/* The standard's words: names of messages, states, errors and causes, editions. */
#include "lib/csta/csta_private.h"

#include "lib/common/common.h"

#include <string.h>

static const struct {
    const char *name;
    enum csta_class class;
} types[] = {
#define TYPE_ROW(id, class_, name_) [CSTA_##id] = {.name = (name_), .class = CSTA_CLASS_##class_},
    CSTA_TYPES(TYPE_ROW)
#undef TYPE_ROW
};

const char *csta_type_name(enum csta_type type)
{
    return type > CSTA_UNKNOWN && type < CSTA_TYPE_COUNT ? types[type].name : "?";
}

enum csta_class csta_class(enum csta_type type)
{
    return type > CSTA_UNKNOWN && type < CSTA_TYPE_COUNT ? types[type].class : CSTA_CLASS_EVENT;
}

static const char uri_start[] = "http://www.ecma-international.org/standards/ecma-323/csta/";

static const struct {
    const char *name, *uri;
} versions[CSTA_VERSION_COUNT] = {
#define VERSION_ROW(n)                                                                             \
    [CSTA_ED##n] = {"ed" #n, "http://www.ecma-international.org/standards/ecma-323/csta/ed" #n}
    [CSTA_VERSION_NONE] = {"", ""}, VERSION_ROW(3), VERSION_ROW(4), VERSION_ROW(5), VERSION_ROW(6),
#undef VERSION_ROW
};

const char *csta_version_name(enum csta_version version)
{
    return version > CSTA_VERSION_NONE && version < CSTA_VERSION_COUNT ? versions[version].name
                                                                       : "";
}

const char *csta_version_uri(enum csta_version version)
{
    return version > CSTA_VERSION_NONE && version < CSTA_VERSION_COUNT ? versions[version].uri : "";
}

enum csta_version csta_version_parse(const char *text)
{
    size_t start_chars = strlen(uri_start);
    if (strncmp(text, uri_start, start_chars) == 0)
        text += start_chars;
    size_t len = strcspn(text, "/");
    for (int version = CSTA_ED3; version < CSTA_VERSION_COUNT; version++)
        if (len == strlen(versions[version].name) &&
            strncmp(text, versions[version].name, len) == 0)
            return (enum csta_version)version;
    return CSTA_VERSION_NONE;
}

const char *csta_local_name(enum csta_local local)
{
#define LOCAL_TEXT(id, text) [CSTA_LOCAL_##id] = (text),
    static const char *const names[] = {"?", CSTA_LOCALS(LOCAL_TEXT)};
#undef LOCAL_TEXT
    return local < CSTA_LOCAL_COUNT ? names[local] : "?";
}

const char *csta_error_name(enum csta_error error)
{
#define ERROR_TEXT(id, text) [CSTA_ERROR_##id] = (text),
    static const char *const names[] = {"?", CSTA_ERRORS(ERROR_TEXT)};
#undef ERROR_TEXT
    return error < CSTA_ERROR_COUNT ? names[error] : "?";
}

enum csta_type csta__type(const char *name)
{
    for (int type = CSTA_UNKNOWN + 1; type < CSTA_TYPE_COUNT; type++)
        if (strcmp(types[type].name, name) == 0)
            return (enum csta_type)type;
    return CSTA_UNKNOWN;
}

enum csta_local csta__local(const char *name)
{
    for (int local = CSTA_LOCAL_ABSENT + 1; local < CSTA_LOCAL_COUNT; local++)
        if (strcmp(csta_local_name((enum csta_local)local), name) == 0)
            return (enum csta_local)local;
    return CSTA_LOCAL_ABSENT;
}

enum csta_error csta__error(const char *name)
{
    if (strcmp(name, "systemResourceAvailability") == 0) /* spelt right, as some products do */
        return CSTA_ERROR_SYSTEM_RESOURCE;
    for (int error = CSTA_ERROR_ABSENT + 1; error < CSTA_ERROR_COUNT; error++)
        if (strcmp(csta_error_name((enum csta_error)error), name) == 0)
            return (enum csta_error)error;
    return CSTA_ERROR_ABSENT;
}

static const char *const originates[CSTA_ORIGINATE_COUNT] = {
    [CSTA_ORIGINATE_PROMPT] = "prompt",
    [CSTA_ORIGINATE_DO_NOT_PROMPT] = "doNotPrompt",
};

const char *csta__originate_name(enum csta_originate originate)
{
    return originate < CSTA_ORIGINATE_COUNT ? originates[originate] : NULL;
}

enum csta_originate csta__originate(const char *name)
{
    for (int originate = CSTA_ORIGINATE_PROMPT; originate < CSTA_ORIGINATE_COUNT; originate++)
        if (strcmp(originates[originate], name) == 0)
            return (enum csta_originate)originate;
    return CSTA_ORIGINATE_ABSENT;
}

const char *csta__party_name(enum csta_kind kind, enum csta_party_kind party)
{
    static const char *const parties[CSTA_PARTY_COUNT] = {
        [CSTA_PARTY_NOT_KNOWN] = "notKnown",
        [CSTA_PARTY_DEVICE] = "deviceIdentifier",
        [CSTA_PARTY_RESTRICTED] = "restricted",
    };
    static const char *const redirections[CSTA_PARTY_COUNT] = {
        [CSTA_PARTY_NOT_KNOWN] = "notKnown",         [CSTA_PARTY_DEVICE] = "numberDialed",
        [CSTA_PARTY_RESTRICTED] = "restricted",      [CSTA_PARTY_NOT_REQUIRED] = "notRequired",
        [CSTA_PARTY_NOT_SPECIFIED] = "notSpecified",
    };
    if (party >= CSTA_PARTY_COUNT)
        return NULL;
    return kind == CSTA_KIND_REDIRECTION ? redirections[party] : parties[party];
}

bool csta__is_hex(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    return text[digits] == '\0' && digits % 2 == 0;
}

/* The device's own part of the combined states of ECMA-269; "...Held": by itself, "...OnHold": by
 * the other side. ECMA-285 gives them as two digits, the other side's state and then the own. */
static const struct {
    const char *name;
    enum csta_local local;
} simple_states[] = {
    {"callNull", CSTA_LOCAL_NONE},
    {"callPending", CSTA_LOCAL_INITIATED},
    {"callOriginated", CSTA_LOCAL_CONNECTED},
    {"callDelivered", CSTA_LOCAL_CONNECTED},
    {"callDeliveredHeld", CSTA_LOCAL_HOLD},
    {"callReceived", CSTA_LOCAL_ALERTING},
    {"callEstablished", CSTA_LOCAL_CONNECTED},
    {"callEstablishedHeld", CSTA_LOCAL_HOLD},
    {"callReceivedOnHold", CSTA_LOCAL_ALERTING},
    {"callEstablishedOnHold", CSTA_LOCAL_CONNECTED},
    {"callQueued", CSTA_LOCAL_CONNECTED},
    {"callQueuedHeld", CSTA_LOCAL_HOLD},
    {"callFailed", CSTA_LOCAL_CONNECTED},
    {"callFailedHeld", CSTA_LOCAL_HOLD},
    {"callBlocked", CSTA_LOCAL_FAIL},
};

enum csta_local csta_snapshot_local(const struct csta_snapshot_call *call)
{
    if (call->local_count > 0)
        return call->locals[0];
    for (size_t i = 0; call->simple_state != NULL && i < COUNT_OF(simple_states); i++)
        if (strcmp(call->simple_state, simple_states[i].name) == 0)
            return simple_states[i].local;
    return CSTA_LOCAL_ABSENT;
}

/* EventCause of ECMA-269, in its order. "notAvaliableBearerService" is its own spelling. */
static const char *const causes[] = {
    "aCDBusy",
    "aCDForward",
    "aCDSaturated",
    "activation",
    "activeParticipation",
    "alertTimeExpired",
    "alternate",
    "autoWork",
    "babble",
    "badAttribute",
    "badGrammar",
    "badVoice",
    "badUri",
    "blocked",
    "busy",
    "busyOverflow",
    "calendarOverflow",
    "callBack",
    "callCancelled",
    "callForward",
    "callForwardImmediate",
    "callForwardBusy",
    "callForwardNoAnswer",
    "callInterception",
    "callInterceptionBusy",
    "callInterceptionForwarded",
    "callInterceptionNoAnswer",
    "callInterceptionResourcesNotAvailable",
    "callNotAnswered",
    "callPickup",
    "campOn",
    "campOnTrunks",
    "capacityOverflow",
    "characterCountReached",
    "conference",
    "consultation",
    "destDetected",
    "destNotObtainable",
    "destOutOfOrder",
    "distributed",
    "distributionDelay",
    "doNotDisturb",
    "dTMFDigitDetected",
    "duplicateDTMF",
    "durationExceeded",
    "earlyStop",
    "emptyQueue",
    "endOfMessageDetected",
    "enteringDistribution",
    "forcedPause",
    "forcedTransition",
    "incompatibleDestination",
    "interDigitTimeout",
    "intrude",
    "invalidAccountCode",
    "invalidConnection",
    "invalidConnectionState",
    "invalidNumberFormat",
    "joinCall",
    "keyOperation",
    "keyOperationInUse",
    "lawfulInterception",
    "lockout",
    "maintenance",
    "makeCall",
    "makeConnection",
    "makePredictiveCall",
    "maxTimeout",
    "messageDurationExceeded",
    "messageSizeExceeded",
    "multipleAlerting",
    "multipleQueuing",
    "networkCongestion",
    "networkDialling",
    "networkNotObtainable",
    "networkOutOfOrder",
    "networkSignal",
    "newCall",
    "nextMessage",
    "noAudioSaved",
    "noAvailableAgents",
    "noQueue",
    "normal",
    "normalClearing",
    "noRule",
    "noSpeechDetected",
    "notAvaliableBearerService",
    "notSupportedBearerService",
    "numberChanged",
    "numberUnallocated",
    "outOfGrammar",
    "overflow",
    "override",
    "park",
    "pathReplacement",
    "queueCleared",
    "queueTimeOverflow",
    "recall",
    "recallBusy",
    "recallForwarded",
    "recallNoAnswer",
    "recallResourcesNotAvailable",
    "redirected",
    "remainsInQueue",
    "reorderTone",
    "reserved",
    "resourcesNotAvailable",
    "selectedTrunkBusy",
    "silentParticipation",
    "singleStepConference",
    "singleStepTransfer",
    "speechDetected",
    "suspend",
    "switchingFunctionTerminated",
    "terminationCharacterReceived",
    "timeout",
    "transfer",
    "trunksBusy",
    "unauthorisedBearerService",
    "unknownOverflow",
};

bool csta_cause_known(const char *cause)
{
    for (size_t i = 0; i < COUNT_OF(causes); i++)
        if (strcmp(cause, causes[i]) == 0)
            return true;
    return false;
}
