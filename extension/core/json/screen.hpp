// A look over JSON text before and after jansson: tokens only, no grammar. It finds what has to be blamed on a member
// (text that cannot be stored, numbers without bound), stops at the bounds on depth and count before anything recurses,
// and tells which member stands at a byte where jansson gave up. Bad syntax is none of its business: it walks on over
// it.
#pragma once

#include "core/json/envelope.hpp"
#include "core/json/reader.hpp"

#include <vector>

namespace relygate::core {

struct JsonScreen {
    std::vector<std::string_view> numbers; // the text of each number, in order
    std::vector<FieldError> errors;        // of members, at most kMaxErrors; an empty field is the text as a whole
    std::string_view stopped_at;           // path of the member whose name ends at `stop`
    bool is_too_deep = false;
    bool is_too_big = false;

    static constexpr std::size_t kMaxErrors = 100;
    static constexpr std::size_t kMaxPath = 200; // in bytes: longer paths are cut
};

JsonScreen screen_json(std::string_view text, Memory memory, std::size_t stop = std::string_view::npos);

} // namespace relygate::core
