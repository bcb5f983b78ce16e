/* cx_errors.h - what a PBX's error means to the telephony service. Pure.
 * Source: CSTAErrorCode of ECMA-323 (category and value), ECMA-269 12.2 "error values". */
#ifndef OG_GATEWAY_CX_ERRORS_H
#define OG_GATEWAY_CX_ERRORS_H

#include "gateway/pbx/pbx.h"
#include "lib/csta/csta.h"

enum { CX_ERROR_TEXT_CHARS = 160 };

/* Of a CSTA_ERROR message. The text is "category.value", written into text. */
struct pbx_error cx_error_of(const struct csta_message *error, char text[CX_ERROR_TEXT_CHARS]);
/* The device is known but cannot be used now. */
bool cx_error_is_out_of_service(const struct csta_message *error);

#endif
