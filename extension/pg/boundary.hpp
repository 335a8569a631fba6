// Where PostgreSQL and C++ meet. An entry point has three steps: fetch views of the arguments (may longjmp), run the
// rule (may throw), hand the outcome to PostgreSQL (may longjmp). run_rule is the middle step and the only place where
// exceptions end; nothing with a destructor lives outside of it.
#pragma once

#include "core/base/outcome.hpp"
#include "core/base/uuid.hpp"
#include "pg/postgres.hpp"

// Defines one entry point with PostgreSQL's calling convention; exports.map lets it out by its prefix relygate_.
#define RELYGATE_FUNCTION(name)                                                                                        \
    extern "C" {                                                                                                       \
    PG_FUNCTION_INFO_V1(name);                                                                                         \
    }                                                                                                                  \
    Datum name([[maybe_unused]] PG_FUNCTION_ARGS)

namespace relygate::pg {

// Memory from the current memory context. Throws std::bad_alloc where palloc would longjmp; freed with the context.
class ContextMemory final : public std::pmr::memory_resource {
  public:
    explicit ContextMemory(MemoryContext context = CurrentMemoryContext) : context_(context) {}

  private:
    void *do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void *, std::size_t, std::size_t) override {} // the context frees all at once
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override { return this == &other; }

    MemoryContext context_;
};
static_assert(std::is_trivially_destructible_v<std::string_view>);

[[noreturn]] void raise_out_of_memory();
[[noreturn]] void raise_internal(const char *what);
// ereport(ERROR) with SQLSTATE RG and the status; constraint name = code, column name = field, datatype name = data.
[[noreturn]] void raise_refusal(const core::Refusal &refusal, const char *data_json = nullptr);

// Runs C++ that may throw and returns its trivially destructible result; an exception becomes an ERROR after every
// C++ frame and the exception object are gone.
template <typename Rule> auto run_rule(Rule rule) {
    static_assert(std::is_void_v<std::invoke_result_t<Rule>> ||
                      std::is_trivially_destructible_v<std::invoke_result_t<Rule>>,
                  "what leaves a rule must survive longjmp");
    char what[128];
    bool out_of_memory = false;
    try {
        return rule();
    } catch (const std::bad_alloc &) {
        out_of_memory = true;
    } catch (const std::exception &e) {
        std::snprintf(what, sizeof what, "%s", e.what());
    } catch (...) {
        std::snprintf(what, sizeof what, "unknown exception");
    }
    if (out_of_memory)
        raise_out_of_memory();
    raise_internal(what);
}

template <typename T> T value_or_raise(const core::Outcome<T> &outcome) {
    if (!outcome)
        raise_refusal(outcome.refusal());
    return outcome.value();
}

inline std::string_view text_view(const text *value) {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

// The result is zero-terminated.
inline std::string_view print_uuid(const pg_uuid_t *value) {
    core::Uuid id;
    std::memcpy(id.data(), value->data, id.size());
    const core::UuidText text = core::print_uuid(id);
    return {pnstrdup(text.data(), text.size()), text.size()};
}

inline text *make_text(std::string_view value) {
    return cstring_to_text_with_len(value.data(), static_cast<int>(value.size()));
}

} // namespace relygate::pg
