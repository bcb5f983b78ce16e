/* The record of the last PDUs. */
#include "lib/common/common.h"
#include "lib/common/json.h"
#include "simulator/pdu_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pdu_log record;

static int empty(void **unused)
{
    (void)unused;
    pdu_log_done(&record);
    return 0;
}

static void add(const char *xml, size_t len_bytes)
{
    const struct pdu_log_entry entry = {.at_ms = 1000, .link = 2, .invoke = 7, .copies = 1};
    pdu_log_add(&record, &entry, xml, len_bytes);
}

static cJSON *read_back(uint64_t since)
{
    AUTO(buf_done) struct buf text = {0};
    cJSON *list = NULL;
    pdu_log_write(&record, since, &text);
    assert_int_equal(json_parse(text.data, text.len_bytes, &list, NULL), 0);
    return list;
}

static void an_entry_shows_what_was_sent(void **unused)
{
    (void)unused;
    AUTO(buf_done) struct buf text = {0};
    add("<A b=\"c\"/>", 10);
    pdu_log_write(&record, 0, &text);
    assert_string_equal(text.data, "[{\"number\":1,\"at\":\"1970-01-01T00:00:01.000Z\",\"link\":2,"
                                   "\"direction\":\"in\",\"invoke\":\"0007\",\"copies\":1,"
                                   "\"xml\":\"<A b=\\\"c\\\"/>\"}]");
}

static void only_the_last_ones_are_kept(void **unused)
{
    (void)unused;
    char xml[32];
    for (int i = 1; i <= PDU_LOG_ENTRIES + 5; i++) {
        (void)snprintf(xml, sizeof(xml), "<A>%d</A>", i);
        add(xml, strlen(xml));
    }
    AUTO(json_freep) cJSON *list = read_back(0);
    assert_int_equal(cJSON_GetArraySize(list), PDU_LOG_ENTRIES);
    assert_string_equal(json_string(cJSON_GetArrayItem(list, 0), "xml"), "<A>6</A>");
    AUTO(json_freep) cJSON *rest = read_back(PDU_LOG_ENTRIES + 4);
    assert_int_equal(cJSON_GetArraySize(rest), 1);
    AUTO(json_freep) cJSON *none = read_back(UINT64_MAX);
    assert_int_equal(cJSON_GetArraySize(none), 0);
}

static void bytes_that_are_no_text_do_not_break_the_record(void **unused)
{
    (void)unused;
    const char bytes[] = "a\0b\xff\xc3\xa9\xc3";
    add(bytes, sizeof(bytes) - 1);
    AUTO(json_freep) cJSON *list = read_back(0);
    assert_string_equal(json_string(cJSON_GetArrayItem(list, 0), "xml"), "a?b?\xc3\xa9?");
}

static void long_pdus_are_cut(void **unused)
{
    (void)unused;
    static char xml[2 * PDU_LOG_XML_BYTES];
    memset(xml, 'x', sizeof(xml));
    add(xml, sizeof(xml));
    AUTO(json_freep) cJSON *list = read_back(0);
    assert_int_equal(strlen(json_string(cJSON_GetArrayItem(list, 0), "xml")), PDU_LOG_XML_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_entry_shows_what_was_sent, empty),
        cmocka_unit_test_teardown(only_the_last_ones_are_kept, empty),
        cmocka_unit_test_teardown(bytes_that_are_no_text_do_not_break_the_record, empty),
        cmocka_unit_test_teardown(long_pdus_are_cut, empty),
    };
    return cmocka_run_group_tests_name("pdu_log", tests, NULL, NULL);
}
