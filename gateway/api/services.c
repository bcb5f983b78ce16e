#include "gateway/api/services.h"

const struct api_service *const api_services[] = {
    &root_service,          &authentication_service, &sessions_service,
    &subscriptions_service, &users_service,          &usermanagement_service,
    &telephony_service,     &health_service,         NULL,
};

int api_services_add(struct http_router *router, struct diag *diag)
{
    int r = 0;
    for (size_t i = 0; api_services[i] != NULL && r == 0; i++)
        r = http_router_add(router, api_services[i]->rows, api_services[i]->row_count, diag);
    return r;
}
