// See keyed_digest.hpp.
#include "pg/identity/keyed_digest.hpp"

#include "pg/api/plan.hpp"
#include "pg/boundary.hpp"
#include "pg/identity/key_file.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

extern "C" {
#include <catalog/namespace.h>
}

namespace relygate::pg {
namespace {

constexpr const char *kOwner = "relygate_platform";
constexpr const char *kFind =
    "SELECT k.kid, k.secret, k.sealed FROM relygate_global.signing_keys k WHERE k.purpose = 'idempotency'"
    " ORDER BY k.signs_from DESC LIMIT 1";
constexpr std::size_t kLongestKey = 64;
constexpr int kDigestSize = 32;

struct Key {
    bool is_known = false;
    bool is_sealed = false;
    std::uint64_t generation = 0; // of the key file, where it was sealed
    std::size_t size = 0;         // 0: there is none
    unsigned char bytes[kLongestKey];
};
Key key;
Oid watched = InvalidOid;

void table_changed(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == watched)
        key.is_known = false;
}

void keep(std::string_view secret, bool is_sealed) {
    if (secret.size() > kLongestKey)
        elog(ERROR, "a key of purpose idempotency is too long");
    key.is_sealed = is_sealed;
    key.generation = is_sealed ? key_file_generation() : 0;
    key.size = secret.size();
    std::copy(secret.begin(), secret.end(), reinterpret_cast<char *>(key.bytes));
}

void take_row() {
    const HeapTuple row = SPI_tuptable->vals[0];
    const TupleDesc shape = SPI_tuptable->tupdesc;
    bool is_plain_null, is_sealed_null, is_null;
    const Datum plain = SPI_getbinval(row, shape, 2, &is_plain_null);
    const Datum sealed = SPI_getbinval(row, shape, 3, &is_sealed_null);
    if (!is_plain_null)
        keep(text_view(DatumGetByteaPP(plain)), false);
    else if (!is_sealed_null)
        keep(open_secret(text_view(DatumGetByteaPP(sealed)),
                         text_view(DatumGetTextPP(SPI_getbinval(row, shape, 1, &is_null))), "idempotency"),
             true);
}

void read_key() {
    static bool is_listening = false;
    if (!is_listening)
        CacheRegisterRelcacheCallback(table_changed, 0);
    is_listening = true;
    OPENSSL_cleanse(key.bytes, sizeof key.bytes);
    key.size = 0;
    key.is_sealed = false;
    key.is_known = true; // before reading: what changes meanwhile makes it unknown again
    const Oid schema = get_namespace_oid("relygate_global", true);
    watched = OidIsValid(schema) ? get_relname_relid("signing_keys", schema) : InvalidOid;
    const Oid owner = get_role_oid(kOwner, true);
    // The column comes with the migration that makes the key.
    if (!OidIsValid(watched) || !OidIsValid(owner) || get_attnum(watched, "sealed") == InvalidAttrNumber)
        return;
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kFind, {});
    if (SPI_execute_plan(plan, nullptr, nullptr, true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not read the key of purpose idempotency");
    SetUserIdAndSecContext(user, security);
    if (SPI_processed == 1)
        take_row();
}

} // namespace

bytea *idempotency_digest(std::string_view bytes) {
    if (!key.is_known || (key.is_sealed && key.generation != key_file_generation())) {
        key.is_known = false; // an error while reading must not leave half a key behind
        PG_TRY();
        { read_key(); }
        PG_CATCH();
        {
            key.is_known = false;
            PG_RE_THROW();
        }
        PG_END_TRY();
    }
    if (key.size == 0)
        return nullptr;
    auto *digest = static_cast<bytea *>(palloc(VARHDRSZ + kDigestSize));
    SET_VARSIZE(digest, VARHDRSZ + kDigestSize);
    if (HMAC(EVP_sha256(), key.bytes, static_cast<int>(key.size), reinterpret_cast<const unsigned char *>(bytes.data()),
             bytes.size(), reinterpret_cast<unsigned char *>(VARDATA(digest)), nullptr) == nullptr) {
        ERR_clear_error();
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not make a keyed digest"));
    }
    return digest;
}

} // namespace relygate::pg
