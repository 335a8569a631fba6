#include "shim/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace relygate::shim {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct Unit {
    std::string_view suffix;
    std::int64_t worth;
};

// The digits, and what comes behind them as a unit.
std::optional<std::int64_t> with_unit(std::string_view text, std::int64_t bare, const Unit *begin, const Unit *end) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_count(text.substr(0, digits));
    if (!count)
        return std::nullopt;
    const auto suffix = trim(text.substr(digits));
    std::int64_t worth = bare;
    if (!suffix.empty()) {
        const auto unit =
            std::find_if(begin, end, [&](const Unit &u) { return equal_ignoring_case(u.suffix, suffix); });
        if (unit == end)
            return std::nullopt;
        worth = unit->worth;
    }
    if (*count > std::numeric_limits<std::int64_t>::max() / worth)
        return std::nullopt;
    return *count * worth;
}

} // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::int64_t> parse_count(std::string_view text) {
    std::int64_t value = 0;
    if (text.empty() || text.front() == '-')
        return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text, std::int64_t bare_ms) {
    static constexpr std::array<Unit, 6> units{
        {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    return with_unit(text, bare_ms, units.begin(), units.end());
}

std::optional<std::int64_t> parse_size(std::string_view text) {
    static constexpr std::array<Unit, 7> units{
        {{"b", 1}, {"k", 1 << 10}, {"kb", 1 << 10}, {"m", 1 << 20}, {"mb", 1 << 20}, {"g", 1 << 30}, {"gb", 1 << 30}}};
    return with_unit(text, 1, units.begin(), units.end());
}

std::optional<bool> parse_boolean(std::string_view text) {
    for (const auto yes : {"true", "yes", "on", "1"})
        if (equal_ignoring_case(text, yes))
            return true;
    for (const auto no : {"false", "no", "off", "0"})
        if (equal_ignoring_case(text, no))
            return false;
    return std::nullopt;
}

std::vector<std::string> parse_list(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (const auto piece = trim(text.substr(0, comma)); !piece.empty())
            pieces.emplace_back(piece);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return pieces;
}

} // namespace relygate::shim
