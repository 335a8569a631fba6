// The arguments of a call while they are collected: each parameter takes a text (of the path, the query) or a JSON
// value, parses it by its kind, applies its input rule, and keeps the value or the error. Nothing is converted between
// kinds: a number is no text, a text is no number.
#pragma once

#include "core/json/reader.hpp"
#include "core/route/binding.hpp"

#include <string>
#include <vector>

namespace relygate::core {

// "visitor" of "visitor.firstName"; empty where there is no level.
std::string_view object_of(std::string_view member);
bool is_array(ValueKind kind);

class Arguments {
  public:
    Arguments(std::span<const Parameter> parameters, std::string_view country, Memory memory);

    void set_text(std::size_t at, std::string_view text);
    void set_json(std::size_t at, const JsonValue &sent);
    void add_item(std::size_t at, std::string_view text); // of an array, as the repeated members of a query
    // When all members are there: arrays become whole, and the rules that ask for another member are applied.
    void finish();

    static constexpr std::size_t kMaxErrors =
        100; // so many are told; ten thousand unknown members are no slip of the pen
    void refuse(std::string_view member, std::string_view code, std::string_view message);
    void refuse(std::string_view member, const Refusal &refusal); // with its detail or hint: what is right
    [[nodiscard]] bool has_error(std::string_view member) const;

    [[nodiscard]] const Value &operator[](std::size_t at) const { return values_[at]; }
    // Copies in the memory that outlives this.
    [[nodiscard]] std::span<const Value> values() const;
    [[nodiscard]] std::span<const FieldError> errors() const;

  private:
    void set_items(std::size_t at, const JsonValue &sent);
    void set_integer(std::size_t at, std::string_view text);
    void apply_rule(std::size_t at, std::string_view text, std::string_view document_type);
    void bind_arrays();
    void bind_document_numbers();

    std::span<const Parameter> parameters_;
    std::string_view country_;
    Memory memory_;
    std::vector<Value> values_;
    std::vector<std::vector<std::string_view>> texts_; // items of array parameters
    std::vector<std::size_t> arrays_;                  // JSON arrays that were there, [] too
    std::vector<std::size_t> document_numbers_;
    std::vector<FieldError> errors_;
};

} // namespace relygate::core
