// How the function of a route is called. A set-returning PL/pgSQL function, as nearly all are, is called by its
// address: the plan of a SELECT around it would only carry its rows from one store into another. All others, and calls
// whose DEFAULTs must be computed, go through a kept plan; both give the same rows under the same rights and snapshot.
#pragma once

#include "core/route/answer_body.hpp"
#include "pg/api/binder.hpp"
#include "pg/api/catalogue.hpp"

namespace relygate::pg {

// What the columns of a row are, found once for many answers.
struct RowShape {
    const core::Column *columns = nullptr;
    const Oid *types = nullptr; // base types
    const Oid *outputs = nullptr;
    core::Layout layout; // how it becomes JSON
    int count = 0;
    bool has_dropped = false;
};

// Rows in the memory context of the call.
struct Rows {
    HeapTuple *tuples = nullptr;
    std::size_t count = 0;
    TupleDesc tuple_shape = nullptr; // null only without rows
    const RowShape *shape = nullptr;
};

// `declared`: the types of the parameters as the function has them. Null: only a plan can call it. Everything lives in
// the current memory context.
DirectCall *prepare_direct_call(Oid function, const Signature &signature, const Oid *declared, int defaults);

Rows call_route(const Route &route, const Signature &signature, const Arguments &arguments);

} // namespace relygate::pg
