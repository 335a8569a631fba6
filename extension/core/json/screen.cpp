// See screen.hpp.
#include "core/json/screen.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utf8proc.h>

namespace relygate::core {
namespace {

struct Trouble {
    std::string_view code;
    std::string_view message;
};

constexpr Trouble kNul{"nul", "character U+0000 is not allowed"};
constexpr Trouble kSurrogate{"surrogate", "text has half of a surrogate pair"};
constexpr Trouble kUtf8{"utf8", "text is not valid UTF-8"};
constexpr Trouble kControl{"control", "text has a control character that is not escaped"};
constexpr Trouble kRange{"range", "number is out of range"};

int hex_value(std::string_view digits) {
    unsigned value = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    return digits.size() == 4 && end == digits.data() + 4 ? static_cast<int>(value) : -1;
}

bool is_high_surrogate(int unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(int unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// What is wrong with the inside of a string, if anything. A bad escape is not: that is syntax, and jansson's.
Trouble check_string(std::string_view inside) {
    for (std::size_t at = 0; at < inside.size();) {
        const auto byte = static_cast<unsigned char>(inside[at]);
        if (byte == '\\' && inside.substr(at + 1, 1) == "u") {
            const int unit = hex_value(inside.substr(at + 2, 4));
            at += 6;
            if (unit == 0)
                return kNul;
            if (is_low_surrogate(unit))
                return kSurrogate;
            if (is_high_surrogate(unit)) {
                if (at > inside.size() || inside.substr(at, 2) != "\\u" ||
                    !is_low_surrogate(hex_value(inside.substr(at + 2, 4))))
                    return kSurrogate;
                at += 6;
            }
        } else if (byte == '\\') {
            at += 2;
        } else if (byte < 0x20) {
            return byte == 0 ? kNul : kControl;
        } else if (byte < 0x80) {
            ++at;
        } else {
            utf8proc_int32_t character;
            const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t *>(inside.data()) + at,
                                               static_cast<utf8proc_ssize_t>(inside.size() - at), &character);
            if (size <= 0)
                return kUtf8;
            at += static_cast<std::size_t>(size);
        }
    }
    return {};
}

// Within these bounds a number fits a double, so that jansson never overflows.
Trouble check_number(std::string_view number) {
    if (number.size() > kMaxNumberSize)
        return kRange;
    const std::size_t e = number.find_first_of("eE");
    if (e == std::string_view::npos)
        return {};
    std::string_view exponent = number.substr(e + 1);
    exponent.remove_prefix(std::min(exponent.find_first_not_of("+-0"), exponent.size()));
    return exponent.size() > 2 ? kRange : Trouble{};
}

class Screener {
  public:
    Screener(std::string_view text, Memory memory, std::size_t stop) : text_(text), memory_(memory), stop_(stop) {}

    JsonScreen run() {
        while (at_ < text_.size() && !is_done_)
            step();
        return std::move(screen_);
    }

  private:
    struct Level {
        bool is_object;
        bool wants_name;
        std::size_t index;
        std::string_view name; // as it was written
    };

    void step() {
        const char c = text_[at_];
        if (c == '"')
            return string();
        if (c == '-' || is_digit(c))
            return number();
        ++at_;
        if (c == '{' || c == '[') {
            count();
            if (depth_ == levels_.size()) {
                screen_.is_too_deep = is_done_ = true;
                return;
            }
            levels_[depth_++] = {c == '{', c == '{', 0, {}};
        } else if (depth_ == 0) {
            return;
        } else if (c == '}' || c == ']') {
            --depth_;
        } else if (c == ',') {
            count();
            Level &level = levels_[depth_ - 1];
            level.wants_name = level.is_object;
            ++level.index;
        }
    }

    void string() {
        const std::size_t from = ++at_;
        while (at_ < text_.size() && text_[at_] != '"')
            at_ += text_[at_] == '\\' ? 2 : 1;
        const std::string_view inside = text_.substr(from, at_ - from); // substr ends at the end of the text by itself
        at_ = std::min(at_ + 1, text_.size());
        Level *level = depth_ > 0 ? &levels_[depth_ - 1] : nullptr;
        if (level && level->wants_name) {
            level->wants_name = false;
            level->name = inside;
            if (at_ >= stop_) {
                screen_.stopped_at = path();
                is_done_ = true;
                return;
            }
        }
        blame(check_string(inside));
    }

    void number() {
        const std::size_t from = at_;
        while (at_ < text_.size() && (is_digit(text_[at_]) || std::strchr("+-.eE", text_[at_])) && text_[at_] != '\0')
            ++at_;
        // Without commas between them they are no JSON, but would take memory until jansson says so.
        if (screen_.numbers.size() == kMaxJsonValues) {
            screen_.is_too_big = is_done_ = true;
            return;
        }
        screen_.numbers.push_back(text_.substr(from, at_ - from));
        blame(check_number(screen_.numbers.back()));
    }

    void count() {
        if (++count_ > kMaxJsonValues)
            screen_.is_too_big = is_done_ = true;
    }

    void blame(const Trouble &trouble) {
        if (!trouble.code.empty() && screen_.errors.size() < JsonScreen::kMaxErrors)
            screen_.errors.push_back({path(), trouble.code, trouble.message});
    }

    // visitor.mobile, units[2].name; empty at the top.
    std::string_view path() {
        char *const path = static_cast<char *>(memory_.allocate(JsonScreen::kMaxPath, 1));
        std::size_t size = 0;
        const auto append = [&](std::string_view part) {
            part = part.substr(0, JsonScreen::kMaxPath - size);
            std::copy(part.begin(), part.end(), path + size);
            size += part.size();
        };
        for (std::size_t i = 0; i < depth_; ++i) {
            const Level &level = levels_[i];
            if (level.is_object) {
                append(i > 0 ? "." : "");
                append(level.name);
            } else {
                char digits[20];
                append("[");
                append({digits, std::to_chars(digits, digits + sizeof digits, level.index).ptr});
                append("]");
            }
        }
        return {path, size};
    }

    std::string_view text_;
    std::pmr::memory_resource &memory_;
    std::size_t stop_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t count_ = 0;
    bool is_done_ = false;
    std::array<Level, kMaxJsonDepth> levels_{};
    JsonScreen screen_;
};

} // namespace

JsonScreen screen_json(std::string_view text, Memory memory, std::size_t stop) {
    return Screener(text, memory, stop).run();
}

} // namespace relygate::core
