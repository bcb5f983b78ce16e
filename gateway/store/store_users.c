#include "gateway/store/store_users.h"

#include "gateway/store/store_private.h"
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "lib/common/log.h"

#include <errno.h>
#include <string.h>

static const char module[] = "store";

/* --- reading -----------------------------------------------------------------------------------
 */

const char store__select_users[] =
    "SELECT s.login, s.node, s.first_name, s.last_name, s.devices, s.left_out, s.external_login,"
    " s.mail, s.gui_language, p.hash FROM subscriber s"
    " LEFT JOIN subscriber_password p USING (login) ORDER BY length(s.number), s.number";

static enum device_type type_of(const char *name)
{
    for (int i = 0; name != NULL && device_type_names[i] != NULL; i++) {
        if (strcmp(device_type_names[i], name) == 0)
            return (enum device_type)(i + 1);
    }
    return DEVICE_TYPE_ABSENT;
}

static int read_devices(const cJSON *list, struct user_record *record)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *number = json_string(item, "id");
        if (number == NULL || record->device_count == USER_DEVICES_MAX)
            return -EINVAL;
        record->devices[record->device_count++] = (struct device_record){
            .number = number,
            .type = type_of(json_string(item, "type")),
            .model = json_string(item, "subType"),
        };
    }
    return record->device_count > 0 ? 0 : -EINVAL;
}

void store__load_user(const struct store_events *events, const struct pg_result *result, int row)
{
    AUTO(json_freep) cJSON *devices = NULL;
    const char *text = pg_value(result, row, 4);
    struct store_user user = {
        .login = pg_value(result, row, 0),
        .record = {.node = pg_value(result, row, 1),
                   .first_name = pg_value(result, row, 2),
                   .last_name = pg_value(result, row, 3)},
        .left_out = pg_value(result, row, 5)[0] == 't',
        .account = {.external_login = pg_value(result, row, 6),
                    .mail = pg_value(result, row, 7),
                    .gui_language = pg_value(result, row, 8),
                    .password_hash = pg_value(result, row, 9)},
    };
    if (json_parse(text, strlen(text), &devices, NULL) < 0 ||
        read_devices(devices, &user.record) < 0)
        log_error(module, "the devices of %s in the database cannot be read; he is left out",
                  user.login);
    else
        events->load_user(events->context, &user);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void add_device(struct buf *out, const struct device_record *device)
{
    buf_adds(out, "{\"id\":");
    buf_add_json_string(out, device->number);
    if (device->type != DEVICE_TYPE_ABSENT)
        buf_addf(out, ",\"type\":\"%s\"", device_type_names[device->type - 1]);
    if (device->model != NULL) {
        buf_adds(out, ",\"subType\":");
        buf_add_json_string(out, device->model);
    }
    buf_adds(out, "}");
}

static void add_member(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, "\"%s\":", name);
    buf_add_json_string(out, text);
    buf_adds(out, ",");
}

static void add_row(struct buf *out, const struct user_record *record)
{
    char login[USER_LOGIN_CHARS];
    user_login_of(record->devices[0].number, login);
    buf_adds(out, "{");
    add_member(out, "login", login);
    add_member(out, "node", record->node);
    add_member(out, "number", record->devices[0].number);
    add_member(out, "first_name", record->first_name);
    add_member(out, "last_name", record->last_name);
    buf_adds(out, "\"devices\":[");
    for (unsigned i = 0; i < record->device_count; i++) {
        buf_adds(out, i == 0 ? "" : ",");
        add_device(out, &record->devices[i]);
    }
    buf_adds(out, "]}");
}

