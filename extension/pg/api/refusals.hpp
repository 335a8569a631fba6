// A refusal is an answer: what a function or a trigger raised becomes an envelope. RGnnn carries its status, code,
// field and data itself; constraint and value errors become 404, 409 and 400 with the field where it is known; what is
// nobody's fault but ours is 500 and logged in full with the request's id; what the shim repeats or times is raised
// again.
#pragma once

#include "pg/api/answer.hpp"
#include "pg/api/field_errors.hpp"

namespace relygate::pg {

// The shim's to repeat (40001, 40P01), to time (57014) or to wait for (53, 57P0x, 08).
[[nodiscard]] bool is_for_the_shim(const ErrorData *error);
// Refuses a member with 400: there may be more that are wrong.
[[nodiscard]] bool blames_members(const ErrorData *error);
void add_noted(FieldErrors &errors, const NotedRefusal &noted, const Signature &signature);
// After the subtransaction was rolled back. Does not return where the error belongs to the shim.
Answer answer_from_error(ErrorData *error, const Signature &signature, const core::Binding &binding,
                         std::string_view request_id);
// Raises 40001 instead, which the shim repeats, where the error may come from an upgrade in the middle of the request.
void raise_if_definitions_changed(const ErrorData *error);

} // namespace relygate::pg
