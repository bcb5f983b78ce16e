#include "lib/common/xml.h"

#include "lib/common/buf.h"
#include "lib/common/common.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

DEFINE_FREEP(xml_freep, struct xml *, xml_free)

static struct xml *parse(const char *text)
{
    struct xml *xml = NULL;
    struct diag diag = {0};
    int r = xml_parse(text, strlen(text), &xml, &diag);
    if (r < 0)
        fail_msg("%s: %s", text, diag.text);
    return xml;
}

static void elements_come_in_order_with_their_lines(void **state)
{
    (void)state;
    AUTO(xml_freep)
    struct xml *xml = parse("<?xml version='1.0'?>\n<a>\n  <b/>\n<!-- no -->\n"
                            "  <c>x</c>\n</a>\n");
    const struct xml_node *root = xml_root(xml);
    assert_string_equal(xml_name(root), "a");
    assert_int_equal(xml_line(root), 2);
    assert_null(xml_text(root));
    const struct xml_node *b = xml_child(root);
    assert_string_equal(xml_name(b), "b");
    assert_int_equal(xml_line(b), 3);
    assert_null(xml_child(b));
    assert_string_equal(xml_text(b), "");
    const struct xml_node *c = xml_next(b);
    assert_string_equal(xml_name(c), "c");
    assert_int_equal(xml_line(c), 5);
    assert_null(xml_next(c));
}

static void text_is_trimmed_and_joined_around_comments(void **state)
{
    (void)state;
    AUTO(xml_freep)
    struct xml *xml = parse("<a>\n\t one &amp; <!-- and --><![CDATA[<two>]]> &#x33;\r\n</a>");
    assert_string_equal(xml_text(xml_root(xml)), "one & <two> 3");
}

static void attributes_are_found_by_name_and_by_index(void **state)
{
    (void)state;
    AUTO(xml_freep) struct xml *xml = parse("<a first='1' second='a &lt; b' third=''/>");
    const struct xml_node *root = xml_root(xml);
    const char *value = NULL;
    assert_string_equal(xml_attribute(root, "second"), "a < b");
    assert_string_equal(xml_attribute(root, "third"), "");
    assert_null(xml_attribute(root, "fourth"));
    assert_string_equal(xml_attribute_at(root, 0, &value), "first");
    assert_string_equal(value, "1");
    assert_string_equal(xml_attribute_at(root, 2, &value), "third");
    assert_null(xml_attribute_at(root, 3, &value));
}

static void refused(const char *text, const char *because)
{
    struct xml *xml = NULL;
    struct diag diag = {0};
    int r = xml_parse(text, strlen(text), &xml, &diag);
    if (r != -EINVAL || xml != NULL || strstr(diag.text, because) == NULL)
        fail_msg("%s: %d, \"%s\" instead of \"%s\"", text, r, diag.text, because);
}

