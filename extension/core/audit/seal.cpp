// See seal.hpp.
#include "core/audit/seal.hpp"

#include <cassert>
#include <cstring>

#include <openssl/evp.h>

namespace relygate::core {
namespace {

using namespace std::literals;

// Feeds a SHA-256. A failure of OpenSSL is kept until the end.
class Hash {
  public:
    explicit Hash(std::string_view tag) : context_(EVP_MD_CTX_new()) {
        is_good_ = context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1;
        text(tag);
    }
    Hash(const Hash &) = delete;
    Hash &operator=(const Hash &) = delete;
    ~Hash() { EVP_MD_CTX_free(context_); }

    void number(std::uint64_t value) {
        std::array<std::uint8_t, 8> bytes;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
        raw(bytes.data(), bytes.size());
    }
    void uuid(const Uuid &value) { raw(value.data(), value.size()); }
    void uuid(const std::optional<Uuid> &value) {
        presence(value.has_value());
        if (value)
            uuid(*value);
    }
    void text(std::string_view value) {
        number(value.size());
        raw(value.data(), value.size());
    }
    void text(const std::optional<std::string_view> &value) {
        presence(value.has_value());
        if (value)
            text(*value);
    }
    Outcome<Digest> finish() {
        Digest digest;
        if (!is_good_ || EVP_DigestFinal_ex(context_, digest.data(), nullptr) != 1)
            return Refusal{500, "internal", "could not compute a digest"};
        return digest;
    }

  private:
    void presence(bool is_there) {
        const std::uint8_t byte = is_there ? 1 : 0;
        raw(&byte, 1);
    }
    void raw(const void *bytes, std::size_t size) {
        is_good_ = is_good_ && EVP_DigestUpdate(context_, bytes, size) == 1;
    }

    EVP_MD_CTX *context_;
    bool is_good_;
};

} // namespace

Outcome<AuditEntry> audit_entry(const AuditRow &row) {
    Hash hash("relygate audit row 1"sv);
    hash.uuid(row.tenant_id);
    hash.uuid(row.id);
    hash.number(static_cast<std::uint64_t>(row.occurred_at));
    hash.uuid(row.user_id);
    hash.text(row.user_role);
    hash.text(row.database_role);
    hash.text(row.request_id);
    hash.text(row.client_address);
    hash.text(row.table_name);
    hash.uuid(row.row_id);
    hash.text(row.action);
    hash.text(row.changes_digest);
    hash.number(row.xact);
    hash.number(static_cast<std::uint64_t>(row.cluster));
    const Outcome<Digest> digest = hash.finish();
    if (!digest)
        return digest.refusal();
    AuditEntry entry;
    std::memcpy(entry.data(), row.id.data(), 16);
    for (std::size_t i = 0; i < 8; ++i)
        entry[16 + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(row.occurred_at) >> (56 - 8 * i));
    std::memcpy(entry.data() + 24, digest.value().data(), 32);
    return entry;
}

ManifestEntry manifest_entry(std::string_view manifest, std::size_t place) {
    assert(place < manifest.size() / kEntrySize);
    ManifestEntry entry{{}, 0, manifest.substr(place * kEntrySize, kEntrySize)};
    std::memcpy(entry.id.data(), entry.bytes.data(), 16);
    std::uint64_t time = 0;
    for (const char byte : entry.bytes.substr(16, 8))
        time = time << 8 | static_cast<std::uint8_t>(byte);
    entry.occurred_at = static_cast<std::int64_t>(time);
    return entry;
}

Outcome<Digest> seal_digest(const Seal &seal) {
    Hash hash("relygate audit seal 1"sv);
    hash.uuid(seal.tenant_id);
    hash.number(static_cast<std::uint64_t>(seal.number));
    hash.number(static_cast<std::uint64_t>(seal.sealed_at));
    hash.number(static_cast<std::uint64_t>(seal.cluster));
    hash.number(seal.last_xact);
    hash.text(seal.previous);
    hash.text(seal.manifest);
    return hash.finish();
}

Outcome<Digest> root_digest(const Root &root) {
    Hash hash("relygate audit root 1"sv);
    hash.number(static_cast<std::uint64_t>(root.number));
    hash.text(root.kind);
    hash.number(static_cast<std::uint64_t>(root.sealed_at));
    hash.number(static_cast<std::uint64_t>(root.cluster));
    hash.number(root.bound);
    hash.number(root.next_xact);
    hash.text(root.previous);
    hash.text(root.leaves);
    return hash.finish();
}

} // namespace relygate::core
