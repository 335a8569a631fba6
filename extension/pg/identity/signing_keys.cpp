// New keys for signing and their public halves, by core/token. The private JWK goes straight into the table of keys,
// which relygate_platform alone can read (migration platform_functions, rotate_signing_key).
#include "core/token/key_pair.hpp"
#include "pg/boundary.hpp"

namespace relygate::pg {

// relygate.new_signing_key(algorithm text) text
RELYGATE_FUNCTION(relygate_new_signing_key) {
    const auto algorithm = text_view(PG_GETARG_TEXT_PP(0));
    ContextMemory memory;
    const auto jwk = run_rule([&] { return core::make_key(algorithm, memory); });
    PG_RETURN_TEXT_P(make_text(value_or_raise(jwk)));
}

// relygate.public_jwk(private_jwk text) text
RELYGATE_FUNCTION(relygate_public_jwk) {
    const auto private_jwk = text_view(PG_GETARG_TEXT_PP(0));
    ContextMemory memory;
    const auto jwk = run_rule([&] { return core::public_jwk(private_jwk, memory); });
    PG_RETURN_TEXT_P(make_text(value_or_raise(jwk)));
}

} // namespace relygate::pg
