// See field_errors.hpp.
#include "pg/api/field_errors.hpp"

#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

NotedRefusals *collecting = nullptr;

const char *copy(const char *text) {
    return text ? pstrdup(text) : nullptr;
}

} // namespace

void FieldErrors::add(const core::FieldError &error) {
    if (has(error.field))
        return;
    if (count_ == most_) {
        most_ = most_ == 0 ? 8 : most_ * 2;
        errors_ = errors_ == nullptr
                      ? static_cast<core::FieldError *>(palloc(sizeof(core::FieldError) * most_))
                      : static_cast<core::FieldError *>(repalloc(errors_, sizeof(core::FieldError) * most_));
    }
    errors_[count_++] = error;
}

bool FieldErrors::has(std::string_view member) const {
    return std::any_of(errors_, errors_ + count_, [&](const core::FieldError &e) { return e.field == member; });
}

void collect_into(NotedRefusals *noted) {
    collecting = noted;
}

bool is_collecting() {
    return collecting != nullptr;
}

void note_refusal(const NotedRefusal &refusal) {
    if (collecting->count == NotedRefusals::kMost)
        return;
    const MemoryContext before = MemoryContextSwitchTo(collecting->context);
    collecting->refusals[collecting->count++] = {copy(refusal.fields), copy(refusal.code), copy(refusal.message),
                                                 copy(refusal.detail)};
    MemoryContextSwitchTo(before);
}

} // namespace relygate::pg

using namespace relygate::pg;

// relygate.checks_done() void: nothing that a caller could notice, but while all errors are collected the function goes
// no further.
RELYGATE_FUNCTION(relygate_checks_done) {
    if (is_collecting())
        ereport(ERROR, errcode(MAKE_SQLSTATE('R', 'G', '0', '0', '0')), errmsg("all members were checked"));
    PG_RETURN_VOID();
}
