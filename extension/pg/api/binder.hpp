// Between core::bind and PostgreSQL: what the catalogue knows goes in, Datums for the route's plan come out.
#pragma once

#include "pg/api/catalogue.hpp"

namespace relygate::pg {

struct Arguments {
    Datum *values;
    char *nulls;
};

std::uint32_t cursor_seal(const Route &route);
core::Binding bind_members(const Route &route, const Signature &signature, const core::RouteMatch &match,
                           std::string_view query, std::string_view body, std::string_view country,
                           std::string_view tenant);
Arguments make_arguments(const Signature &signature, const core::Binding &binding);
// Asks only for the number of rows: one row is enough to carry it.
void ask_for_total(const Signature &signature, Arguments &arguments);

} // namespace relygate::pg
