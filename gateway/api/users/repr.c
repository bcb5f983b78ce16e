#include "gateway/api/users/repr.h"

enum { PASSWORD_BYTES_MAX = 4 * PASSWORD_CHARS_MAX, LANGUAGE_BYTES_MAX = 16 };

static const struct repr_member device_members[] = {
    REPR_ENUM(struct device_body, type, "type", 0, device_type_names),
    REPR_STRING(struct device_body, id, "id", REPR_REQUIRED, 1, 0),
    REPR_STRING(struct device_body, sub_type, "subType", 0, 0, 0),
};
const struct repr device_repr = REPR("Device", struct device_body, device_members);

static const char *const voicemail_types[] = {"VM_4635", "VM_4645", "EXTERNAL", NULL};
static const struct repr_member voicemail_members[] = {
    REPR_STRING(struct voicemail_body, number, "number", REPR_REQUIRED, 1, 0),
    REPR_ENUM(struct voicemail_body, type, "type", REPR_REQUIRED, voicemail_types),
};
static const struct repr voicemail_repr =
    REPR("Voicemail", struct voicemail_body, voicemail_members);

static const struct repr_member user_members[] = {
    REPR_STRING(struct user_body, company_phone, "companyPhone", 0, 0, 0),
    REPR_STRING(struct user_body, first_name, "firstName", 0, 0, 0),
    REPR_STRING(struct user_body, last_name, "lastName", 0, 0, 0),
    REPR_STRING(struct user_body, login_name, "loginName", REPR_REQUIRED, 1, 0),
    REPR_OBJECT(struct user_body, voicemail, "voicemail", 0, &voicemail_repr),
    REPR_OBJECTS(struct user_body, devices, "devices", 0, USER_DEVICES_MAX, &device_repr),
    REPR_STRING(struct user_body, node_id, "nodeId", 0, 0, 0),
    REPR_STRING(struct user_body, external_login, "externalLogin", 0, 0, 0),
    REPR_STRING(struct user_body, mail_address, "eMailAddress", 0, 0, 0),
};
const struct repr user_repr = REPR("User", struct user_body, user_members);

void user_view(const struct user *user, struct device_body devices[USER_DEVICES_MAX],
               struct user_body *ret_body)
{
    for (unsigned i = 0; i < user->device_count; i++) {
        const struct device *device = user->devices[i];
        devices[i] = (struct device_body){
            .type = (int)device->type, .id = device->number, .sub_type = device->model};
    }
    *ret_body = (struct user_body){
        .company_phone = user_phone(user),
        .first_name = user->first_name,
        .last_name = user->last_name,
        .login_name = user->login,
        .devices = {.items = devices, .count = user->device_count, .set = true},
        .node_id = user->node,
        .external_login = user->external_login,
        .mail_address = user->mail,
    };
}

void user_write(const struct user *user, struct buf *out)
{
    struct device_body devices[USER_DEVICES_MAX];
    struct user_body body;
    user_view(user, devices, &body);
    if (repr_write(&user_repr, &body, out) < 0)
        out->failed = true;
}

static const struct repr_member logins_members[] = {
    REPR_STRINGS(struct logins_body, login_names, "loginNames", REPR_REQUIRED, 0, 0),
};
const struct repr logins_repr = REPR("Logins", struct logins_body, logins_members);

static const struct repr_member preferences_members[] = {
    REPR_STRING(struct preferences_body, gui_language, "guiLanguage", REPR_NULLABLE, 0,
                LANGUAGE_BYTES_MAX),
    REPR_STRING(struct preferences_body, oxe_language, "oxeLanguage", REPR_NULLABLE, 0,
                LANGUAGE_BYTES_MAX),
};
const struct repr preferences_repr =
    REPR("Preferences", struct preferences_body, preferences_members);

static const struct repr_member preferences_error_members[] = {
    REPR_STRING(struct preferences_error, error, "userPreferencesError", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct preferences_error, parameter, "userPreferencesParameter", REPR_REQUIRED, 0,
                0),
    REPR_STRING(struct preferences_error, error_dto, "userPreferencesErrorTypeDTO", REPR_REQUIRED,
                0, 0),
    REPR_STRING(struct preferences_error, parameter_dto, "userPreferencesParameterDTO",
                REPR_REQUIRED, 0, 0),
};
const struct repr preferences_error_repr =
    REPR("UserPreferencesError", struct preferences_error, preferences_error_members);

static const struct repr_member languages_members[] = {
    REPR_STRINGS(struct languages_body, supported, "supportedLanguages", REPR_REQUIRED, 0, 0),
    REPR_STRINGS(struct languages_body, supported_gui, "supportedGuiLanguages", 0, 0, 0),
};
const struct repr languages_repr =
    REPR("SupportedLanguages", struct languages_body, languages_members);

static const struct repr_member password_members[] = {
    REPR_STRING(struct password_body, old_password, "oldPassword", REPR_NULLABLE, 0,
                PASSWORD_BYTES_MAX),
    REPR_STRING(struct password_body, new_password, "newPassword", REPR_REQUIRED, 0,
                PASSWORD_BYTES_MAX),
};
const struct repr password_repr = REPR("ChangePassword", struct password_body, password_members);

static const struct repr_member create_users_members[] = {
    REPR_ANY(struct create_users_body, node_id, "nodeId", REPR_REQUIRED),
    REPR_STRINGS(struct create_users_body, device_numbers, "deviceNumbers", REPR_NULLABLE,
                 USERS_MAX, PBX_NUMBER_CHARS - 1),
    REPR_BOOL_OPTIONAL(struct create_users_body, all, "all", REPR_NULLABLE),
};
const struct repr create_users_repr =
    REPR("CreateUsersRequest", struct create_users_body, create_users_members);

static const struct repr_member users_members[] = {
    REPR_OBJECTS(struct users_body, users, "users", REPR_REQUIRED, 0, &user_repr),
};
const struct repr users_repr = REPR("Users", struct users_body, users_members);
