#include "gateway/api/sessions/repr.h"

enum {
    APPLICATION_BYTES_MAX = 8192,
    ACCOUNT_BYTES_MAX = 128
}; /* a licence token may stand there */

static const char *const supervised_types[] = {"LOGIN_NAME", "PHONE_NUMBER", NULL};
static const struct repr_member supervised_members[] = {
    REPR_ENUM(struct supervised_account, type, "type", REPR_REQUIRED, supervised_types),
    REPR_STRING(struct supervised_account, id, "id", REPR_REQUIRED, 1, ACCOUNT_BYTES_MAX),
};
static const struct repr supervised_repr =
    REPR("SupervisedAccount", struct supervised_account, supervised_members);

static const struct repr_member request_members[] = {
    REPR_STRING(struct session_request, application_name, "applicationName", REPR_REQUIRED, 1,
                APPLICATION_BYTES_MAX),
    REPR_OBJECT(struct session_request, supervised_account, "supervisedAccount", REPR_NULLABLE,
                &supervised_repr),
};
const struct repr session_request_repr =
    REPR("SessionRequest", struct session_request, request_members);

static const struct repr_member service_members[] = {
    REPR_STRING(struct session_service_info, name, "serviceName", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct session_service_info, version, "serviceVersion", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct session_service_info, relative_url, "relativeUrl", REPR_REQUIRED, 0, 0),
};
static const struct repr service_repr =
    REPR("Service", struct session_service_info, service_members);

static const struct repr_member other_members[] = {
    REPR_STRING(struct session_other, session_id, "sessionId", REPR_REQUIRED, 0, 0),
    REPR_DATE_TIME(struct session_other, creation_date, "creationDate"),
    REPR_INT(struct session_other, time_to_live, "timeToLive", 0, 0),
};
static const struct repr other_repr = REPR("UserSession", struct session_other, other_members);

static const struct repr_member info_members[] = {
    REPR_BOOL(struct session_info, admin, "admin"),
    REPR_STRING(struct session_info, login, "login", 0, 0, 0),
    REPR_INT(struct session_info, time_to_live, "timeToLive", 0, 0),
    REPR_STRING(struct session_info, public_base_url, "publicBaseUrl", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct session_info, private_base_url, "privateBaseUrl", REPR_REQUIRED, 0, 0),
    REPR_OBJECTS(struct session_info, services, "services", REPR_REQUIRED, 0, &service_repr),
    REPR_DATE_TIME_OPTIONAL(struct session_info, creation_date, "creationDate", 0),
    REPR_DATE_TIME_OPTIONAL(struct session_info, expiration_date, "expirationDate", 0),
    REPR_OBJECTS(struct session_info, other_sessions, "otherSessions", 0, 0, &other_repr),
};
const struct repr session_info_repr = REPR("SessionInfo", struct session_info, info_members);
