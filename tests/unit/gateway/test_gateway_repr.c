/* Bodies in the form of the contract go in and out unchanged. */
#include "gateway/api/authentication/repr.h"
#include "gateway/api/root/repr.h"
#include "gateway/api/sessions/repr.h"
#include "gateway/api/subscriptions/repr.h"
#include "gateway/api/users/repr.h"
#include "lib/common/common.h"
#include "lib/common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER_1200                                                                                  \
    "{\"companyPhone\":\"1200\",\"firstName\":\"J\xc3\xb8rn\",\"lastName\":\"Holm\","              \
    "\"loginName\":"                                                                               \
    "\"oxe1200\",\"voicemail\":{\"number\":\"1900\",\"type\":\"VM_4645\"},\"devices\":[{\"type\":" \
    "\"DESKPHONE\",\"id\":\"1200\",\"subType\":\"a "                                               \
    "model\"},{\"type\":\"SOFTPHONE\",\"id\":\"1600\"}],"                                          \
    "\"nodeId\":\"3\"}"

static const struct {
    const struct repr *repr;
    const char *text;
} bodies[] = {
    {&root_descriptor_repr,
     "{\"serverInfo\":{\"productName\":\"a server\",\"productType\":\"O2G\",\"productVersion\":"
     "{\"major\":\"2.7\",\"minor\":\"001.002\"},\"haMode\":true},\"versions\":[{\"id\":\"1.0\","
     "\"status\":\"CURRENT\",\"publicUrl\":\"https://a.test/api/rest/authenticate?version=1.0\","
     "\"internalUrl\":\"https://10.1.2.3/api/rest/authenticate?version=1.0\"}],"
     "\"custoFeatures\":[{\"CCD_LOAD_OPE_CCA\":true}]}"},
    {&authenticate_result_repr,
     "{\"credential\":\"abc.def\",\"publicUrl\":\"https://a.test/s\",\"internalUrl\":"
     "\"https://10.1.2.3/s\"}"},
    {&authenticate_result_repr,
     "{\"credential\":\"abc.def\",\"publicUrl\":\"https://a.test/s\",\"internalUrl\":"
     "\"https://10.1.2.3/s\",\"loginName\":\"oxe100\",\"expired\":true}"},
    {&session_request_repr, "{\"applicationName\":\"desk\"}"},
    {&session_request_repr,
     "{\"applicationName\":\"night\",\"supervisedAccount\":{\"type\":\"PHONE_NUMBER\","
     "\"id\":\"4711\"}}"},
    {&session_info_repr,
     "{\"admin\":true,\"login\":\"admin\",\"timeToLive\":1800,\"publicBaseUrl\":\"https://a.test\","
     "\"privateBaseUrl\":\"https://10.1.2.3\",\"services\":[{\"serviceName\":\"sessions\","
     "\"serviceVersion\":\"1.0\",\"relativeUrl\":\"/sessions\"}],\"creationDate\":"
     "\"2025-03-04T07:58:12.000Z\",\"expirationDate\":\"2025-03-04T08:28:12.000Z\","
     "\"otherSessions\":[{\"sessionId\":\"s-1\",\"creationDate\":\"2025-03-04T06:00:00.000Z\","
     "\"timeToLive\":1800}]}"},
    {&subscription_request_repr,
     "{\"filter\":{\"selectors\":[{\"ids\":[\"oxe1\"],\"names\":[\"telephony\",\"user\"]},"
     "{\"ids\":[],\"names\":[\"rti\"]}]},\"version\":\"1.0\",\"timeout\":10}"},
    {&subscription_request_repr,
     "{\"filter\":{\"selectors\":[{\"names\":[\"system\"],\"families\":[],\"origins\":[]}]},"
     "\"version\":\"1.0\",\"webHookUrl\":\"https://hooks.test/x\",\"mode\":\"CHUNK\","
     "\"format\":\"JSON\"}"},
    {&subscription_result_repr,
     "{\"subscriptionId\":\"sub-1\",\"message\":\"\",\"publicPollingUrl\":\"https://a.test/e\","
     "\"privatePollingUrl\":\"https://10.1.2.3/e\",\"status\":\"ACCEPTED\",\"mode\":\"CHUNK\","
     "\"format\":\"JSON\"}"},
    {&subscription_result_repr, "{\"message\":\"unknown package: x\",\"status\":\"REFUSED\"}"},
    {&user_repr, USER_1200},
    {&user_repr,
     "{\"companyPhone\":\"300\",\"firstName\":\"Mia\",\"lastName\":\"\",\"loginName\":\"oxe300\","
     "\"voicemail\":{\"number\":\"399\",\"type\":\"EXTERNAL\"},\"devices\":[],\"nodeId\":\"2\","
     "\"externalLogin\":\"mia\",\"eMailAddress\":\"mia@b.test\"}"},
    {&users_repr, "{\"users\":[" USER_1200 "]}"},
    {&logins_repr, "{\"loginNames\":[\"oxe300\",\"oxe1200\"]}"},
    {&logins_repr, "{\"loginNames\":[]}"},
    {&create_users_repr, "{\"nodeId\":3,\"deviceNumbers\":[\"1200\",\"1201\"]}"},
    {&create_users_repr, "{\"nodeId\":\"3\",\"all\":true}"},
    {&password_repr, "{\"oldPassword\":\"abcd\",\"newPassword\":\"efgh\"}"},
    {&preferences_repr, "{\"guiLanguage\":\"sv\",\"oxeLanguage\":\"en\"}"},
    {&languages_repr,
     "{\"supportedLanguages\":[\"en\"],\"supportedGuiLanguages\":[\"en\",\"sv\"]}"},
    {&preferences_error_repr,
     "{\"userPreferencesError\":\"WRONG_VALUE\",\"userPreferencesParameter\":\"GUI_LANGUAGE\","
     "\"userPreferencesErrorTypeDTO\":\"WRONG_VALUE\",\"userPreferencesParameterDTO\":"
     "\"GUI_LANGUAGE\"}"},
};

static void each_body_goes_in_and_out_unchanged(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        AUTO(json_freep) cJSON *json = NULL;
        struct arena arena;
        struct diag diag = {0};
        struct buf out = {0};
        void *data = calloc(1, bodies[i].repr->size_bytes);
        arena_init(&arena, 65536);
        assert_int_equal(json_parse(bodies[i].text, strlen(bodies[i].text), &json, &diag), 0);
        assert_int_equal(repr_read(bodies[i].repr, json, &arena, data, &diag), 0);
        assert_int_equal(repr_write(bodies[i].repr, data, &out), 0);
        assert_string_equal(out.data, bodies[i].text);
        buf_done(&out);
        arena_done(&arena);
        free(data);
    }
}

static void null_counts_as_absent_where_clients_send_it(void **unused)
{
    static const char text[] =
        "{\"filter\":{\"selectors\":[{\"ids\":null,\"names\":[\"user\"],\"families\":null}]},"
        "\"version\":null,\"timeout\":null,\"webHookUrl\":null,\"notificationUrl\":null}";
    AUTO(json_freep) cJSON *json = NULL;
    struct subscription_request request;
    struct arena arena;
    struct diag diag = {0};
    (void)unused;
    arena_init(&arena, 65536);
    assert_int_equal(json_parse(text, strlen(text), &json, &diag), 0);
    assert_int_equal(repr_read(&subscription_request_repr, json, &arena, &request, &diag), 0);
    assert_null(request.web_hook_url);
    assert_false(request.timeout.set);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_body_goes_in_and_out_unchanged),
        cmocka_unit_test(null_counts_as_absent_where_clients_send_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
