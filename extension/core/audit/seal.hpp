// What a seal of the audit log is computed from. Three layers, each a SHA-256 over bytes that can be read in one way
// only (every text has its length before it, every absent value is marked): of a row an entry, of a tenant's next rows
// a seal that is chained to the tenant's seal before, of all seals of one run a root that is chained to the root
// before.
//
// The digest of `changes` stands in the entry, not `changes` itself: what is erased on behalf of a person leaves every
// digest as it is. These bytes are kept for ever; another form of them needs another tag, never a change here.
#pragma once

#include "core/audit/row_diff.hpp"

#include <optional>

namespace relygate::core {

using Uuid = std::array<std::uint8_t, 16>;

struct AuditRow {
    Uuid tenant_id, id, row_id;
    std::int64_t occurred_at; // microseconds, of whatever epoch the caller always uses
    std::optional<Uuid> user_id;
    std::optional<std::string_view> user_role, database_role, request_id, client_address, table_name, action;
    std::string_view changes_digest;
    std::uint64_t xact;
    std::int64_t cluster;
};

// A seal's manifest names its rows in order, an entry each: id (16), time (8), digest (32). By it a changed row is
// found by name, and a removed one, too.
constexpr std::size_t kEntrySize = 16 + 8 + 32;
using AuditEntry = std::array<std::uint8_t, kEntrySize>;
Outcome<AuditEntry> audit_entry(const AuditRow &row);

struct ManifestEntry {
    Uuid id;
    std::int64_t occurred_at;
    std::string_view bytes;
};
// The entry at a place below manifest.size() / kEntrySize.
ManifestEntry manifest_entry(std::string_view manifest, std::size_t place);

struct Seal {
    Uuid tenant_id;
    std::int64_t number; // 1, 2, 3 ... of the tenant
    std::int64_t sealed_at, cluster;
    std::uint64_t last_xact;
    std::string_view previous, manifest; // previous: empty for the first
};
Outcome<Digest> seal_digest(const Seal &seal);

struct Root {
    std::int64_t number;
    std::string_view kind;
    std::int64_t sealed_at, cluster;
    std::uint64_t bound, next_xact;
    std::string_view previous, leaves;
};
Outcome<Digest> root_digest(const Root &root);

} // namespace relygate::core
