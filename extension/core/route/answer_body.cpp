// See answer_body.hpp.
#include "core/route/answer_body.hpp"

#include "core/json/writer.hpp"
#include "core/route/member_name.hpp"

#include <algorithm>
#include <vector>

namespace relygate::core {
namespace {

class Writer {
  public:
    Writer(const Table &table, Memory memory) : table_(table), out_(memory) {
        for (const Column &column : table.columns)
            paths_.push_back(member_path(column.name, memory));
    }

    std::string_view write(std::string_view message, DataShape shape, const Pagination &pagination) {
        out_.begin_object();
        out_.member("responseCode", "S");
        out_.member("responseMessage", message);
        out_.name("data");
        if (shape == DataShape::none || (shape == DataShape::object && table_.rows == 0)) {
            out_.null();
        } else if (shape == DataShape::object) {
            write_object(0, {}, 0);
        } else {
            out_.begin_array();
            for (std::size_t row = 0; row < table_.rows; ++row)
                write_object(row, {}, 0);
            out_.end_array();
        }
        if (pagination.is_there)
            write_pagination(pagination);
        out_.end_object();
        return out_.view();
    }

  private:
    void write_pagination(const Pagination &pagination) {
        const auto number = [&](const char *name, std::int64_t value) {
            out_.name(name);
            out_.number(value);
        };
        out_.name("pagination");
        out_.begin_object();
        if (pagination.page)
            number("page", pagination.page);
        number("pageSize", pagination.page_size);
        if (pagination.page) {
            number("totalItems", std::min(pagination.total, kCountedTo));
            out_.name("totalIsExact");
            out_.boolean(pagination.total <= kCountedTo);
        }
        if (!pagination.next_cursor.empty())
            out_.member("nextCursor", pagination.next_cursor);
        out_.end_object();
    }

    // The columns from this one on whose path begins with `prefix`.
    void write_object(std::size_t row, std::string_view prefix, std::size_t from) {
        if (!prefix.empty() && is_null_object(row, prefix, from))
            return out_.null();
        out_.begin_object();
        for (std::size_t i = from; i < paths_.size(); ++i) {
            if (!is_shown(i, prefix))
                continue;
            const std::string_view rest = paths_[i].substr(prefix.size());
            const std::size_t dot = rest.find('.');
            if (dot == std::string_view::npos) {
                out_.name(rest);
                write_cell(table_.at(row, i));
                continue;
            }
            const std::string_view inner = paths_[i].substr(0, prefix.size() + dot + 1);
            if (is_begun(inner, from, i))
                continue; // the object was written at its first column
            out_.name(rest.substr(0, dot));
            write_object(row, inner, i);
        }
        out_.end_object();
    }

    [[nodiscard]] bool is_shown(std::size_t column, std::string_view prefix) const {
        return table_.columns[column].use == ColumnUse::data && paths_[column].starts_with(prefix);
    }

    [[nodiscard]] bool is_null_object(std::size_t row, std::string_view prefix, std::size_t from) const {
        for (std::size_t i = from; i < paths_.size(); ++i)
            if (is_shown(i, prefix) && paths_[i].substr(prefix.size()) == "id")
                return table_.at(row, i).kind == Cell::Kind::null;
        return false;
    }

    [[nodiscard]] bool is_begun(std::string_view inner, std::size_t from, std::size_t column) const {
        for (std::size_t i = from; i < column; ++i)
            if (is_shown(i, inner))
                return true;
        return false;
    }

    void write_cell(const Cell &cell) {
        switch (cell.kind) {
        case Cell::Kind::null:
            return out_.null();
        case Cell::Kind::raw:
            return out_.raw(cell.text);
        case Cell::Kind::text:
            return out_.string(cell.text);
        case Cell::Kind::array:
            out_.begin_array();
            for (const Cell &element : cell.elements)
                write_cell(element);
            out_.end_array();
        }
    }

    const Table &table_;
    JsonWriter out_;
    std::vector<std::string_view> paths_;
};

} // namespace

ColumnUse use_of_column(std::string_view name) noexcept {
    if (name == "_total")
        return ColumnUse::total;
    if (name == "_cursor")
        return ColumnUse::cursor;
    if (name == "_etag")
        return ColumnUse::etag;
    return name.starts_with('_') ? ColumnUse::hidden : ColumnUse::data;
}

std::string_view answer_body(std::string_view message, DataShape shape, const Table &table,
                             const Pagination &pagination, Memory memory) {
    return Writer(table, memory).write(message, shape, pagination);
}

} // namespace relygate::core
