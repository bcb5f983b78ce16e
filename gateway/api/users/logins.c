#include "gateway/api/users/logins.h"

#include "gateway/api/users/repr.h"
#include "gateway/gateway.h"
#include "gateway/model/users.h"

#include <errno.h>
#include <string.h>

enum { NODES_MAX = 100 };

struct nodes { /* of a filter */
    char texts[NODES_MAX][USER_NODE_CHARS];
    size_t count;
};

static int read_nodes(const char *list, struct nodes *ret_nodes)
{
    ret_nodes->count = 0;
    while (*list != '\0') {
        size_t chars = strspn(list, "0123456789");
        if (chars == 0 || chars >= USER_NODE_CHARS || ret_nodes->count == NODES_MAX ||
            (list[chars] != '\0' && list[chars] != ';'))
            return -EINVAL;
        char *text = ret_nodes->texts[ret_nodes->count++];
        memcpy(text, list, chars);
        text[chars] = '\0';
        list += chars + (list[chars] == ';' ? 1 : 0);
    }
    return ret_nodes->count > 0 ? 0 : -EINVAL;
}

static bool has_node(const struct nodes *nodes, const char *node)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (strcmp(nodes->texts[i], node) == 0)
            return true;
    }
    return false;
}

/* No PBX has told of an agent so far: nobody is one. */
static bool passes(const struct logins_filter *filter, const struct nodes *nodes,
                   const struct user *user)
{
    return (nodes->count == 0 || has_node(nodes, user->node)) &&
           (!filter->only_external || user->external_login != NULL) && !filter->only_agents;
}

static void answer(struct http_request *request, const char *const *logins, size_t count)
{
    const struct logins_body body = {.login_names = {.items = logins, .count = count, .set = true}};
    http_answer_repr(request, 200, &logins_repr, &body);
}

void logins_answer(struct http_request *request, const struct logins_filter *filter)
{
    const struct gateway *gateway = http_request_program(request);
    struct nodes nodes = {.count = 0};
    if (filter->node_ids != NULL && read_nodes(filter->node_ids, &nodes) < 0) {
        http_answer_fail(request, 400, "nodeIds: numbers separated by \";\" are expected");
        return;
    }
    const char **logins =
        arena_calloc(http_request_arena(request), users_count(gateway->users) + 1, sizeof(*logins));
    size_t count = 0;
    if (logins == NULL) {
        http_answer_fail(request, 503, "not enough memory");
        return;
    }
    for (const struct user *user = users_first(gateway->users); user != NULL;
         user = TAILQ_NEXT(user, of_all)) {
        if (passes(filter, &nodes, user))
            logins[count++] = user->login;
    }
    answer(request, logins, count);
}

void logins_answer_one(struct http_request *request, const char *login)
{
    answer(request, &login, login == NULL ? 0 : 1);
}
