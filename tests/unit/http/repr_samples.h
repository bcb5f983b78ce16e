/* repr_samples.h - the pattern for tests of representation tables: a text goes in and comes out
 * with the same structure. Include it after cmocka.h. */
#ifndef OG_TESTS_REPR_SAMPLES_H
#define OG_TESTS_REPR_SAMPLES_H

#include "lib/common/json.h"
#include "lib/http/repr.h"

/* Reads text by the representation, checks the struct, writes it, compares the two as JSON. */
static inline void assert_same_after_round_trip(const struct repr *repr, const char *text)
{
    struct diag diag = {0};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    cJSON *in = NULL, *out = NULL;
    if (json_parse(text, strlen(text), &in, &diag) < 0)
        fail_msg("sample of %s: %s", repr->name, diag.text);
    void *data = arena_calloc(&arena, 1, repr->size_bytes);
    if (repr_read(repr, in, &arena, data, &diag) < 0)
        fail_msg("reading %s: %s", repr->name, diag.text);
    if (repr_check(repr, data, &diag) < 0)
        fail_msg("checking %s: %s", repr->name, diag.text);
    struct buf written = {0};
    assert_int_equal(repr_write(repr, data, &written), 0);
    if (json_parse(written.data, written.len_bytes, &out, &diag) < 0)
        fail_msg("writing %s: %s", repr->name, diag.text);
    if (!cJSON_Compare(in, out, true))
        fail_msg("%s changed: %s became %s", repr->name, text, written.data);
    buf_done(&written);
    cJSON_Delete(in);
    cJSON_Delete(out);
    arena_done(&arena);
}

#endif
