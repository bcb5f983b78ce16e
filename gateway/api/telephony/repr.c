#include "gateway/api/telephony/repr.h"

#include "gateway/model/words.h"

/* --- capabilities -------------------------------------------------------------------------------
 */
#define CALL_CAPABILITY_ROW(field, name)                                                           \
    REPR_BOOL_OPTIONAL(struct call_capabilities_view, field, name, 0),
#define LEG_CAPABILITY_ROW(field, name)                                                            \
    REPR_BOOL_OPTIONAL(struct leg_capabilities_view, field, name, 0),
#define DEVICE_CAPABILITY_ROW(field, name)                                                         \
    REPR_BOOL_OPTIONAL(struct device_capabilities_view, field, name, 0),

/* What a media of a call looks like is not known: seen empty only. */
static const struct repr_member media_members[] = {
    REPR_STRING(struct media_capability_view, type, "type", REPR_REQUIRED, 0, 0),
};
static const struct repr media_capability_repr =
    REPR("MediaCapability", struct media_capability_view, media_members);

static const struct repr_member call_capability_members[] = {
    REPR_OBJECTS(struct call_capabilities_view, add_medias, "addMedias", 0, 0,
                 &media_capability_repr),
    CALL_CAPABILITIES(CALL_CAPABILITY_ROW)};
static const struct repr call_capabilities_repr =
    REPR("CallCapabilities", struct call_capabilities_view, call_capability_members);

static const struct repr_member leg_capability_members[] = {LEG_CAPABILITIES(LEG_CAPABILITY_ROW)};
static const struct repr leg_capabilities_repr =
    REPR("LegCapabilities", struct leg_capabilities_view, leg_capability_members);

static const struct repr_member device_capability_members[] = {
    REPR_STRING(struct device_capabilities_view, device_id, "deviceId", REPR_REQUIRED, 0, 0),
    DEVICE_CAPABILITIES(DEVICE_CAPABILITY_ROW)};
static const struct repr device_capabilities_repr =
    REPR("DeviceCapabilities", struct device_capabilities_view, device_capability_members);

/* --- parties ------------------------------------------------------------------------------------
 */
static const struct repr_member party_id_members[] = {
    REPR_STRING(struct party_id_view, login_name, "loginName", 0, 0, 0),
    REPR_STRING(struct party_id_view, phone_number, "phoneNumber", 0, 0, 0),
    REPR_BOOL_OPTIONAL(struct party_id_view, multi_line, "multiLine", 0),
};
static const struct repr party_id_repr = REPR("PartyId", struct party_id_view, party_id_members);

static const struct repr_member party_type_members[] = {
    REPR_ENUM(struct party_type_view, main, "main", REPR_REQUIRED, party_type_names),
    REPR_STRING(struct party_type_view, sub_type, "subType", 0, 0, 0),
};
static const struct repr party_type_repr =
    REPR("PartyType", struct party_type_view, party_type_members);

static const struct repr_member party_members[] = {
    REPR_OBJECT(struct party_view, id, "id", REPR_REQUIRED, &party_id_repr),
    REPR_STRING(struct party_view, first_name, "firstName", 0, 0, 0),
    REPR_STRING(struct party_view, last_name, "lastName", 0, 0, 0),
    REPR_STRING(struct party_view, display_name, "displayName", 0, 0, 0),
    REPR_OBJECT(struct party_view, type, "type", 0, &party_type_repr),
};
static const struct repr party_repr = REPR("PartyInfo", struct party_view, party_members);

static const struct repr_member participant_members[] = {
    REPR_STRING(struct participant_view, participant_id, "participantId", REPR_REQUIRED, 0, 0),
    REPR_OBJECT(struct participant_view, identity, "identity", 0, &party_repr),
    REPR_BOOL_OPTIONAL(struct participant_view, anonymous, "anonymous", 0),
    REPR_BOOL_OPTIONAL(struct participant_view, undroppable, "undroppable", 0),
    REPR_ENUM(struct participant_view, state, "state", 0, media_state_names),
    REPR_OBJECTS(struct participant_view, medias, "medias", 0, 0, &media_capability_repr),
    REPR_OBJECTS(struct participant_view, media_capabilities, "mediaCapabilities", 0, 0,
                 &media_capability_repr),
};
const struct repr participant_repr =
    REPR("Participant", struct participant_view, participant_members);

/* --- calls --------------------------------------------------------------------------------------
 */
static const struct repr_member tag_members[] = {
    REPR_STRING(struct tag_view, name, "name", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct tag_view, value, "value", 0, 0, 0),
    REPR_STRINGS(struct tag_view, visibilities, "visibilities", 0, 0, 0),
};
static const struct repr tag_repr = REPR("Tag", struct tag_view, tag_members);

