/* Users come from the PBXs by themselves; an administrator may remove one, who then stays left out
 * until he is created again. */
#include "gateway/api/usermanagement/handlers.h"

#include "gateway/api/users/logins.h"
#include "gateway/api/users/lookup.h"
#include "gateway/api/users/repr.h"
#include "gateway/auth/identity.h"
#include "gateway/directory.h"
#include "lib/common/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { UNKNOWN_CHARS = 1000 };

void usermanagement_list(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const char *number = http_request_query(request, "deviceNumber");
    const struct logins_filter filter = {.node_ids = http_request_query(request, "nodeIds")};
    if (number == NULL) {
        logins_answer(request, &filter);
        return;
    }
    const struct device *device = users_find_device(gateway->users, number);
    logins_answer_one(request, device == NULL ? NULL : device->user->login);
}

/* --- creation ----------------------------------------------------------------------------------
 */

struct creation { /* lives in the request's arena */
    struct http_request *request;
    struct directory_wish wish;
    char node[USER_NODE_CHARS];
    char unknown[UNKNOWN_CHARS];
};

static void write_users(const struct gateway *gateway, const char *const *logins, size_t count,
                        struct buf *out)
{
    buf_adds(out, "{\"users\":[");
    for (size_t i = 0; i < count; i++) {
        const struct user *user = users_find_login(gateway->users, logins[i]);
        if (user == NULL)
            continue;
        buf_adds(out, out->data[out->len_bytes - 1] == '[' ? "" : ",");
        user_write(user, out);
    }
    buf_adds(out, "]}");
}

static void on_created(void *context, int error, const char *const *logins, size_t count)
{
    const struct creation *creation = context;
    struct buf text = {0};
    if (error != 0) {
        identity_answer_no_store(creation->request);
        return;
    }
    write_users(http_request_program(creation->request), logins, count, &text);
    if (text.failed)
        http_answer_fail(creation->request, 503, "not enough memory");
    else
        http_answer_json(creation->request, 201, text.data);
    buf_done(&text);
}

/* A number in one client, a text in another. */
static int read_node(const cJSON *value, char out[USER_NODE_CHARS])
{
    const char *text = cJSON_IsString(value) ? value->valuestring : NULL;
    if (cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= 999999 &&
        value->valuedouble == (double)(int64_t)value->valuedouble) {
        (void)snprintf(out, USER_NODE_CHARS, "%" PRId64, (int64_t)value->valuedouble);
        return 0;
    }
    if (text == NULL || *text == '\0' || strlen(text) >= USER_NODE_CHARS ||
        text[strspn(text, "0123456789")] != '\0')
        return -EINVAL;
    (void)snprintf(out, USER_NODE_CHARS, "%s", text);
    return 0;
}

static bool is_configured(const struct gateway *gateway, const char *node)
{
    for (unsigned i = 0; i < gateway->settings->pbx_count; i++) {
        if (strcmp(gateway->settings->pbx[i].node, node) == 0)
            return true;
    }
    return false;
}

static void answer_not_created(const struct creation *creation, int error)
{
    const struct gateway *gateway = http_request_program(creation->request);
    const struct http_error unknown = {.status = 404,
                                       .help_message = "the PBX does not have these numbers",
                                       .inner_message = creation->unknown};
    if (error == -ENOENT)
        http_answer_error(creation->request, &unknown);
    else if (!store_is_ready(gateway->store))
        identity_answer_no_store(creation->request);
    else if (error == -EAGAIN)
        http_answer_fail(creation->request, 503,
                         "the directory of node %s has not been read yet; try again",
                         creation->node);
    else
        http_answer_fail(creation->request, 503, "not enough memory");
}

static void create(struct creation *creation, const struct create_users_body *body)
{
    struct gateway *gateway = http_request_program(creation->request);
    bool all = body->all.set && body->all.value;
    creation->wish = (struct directory_wish){
        .node = creation->node,
        .numbers = all ? NULL : body->device_numbers.items,
        .count = body->device_numbers.count,
        .ret_unknown = creation->unknown,
        .unknown_cap_bytes = sizeof(creation->unknown),
    };
    int r = directory_bring_back(gateway, &creation->wish, on_created, creation);
    if (r < 0)
        answer_not_created(creation, r);
}

void usermanagement_create(struct http_request *request)
{
    const struct create_users_body *body = http_request_data(request);
    struct creation *creation = arena_calloc(http_request_arena(request), 1, sizeof(*creation));
    bool all = body->all.set && body->all.value;
    if (creation == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    creation->request = request;
    if (read_node(body->node_id, creation->node) < 0)
        http_answer_fail(request, 400, "nodeId: the number of a node is expected");
    else if (all == (body->device_numbers.count > 0))
        http_answer_fail(request, 400, "either deviceNumbers or \"all\": true is expected");
    else if (!is_configured(http_request_program(request), creation->node))
        http_answer_fail(request, 404, "there is no node %s", creation->node);
    else
        create(creation, body);
}

/* --- deletion ----------------------------------------------------------------------------------
 */

static void on_deleted(void *context, int error)
{
    struct http_request *request = context;
    if (error == 0)
        http_answer_empty(request, 204);
    else
        identity_answer_no_store(request);
}

void usermanagement_delete(struct http_request *request)
{
    const struct user *user = lookup_user(request);
    if (user == NULL)
        return;
    int r = directory_leave_out(http_request_program(request), user->login, on_deleted, request);
    if (r < 0)
        on_deleted(request, r);
}
