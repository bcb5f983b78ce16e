#include "gateway/auth/administrators.h"

#include "lib/common/json.h"
#include "lib/common/small_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 256 * 1024 };

struct administrators {
    cJSON *json; /* the file, checked */
    const cJSON *list;
};

void administrators_free(struct administrators *administrators)
{
    if (administrators == NULL)
        return;
    cJSON_Delete(administrators->json);
    free(administrators);
}

const char *administrators_find(const struct administrators *administrators, const char *login)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, administrators->list)
    {
        if (strcmp(json_string(item, "login"), login) == 0)
            return json_string(item, "password_hash");
    }
    return NULL;
}

static int check(const struct administrators *administrators, struct diag *diag)
{
    unsigned number = 0;
    const cJSON *item;
    if (!cJSON_IsArray(administrators->list) || administrators->list->child == NULL)
        return diag_fail(diag, -EINVAL, "\"administrators\" must be a list with an entry");
    cJSON_ArrayForEach(item, administrators->list)
    {
        number++;
        const char *login = json_string(item, "login"), *hash = json_string(item, "password_hash");
        if (login == NULL || *login == '\0' || strchr(login, ':') != NULL)
            return diag_fail(diag, -EINVAL, "entry %u: \"login\" must be a text without colon",
                             number);
        if (hash == NULL || strncmp(hash, "$scrypt$", 8) != 0)
            return diag_fail(diag, -EINVAL, "entry %u: \"password_hash\" must be a $scrypt$ hash",
                             number);
    }
    cJSON_ArrayForEach(item, administrators->list)
    {
        const char *login = json_string(item, "login");
        if (administrators_find(administrators, login) != json_string(item, "password_hash"))
            return diag_fail(diag, -EINVAL, "the login %s is there twice", login);
    }
    return 0;
}

int administrators_read(const char *path, struct administrators **ret_administrators,
                        struct diag *diag)
{
    AUTO(administrators_freep)
    struct administrators *administrators = calloc(1, sizeof(*administrators));
    char *text = NULL;
    size_t len_bytes = 0;
    if (administrators == NULL)
        return -ENOMEM;

    int r = small_file_read(path, FILE_BYTES_MAX, &text, &len_bytes, diag);
    if (r < 0)
        return r;
    r = json_parse(text, len_bytes, &administrators->json, diag);
    small_file_free(text, len_bytes);
    if (r == 0) {
        administrators->list =
            cJSON_GetObjectItemCaseSensitive(administrators->json, "administrators");
        r = check(administrators, diag);
    }
    if (r < 0)
        return diag_within(diag, r, "%s", path);
    *ret_administrators = TAKE(administrators);
    return 0;
}