static const struct repr_member trunk_members[] = {
    REPR_INT(struct trunk_view, network_timeslot, "networkTimeslot", 0, 0),
    REPR_INTS(struct trunk_view, trunk_neqt, "trunkNeqt", REPR_REQUIRED, 0, 0, 0),
};
static const struct repr trunk_repr = REPR("TrunkIdentification", struct trunk_view, trunk_members);

static const struct repr_member call_data_members[] = {
    REPR_OBJECT(struct call_data_view, initial_called, "initialCalled", 0, &party_repr),
    REPR_OBJECT(struct call_data_view, last_redirecting, "lastRedirecting", 0, &party_repr),
    REPR_BOOL_OPTIONAL(struct call_data_view, device_call, "deviceCall", 0),
    REPR_BOOL_OPTIONAL(struct call_data_view, anonymous, "anonymous", 0),
    REPR_STRING(struct call_data_view, call_uuid, "callUUID", 0, 0, 0),
    REPR_ENUM(struct call_data_view, state, "state", 0, media_state_names),
    REPR_STRING(struct call_data_view, record_state, "recordState", 0, 0, 0),
    REPR_OBJECTS(struct call_data_view, tags, "tags", 0, 0, &tag_repr),
    REPR_OBJECT(struct call_data_view, capabilities, "capabilities", 0, &call_capabilities_repr),
    REPR_STRING(struct call_data_view, associated_data, "associatedData", 0, 0, 0),
    REPR_STRING(struct call_data_view, hexa_binary_associated_data, "hexaBinaryAssociatedData", 0,
                0, 0),
    REPR_STRING(struct call_data_view, account_info, "accountInfo", 0, 0, 0),
    REPR_ANY(struct call_data_view, acd_call_data, "acdCallData", 0),
    REPR_OBJECT(struct call_data_view, trunk_identification, "trunkIdentification", 0, &trunk_repr),
};
static const struct repr call_data_repr =
    REPR("CallData", struct call_data_view, call_data_members);

static const struct repr_member leg_members[] = {
    REPR_STRING(struct leg_view, device_id, "deviceId", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct leg_view, media, "media", 0, 0, 0),
    REPR_ENUM(struct leg_view, state, "state", REPR_REQUIRED, media_state_names),
    REPR_BOOL_OPTIONAL(struct leg_view, ringing_remote, "ringingRemote", 0),
    REPR_OBJECT(struct leg_view, capabilities, "capabilities", 0, &leg_capabilities_repr),
};
const struct repr leg_repr = REPR("Leg", struct leg_view, leg_members);

static const struct repr_member call_members[] = {
    REPR_STRING(struct call_view, call_ref, "callRef", REPR_REQUIRED, 0, 0),
    REPR_OBJECT(struct call_view, call_data, "callData", 0, &call_data_repr),
    REPR_OBJECTS(struct call_view, legs, "legs", 0, 0, &leg_repr),
    REPR_OBJECTS(struct call_view, participants, "participants", 0, 0, &participant_repr),
};
const struct repr call_repr = REPR("Call", struct call_view, call_members);

/* --- lists and states ---------------------------------------------------------------------------
 */
static const struct repr_member calls_members[] = {
    REPR_OBJECTS(struct calls_view, calls, "calls", REPR_REQUIRED, 0, &call_repr),
};
const struct repr calls_repr = REPR("Calls", struct calls_view, calls_members);

static const struct repr_member legs_members[] = {
    REPR_OBJECTS(struct legs_view, legs, "legs", REPR_REQUIRED, 0, &leg_repr),
};
const struct repr legs_repr = REPR("Legs", struct legs_view, legs_members);

static const struct repr_member participants_members[] = {
    REPR_OBJECTS(struct participants_view, participants, "participants", REPR_REQUIRED, 0,
                 &participant_repr),
};
const struct repr participants_repr =
    REPR("Participants", struct participants_view, participants_members);

static const struct repr_member device_state_members[] = {
    REPR_STRING(struct device_state_view, device_id, "deviceId", REPR_REQUIRED, 0, 0),
    REPR_ENUM(struct device_state_view, state, "state", REPR_REQUIRED, operational_state_names),
};
const struct repr device_state_repr =
    REPR("DeviceState", struct device_state_view, device_state_members);

static const struct repr_member device_states_members[] = {
    REPR_OBJECTS(struct device_states_view, device_states, "deviceStates", REPR_REQUIRED, 0,
                 &device_state_repr),
};
const struct repr device_states_repr =
    REPR("DeviceStates", struct device_states_view, device_states_members);

