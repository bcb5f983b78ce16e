/* basic.h - the Authorization header of HTTP Basic (RFC 7617). Pure. */
#ifndef OG_GATEWAY_BASIC_H
#define OG_GATEWAY_BASIC_H

enum { BASIC_LOGIN_CHARS = 129, BASIC_PASSWORD_CHARS = 257 };

struct basic { /* wipe it after use */
    char login[BASIC_LOGIN_CHARS], password[BASIC_PASSWORD_CHARS];
};
/* 0 or -EINVAL: other scheme, no base64, no colon, a NUL inside, too long, empty login. */
int basic_parse(const char *header, struct basic *ret_basic);

#endif
