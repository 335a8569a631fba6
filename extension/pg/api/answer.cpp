// See answer.hpp. In two steps, because PostgreSQL leaves by longjmp and JSON is written in C++ that may throw: first
// every value becomes a cell (a text of PostgreSQL's memory or a number), then one rule writes all of them.
#include "pg/api/answer.hpp"

#include "core/route/answer_body.hpp"
#include "core/route/cursor.hpp"
#include "pg/api/binder.hpp"
#include "core/token/crypto.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <utils/date.h>
#include <utils/datetime.h>
#include <utils/json.h>
#include <utils/typcache.h>
}

namespace relygate::pg {
namespace {

using core::Cell;
using core::ColumnUse;
using core::Table;

constexpr const char *kJson = "application/json; charset=utf-8";

// Digits of a number that fits, with zeros in front.
char *put(char *at, int number, int digits) {
    for (int i = digits - 1; i >= 0; --i, number /= 10)
        at[i] = static_cast<char>('0' + number % 10);
    return at + digits;
}

// 2026-11-25; a year of more than four digits, or before 1, as it is.
char *put_date(char *at, int year, int month, int day) {
    at = year >= 0 && year <= 9999 ? put(at, year, 4) : at + pg_sprintf(at, "%04d", year);
    *at++ = '-';
    at = put(at, month, 2);
    *at++ = '-';
    return put(at, day, 2);
}

std::string_view print_date(DateADT date) {
    int year, month, day;
    j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
    char *text = static_cast<char *>(palloc(32));
    return {text, static_cast<std::size_t>(put_date(text, year, month, day) - text)};
}

std::string_view print_number(std::int64_t number) {
    char *text = static_cast<char *>(palloc(MAXINT8LEN + 1));
    return {text, static_cast<std::size_t>(pg_lltoa(number, text))};
}

Cell cell_of(Datum value, Oid type, Oid output);

Cell array_cell(Datum value, Oid element) {
    ArrayType *array = DatumGetArrayTypeP(value);
    std::int16_t length;
    bool is_by_value;
    char alignment;
    get_typlenbyvalalign(element, &length, &is_by_value, &alignment);
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(array, element, length, is_by_value, alignment, &elements, &nulls, &count);
    auto *cells = static_cast<Cell *>(palloc0(sizeof(Cell) * (count + 1)));
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(element, &output, &is_varlena);
    for (int i = 0; i < count; ++i)
        cells[i] = nulls[i] ? Cell{} : cell_of(elements[i], getBaseType(element), output);
    return {Cell::Kind::array, {}, {cells, static_cast<std::size_t>(count)}};
}

Cell cell_of(Datum value, Oid type, Oid output) {
    const auto as_json = [](std::string_view written) { return Cell{Cell::Kind::raw, written, {}}; };
    const auto as_text = [](std::string_view written) { return Cell{Cell::Kind::text, written, {}}; };
    const auto as_plain = [](std::string_view written) { return Cell{Cell::Kind::plain, written, {}}; };
    switch (type) {
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
        return as_text(text_view(DatumGetTextPP(value)));
    case BOOLOID:
        return as_json(DatumGetBool(value) ? "true" : "false");
    case INT2OID:
        return as_json(print_number(DatumGetInt16(value)));
    case INT4OID:
        return as_json(print_number(DatumGetInt32(value)));
    case INT8OID:
        return as_json(print_number(DatumGetInt64(value)));
    case UUIDOID:
        return as_plain(print_uuid(DatumGetUUIDP(value)));
    case JSONOID:
    case JSONBOID:
        return as_json(OidOutputFunctionCall(output, value));
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID: {
        const char *number = OidOutputFunctionCall(output, value);
        // JSON knows neither NaN nor Infinity
        return std::strpbrk(number, "NIni") ? Cell{} : as_json(number);
    }
    case DATEOID: {
        const DateADT date = DatumGetDateADT(value);
        return DATE_NOT_FINITE(date) ? Cell{} : as_plain(print_date(date));
    }
    case TIMESTAMPTZOID: {
        const TimestampTz instant = DatumGetTimestampTz(value);
        return TIMESTAMP_NOT_FINITE(instant) ? Cell{} : as_plain(print_instant(instant));
    }
    }
    if (const Oid element = get_element_type(type); OidIsValid(element))
        return array_cell(value, element);
    return as_text(OidOutputFunctionCall(output, value));
}

// The first of the rows, so many. A cursor is made of one row alone, if at all.
constexpr std::size_t kNoRow = SIZE_MAX;
Table read_rows(const Rows &found, std::size_t rows, std::size_t cursor_row = kNoRow) {
    if (rows == 0)
        return {};
    const RowShape &shape = *found.shape;
    const std::size_t count = static_cast<std::size_t>(shape.count);
    auto *cells = static_cast<Cell *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Cell) * (rows * count + 1)));
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
    auto *nulls = static_cast<bool *>(palloc(count + 1));
    for (std::size_t row = 0; row < rows; ++row) {
        heap_deform_tuple(found.tuples[row], found.tuple_shape, values, nulls);
        for (std::size_t i = 0; i < count; ++i)
            cells[row * count + i] = nulls[i] || (shape.columns[i].use == ColumnUse::cursor && row != cursor_row)
                                         ? Cell{}
                                         : cell_of(values[i], shape.types[i], shape.outputs[i]);
    }
    return {{shape.columns, count}, {cells, rows * count}, rows, shape.layout};
}

