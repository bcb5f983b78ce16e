#include "gateway/api/features.h"
#include "gateway/api/services.h"
#include "gateway/api/telephony/bodies.h"
#include "gateway/api/telephony/handlers.h"
#include "gateway/api/telephony/repr.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"

#define TELEPHONY API_BASE "/telephony"
#define CALL      TELEPHONY "/calls/{callRef}"

/* clang-format off */
static const struct http_route rows[] = {
    {HTTP_POST, TELEPHONY "/basicCall", ACCESS_SESSION, &basic_call_body_repr, NULL,
     telephony_basic_call, 0, "makes a call from a device", FEATURE_TEL_BASIC},
    {HTTP_POST, TELEPHONY "/basicCall/answer", ACCESS_SESSION, &answer_body_repr, NULL,
     telephony_basic_answer, 0, "answers the call that rings at a device", FEATURE_TEL_BASIC},
    {HTTP_POST, TELEPHONY "/basicCall/dropme", ACCESS_SESSION, NULL, NULL,
     telephony_basic_drop_me, 0, "leaves the present call", FEATURE_TEL_BASIC},
    {HTTP_GET, TELEPHONY "/calls", ACCESS_SESSION, NULL, &calls_repr,
     telephony_list_calls, 0, "the user's calls", FEATURE_TEL_ADVANCED},
    {HTTP_POST, TELEPHONY "/calls", ACCESS_SESSION, &make_call_body_repr, NULL,
     telephony_make_call, 0, "makes a call; Location says where it is", FEATURE_TEL_ADVANCED},
    {HTTP_GET, CALL, ACCESS_SESSION, NULL, &call_repr,
     telephony_get_call, 0, "one call", FEATURE_TEL_ADVANCED},
    {HTTP_DELETE, CALL, ACCESS_SESSION, NULL, NULL,
     telephony_release_call, 0, "releases a call", FEATURE_TEL_ADVANCED},
    {HTTP_POST, CALL "/answer", ACCESS_SESSION, &answer_body_repr, NULL,
     telephony_answer_call, 0, "answers a call at a device where it rings", FEATURE_TEL_ADVANCED},
    {HTTP_POST, CALL "/dropme", ACCESS_SESSION, NULL, NULL,
     telephony_release_call, 0, "leaves a call", FEATURE_TEL_ADVANCED},
    {HTTP_GET, CALL "/deviceLegs", ACCESS_SESSION, NULL, &legs_repr,
     telephony_list_legs, 0, "the user's devices in a call", FEATURE_TEL_ADVANCED},
    {HTTP_GET, CALL "/deviceLegs/{legId}", ACCESS_SESSION, NULL, &leg_repr,
     telephony_get_leg, 0, "one of the user's devices in a call", FEATURE_TEL_ADVANCED},
    {HTTP_GET, CALL "/participants", ACCESS_SESSION, NULL, &participants_repr,
     telephony_list_participants, 0, "the others in a call", FEATURE_TEL_ADVANCED},
    {HTTP_GET, CALL "/participants/{participantId}", ACCESS_SESSION, NULL, &participant_repr,
     telephony_get_participant, 0, "one of the others in a call", FEATURE_TEL_ADVANCED},
    {HTTP_GET, TELEPHONY "/devices", ACCESS_SESSION, NULL, &device_states_repr,
     telephony_list_devices, 0, "states of the user's devices", FEATURE_TEL_ADVANCED},
    {HTTP_GET, TELEPHONY "/devices/{deviceId}", ACCESS_SESSION, NULL, &device_state_repr,
     telephony_get_device, 0, "state of one of the user's devices", FEATURE_TEL_ADVANCED},
    {HTTP_GET, TELEPHONY "/state", ACCESS_SESSION, NULL, &telephonic_state_repr,
     telephony_get_state, 0, "calls, devices and state of the user", FEATURE_TEL_ADVANCED},
    {HTTP_POST, TELEPHONY "/state/snapshot", ACCESS_SESSION, NULL, NULL,
     telephony_snapshot_state, 0, "tells the same as event OnTelephonyState", FEATURE_TEL_ADVANCED},
};
/* clang-format on */

const struct api_service telephony_service = {
    .name = "telephony", .relative_url = "/telephony", .rows = rows, .row_count = COUNT_OF(rows)};
