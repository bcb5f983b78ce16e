/* certificate.h - the gateway's certificate, when the administrator brings none.
 *
 * A client that checks certificates must be as happy with the other node after a failover, although the
 * nodes never exchange a private key. Therefore the pair has a certificate authority whose key (P-256)
 * both nodes derive from the pair's key; each signs a certificate of its own for the global server's
 * name and address. The two copies of the authority's certificate differ in their signature, but
 * have the same subject, key and key identifier: a client that trusts one accepts both nodes. */
#ifndef OG_CONFIG_CERTIFICATE_H
#define OG_CONFIG_CERTIFICATE_H

#include "lib/common/diag.h"
#include "lib/config/config.h"

#include <stdbool.h>

#define CONFIG_CA_FILE CONFIG_FOLDER "/ca.pem"

enum { CERTIFICATE_DAYS = 3650 }; /* nothing renews it by itself */

/* Files already there are checked: both present, the key fits the certificate, it is valid today and for
 * the global server's name (-EINVAL, -EKEYEXPIRED with the reason). When there is no certificate, or one of
 * ours for another name or address, it is made, and the authority's certificate is written to
 * ca_file; *ret_made says so. The key gets mode 0640 and the group
 * roxe-gateway where that group exists, else 0600. */
int certificate_ensure(const struct config *config, const char *ca_file, bool *ret_made,
                       struct diag *diag);

#endif
