// See binder.hpp.
#include "pg/api/binder.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include <common/hashfn.h>
#include <utils/date.h>
}

namespace relygate::pg {
namespace {

constexpr std::int64_t kDaysToEpoch = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

Datum uuid_datum(const core::Uuid &uuid) {
    auto *result = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    std::copy(uuid.begin(), uuid.end(), result->data);
    return UUIDPGetDatum(result);
}

Datum text_array(std::span<const std::string_view> texts) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (texts.size() + 1)));
    for (std::size_t i = 0; i < texts.size(); ++i)
        elements[i] = PointerGetDatum(make_text(texts[i]));
    return PointerGetDatum(construct_array(elements, static_cast<int>(texts.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

Datum uuid_array(std::span<const core::Uuid> uuids) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (uuids.size() + 1)));
    for (std::size_t i = 0; i < uuids.size(); ++i)
        elements[i] = uuid_datum(uuids[i]);
    return PointerGetDatum(
        construct_array(elements, static_cast<int>(uuids.size()), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

Datum datum_of(core::ValueKind kind, const core::Value &value) {
    switch (kind) {
    case core::ValueKind::text:
        return PointerGetDatum(make_text(value.text));
    case core::ValueKind::int4:
        return Int32GetDatum(static_cast<int32>(value.number));
    case core::ValueKind::int8:
        return Int64GetDatum(value.number);
    case core::ValueKind::boolean:
        return BoolGetDatum(value.number != 0);
    case core::ValueKind::uuid:
        return uuid_datum(value.uuid);
    case core::ValueKind::date:
        return DateADTGetDatum(static_cast<DateADT>(value.number - kDaysToEpoch));
    case core::ValueKind::timestamptz:
        return TimestampTzGetDatum(value.number - kDaysToEpoch * USECS_PER_DAY);
    case core::ValueKind::text_array:
        return text_array(value.texts);
    case core::ValueKind::uuid_array:
        return uuid_array(value.uuids);
    }
    pg_unreachable();
}

// The SQL names of the members that were there.
Datum given_members(const Signature &signature, const core::Binding &binding) {
    auto *names = static_cast<std::string_view *>(palloc(sizeof(std::string_view) * (signature.count + 1)));
    std::size_t count = 0;
    for (int i = 0; i < signature.count; ++i)
        if (binding.values[i].is_given)
            names[count++] = signature.parameters[i].name;
    return text_array({names, count});
}

void set(Arguments &arguments, int position, Datum value) {
    if (position < 0)
        return;
    arguments.values[position] = value;
    arguments.nulls[position] = ' ';
}

} // namespace

// Ties a cursor to its route, so that one of another list is refused instead of misread.
std::uint32_t cursor_seal(const Route &route) {
    return hash_bytes(reinterpret_cast<const unsigned char *>(route.pattern.data()),
                      static_cast<int>(route.pattern.size()));
}

core::Binding bind_members(const Route &route, const Signature &signature, const core::RouteMatch &match,
                           std::string_view query, std::string_view body, std::string_view country,
                           std::string_view tenant) {
    core::BindingRequest request{};
    request.parameters = {signature.parameters, static_cast<std::size_t>(signature.count)};
    request.one_of = {route.one_of, static_cast<std::size_t>(route.one_of_count)};
    request.path = {match.parameters.data(), match.parameter_count};
    request.query = query;
    request.body = body;
    request.country = country;
    request.tenant = tenant;
    request.is_paged = signature.page_limit >= 0;
    request.takes_body = route.method != "GET";
    request.keeps_null = route.method == "PATCH";
    request.cursor_seal = cursor_seal(route);
    request.default_sort = signature.default_sort;
    return run_rule([&] {
        ContextMemory memory;
        return core::bind(request, memory);
    });
}

Arguments make_arguments(const Signature &signature, const core::Binding &binding) {
    Arguments arguments{};
    arguments.values = static_cast<Datum *>(palloc0(sizeof(Datum) * (signature.count + 1)));
    arguments.nulls = static_cast<char *>(palloc0(signature.count + 1));
    std::fill_n(arguments.nulls, signature.count, 'n');
    for (int i = 0; i < signature.count; ++i)
        if (!binding.values[i].is_null)
            set(arguments, i, datum_of(signature.parameters[i].kind, binding.values[i]));
    if (signature.given >= 0)
        set(arguments, signature.given, given_members(signature, binding));
    if (signature.page_limit >= 0) {
        const core::Page &page = binding.page;
        set(arguments, signature.page_limit,
            Int32GetDatum(page.size + 1)); // one more tells whether there is a next page
        set(arguments, signature.page_offset, Int32GetDatum(page.is_cursor ? 0 : (page.number - 1) * page.size));
        set(arguments, signature.counting, BoolGetDatum(!page.is_cursor));
        if (page.is_cursor)
            set(arguments, signature.after, text_array(page.after));
        if (signature.sort >= 0 && !page.sort.empty())
            set(arguments, signature.sort, PointerGetDatum(make_text(page.sort)));
    }
    return arguments;
}

void ask_for_total(const Signature &signature, Arguments &arguments) {
    set(arguments, signature.page_limit, Int32GetDatum(1));
    set(arguments, signature.page_offset, Int32GetDatum(0));
}

} // namespace relygate::pg
