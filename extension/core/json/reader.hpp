// Reads JSON text from strangers (RFC 8259). jansson parses it; what jansson does not tell is added here: the member to
// blame by its path, the exact text of numbers, a bound on depth that holds before anything recurses.
//
// Refused beside bad syntax: duplicate members, U+0000, lone surrogates, broken UTF-8, more than kMaxJsonDepth levels
// or kMaxJsonValues values ([0,0,0 ... takes fifty bytes of memory a byte), numbers of more than kMaxNumberSize
// characters or with an exponent beyond 99 (1e131071 is eight bytes that PostgreSQL prints in 131,072), a byte order
// mark, NaN, anything after the value.
//
// Ownership: everything that is returned lives in `memory`, copied; jansson's own tree is gone when read_json returns,
// also when it throws std::bad_alloc. So the result may be held across a longjmp, and the text may go away.
#pragma once

#include "core/base/outcome.hpp"
#include "core/json/envelope.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace relygate::core {

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 10'000;
inline constexpr std::size_t kMaxNumberSize = 64;

struct JsonMember;

// A value as a view. The parts that its kind has not are empty.
class JsonValue {
  public:
    enum class Kind { null, boolean, number, string, array, object };

    Kind kind = Kind::null;
    bool truth = false;    // boolean
    std::string_view text; // string: its characters (valid UTF-8, no U+0000); number: as it was written

    std::span<const JsonValue> items() const { return {items_, kind == Kind::array ? size_ : 0}; }
    inline std::span<const JsonMember> members() const; // in the order of the text, no name twice
    const JsonValue *find(std::string_view name) const; // the member's value, or null

    bool is_null() const { return kind == Kind::null; }
    bool is_string() const { return kind == Kind::string; }
    bool is_object() const { return kind == Kind::object; }

  private:
    friend class JsonCopy;
    const JsonValue *items_ = nullptr;
    const JsonMember *members_ = nullptr;
    std::size_t size_ = 0;
};

struct JsonMember {
    std::string_view name;
    JsonValue value;
};

inline std::span<const JsonMember> JsonValue::members() const {
    return {members_, kind == Kind::object ? size_ : 0};
}
static_assert(std::is_trivially_destructible_v<JsonValue> && std::is_trivially_destructible_v<JsonMember>);

// What became of a text: a value; or errors of members, all that could be found; or one error of the text as a whole.
struct JsonReading {
    JsonValue
        value; // where is_good(); beside errors of members the rest, with the first of a name, as far as it is read
    std::span<const FieldError> errors; // each with the path of a member
    const char *code =
        nullptr; // of the text as a whole: json_syntax, json_utf8, json_bom, json_object, json_depth, json_size
    std::string_view message; // with the place in the text, never with its content

    bool is_good() const { return !code && errors.empty(); }
};

JsonReading read_json(std::string_view text, Memory memory);
// The same for a text that must be an object, as every body and every token's header and claims. Empty text is no
// object.
JsonReading read_json_object(std::string_view text, Memory memory);

} // namespace relygate::core
