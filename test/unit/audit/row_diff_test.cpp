// What the audit log says of a change, and what it keeps to itself.
#include "core/audit/row_diff.hpp"

#include <gtest/gtest.h>

#include <memory_resource>
#include <string>

namespace relygate::core {
namespace {

AuditValue text(std::string_view value) {
    return {AuditValue::Kind::text, value};
}
AuditValue raw(std::string_view value) {
    return {AuditValue::Kind::raw, value};
}
const AuditValue kNull;

TEST(DescribeChanges, ShowsWhatChangedAndNoMore) {
    const ColumnChange update[] = {{"state", text("checked_in"), text("checked_out")},
                                   {"gate_out_id", kNull, text("0192")},
                                   {"is_forced", raw("false"), raw("true")},
                                   {"remark", text("a \"b\"\n"), kNull}};
    const ColumnChange insert[] = {
        {"name", kNull, text("Main gate")}, {"position", kNull, raw("3")}, {"remark", kNull, kNull}};
    const ColumnChange removal[] = {{"name", text("Main gate"), kNull}, {"remark", kNull, kNull}};
    const struct {
        RowAction action;
        std::span<const ColumnChange> changes;
        const char *wanted;
    } cases[] = {
        {RowAction::update_row, update,
         R"({"state":{"before":"checked_in","after":"checked_out"},"gate_out_id":{"before":null,"after":"0192"},)"
         R"("is_forced":{"before":false,"after":true},"remark":{"before":"a \"b\"\n","after":null}})"},
        {RowAction::insert_row, insert, R"({"name":{"after":"Main gate"},"position":{"after":3}})"},
        {RowAction::delete_row, removal, R"({"name":{"before":"Main gate"}})"},
        {RowAction::update_row, {}, "{}"},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.wanted);
        std::pmr::monotonic_buffer_resource memory;
        EXPECT_EQ(describe_changes(c.action, c.changes, memory), c.wanted);
    }
}

TEST(ColumnKind, KnowsSecretsAndBookkeeping) {
    for (const char *name : {"password_hash", "refresh_hash", "used_refresh_hashes", "document_hash", "security_code",
                             "private_jwk", "secret"})
        EXPECT_EQ(column_kind(name), ColumnKind::secret) << name;
    for (const char *name : {"tenant_id", "id", "created_at", "updated_at", "created_by", "updated_by", "search_name",
                             "login_name", "name_key"})
        EXPECT_EQ(column_kind(name), ColumnKind::bookkeeping) << name;
    for (const char *name : {"state", "document_masked", "password_changed_at", "user_name", "", "ID"})
        EXPECT_EQ(column_kind(name), ColumnKind::data) << name;
}

TEST(ChangesDigest, IsSha256OfSaltAndChanges) {
    Salt salt{};
    // (head -c 16 /dev/zero; printf '{}') | sha256sum
    const auto digest = changes_digest(salt, "{}");
    ASSERT_TRUE(digest);
    std::string hex;
    for (const auto byte : digest.value()) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", byte);
        hex += two;
    }
    EXPECT_EQ(hex, "333b13ff02f57ae18049b82ca66f37592c5a3d8fd54e44e23ae5c7085c24fd2a");
    salt[15] = 1;
    EXPECT_NE(changes_digest(salt, "{}").value(), digest.value());
}

} // namespace
} // namespace relygate::core
