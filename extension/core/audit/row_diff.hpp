// What the audit log says of a change: the columns that changed, each with its value before and after, as JSON text,
// and a digest over it. Secrets never come in, not even as "changed to"; what the record itself says (tenant, row, who,
// when) and what is only derived from other columns is left out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

enum class ColumnKind {
    data,
    secret,      // a change counts, its values are not written
    bookkeeping, // a change counts for nothing
};
ColumnKind column_kind(std::string_view column_name);

struct AuditValue {
    enum class Kind : std::uint8_t { null, text, raw } kind = Kind::null; // raw: JSON already
    std::string_view text;
};

struct ColumnChange {
    std::string_view column;
    AuditValue before;
    AuditValue after;
};

enum class RowAction { insert_row, update_row, delete_row };
std::string_view action_word(RowAction action);

// {"column": {"before": ..., "after": ...}}; of a new row only what comes after, of a deleted one only what was before,
// both without nulls.
std::string_view describe_changes(RowAction action, std::span<const ColumnChange> changes, Memory memory);

using Digest = std::array<std::uint8_t, 32>;
using Salt = std::array<std::uint8_t, 16>;
// SHA-256(salt || changes). The salt keeps a short text from being guessed by its digest when both are erased.
Outcome<Digest> changes_digest(const Salt &salt, std::string_view changes);

} // namespace relygate::core
