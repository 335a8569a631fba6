// See row_diff.hpp.
#include "core/audit/row_diff.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "core/json/writer.hpp"

namespace relygate::core {
namespace {

using namespace std::literals;

constexpr std::array kSecret = {"document_hash"sv, "otp_hash"sv,     "password_hash"sv,
                                "private_jwk"sv,   "refresh_hash"sv, "used_refresh_hashes"sv,
                                "secret"sv,        "security_code"sv};
constexpr std::array kBookkeeping = {"tenant_id"sv,  "id"sv,         "created_at"sv, "updated_at"sv, "created_by"sv,
                                     "updated_by"sv, "login_name"sv, "name_key"sv,   "search_name"sv};

void write_value(JsonWriter &writer, std::string_view name, const AuditValue &value) {
    writer.name(name);
    switch (value.kind) {
    case AuditValue::Kind::null:
        writer.null();
        break;
    case AuditValue::Kind::text:
        writer.string(value.text);
        break;
    case AuditValue::Kind::raw:
        writer.raw(value.text);
        break;
    }
}

} // namespace

ColumnKind column_kind(std::string_view column_name) {
    if (std::ranges::find(kSecret, column_name) != kSecret.end())
        return ColumnKind::secret;
    if (std::ranges::find(kBookkeeping, column_name) != kBookkeeping.end())
        return ColumnKind::bookkeeping;
    return ColumnKind::data;
}

std::string_view action_word(RowAction action) {
    switch (action) {
    case RowAction::insert_row:
        return "insert";
    case RowAction::update_row:
        return "update";
    case RowAction::delete_row:
        return "delete";
    }
    return "";
}

std::string_view describe_changes(RowAction action, std::span<const ColumnChange> changes, Memory memory) {
    JsonWriter writer(memory);
    writer.begin_object();
    for (const ColumnChange &change : changes) {
        const bool shows_before = action == RowAction::update_row ||
                                  (action == RowAction::delete_row && change.before.kind != AuditValue::Kind::null);
        const bool shows_after = action == RowAction::update_row ||
                                 (action == RowAction::insert_row && change.after.kind != AuditValue::Kind::null);
        if (!shows_before && !shows_after)
            continue;
        writer.name(change.column);
        writer.begin_object();
        if (shows_before)
            write_value(writer, "before", change.before);
        if (shows_after)
            write_value(writer, "after", change.after);
        writer.end_object();
    }
    writer.end_object();
    return writer.view();
}

Outcome<Digest> changes_digest(const Salt &salt, std::string_view changes) {
    Digest digest;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool is_done = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 &&
                         EVP_DigestUpdate(context, salt.data(), salt.size()) == 1 &&
                         EVP_DigestUpdate(context, changes.data(), changes.size()) == 1 &&
                         EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
    EVP_MD_CTX_free(context);
    if (!is_done)
        return Refusal{500, "internal", "could not compute a digest"};
    return digest;
}

} // namespace relygate::core
