/* intake.h - where what the PBXs tell enters the gateway: users go to the directory, calls and
 * device states to the model, links to those who watch the system. */
#ifndef OG_GATEWAY_INTAKE_H
#define OG_GATEWAY_INTAKE_H

#include "gateway/pbx/pbx.h"

struct gateway;
void intake_events(struct gateway *gateway, struct pbx_events *ret_events);

#endif
