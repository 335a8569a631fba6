// The answer of every rule in core: a value, or a refusal that says what to tell the caller.
//
// Both are trivially destructible, so an answer may live in a frame that PostgreSQL leaves by longjmp, and both own
// nothing: messages are static text, the detail is a small buffer inside, texts of unknown length live in the memory
// resource that the caller handed in.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory_resource>
#include <string_view>
#include <type_traits>

namespace relygate::core {

// Where core puts texts whose length it cannot know beforehand. The caller owns it and what it gave out.
using Memory = std::pmr::memory_resource &;

// A refusal as api.md has it: `status` is the HTTP status (the SQLSTATE is RG and this number), `code` a stable word
// for programs, `message` one line for people (lower case first, no full stop), `hint` a whole sentence or null.
struct Refusal {
    int status;
    const char *code;
    const char *message;
    const char *hint = nullptr;
    const char *field = nullptr; // the member to blame, null where none is
    char detail[192] = "";       // a whole sentence, cut at a UTF-8 boundary

    // Cuts at a UTF-8 boundary: half a character would make the whole answer invalid.
    [[nodiscard]] Refusal with_detail(std::string_view text) const;
};

// A value or a refusal. T must be trivially destructible (a number, a view, a small struct of them).
template <typename T> class [[nodiscard]] Outcome {
    static_assert(std::is_trivially_destructible_v<T>, "an outcome must survive longjmp");

  public:
    constexpr Outcome(T value) : value_(value), is_value_(true) {}
    constexpr Outcome(const Refusal &refusal) : refusal_(refusal), is_value_(false) {}

    constexpr explicit operator bool() const { return is_value_; }
    constexpr const T &value() const {
        assert(is_value_);
        return value_;
    }
    constexpr const Refusal &refusal() const {
        assert(!is_value_);
        return refusal_;
    }

  private:
    union {
        T value_;
        Refusal refusal_;
    };
    bool is_value_;
};

static_assert(std::is_trivially_destructible_v<Refusal>);

} // namespace relygate::core
