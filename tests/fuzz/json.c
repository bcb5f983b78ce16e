/* json.c - any bytes as JSON. What is taken must keep the promises of json.h: bounded depth, no
 * doubled member, and a text that is taken again after printing. */
#include "lib/common/json.h"

#include "lib/common/common.h"
#include "lib/common/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const cJSON *item, int depth)
{
    require(depth <= JSON_DEPTH_MAX || (!cJSON_IsArray(item) && !cJSON_IsObject(item)));
    if (cJSON_IsString(item))
        require(utf8_valid(item->valuestring, strlen(item->valuestring)));
    for (const cJSON *child = item->child; child != NULL; child = child->next)
        check(child, depth + 1);
    if (cJSON_IsObject(item))
        for (const cJSON *child = item->child; child != NULL; child = child->next)
            require(cJSON_GetObjectItemCaseSensitive(item, child->string) == child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(json_freep) cJSON *json = NULL;
    AUTO(json_freep) cJSON *again = NULL;
    struct diag diag = {0};
    if (size_bytes > 65536)
        return 0;
    if (json_parse((const char *)data, size_bytes, &json, &diag) < 0) {
        require(json == NULL && diag.text[0] != '\0');
        return 0;
    }
    require(diag.text[0] == '\0');
    check(json, 1);
    char *text = cJSON_PrintUnformatted(json);
    require(text != NULL);
    require(json_parse(text, strlen(text), &again, NULL) == 0);
    cJSON_free(text);
    return 0;
}
