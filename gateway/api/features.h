/* features.h - the licence features that routes need, as the product manual names them; struct
 * http_route holds one of these words, or NULL where nothing is asked. */
#ifndef OG_GATEWAY_FEATURES_H
#define OG_GATEWAY_FEATURES_H

#define FEATURE_NONE         NULL
#define FEATURE_TEL_BASIC    "ROXE_API_TEL_BASIC" /* free: the basicCall operations */
#define FEATURE_TEL_ADVANCED "ROXE_API_TEL_ADVANCED"

#endif
