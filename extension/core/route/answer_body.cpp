// See answer_body.hpp.
#include "core/route/answer_body.hpp"

#include "core/json/writer.hpp"
#include "core/route/member_name.hpp"

#include <algorithm>

namespace relygate::core {
namespace {

class Planner {
  public:
    Planner(std::span<const Column> columns, Memory memory)
        : columns_(columns), memory_(memory),
          steps_(static_cast<Step *>(memory.allocate(sizeof(Step) * most_steps(columns), alignof(Step)))) {}

    Layout plan() {
        plan_object({}, 0);
        return {steps_, count_};
    }

  private:
    // A column is a step, and each object in its path begins and ends.
    static std::size_t most_steps(std::span<const Column> columns) {
        std::size_t most = 1;
        for (const Column &column : columns)
            most += 1 + 2 * static_cast<std::size_t>(std::count(column.path.begin(), column.path.end(), '.'));
        return most;
    }

    // The columns from this one on whose path begins with `prefix`.
    void plan_object(std::string_view prefix, std::size_t from) {
        bool is_first = true;
        for (std::size_t i = from; i < columns_.size(); ++i) {
            if (!is_shown(i, prefix))
                continue;
            const std::string_view rest = columns_[i].path.substr(prefix.size());
            const std::size_t dot = rest.find('.');
            if (dot == std::string_view::npos) {
                add({.label = label(rest, is_first), .column = i});
                is_first = false;
                continue;
            }
            const std::string_view inner = columns_[i].path.substr(0, prefix.size() + dot + 1);
            if (is_begun(inner, from, i))
                continue; // the object stands at its first column
            Step &open = add({.kind = Step::Kind::open, .label = label(rest.substr(0, dot), is_first)});
            is_first = false;
            find_id(open, inner, i);
            plan_object(inner, i);
            add({.kind = Step::Kind::close});
            open.behind = count_;
        }
    }

    Step &add(const Step &step) { return *new (steps_ + count_++) Step(step); }

    std::string_view label(std::string_view name, bool is_first) {
        JsonWriter quoted(memory_);
        if (!is_first)
            quoted.laid_out(",");
        quoted.name(name);
        return quoted.view();
    }

    [[nodiscard]] bool is_shown(std::size_t column, std::string_view prefix) const {
        return columns_[column].use == ColumnUse::data && columns_[column].path.starts_with(prefix);
    }

    void find_id(Step &open, std::string_view prefix, std::size_t from) const {
        for (std::size_t i = from; i < columns_.size() && !open.has_id; ++i)
            if (is_shown(i, prefix) && columns_[i].path.substr(prefix.size()) == "id") {
                open.has_id = true;
                open.column = i;
            }
    }

    [[nodiscard]] bool is_begun(std::string_view inner, std::size_t from, std::size_t column) const {
        for (std::size_t i = from; i < column; ++i)
            if (is_shown(i, inner))
                return true;
        return false;
    }

    std::span<const Column> columns_;
    std::pmr::memory_resource &memory_;
    Step *steps_;
    std::size_t count_ = 0;
};

class Writer {
  public:
    Writer(const Table &table, Memory memory) : table_(table), out_(memory) {}

    std::string_view write(std::string_view message, DataShape shape, const Pagination &pagination) {
        out_.begin_object();
        out_.member("responseCode", "S");
        out_.member("responseMessage", message);
        out_.name("data");
        if (shape == DataShape::none || (shape == DataShape::object && table_.rows == 0)) {
            out_.null();
        } else if (shape == DataShape::object) {
            write_row(0);
        } else {
            out_.begin_array();
            for (std::size_t row = 0; row < table_.rows; ++row)
                write_row(row);
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

    void write_row(std::size_t row) {
        out_.begin_object();
        for (std::size_t at = 0; at < table_.layout.size(); ++at) {
            const Step &step = table_.layout[at];
            if (step.kind == Step::Kind::close) {
                out_.end_object();
                continue;
            }
            out_.laid_out(step.label);
            if (step.kind == Step::Kind::cell) {
                write_cell(table_.at(row, step.column));
            } else if (step.has_id && table_.at(row, step.column).kind == Cell::Kind::null) {
                out_.null();
                at = step.behind - 1;
            } else {
                out_.begin_object();
            }
        }
        out_.end_object();
    }

    void write_cell(const Cell &cell) {
        switch (cell.kind) {
        case Cell::Kind::null:
            return out_.null();
        case Cell::Kind::raw:
            return out_.raw(cell.text);
        case Cell::Kind::text:
            return out_.string(cell.text);
        case Cell::Kind::plain:
            return out_.plain(cell.text);
        case Cell::Kind::array:
            out_.begin_array();
            for (const Cell &element : cell.elements)
                write_cell(element);
            out_.end_array();
        }
    }

    const Table &table_;
    JsonWriter out_;
};

ColumnUse use_of_column(std::string_view name) noexcept {
    if (name == "_total")
        return ColumnUse::total;
    if (name == "_cursor")
        return ColumnUse::cursor;
    if (name == "_etag")
        return ColumnUse::etag;
    return name.starts_with('_') ? ColumnUse::hidden : ColumnUse::data;
}

} // namespace

Column column_of(std::string_view name, Memory memory) {
    return {name, use_of_column(name), member_path(name, memory)};
}

Layout lay_out(std::span<const Column> columns, Memory memory) {
    return Planner(columns, memory).plan();
}

std::string_view answer_body(std::string_view message, DataShape shape, const Table &table,
                             const Pagination &pagination, Memory memory) {
    return Writer(table, memory).write(message, shape, pagination);
}

} // namespace relygate::core
