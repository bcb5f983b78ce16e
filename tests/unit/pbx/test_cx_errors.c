#include "gateway/pbx/csta_xml/cx_errors.h"

#include "lib/common/common.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void each_error_of_the_standard_has_its_meaning(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        enum csta_error category;
        const char *value, *text, *type, *cause;
    } cases[] = {
        {CSTA_ERROR_OPERATION, "invalidCalledDeviceID", "operation.invalidCalledDeviceID", "BAD_PARAMETER_VALUE", "INVALID_DESTINATION"},
        {CSTA_ERROR_OPERATION, "invalidDestination", "operation.invalidDestination", "BAD_PARAMETER_VALUE", "INVALID_DESTINATION"},
        {CSTA_ERROR_OPERATION, "invalidCallingDeviceID", "operation.invalidCallingDeviceID", "BAD_PARAMETER_VALUE", "INVALID_CALLING"},
        {CSTA_ERROR_OPERATION, "invalidDeviceID", "operation.invalidDeviceID", "BAD_PARAMETER_VALUE", "INVALID_DEVICE"},
        {CSTA_ERROR_OPERATION, "invalidCallID", "operation.invalidCallID", "CALL_REFERENCE_NOT_FOUND", "INVALID_CALL_ID"},
        {CSTA_ERROR_OPERATION, "invalidConnectionID", "operation.invalidConnectionID", "LEG_NOT_FOUND", "INVALID_CALL_ID"},
        {CSTA_ERROR_OPERATION, "invalidHeldConnectionID", "operation.invalidHeldConnectionID", "LEG_NOT_FOUND", "INVALID_CALL_ID"},
        {CSTA_ERROR_OPERATION, "serviceNotSupported", "operation.serviceNotSupported", "SERVICE_NOT_PROVIDED", "UNKNOWN"},
        {CSTA_ERROR_OPERATION, "privilegeViolationCalledDevice", "operation.privilegeViolationCalledDevice", "UNAUTHORIZED", "INVALID_DESTINATION"},
        {CSTA_ERROR_OPERATION, "generic", "operation.generic", "CALL_SERVER_ERROR", "UNKNOWN"},
        {CSTA_ERROR_OPERATION, "newInTheNextEdition", "operation.newInTheNextEdition", "CALL_SERVER_ERROR", "UNKNOWN"},
        {CSTA_ERROR_STATE, "invalidConnectionState", "stateIncompatibility.invalidConnectionState", "INCOMPATIBLE_WITH_STATE", "INVALID_CONNECTION_STATE"},
        {CSTA_ERROR_STATE, "noCallToAnswer", "stateIncompatibility.noCallToAnswer", "INCOMPATIBLE_WITH_STATE", "INVALID_CONNECTION_STATE"},
        {CSTA_ERROR_STATE, "invalidCallingDeviceState", "stateIncompatibility.invalidCallingDeviceState", "INCOMPATIBLE_WITH_STATE", "INVALID_DEVICE_STATE"},
        {CSTA_ERROR_STATE, "generic", "stateIncompatibility.generic", "INCOMPATIBLE_WITH_STATE", "UNKNOWN"},
        {CSTA_ERROR_SYSTEM_RESOURCE, "deviceOutOfService", "systemResourceAvailibility.deviceOutOfService", "SERVICE_UNAVAILABLE", "DEVICE_OUT_OF_SERVICE"},
        {CSTA_ERROR_SYSTEM_RESOURCE, "calledDeviceOutOfService", "systemResourceAvailibility.calledDeviceOutOfService", "SERVICE_UNAVAILABLE", "DEVICE_OUT_OF_SERVICE"},
        {CSTA_ERROR_SYSTEM_RESOURCE, "resourceBusy", "systemResourceAvailibility.resourceBusy", "SERVICE_UNAVAILABLE", "RESOURCE_BUSY"},
        {CSTA_ERROR_SUBSCRIBED_RESOURCE, "outstandingReqLimitExceeded", "subscribedResourceAvailability.outstandingReqLimitExceeded", "SERVICE_UNAVAILABLE", "RESOURCE_BUSY"},
        {CSTA_ERROR_PERFORMANCE, "performanceLimitExceeded", "performanceManagement.performanceLimitExceeded", "SERVICE_UNAVAILABLE", "RESOURCE_BUSY"},
        {CSTA_ERROR_SECURITY, "generic", "security.generic", "UNAUTHORIZED", "UNKNOWN"},
        {CSTA_ERROR_UNSPECIFIED, NULL, "unspecified", "CALL_SERVER_ERROR", "UNKNOWN"},
        {CSTA_ERROR_PRIVATE, "4711", "privateErrorCode.4711", "CALL_SERVER_ERROR", "UNKNOWN"},
        {CSTA_ERROR_ABSENT, NULL, "?", "CALL_SERVER_ERROR", "UNKNOWN"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct csta_message message = {
            .type = CSTA_ERROR, .error = cases[i].category, .error_value = cases[i].value};
        char text[CX_ERROR_TEXT_CHARS];
        const struct pbx_error error = cx_error_of(&message, text);
        assert_string_equal(error.text, cases[i].text);
        assert_string_equal(telephony_error_type_names[error.type - 1], cases[i].type);
        assert_string_equal(telephony_error_cause_names[error.cause - 1], cases[i].cause);
    }
}

static void only_the_device_itself_counts_as_out_of_service(void **state)
{
    (void)state;
    struct csta_message message = {.type = CSTA_ERROR,
                                   .error = CSTA_ERROR_SYSTEM_RESOURCE,
                                   .error_value = "deviceOutOfService"};
    assert_true(cx_error_is_out_of_service(&message));
    message.error_value = "networkOutOfService";
    assert_false(cx_error_is_out_of_service(&message));
    message.error_value = NULL;
    assert_false(cx_error_is_out_of_service(&message));
    message = (struct csta_message){
        .type = CSTA_ERROR, .error = CSTA_ERROR_OPERATION, .error_value = "deviceOutOfService"};
    assert_false(cx_error_is_out_of_service(&message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_of_the_standard_has_its_meaning),
        cmocka_unit_test(only_the_device_itself_counts_as_out_of_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
