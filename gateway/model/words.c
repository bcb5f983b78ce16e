#include "gateway/model/words.h"

#include <stddef.h>

#define NAME(id) #id,

const char *const media_state_names[] = {MEDIA_STATES(NAME) NULL};
const char *const call_cause_names[] = {CALL_CAUSES(NAME) NULL};
const char *const user_state_names[] = {USER_STATES(NAME) NULL};
const char *const operational_state_names[] = {OPERATIONAL_STATES(NAME) NULL};
const char *const device_type_names[] = {DEVICE_TYPES(NAME) NULL};
const char *const party_type_names[] = {PARTY_TYPES(NAME) NULL};
const char *const telephony_error_type_names[] = {TELEPHONY_ERROR_TYPES(NAME) NULL};
const char *const telephony_error_cause_names[] = {TELEPHONY_ERROR_CAUSES(NAME) NULL};
