/* csta_xml.h - the driver `csta-xml`: a PBX that speaks CSTA phase III in XML over TCP (ECMA-269
 * for the meaning, ECMA-323 for the messages and the framing, ECMA-354 for the session).
 *
 * It keeps one TCP connection with one session, reads the list of stations, monitors the wanted
 * devices and tells their events, and carries the requests of people. What it does not do: users,
 * calls as the interface shows them, REST. A message that cannot be read is logged and skipped, a
 * stream that has lost its framing is closed and opened anew.
 *
 * The promise is that of pbx.h. The folder in reading order (cx_ stands for csta_xml_):
 *
 *   cx_link         bytes: two addresses, back-off, frames in and out, bounded waiting output
 *   cx_requests     which request is answered by what: numbers, time-outs, pacing; pure
 *   cx_session      ECMA-354 begin, renewal and end; signs of life
 *   cx_directory    the list of stations: cx_stations (pure) assembles it
 *   cx_monitors     who is monitored: cx_monitor_set (pure) says what comes next
 *   cx_snapshots    what calls a monitored device has
 *   cx_events       CSTA event -> pbx_event; pure
 *   cx_errors       CSTA error -> error of the telephony service; pure
 *   cx_calls        requests of people
 *   csta_xml        puts it together and hands on what comes in */
#ifndef OG_GATEWAY_CSTA_XML_H
#define OG_GATEWAY_CSTA_XML_H

#include "gateway/pbx/pbx_settings.h"

/* Starts to connect; nothing is told before it returns. settings are copied. events' context must
 * live until pbx_close(). 0, -ENOMEM or -EINVAL (an address that is not numeric, ...) with a text.
 */
int csta_xml_open(uv_loop_t *loop, const struct pbx_settings *settings,
                  const struct pbx_events *events, struct pbx **ret_pbx, struct diag *diag);

#endif