static const struct repr_member telephonic_state_members[] = {
    REPR_OBJECTS(struct telephonic_state_view, calls, "calls", 0, 0, &call_repr),
    REPR_OBJECTS(struct telephonic_state_view, device_capabilities, "deviceCapabilities", 0, 0,
                 &device_capabilities_repr),
    REPR_ENUM(struct telephonic_state_view, user_state, "userState", 0, user_state_names),
    REPR_OBJECT(struct telephonic_state_view, device_states, "deviceStates", 0,
                &device_states_repr),
};
const struct repr telephonic_state_repr =
    REPR("TelephonicState", struct telephonic_state_view, telephonic_state_members);

/* --- events -------------------------------------------------------------------------------------
 */
#define EVENT_HEAD(owner)                                                                          \
    REPR_STRING(owner, event_name, "eventName", REPR_REQUIRED, 0, 0),                              \
        REPR_STRING(owner, login_name, "loginName", REPR_REQUIRED, 0, 0)
#define CALL_EVENT_HEAD(owner)                                                                     \
    EVENT_HEAD(owner), REPR_STRING(owner, call_ref, "callRef", REPR_REQUIRED, 0, 0),               \
        REPR_ENUM(owner, cause, "cause", 0, call_cause_names)
#define EVENT_DEVICES(owner)                                                                       \
    REPR_OBJECTS(owner, device_capabilities, "deviceCapabilities", 0, 0, &device_capabilities_repr)

static const struct repr_member call_created_members[] = {
    CALL_EVENT_HEAD(struct call_created_view),
    REPR_OBJECT(struct call_created_view, call_data, "callData", 0, &call_data_repr),
    REPR_STRING(struct call_created_view, initiator, "initiator", 0, 0, 0),
    REPR_OBJECTS(struct call_created_view, legs, "legs", 0, 0, &leg_repr),
    REPR_OBJECTS(struct call_created_view, participants, "participants", 0, 0, &participant_repr),
    EVENT_DEVICES(struct call_created_view),
};
const struct repr call_created_repr =
    REPR("OnCallCreated", struct call_created_view, call_created_members);

static const struct repr_member call_modified_members[] = {
    CALL_EVENT_HEAD(struct call_modified_view),
    REPR_STRING(struct call_modified_view, previous_call_ref, "previousCallRef", 0, 0, 0),
    REPR_STRING(struct call_modified_view, replaced_by_call_ref, "replacedByCallRef", 0, 0, 0),
    REPR_OBJECT(struct call_modified_view, call_data, "callData", 0, &call_data_repr),
    REPR_OBJECTS(struct call_modified_view, modified_legs, "modifiedLegs", 0, 0, &leg_repr),
    REPR_OBJECTS(struct call_modified_view, added_legs, "addedLegs", 0, 0, &leg_repr),
    REPR_OBJECTS(struct call_modified_view, removed_legs, "removedLegs", 0, 0, &leg_repr),
    REPR_OBJECTS(struct call_modified_view, modified_participants, "modifiedParticipants", 0, 0,
                 &participant_repr),
    REPR_OBJECTS(struct call_modified_view, added_participants, "addedParticipants", 0, 0,
                 &participant_repr),
    REPR_STRINGS(struct call_modified_view, removed_participant_ids, "removedParticipantIds", 0, 0,
                 0),
    EVENT_DEVICES(struct call_modified_view),
};
const struct repr call_modified_repr =
    REPR("OnCallModified", struct call_modified_view, call_modified_members);

static const struct repr_member call_removed_members[] = {
    CALL_EVENT_HEAD(struct call_removed_view),
    REPR_STRING(struct call_removed_view, new_destination, "newDestination", 0, 0, 0),
    EVENT_DEVICES(struct call_removed_view),
};
const struct repr call_removed_repr =
    REPR("OnCallRemoved", struct call_removed_view, call_removed_members);

static const struct repr_member user_state_members[] = {
    EVENT_HEAD(struct user_state_event_view),
    REPR_ENUM(struct user_state_event_view, state, "state", REPR_REQUIRED, user_state_names),
};
const struct repr user_state_event_repr =
    REPR("OnUserStateModified", struct user_state_event_view, user_state_members);

static const struct repr_member device_state_event_members[] = {
    EVENT_HEAD(struct device_state_event_view),
    REPR_OBJECTS(struct device_state_event_view, device_states, "deviceStates", 0, 0,
                 &device_state_repr),
};
const struct repr device_state_event_repr =
    REPR("OnDeviceStateModified", struct device_state_event_view, device_state_event_members);

static const struct repr_member telephony_state_members[] = {
    EVENT_HEAD(struct telephony_state_event_view),
    REPR_OBJECT(struct telephony_state_event_view, state, "state", 0, &telephonic_state_repr),
};
const struct repr telephony_state_event_repr =
    REPR("OnTelephonyState", struct telephony_state_event_view, telephony_state_members);
