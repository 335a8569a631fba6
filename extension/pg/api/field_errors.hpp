// All that is wrong with the members of a request, not only what was found first. The binder finds every error that the
// members alone show; what only the database knows (a category that asks for a mobile, the name of a role) the
// function of the route refuses with RG400, and that ends it at the first. Then, and where the binder found something,
// the function is called once more in a subtransaction that is always rolled back, and while this collects, a refusal
// with 400 that blames a member is noted and the function goes on to its next check. It stops at check_references or
// checks_done(), before anything is written, or at any other error.
#pragma once

#include "core/json/envelope.hpp"
#include "core/route/binding.hpp"
#include "pg/postgres.hpp"

namespace relygate::pg {

// In the memory context in which it is added to.
class FieldErrors {
  public:
    void add(const core::FieldError &error); // only the first of a member is told
    [[nodiscard]] bool has(std::string_view member) const;
    [[nodiscard]] std::span<const core::FieldError> all() const { return {errors_, count_}; }

  private:
    core::FieldError *errors_ = nullptr;
    std::size_t count_ = 0, most_ = 0;
};

// A refusal as a function raised it: parameters divided by commas.
struct NotedRefusal {
    const char *fields, *code, *message, *detail;
};

struct NotedRefusals {
    static constexpr int kMost = 64; // no request has so many members that only the database finds wrong
    MemoryContext context = CurrentMemoryContext;
    NotedRefusal refusals[kMost] = {};
    int count = 0;
};

void collect_into(NotedRefusals *noted); // null: refusals are raised again
[[nodiscard]] bool is_collecting();
void note_refusal(const NotedRefusal &refusal); // copies it

} // namespace relygate::pg
