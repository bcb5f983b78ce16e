/* The channels file as a crash may have left it. What is read must be written and read again alike.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ha/tickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* assert() is silent in a release build */
static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct tickle_connection *list = NULL, *again = NULL;
    size_t count = 0, skipped = 0, again_count = 0;
    if (tickle_list_read((const char *)data, size_bytes, &list, &count, &skipped) < 0)
        return 0;
    struct buf text = {0};
    tickle_list_write(list, count, &text);
    if (!text.failed && text.data != NULL &&
        tickle_list_read(text.data, text.len_bytes, &again, &again_count, &skipped) == 0) {
        must(again_count == count && skipped == 0);
        for (size_t i = 0; i < count; i++)
            must(memcmp(&list[i], &again[i], sizeof(list[i])) == 0);
    }
    buf_done(&text);
    free(list);
    free(again);
    return 0;
}
