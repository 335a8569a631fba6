// See request.hpp.
#include "pg/api/request.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include <utils/fmgrprotos.h>
}

namespace relygate::pg {
namespace {

const char *uuid_argument(FunctionCallInfo fcinfo, int position) {
    return PG_ARGISNULL(position) ? nullptr : print_uuid(PG_GETARG_UUID_P(position)).data();
}

std::string_view text_argument(FunctionCallInfo fcinfo, int position) {
    return PG_ARGISNULL(position) ? std::string_view() : text_view(PG_GETARG_TEXT_PP(position));
}

void read_headers(Request &request, ArrayType *headers) {
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(headers, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    for (int i = 0; i + 1 < count; i += 2) {
        if (nulls[i] || nulls[i + 1])
            continue;
        const char *name = TextDatumGetCString(elements[i]);
        const std::string_view value = text_view(DatumGetTextPP(elements[i + 1]));
        if (pg_strcasecmp(name, "content-type") == 0)
            request.content_type = value;
        else if (pg_strcasecmp(name, "idempotency-key") == 0)
            request.idempotency_key = value.empty() ? std::string_view(" \n") : value; // there, but no key
        else if (pg_strcasecmp(name, "if-none-match") == 0)
            request.if_none_match = value;
    }
}

} // namespace

Request read_request(FunctionCallInfo fcinfo) {
    Request request{};
    request.tenant = uuid_argument(fcinfo, 0);
    request.user = uuid_argument(fcinfo, 1);
    request.session = uuid_argument(fcinfo, 2);
    request.user_id = PG_GETARG_DATUM(1);
    request.session_id = PG_GETARG_DATUM(2);
    request.has_expiry = !PG_ARGISNULL(3);
    request.token_expires_at = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
    request.request_id = PG_ARGISNULL(4) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(4));
    request.client_address = PG_ARGISNULL(5) ? "" : DatumGetCString(DirectFunctionCall1(inet_out, PG_GETARG_DATUM(5)));
    request.method = text_argument(fcinfo, 6);
    request.path = text_argument(fcinfo, 7);
    request.query = text_argument(fcinfo, 8);
    if (!PG_ARGISNULL(9))
        read_headers(request, PG_GETARG_ARRAYTYPE_P(9));
    if (!PG_ARGISNULL(10))
        request.body = text_view(reinterpret_cast<const text *>(PG_GETARG_BYTEA_PP(10)));
    return request;
}

} // namespace relygate::pg
