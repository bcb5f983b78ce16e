#include "gateway/api/root/repr.h"

static const struct repr_member product_version_members[] = {
    REPR_STRING(struct root_product_version, major, "major", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct root_product_version, minor, "minor", REPR_REQUIRED, 0, 0),
};
static const struct repr product_version_repr =
    REPR("ProductVersion", struct root_product_version, product_version_members);

static const struct repr_member server_info_members[] = {
    REPR_STRING(struct root_server_info, product_name, "productName", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct root_server_info, product_type, "productType", REPR_REQUIRED, 0, 0),
    REPR_OBJECT(struct root_server_info, product_version, "productVersion", REPR_REQUIRED,
                &product_version_repr),
    REPR_BOOL(struct root_server_info, ha_mode, "haMode"),
};
static const struct repr server_info_repr =
    REPR("ServerInfo", struct root_server_info, server_info_members);

static const struct repr_member version_members[] = {
    REPR_STRING(struct root_version, id, "id", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct root_version, status, "status", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct root_version, public_url, "publicUrl", REPR_REQUIRED, 0, 0),
    REPR_STRING(struct root_version, internal_url, "internalUrl", REPR_REQUIRED, 0, 0),
};
static const struct repr version_repr = REPR("Version", struct root_version, version_members);

static const struct repr_member customer_feature_members[] = {
    REPR_BOOL_OPTIONAL(struct root_customer_feature, ccd_load_ope_cca, "CCD_LOAD_OPE_CCA", 0),
    REPR_BOOL_OPTIONAL(struct root_customer_feature, hotel_load_z_guests, "HOTEL_LOAD_Z_GUESTS", 0),
};
static const struct repr customer_feature_repr =
    REPR("CustoFeature", struct root_customer_feature, customer_feature_members);

static const struct repr_member descriptor_members[] = {
    REPR_OBJECT(struct root_descriptor, server_info, "serverInfo", REPR_REQUIRED,
                &server_info_repr),
    REPR_OBJECTS(struct root_descriptor, versions, "versions", REPR_REQUIRED, 0, &version_repr),
    REPR_OBJECTS(struct root_descriptor, customer_features, "custoFeatures", 0, 0,
                 &customer_feature_repr),
};
const struct repr root_descriptor_repr =
    REPR("RoxeRestApiDescriptor", struct root_descriptor, descriptor_members);
