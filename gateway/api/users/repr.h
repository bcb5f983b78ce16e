/* repr.h - bodies of the users service and of its neighbours logins and usermanagement. */
#ifndef OG_GATEWAY_USERS_REPR_H
#define OG_GATEWAY_USERS_REPR_H

#include "gateway/model/users.h"
#include "lib/http/repr.h"

enum voicemail_type { VOICEMAIL_NONE, VOICEMAIL_VM_4635, VOICEMAIL_VM_4645, VOICEMAIL_EXTERNAL };

struct voicemail_body {
    const char *number;
    int type; /* enum voicemail_type */
};
struct device_body {
    int type; /* enum device_type */
    const char *id, *sub_type;
};
extern const struct repr device_repr;

struct user_body {
    const char *company_phone, *first_name, *last_name, *login_name;
    struct voicemail_body *voicemail; /* NULL: none is known */
    struct repr_array devices;        /* struct device_body */
    const char *node_id, *external_login, *mail_address;
};
extern const struct repr user_repr;

/* What clients see of a user; everything is borrowed from him and from devices. */
void user_view(const struct user *user, struct device_body devices[USER_DEVICES_MAX],
               struct user_body *ret_body);
/* Appends the User as JSON. */
void user_write(const struct user *user, struct buf *out);

struct logins_body {
    struct repr_array login_names; /* const char * */
};
extern const struct repr logins_repr;

struct preferences_body {
    const char *gui_language, *oxe_language;
};
extern const struct repr preferences_repr;

struct preferences_error { /* in an ErrorInfo, under both pairs of names */
    const char *error, *parameter, *error_dto, *parameter_dto;
};
extern const struct repr preferences_error_repr;

struct languages_body {
    struct repr_array supported, supported_gui; /* const char * */
};
extern const struct repr languages_repr;

struct create_users_body {
    const cJSON *node_id;             /* number or text */
    struct repr_array device_numbers; /* const char * */
    struct repr_bool all;
};
extern const struct repr create_users_repr;
struct users_body {
    struct repr_array users; /* struct user_body */
};
extern const struct repr users_repr;

enum { PASSWORD_CHARS_MIN = 4, PASSWORD_CHARS_MAX = 64 };
struct password_body {
    const char *old_password; /* NULL: not given */
    const char *new_password;
};
extern const struct repr password_repr;

#endif