const Cell *cell_of_use(const Table &table, std::size_t row, ColumnUse use) {
    for (std::size_t i = 0; i < table.columns.size(); ++i)
        if (table.columns[i].use == use)
            return &table.at(row, i);
    return nullptr;
}

std::int64_t number_in(const Cell *cell) {
    return cell && cell->kind == Cell::Kind::raw ? std::strtoll(cell->text.data(), nullptr, 10) : -1;
}

core::DataShape shape_of(AnswerKind kind) {
    if (kind == AnswerKind::list)
        return core::DataShape::list;
    return kind == AnswerKind::none ? core::DataShape::none : core::DataShape::object;
}

std::string_view next_cursor(const Table &table, std::size_t row, const Route &route, const Paging &paging) {
    const Cell *key = cell_of_use(table, row, ColumnUse::cursor);
    if (key == nullptr || key->kind != Cell::Kind::array)
        elog(ERROR, "relygate.%s gave no _cursor", route.function);
    auto *texts = static_cast<std::string_view *>(palloc0(sizeof(std::string_view) * (key->elements.size() + 1)));
    for (std::size_t i = 0; i < key->elements.size(); ++i) {
        if (key->elements[i].kind == Cell::Kind::null)
            elog(ERROR, "relygate.%s gave a _cursor with a null", route.function);
        texts[i] = key->elements[i].text;
    }
    return run_rule([&] {
        ContextMemory memory;
        return core::make_cursor(cursor_seal(route), paging.sort, {texts, key->elements.size()}, memory);
    });
}

// {columns} of the pattern, filled from the first row.
const char *location_of(const Route &route, const Table &table) {
    StringInfoData location;
    initStringInfo(&location);
    for (const char *at = route.location; *at; ++at) {
        const char *end = *at == '{' ? std::strchr(at, '}') : nullptr;
        if (end == nullptr) {
            appendStringInfoChar(&location, *at);
            continue;
        }
        const std::string_view name(at + 1, static_cast<std::size_t>(end - at - 1));
        for (std::size_t i = 0; i < table.columns.size(); ++i)
            if (table.columns[i].name == name)
                appendBinaryStringInfo(&location, table.at(0, i).text.data(),
                                       static_cast<int>(table.at(0, i).text.size()));
        at = end;
    }
    return location.data;
}

// RFC 9110, 13.1.2: a list of tags, compared weakly, or *.
bool is_match(std::string_view if_none_match, std::string_view quoted) {
    if (if_none_match == "*")
        return true;
    for (std::size_t at = if_none_match.find(quoted); at != std::string_view::npos;
         at = if_none_match.find(quoted, at + 1)) {
        const std::string_view before = if_none_match.substr(0, at);
        const std::string_view after = if_none_match.substr(at + quoted.size());
        const bool begins = before.empty() || before.ends_with("W/") || std::strchr(" \t,", before.back());
        const bool ends = after.empty() || std::strchr(" \t,", after.front());
        if (begins && ends)
            return true;
    }
    return false;
}

