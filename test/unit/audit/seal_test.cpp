// Digests of the seal against vectors computed elsewhere (Python's hashlib over the bytes as seal.hpp describes them),
// and that each thing that is sealed counts.
#include "core/audit/seal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relygate::core {
namespace {

Uuid uuid(std::uint8_t fill) {
    Uuid id;
    id.fill(fill);
    return id;
}

template <typename Bytes> std::string hex(const Bytes &bytes) {
    std::string out;
    char two[3];
    for (const auto byte : bytes) {
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
        out += two;
    }
    return out;
}

const std::string kChangesDigest(32, '\xcd');

AuditRow sample() {
    AuditRow row{};
    row.tenant_id = uuid(0x11);
    row.id = uuid(0x22);
    row.row_id = uuid(0x33);
    row.occurred_at = 0x0102030405060708;
    row.database_role = "relygate_shim";
    row.table_name = "visits";
    row.action = "insert";
    row.changes_digest = kChangesDigest;
    row.xact = 1000;
    row.cluster = -2;
    return row;
}

std::string entry(const AuditRow &row) {
    return hex(audit_entry(row).value());
}

TEST(AuditEntry, KnownVectors) {
    EXPECT_EQ(entry(sample()), "22222222222222222222222222222222"
                               "0102030405060708"
                               "c897a8011e2dc41075cb1b22f55d4673ced94fcb9528b2f2a5807520709e2c99");
    AuditRow full = sample();
    full.user_id = uuid(0x44);
    full.user_role = "security_guard";
    full.request_id = "";
    full.client_address = "203.0.113.9";
    EXPECT_EQ(entry(full).substr(48), "c12cab79c07597e742c190d40c13589d6233bfe35acde9e15b1af30a1547e957");
}

TEST(AuditEntry, EveryFieldCounts) {
    const std::string other_digest(32, '\xce');
    const struct {
        const char *field;
        void (*change)(AuditRow &);
    } cases[] = {
        {"tenant_id", [](AuditRow &r) { r.tenant_id[15] ^= 1; }},
        {"id", [](AuditRow &r) { r.id[0] ^= 1; }},
        {"row_id", [](AuditRow &r) { r.row_id[0] ^= 1; }},
        {"occurred_at", [](AuditRow &r) { r.occurred_at += 1; }},
        {"user_id", [](AuditRow &r) { r.user_id = uuid(0); }},
        {"user_role", [](AuditRow &r) { r.user_role = ""; }},
        {"database_role", [](AuditRow &r) { r.database_role = "relygate_shi"; }},
        {"request_id", [](AuditRow &r) { r.request_id = "1"; }},
        {"client_address", [](AuditRow &r) { r.client_address = "::1"; }},
        {"table_name", [](AuditRow &r) { r.table_name = "visit"; }},
        {"action", [](AuditRow &r) { r.action = "delete"; }},
        {"changes_digest", [](AuditRow &r) { r.changes_digest = r.changes_digest.substr(1); }},
        {"xact", [](AuditRow &r) { r.xact += 1; }},
        {"cluster", [](AuditRow &r) { r.cluster += 1; }},
        {"text moved to the next field", [](AuditRow &r) { r.user_role = "relygate_shim", r.database_role = ""; }},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.field);
        AuditRow changed = sample();
        c.change(changed);
        EXPECT_NE(entry(changed).substr(48), entry(sample()).substr(48));
    }
}

TEST(ManifestEntry, IsReadAsItWasWritten) {
    AuditRow second = sample();
    second.id = uuid(0xfe);
    second.occurred_at = -1; // before 2000
    std::string manifest;
    for (const AuditRow &row : {sample(), second}) {
        const AuditEntry made = audit_entry(row).value();
        manifest.append(reinterpret_cast<const char *>(made.data()), made.size());
    }
    EXPECT_EQ(manifest_entry(manifest, 0).id, uuid(0x22));
    EXPECT_EQ(manifest_entry(manifest, 0).occurred_at, 0x0102030405060708);
    EXPECT_EQ(manifest_entry(manifest, 1).id, uuid(0xfe));
    EXPECT_EQ(manifest_entry(manifest, 1).occurred_at, -1);
    EXPECT_EQ(hex(manifest_entry(manifest, 1).bytes), entry(second));
}

TEST(SealDigest, KnownVectorsAndChain) {
    const std::string manifest(kEntrySize, 'm');
    Seal seal{uuid(0x11), 1, 77, 5, 999, "", manifest};
    const Digest first = seal_digest(seal).value();
    EXPECT_EQ(hex(first), "0c1737f1603bffb7945fadb731c31d56915e2cd9e148197626b31c27a3517f9a");
    seal.number = 2;
    seal.previous = {reinterpret_cast<const char *>(first.data()), first.size()};
    EXPECT_EQ(hex(seal_digest(seal).value()), "11474bab6996ec1b7bca7c74037f675456137b59459027d0e46cdc5911e6765a");
    const struct {
        const char *field;
        void (*change)(Seal &);
    } cases[] = {
        {"tenant", [](Seal &s) { s.tenant_id[0] ^= 1; }}, {"number", [](Seal &s) { s.number++; }},
        {"sealed_at", [](Seal &s) { s.sealed_at++; }},    {"cluster", [](Seal &s) { s.cluster++; }},
        {"last_xact", [](Seal &s) { s.last_xact++; }},    {"previous", [](Seal &s) { s.previous.remove_suffix(1); }},
        {"manifest", [](Seal &s) { s.manifest = ""; }},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.field);
        Seal changed = seal;
        c.change(changed);
        EXPECT_NE(seal_digest(changed).value(), seal_digest(seal).value());
    }
}

TEST(RootDigest, KnownVectorAndEveryFieldCounts) {
    const Root root{3, "seal", 77, 5, 1000, 1001, kChangesDigest, "leaves"};
    EXPECT_EQ(hex(root_digest(root).value()), "bd49e5208551fa18b1141f038289cf26037c6d8e76971e2adf9cfe4a35b80c64");
    const struct {
        const char *field;
        void (*change)(Root &);
    } cases[] = {
        {"number", [](Root &r) { r.number++; }},        {"kind", [](Root &r) { r.kind = "import"; }},
        {"sealed_at", [](Root &r) { r.sealed_at++; }},  {"cluster", [](Root &r) { r.cluster++; }},
        {"bound", [](Root &r) { r.bound++; }},          {"next_xact", [](Root &r) { r.next_xact++; }},
        {"previous", [](Root &r) { r.previous = ""; }}, {"leaves", [](Root &r) { r.leaves = "leave"; }},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.field);
        Root changed = root;
        c.change(changed);
        EXPECT_NE(root_digest(changed).value(), root_digest(root).value());
    }
}

} // namespace
} // namespace relygate::core
