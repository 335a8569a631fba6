// Digests under a key of the installation (relygate_global.signing_keys) for C++ that runs with its caller's rights:
// the key is read once a backend as its owner relygate_platform and never leaves this file. It is read again when the
// table tells of a change (trigger keys_changed) or when the key file does.
#pragma once

#include "pg/postgres.hpp"

namespace relygate::pg {

// HMAC-SHA-256 with the key of purpose idempotency; null where there is none yet (before the migration that makes it).
// Within SPI.
bytea *idempotency_digest(std::string_view bytes);

} // namespace relygate::pg
