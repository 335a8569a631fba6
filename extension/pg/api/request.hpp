// One HTTP request as the arguments of handle_request carry it. Views stand in those arguments.
#pragma once

#include "pg/postgres.hpp"

#include <string_view>

namespace relygate::pg {

struct Request {
    // Null: the token has none (or there is no token).
    const char *tenant, *user, *session, *client_address;
    Datum user_id, session_id;
    bool has_expiry;
    TimestampTz token_expires_at;
    const char *request_id;
    std::string_view method, path, query, body;
    std::string_view content_type, idempotency_key, if_none_match;
};

Request read_request(FunctionCallInfo fcinfo);

} // namespace relygate::pg
