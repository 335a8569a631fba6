// See media_type.hpp.
#include "core/route/media_type.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace relygate::core {
namespace {

std::string_view without_blanks(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

} // namespace

bool is_json_media_type(std::string_view content_type) noexcept {
    std::size_t end = std::min(content_type.find(';'), content_type.size());
    if (!equals_ignoring_case(without_blanks(content_type.substr(0, end)), "application/json"))
        return false;
    while (end < content_type.size()) {
        content_type.remove_prefix(end + 1);
        end = std::min(content_type.find(';'), content_type.size());
        const std::string_view parameter = without_blanks(content_type.substr(0, end));
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        if (!equals_ignoring_case(parameter.substr(0, equals), "charset"))
            continue;
        std::string_view charset = parameter.substr(std::min(equals + 1, parameter.size()));
        if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
            charset = charset.substr(1, charset.size() - 2);
        if (!equals_ignoring_case(charset, "utf-8"))
            return false;
    }
    return true;
}

} // namespace relygate::core
