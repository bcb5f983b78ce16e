/* The root descriptor: contract name RoxeRestApiDescriptor. */
#ifndef OG_GATEWAY_ROOT_REPR_H
#define OG_GATEWAY_ROOT_REPR_H

#include "lib/http/repr.h"

struct root_product_version {
    const char *major, *minor;
};
struct root_server_info {
    const char *product_name, *product_type;
    struct root_product_version *product_version;
    bool ha_mode;
};
struct root_version {
    const char *id, *status, *public_url, *internal_url;
};
struct root_customer_feature {
    struct repr_bool ccd_load_ope_cca, hotel_load_z_guests;
};
struct root_descriptor {
    struct root_server_info *server_info;
    struct repr_array versions;          /* struct root_version */
    struct repr_array customer_features; /* struct root_customer_feature */
};
extern const struct repr root_descriptor_repr;

#endif
