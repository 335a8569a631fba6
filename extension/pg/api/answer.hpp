// An HTTP answer while it is made: status, a few headers, body; and the two ways to get one: from the tuples that a
// function returned, written as JSON without a detour through jsonb, and from a refusal.
#pragma once

#include "core/base/outcome.hpp"
#include "core/json/envelope.hpp"
#include "pg/api/call.hpp"
#include "pg/postgres.hpp"

namespace relygate::pg {

// Everything in it lives in the memory context of the request.
struct Answer {
    static constexpr int kMaxHeaders = 16;

    int status = 200;
    const char *content_type = nullptr; // null: no body
    std::array<std::pair<const char *, const char *>, kMaxHeaders> headers = {};
    int header_count = 0;
    std::string_view body;

    void add_header(const char *name, const char *value);
    void drop_header(std::string_view name);
};

// What a list was asked for, and so what its pagination says.
struct Paging {
    bool is_paged = false;  // the function takes page_limit
    bool is_cursor = false; // then without totals
    int page = 1;
    int page_size = 20;
    std::string_view sort;
};

// The rows as the answer of the route. For a list one row more than a page may be there; `total` is the
// number of rows where the page itself had none to tell it, or -1.
Answer answer_from_rows(const Route &route, const Rows &found, const Paging &paging, std::string_view if_none_match,
                        std::int64_t total);
// An answer that stands in a row as status, content_type, headers and body, from this column on.
Answer answer_from_row(HeapTuple row, TupleDesc shape, int column);
// The value of `_total` in the first row, or -1.
std::int64_t total_of_rows(const Rows &found);

// `data` is JSON or empty. The errors may be empty; a refusal with a field names it there by itself.
Answer answer_from_refusal(const core::Refusal &refusal, std::span<const core::FieldError> errors,
                           std::string_view data, std::string_view request_id);

ArrayType *headers_of(const Answer &answer); // name and value in turn
// As handle_request returns it.
Datum make_answer(FunctionCallInfo fcinfo, const Answer &answer, MemoryContext outer);

// RFC 3339 in UTC, of a finite moment.
std::string_view print_instant(TimestampTz instant);

} // namespace relygate::pg
