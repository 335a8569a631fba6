// A look over JSON text before and after jansson: tokens only, no grammar. It finds what has to be blamed on a member
// (text that cannot be stored, numbers without bound), stops at the bounds on depth and count before anything recurses,
// and finds the members that stand twice. Bad syntax is none of its business: it walks on over it.
//
// What is wrong can be mended, so that the rest is read and all mistakes are told at once: a wrong string becomes "", a
// wrong number 0, of members of one name the first stays. The mended text is never taken for the request: the errors
// stand.
#pragma once

#include "core/json/envelope.hpp"
#include "core/json/reader.hpp"

#include <string>
#include <vector>

namespace relygate::core {

struct JsonScreen {
    std::vector<std::string_view> numbers; // the text of each number, in order
    std::vector<FieldError> errors;        // of members, at most kMaxErrors; an empty field is the text as a whole
    std::vector<std::string_view> wrong;   // what to mend: the values that the errors are of
    bool is_too_deep = false;
    bool is_too_big = false;

    static constexpr std::size_t kMaxErrors = 100;
    static constexpr std::size_t kMaxPath = 200; // in bytes: longer paths are cut
};

JsonScreen screen_json(std::string_view text, Memory memory);

// Of a text whose values are mended. The errors of members that stand twice are appended (to at most kMaxErrors), and
// of each name only the first member is left in `text`. Takes O(n log n), whatever the names are.
void drop_duplicates(std::string &text, std::vector<FieldError> &errors, Memory memory);
// `screen` is that of `text`.
std::string mend_values(std::string_view text, const JsonScreen &screen);

} // namespace relygate::core
