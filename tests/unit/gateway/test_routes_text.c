/* The printed table is the router's own. */
#include "gateway/api/features.h"
#include "gateway/api/routes_text.h"
#include "gateway/api/services.h"
#include "gateway/auth/identity.h"
#include "lib/common/common.h"
#include "lib/common/small_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES_MAX = 1024, FIELDS = 5 };

struct table {
    struct buf text;
    char *fields[LINES_MAX][FIELDS];
    unsigned count;  /* without the header */
    unsigned walked; /* rows of the router */
};

static void read_table(struct table *table)
{
    char *rest = NULL;
    *table = (struct table){0};
    routes_text_tsv(&table->text);
    char *line = strtok_r(table->text.data, "\n", &rest);
    assert_string_equal(line, "service\tmethod\tpath\taccess\tlicence");
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        char *field, *more = line;
        unsigned used = 0;
        while ((field = strsep(&more, "\t")) != NULL) {
            assert_true(used < FIELDS);
            table->fields[table->count][used++] = field;
        }
        assert_int_equal(used, FIELDS);
        table->count++;
    }
}

static void find_row(void *context, const struct http_route *route)
{
    struct table *table = context;
    unsigned found = 0;
    for (unsigned i = 0; i < table->count; i++) {
        char **fields = table->fields[i];
        found += strcmp(fields[1], http_method_name(route->method)) == 0 &&
                 strcmp(fields[2], route->path) == 0 &&
                 strcmp(fields[3], access_name(route->access)) == 0 &&
                 strcmp(fields[4], route->feature != NULL ? route->feature : "-") == 0;
    }
    if (found != 1)
        fail_msg("%s %s stands %u times in the table", http_method_name(route->method), route->path,
                 found);
    table->walked++;
}

static void every_route_of_the_router_is_printed_once(void **unused)
{
    struct table *table = calloc(1, sizeof(*table));
    struct http_router *router = http_router_new();
    struct diag diag = {0};
    (void)unused;
    read_table(table);
    if (api_services_add(router, &diag) < 0)
        fail_msg("%s", diag.text);
    http_router_walk(router, find_row, table);
    assert_true(table->walked > 10);
    assert_int_equal(table->walked, table->count);
    http_router_free(router);
    buf_done(&table->text);
    free(table);
}

static void every_row_says_who_may_and_what_it_is_for(void **unused)
{
    static const char *const features[] = {FEATURE_TEL_BASIC, FEATURE_TEL_ADVANCED};
    (void)unused;
    for (size_t i = 0; api_services[i] != NULL; i++) {
        const struct api_service *service = api_services[i];
        assert_non_null(service->name);
        for (size_t j = 0; j < service->row_count; j++) {
            const struct http_route *row = &service->rows[j];
            bool known = row->feature == NULL;
            for (size_t f = 0; f < COUNT_OF(features); f++)
                known = known || strcmp(row->feature, features[f]) == 0;
            assert_true(known);
            assert_string_not_equal(access_name(row->access), "?");
            assert_non_null(row->summary);
        }
    }
}

/* The table in docs/api.md: the same rows in the same order, with what they are for. */
static void the_document_lists_the_same_routes(void **unused)
{
    struct buf expected = {0};
    struct diag diag = {0};
    char *text = NULL;
    size_t len_bytes = 0;
    (void)unused;
    buf_adds(&expected, "|---|---|---|---|---|\n");
    for (size_t i = 0; api_services[i] != NULL; i++)
        for (size_t j = 0; j < api_services[i]->row_count; j++) {
            const struct http_route *row = &api_services[i]->rows[j];
            buf_addf(&expected, "| %s | `%s %s` | %s | %s | %s |\n", api_services[i]->name,
                     http_method_name(row->method), row->path, access_name(row->access),
                     row->feature != NULL ? row->feature : "-", row->summary);
        }
    buf_adds(&expected, "\n");
    if (small_file_read(API_DOCUMENT, 1 << 20, &text, &len_bytes, &diag) < 0)
        fail_msg("%s", diag.text);
    if (strstr(text, expected.data) == NULL) {
        (void)fputs(expected.data, stderr);
        fail_msg("the table of routes in %s must be as above", API_DOCUMENT);
    }
    small_file_free(text, len_bytes);
    buf_done(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_of_the_router_is_printed_once),
        cmocka_unit_test(the_document_lists_the_same_routes),
        cmocka_unit_test(every_row_says_who_may_and_what_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