int store_save_users(struct store *store, const struct user_record *records, size_t count,
                     bool bring_back, store_done_fn done, void *context)
{
    static const char sql[] =
        "INSERT INTO subscriber AS s (login, node, number, first_name, last_name, devices)"
        " SELECT login, node, number, first_name, last_name, devices FROM json_to_recordset("
        "$1::json) AS x (login text, node text, number text, first_name text, last_name text,"
        " devices json)"
        " ON CONFLICT (login) DO UPDATE SET node = EXCLUDED.node,"
        " first_name = EXCLUDED.first_name, last_name = EXCLUDED.last_name,"
        " devices = EXCLUDED.devices, left_out = s.left_out AND NOT $2::boolean";
    struct buf rows = {0};
    buf_adds(&rows, "[");
    for (size_t i = 0; i < count; i++) {
        buf_adds(&rows, i == 0 ? "" : ",");
        add_row(&rows, &records[i]);
    }
    buf_adds(&rows, "]");
    const char *const params[] = {rows.data, bring_back ? "t" : "f"};
    int r = rows.failed ? -ENOMEM : store__query(store, sql, params, 2, done, context);
    buf_done(&rows);
    return r;
}

/* With their sessions, and the sessions that administrators have for them. */
#define WITH_GONE                                                                                  \
    "WITH gone AS (SELECT json_array_elements_text($1::json) AS login),"                           \
    " ended AS (DELETE FROM credential"                                                            \
    " WHERE (NOT administrator AND login IN (SELECT login FROM gone)) OR digest IN"                \
    " (SELECT credential FROM session WHERE supervised IN (SELECT login FROM gone)))"

static int remove_users(struct store *store, const char *sql, const char *const *logins,
                        size_t count, store_done_fn done, void *context)
{
    struct buf list = {0};
    buf_adds(&list, "[");
    for (size_t i = 0; i < count; i++) {
        buf_adds(&list, i == 0 ? "" : ",");
        buf_add_json_string(&list, logins[i]);
    }
    buf_adds(&list, "]");
    const char *const params[] = {list.data};
    int r = list.failed ? -ENOMEM : store__query(store, sql, params, 1, done, context);
    buf_done(&list);
    return r;
}

int store_remove_users(struct store *store, const char *const *logins, size_t count,
                       store_done_fn done, void *context)
{
    return remove_users(store,
                        WITH_GONE " DELETE FROM subscriber WHERE login IN (SELECT login FROM gone)",
                        logins, count, done, context);
}

int store_leave_out_user(struct store *store, const char *login, store_done_fn done, void *context)
{
    return remove_users(
        store,
        WITH_GONE ", forgotten AS (DELETE FROM subscriber_password"
                  " WHERE login IN (SELECT login FROM gone))"
                  " UPDATE subscriber SET left_out = true, external_login = NULL, mail = NULL,"
                  " gui_language = NULL WHERE login IN (SELECT login FROM gone)",
        &login, 1, done, context);
}

int store_set_password(struct store *store, const char *login, const char *hash,
                       const struct digest *spared, store_done_fn done, void *context)
{
    struct buf hex = {0};
    buf_adds(&hex, "");
    if (spared != NULL)
        store__add_digest(&hex, spared);
    const char *const params[] = {login, hash, hex.data};
    int r = hex.failed
                ? -ENOMEM
                : store__query(store,
                               "WITH changed AS (INSERT INTO subscriber_password (login, hash)"
                               " SELECT login, $2::text FROM subscriber"
                               " WHERE login = $1 AND NOT left_out ON CONFLICT (login)"
                               " DO UPDATE SET hash = EXCLUDED.hash, changed_at = now()"
                               " RETURNING login)"
                               " DELETE FROM credential WHERE login IN (SELECT login FROM changed)"
                               " AND NOT administrator AND digest <> decode($3, 'hex')",
                               params, 3, done, context);
    buf_done(&hex);
    return r;
}

int store_set_language(struct store *store, const char *login, const char *gui_language,
                       store_done_fn done, void *context)
{
    const char *const params[] = {login, gui_language};
    return store__query(store, "UPDATE subscriber SET gui_language = $2 WHERE login = $1", params,
                        2, done, context);
}
