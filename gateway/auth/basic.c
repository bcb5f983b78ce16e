#include "gateway/auth/basic.h"

#include "lib/common/secrets.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { DECODED_BYTES_MAX = BASIC_LOGIN_CHARS + BASIC_PASSWORD_CHARS };

static int split(const char *text, size_t len_bytes, struct basic *ret_basic)
{
    const char *colon = memchr(text, ':', len_bytes);
    if (colon == NULL || memchr(text, '\0', len_bytes) != NULL)
        return -EINVAL;
    size_t login_bytes = (size_t)(colon - text), password_bytes = len_bytes - login_bytes - 1;
    if (login_bytes == 0 || login_bytes >= BASIC_LOGIN_CHARS ||
        password_bytes >= BASIC_PASSWORD_CHARS)
        return -EINVAL;
    memset(ret_basic, 0, sizeof(*ret_basic));
    memcpy(ret_basic->login, text, login_bytes);
    memcpy(ret_basic->password, colon + 1, password_bytes);
    return 0;
}

int basic_parse(const char *header, struct basic *ret_basic)
{
    uint8_t text[DECODED_BYTES_MAX + 4];
    if (strncasecmp(header, "Basic ", 6) != 0)
        return -EINVAL;
    header += 6;
    header += strspn(header, " ");
    size_t chars = strcspn(header, " ");
    if (header[chars] != '\0' || chars > (size_t)DECODED_BYTES_MAX / 3 * 4)
        return -EINVAL;
    int len_bytes = secrets_base64_decode(header, chars, text, sizeof(text));
    int r = len_bytes < 0 ? -EINVAL : split((const char *)text, (size_t)len_bytes, ret_basic);
    secrets_wipe(text, sizeof(text));
    return r;
}