// Whether the answers carry a tag stands in the type of the rows: it has a column `_etag`. Of one row its value is the
// tag. A list's is a digest of its whole body, since rows, totals and the next page's cursor change it alike.
bool is_tagged(const Rows &found) {
    const RowShape &shape = *found.shape;
    return std::any_of(shape.columns, shape.columns + shape.count,
                       [](const core::Column &column) { return column.use == ColumnUse::etag; });
}

const char *tag_of_body(std::string_view body) {
    constexpr std::size_t kTagBytes = 16; // of SHA-256
    const std::string_view digest = run_rule([&] {
        ContextMemory memory;
        return core::sha256(body, memory);
    });
    if (digest.size() < kTagBytes)
        elog(ERROR, "could not compute a digest");
    char *tag = static_cast<char *>(palloc(2 * kTagBytes + 1));
    tag[hex_encode(digest.data(), kTagBytes, tag)] = '\0';
    return tag;
}

} // namespace

// Microseconds without the zeros behind them.
std::string_view print_instant(TimestampTz instant) {
    pg_tm time;
    fsec_t microseconds;
    if (timestamp2tm(instant, nullptr, &time, &microseconds, nullptr, nullptr) != 0)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range"));
    char *text = static_cast<char *>(palloc(48));
    char *at = put_date(text, time.tm_year, time.tm_mon, time.tm_mday);
    *at++ = 'T';
    at = put(at, time.tm_hour, 2);
    *at++ = ':';
    at = put(at, time.tm_min, 2);
    *at++ = ':';
    at = put(at, time.tm_sec, 2);
    *at++ = '.';
    at = put(at, static_cast<int>(microseconds), 6);
    while (at[-1] == '0')
        --at;
    if (at[-1] == '.')
        --at;
    *at++ = 'Z';
    return {text, static_cast<std::size_t>(at - text)};
}

void Answer::add_header(const char *name, const char *value) {
    if (header_count == kMaxHeaders)
        elog(ERROR, "an answer has too many headers");
    headers[header_count++] = {name, value};
}

void Answer::drop_header(std::string_view name) {
    const auto end = std::remove_if(headers.begin(), headers.begin() + header_count,
                                    [&](const auto &header) { return header.first == name; });
    header_count = static_cast<int>(end - headers.begin());
}

std::int64_t total_of_rows(const Rows &found) {
    return found.count == 0 ? -1 : number_in(cell_of_use(read_rows(found, 1), 0, ColumnUse::total));
}

Answer answer_from_rows(const Route &route, const Rows &found, const Paging &paging, std::string_view if_none_match,
                        std::int64_t total) {
    const bool is_list = route.answer == AnswerKind::list;
    std::size_t rows = route.answer == AnswerKind::none ? 0 : found.count;
    if (route.answer == AnswerKind::object)
        rows = 1;
    const bool is_more = is_list && paging.is_paged && found.count > static_cast<std::size_t>(paging.page_size);
    if (is_more)
        rows = static_cast<std::size_t>(paging.page_size);
    const Table table = read_rows(found, rows, is_more ? rows - 1 : kNoRow);

    core::Pagination pagination{};
    if (is_list && paging.is_paged) {
        pagination.is_there = true;
        pagination.page = paging.is_cursor ? 0 : paging.page;
        pagination.page_size = paging.page_size;
        pagination.total =
            rows > 0 ? number_in(cell_of_use(table, 0, ColumnUse::total)) : std::max<std::int64_t>(total, 0);
        if (!paging.is_cursor && pagination.total < 0)
            elog(ERROR, "relygate.%s gave no _total", route.function);
        if (is_more)
            pagination.next_cursor = next_cursor(table, rows - 1, route, paging);
    }

    Answer answer{};
    answer.status = route.status;
    if (route.location && rows > 0)
        answer.add_header("Location", location_of(route, table));
    answer.content_type = kJson;
    answer.body = run_rule([&] {
        ContextMemory memory;
        return core::answer_body(route.message, shape_of(route.answer), table, pagination, memory);
    });
    if (!is_tagged(found))
        return answer;
    const char *tag = nullptr;
    if (is_list)
        tag = tag_of_body(answer.body);
    else if (const Cell *cell = rows == 1 ? cell_of_use(table, 0, ColumnUse::etag) : nullptr;
             cell && !cell->text.empty())
        tag = pnstrdup(cell->text.data(), cell->text.size());
    if (tag == nullptr)
        return answer;
    const char *quoted = psprintf("\"%s\"", tag);
    answer.add_header("ETag", quoted);
    if (!route.is_read_only)
        return answer;
    // A browser may keep it, of this login alone, and asks each time whether it is still so.
    answer.add_header("Cache-Control", "private, no-cache");
    answer.add_header("Vary", "Authorization");
    if (is_match(if_none_match, quoted)) {
        answer.status = 304;
        answer.content_type = nullptr;
        answer.body = {};
    }
    return answer;
}