static void what_is_no_plain_xml_is_refused(void **state)
{
    (void)state;
    refused("", "empty");
    refused("hello", "line 1");
    refused("<a>\n<b>\n</a>", "line 3");
    refused("<a/><b/>", "line 1");
    refused("<a x='1' x='2'/>", "line 1");
    refused("<a>&unknown;</a>", "unknown");
    refused("<a>\xff</a>", "line 1");
    refused("<!DOCTYPE a><a/>", "DOCTYPE");
    refused("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "DOCTYPE");
    refused("<!DOCTYPE a [<!ENTITY e 'x'><!ENTITY f '&e;&e;'>]><a b='&f;'/>", "DOCTYPE");
    refused("<a xmlns='urn:x'/>", "name spaces");
    refused("<a xml:space='preserve'/>", "name spaces");
    refused("<x:a/>", "line 1");
    refused("<a>text<b/></a>", "between the elements of <a>");
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    struct xml *xml = NULL;
    assert_int_equal(xml_parse("<a>\0</a>", 8, &xml, NULL), -EINVAL);
    assert_null(xml);
}

static void nest(struct buf *text, int depth)
{
    buf_clear(text);
    for (int i = 0; i < depth; i++)
        buf_adds(text, "<a>");
    for (int i = 0; i < depth; i++)
        buf_adds(text, "</a>");
}

static void depth_and_size_are_limited(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    struct xml *xml = NULL;
    nest(&text, 32);
    assert_int_equal(xml_parse(text.data, text.len_bytes, &xml, NULL), 0);
    xml_free(xml);
    xml = NULL;
    nest(&text, 33);
    assert_int_equal(xml_parse(text.data, text.len_bytes, &xml, NULL), -EINVAL);
    nest(&text, 100000);
    assert_int_equal(xml_parse(text.data, text.len_bytes, &xml, NULL), -EINVAL);

    buf_clear(&text);
    buf_adds(&text, "<a/>");
    while (text.len_bytes < 1 << 20)
        buf_adds(&text, " ");
    assert_int_equal(xml_parse(text.data, text.len_bytes, &xml, NULL), 0);
    xml_free(xml);
    xml = NULL;
    buf_adds(&text, " ");
    assert_int_equal(xml_parse(text.data, text.len_bytes, &xml, NULL), -EINVAL);
    assert_null(xml);
}

static void lines_are_right_in_long_files(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    buf_adds(&text, "<a>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "\n");
    buf_adds(&text, "<b>t</b></a>");
    AUTO(xml_freep) struct xml *xml = parse(text.data);
    assert_int_equal(xml_line(xml_child(xml_root(xml))), 100001);
}

static void elements_with_too_many_attributes_are_refused_at_once(void **state)
{
    (void)state;
    static const char *const before[] = {"", "<?p \"?>", "<!-- ' <b \" -->",
                                         "<b x='\">'/><![CDATA[<c \"]]>"};
    for (unsigned count = 63; count <= 20000; count = count < 65 ? count + 1 : count * 17) {
        for (size_t i = 0; i < COUNT_OF(before); i++) {
            AUTO(buf_done) struct buf text = {0};
            AUTO(xml_freep) struct xml *xml = NULL;
            struct diag diag = {0};
            buf_addf(&text, "<root>%s<a", before[i]);
            for (unsigned k = 0; k < count; k++)
                buf_addf(&text, k % 2 == 0 ? " a%u='>\"'" : " a%u = \"'\"", k);
            buf_adds(&text, "/></root>");
            int r = xml_parse_message(text.data, text.len_bytes, &xml, &diag);
            assert_int_equal(r, count <= 64 ? 0 : -EINVAL);
            assert_true(r == 0 || strstr(diag.text, "attributes") != NULL);
        }
    }
}

static void a_foreign_message_is_read_by_its_local_names(void **state)
{
    (void)state;
    static const char text[] = "<p:a xmlns:p='urn:p' p:x='1' y='2'> loose <p:b>1</p:b>text<q:c/>"
                               "<d xmlns='urn:d'>2</d></p:a>";
    AUTO(xml_freep) struct xml *xml = NULL;
    struct diag diag = {0};
    assert_int_equal(xml_parse(text, sizeof(text) - 1, &xml, &diag), -EINVAL);
    assert_int_equal(xml_parse_message(text, sizeof(text) - 1, &xml, &diag), 0);
    const struct xml_node *root = xml_root(xml);
    assert_string_equal(xml_name(root), "a");
    assert_null(xml_attribute(root, "x"));
    assert_string_equal(xml_attribute(root, "y"), "2");
    const struct xml_node *b = xml_child(root), *c = xml_next(b), *d = xml_next(c);
    assert_string_equal(xml_name(b), "b");
    assert_string_equal(xml_text(b), "1");
    assert_string_equal(xml_name(c), "c"); /* its prefix is declared nowhere */
    assert_string_equal(xml_name(d), "d");
    assert_null(xml_next(d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_in_order_with_their_lines),
        cmocka_unit_test(text_is_trimmed_and_joined_around_comments),
        cmocka_unit_test(attributes_are_found_by_name_and_by_index),
        cmocka_unit_test(what_is_no_plain_xml_is_refused),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test(lines_are_right_in_long_files),
        cmocka_unit_test(elements_with_too_many_attributes_are_refused_at_once),
        cmocka_unit_test(a_foreign_message_is_read_by_its_local_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
