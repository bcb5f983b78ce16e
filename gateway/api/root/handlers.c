#include "gateway/api/root/handlers.h"

#include "gateway/api/root/repr.h"
#include "gateway/api/services.h"
#include "gateway/gateway.h"

/* Some clients match the charset of this one answer; the settings allow ASCII only, which is the
 * same in ISO-8859-1 and UTF-8. */
static const char content_type[] = "application/json; charset=ISO-8859-1";

static const char *authenticate_url(struct http_request *request, const char *server_url)
{
    return arena_printf(http_request_arena(request), "%s" API_ROOT "/authenticate?version=1.0",
                        server_url);
}

void root_get(struct http_request *request)
{
    const struct gateway *gateway = http_request_program(request);
    const struct gateway_settings *settings = gateway->settings;
    struct root_product_version product_version = {settings->product_major,
                                                   settings->product_minor};
    struct root_server_info server_info = {.product_name = settings->product_name,
                                           .product_type = "O2G",
                                           .product_version = &product_version,
                                           .ha_mode = settings->ha};
    const struct root_version version = {
        .id = "1.0",
        .status = "CURRENT",
        .public_url = authenticate_url(request, settings->public_url),
        .internal_url = authenticate_url(request, settings->private_url),
    };
    const struct root_descriptor descriptor = {
        .server_info = &server_info,
        .versions = {.items = &version, .count = 1, .set = true},
        .customer_features = {.set = true},
    };
    struct buf text = {0};
    if (repr_write(&root_descriptor_repr, &descriptor, &text) == 0 && !text.failed)
        http_answer_bytes(request, 200, content_type, text.data, text.len_bytes);
    else
        http_answer_fail(request, 503, "not enough memory");
    buf_done(&text);
}