Answer answer_from_row(HeapTuple row, TupleDesc shape, int column) {
    Answer answer{};
    bool is_null;
    const Datum status = SPI_getbinval(row, shape, column, &is_null);
    if (is_null)
        elog(ERROR, "an answer has no status");
    answer.status = DatumGetInt32(status);
    answer.content_type = SPI_getvalue(row, shape, column + 1);
    const Datum headers = SPI_getbinval(row, shape, column + 2, &is_null);
    if (!is_null) {
        Datum *texts;
        bool *nulls;
        int count;
        deconstruct_array(DatumGetArrayTypeP(headers), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
        for (int i = 0; i + 1 < count; i += 2)
            if (!nulls[i] && !nulls[i + 1])
                answer.add_header(TextDatumGetCString(texts[i]), TextDatumGetCString(texts[i + 1]));
    }
    const Datum body = SPI_getbinval(row, shape, column + 3, &is_null);
    if (!is_null)
        answer.body = text_view(reinterpret_cast<const text *>(DatumGetByteaPP(body)));
    return answer;
}

Answer answer_from_refusal(const core::Refusal &refusal, std::span<const core::FieldError> errors,
                           std::string_view data, std::string_view request_id) {
    Answer answer{};
    answer.status = refusal.status;
    answer.content_type = kJson;
    if (refusal.status == 401)
        answer.add_header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    answer.body = run_rule([&] {
        ContextMemory memory;
        return core::write_envelope({refusal.message, refusal.code, errors, data, request_id}, memory);
    });
    return answer;
}

ArrayType *headers_of(const Answer &answer) {
    auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * (answer.header_count * 2 + 1)));
    for (int i = 0; i < answer.header_count; ++i) {
        texts[2 * i] = CStringGetTextDatum(answer.headers[i].first);
        texts[2 * i + 1] = CStringGetTextDatum(answer.headers[i].second);
    }
    return construct_array(texts, answer.header_count * 2, TEXTOID, -1, false, TYPALIGN_INT);
}

Datum make_answer(FunctionCallInfo fcinfo, const Answer &answer, MemoryContext outer) {
    // The type's own shape: get_call_result_type would copy it for each request. By the function, since who calls it by
    // its number (PQfn) has no expression.
    const TupleDesc shape = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
    Datum values[] = {Int32GetDatum(answer.status),
                      answer.content_type ? CStringGetTextDatum(answer.content_type) : Datum{0},
                      PointerGetDatum(headers_of(answer)), PointerGetDatum(make_text(answer.body))};
    bool nulls[] = {false, answer.content_type == nullptr, false, false};
    const MemoryContext before = MemoryContextSwitchTo(outer);
    const HeapTuple tuple = heap_form_tuple(shape, values, nulls);
    const Datum result = HeapTupleGetDatum(tuple);
    MemoryContextSwitchTo(before);
    ReleaseTupleDesc(shape);
    return result;
}

} // namespace relygate::pg
