// Signs tokens (RFC 7515). The function that has a key to sign with is relygate.sign_token of the migrations, which
// makes tokens of the current tenant only.
#include "core/token/jws.hpp"
#include "pg/boundary.hpp"

namespace relygate::pg {

// relygate.jws_sign(private_jwk text, claims text) text
RELYGATE_FUNCTION(relygate_jws_sign) {
    const auto private_jwk = text_view(PG_GETARG_TEXT_PP(0));
    const auto claims = text_view(PG_GETARG_TEXT_PP(1));
    ContextMemory memory;
    const auto token = run_rule([&] { return core::sign_token(private_jwk, claims, memory); });
    PG_RETURN_TEXT_P(make_text(value_or_raise(token)));
}

} // namespace relygate::pg
