#include "lib/http/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage socket_address(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
    return address;
}

static struct http_address address_of(const char *text)
{
    const struct sockaddr_storage address = socket_address(text);
    return http_address_of(&address);
}

static void an_ipv6_network_of_64_bits_counts_as_one_client(void **unused)
{
    (void)unused;
    struct http_address a = address_of("2001:db8:1:2::1"), b = address_of("2001:db8:1:2:9::9"),
                        c = address_of("2001:db8:1:3::1");
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &c, sizeof(a));
}

static void an_ipv4_address_is_the_same_in_both_forms(void **unused)
{
    (void)unused;
    struct http_address a = address_of("10.77.1.1"), b = address_of("::ffff:10.77.1.1"),
                        c = address_of("10.77.1.2");
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &c, sizeof(a));
    char text[HTTP_ADDRESS_CHARS];
    const struct sockaddr_storage mapped = socket_address("::ffff:10.77.1.1");
    http_address_format(&mapped, text);
    assert_string_equal(text, "10.77.1.1");
    const struct sockaddr_storage none = {0};
    http_address_format(&none, text);
    assert_string_equal(text, "?");
}

static void counts_go_up_and_down_per_address(void **unused)
{
    (void)unused;
    struct http_addresses *addresses = http_addresses_new();
    assert_non_null(addresses);
    const struct http_address a = address_of("10.0.0.1"), b = address_of("10.0.0.2");
    assert_int_equal(http_addresses_add(addresses, &a), 1);
    assert_int_equal(http_addresses_add(addresses, &a), 2);
    assert_int_equal(http_addresses_add(addresses, &b), 1);
    http_addresses_remove(addresses, &a);
    assert_int_equal(http_addresses_add(addresses, &a), 2);
    http_addresses_remove(addresses, &a);
    http_addresses_remove(addresses, &a);
    assert_int_equal(http_addresses_add(addresses, &a), 1);
    http_addresses_free(addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv6_network_of_64_bits_counts_as_one_client),
        cmocka_unit_test(an_ipv4_address_is_the_same_in_both_forms),
        cmocka_unit_test(counts_go_up_and_down_per_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
