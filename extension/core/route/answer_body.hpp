// The body of an answer that succeeds, from a table of values: columns in the order in which they stand,
// visitor__first_name as firstName of the object visitor, an object whose id is null as null. A leading underscore
// marks columns for the dispatcher, which are not shown.
#pragma once

#include "core/base/outcome.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

struct Cell {
    // plain: a text that needs no escape, as ids and times; raw: JSON already
    enum class Kind : std::uint8_t { null, text, plain, raw, array } kind = Kind::null;
    std::string_view text;
    std::span<const Cell> elements;
};

enum class ColumnUse : std::uint8_t { data, total, cursor, etag, hidden };

struct Column {
    std::string_view name; // visitor__first_name
    ColumnUse use;
    std::string_view path; // visitor.firstName
};

// How a row is written, found once for all rows of a kind: the names with their commas, and where objects begin and
// end.
struct Step {
    enum class Kind : std::uint8_t { cell, open, close } kind = Kind::cell;
    std::string_view label{}; // ,"siteName": before a cell and before an object
    std::size_t column = 0;   // of the cell, or of the id whose null makes the whole object null
    std::size_t behind = 0;   // of an object: the step after its end
    bool has_id = false;
};

using Layout = std::span<const Step>;

struct Table {
    std::span<const Column> columns;
    std::span<const Cell> cells; // row by row
    std::size_t rows = 0;
    Layout layout;

    [[nodiscard]] const Cell &at(std::size_t row, std::size_t column) const {
        return cells[row * columns.size() + column];
    }
};

enum class DataShape { object, list, none };

struct Pagination {
    bool is_there = false;
    int page = 0; // 0: a cursor was given; then there is no total either
    int page_size = 0;
    std::int64_t total = 0;
    std::string_view next_cursor; // empty on the last page
};

Column column_of(std::string_view name, Memory memory);
Layout lay_out(std::span<const Column> columns, Memory memory);

// Lists count up to this; what is more is told as that many and "not exact".
inline constexpr std::int64_t kCountedTo = 10'000;

std::string_view answer_body(std::string_view message, DataShape shape, const Table &table,
                             const Pagination &pagination, Memory memory);

} // namespace relygate::core
