// See screen.hpp.
#include "core/json/screen.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <jansson.h>
#include <tuple>
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
constexpr Trouble kDuplicate{"duplicate", "member stands twice"};

// A member as it stands in the text: from the comma before it, or its name, to the end of its value.
struct Member {
    std::size_t object; // the how manieth of the text
    std::size_t from;
    std::size_t name_at;
    std::size_t until;
    std::string name; // without escapes
};

// "\u006dobile" is mobile. What jansson does not take stays as it is written.
std::string without_escapes(std::string_view name) {
    if (name.find('\\') == std::string_view::npos)
        return std::string(name);
    const std::string quoted = '"' + std::string(name) + '"';
    json_t *const decoded = json_loadb(quoted.data(), quoted.size(), JSON_DECODE_ANY, nullptr);
    std::string result(decoded ? std::string_view(json_string_value(decoded), json_string_length(decoded)) : name);
    json_decref(decoded);
    return result;
}

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
    // Into `members` go all that there are; those whose names begin at `repeated`, in order, are blamed.
    Screener(std::string_view text, Memory memory, std::vector<Member> *members = nullptr,
             std::span<const std::size_t> repeated = {})
        : text_(text), memory_(memory), members_(members), repeated_(repeated) {}

    JsonScreen run() {
        while (at_ < text_.size() && !is_done_)
            step();
        return std::move(screen_);
    }

  private:
    static constexpr std::size_t kNone = std::string_view::npos;

    struct Level {
        bool is_object;
        bool wants_name;
        std::size_t index;
        std::string_view name; // as it was written
        std::size_t object;    // the how manieth of the text
        std::size_t from;      // the comma before the member that comes
        std::size_t member = kNone;
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
            levels_[depth_++] = {c == '{', c == '{', 0, {}, ++objects_, at_};
        } else if (depth_ == 0) {
            return;
        } else if (c == '}' || c == ']') {
            end_member(levels_[--depth_]);
        } else if (c == ',') {
            count();
            Level &level = levels_[depth_ - 1];
            end_member(level);
            level.from = at_ - 1;
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
            if (members_) {
                level->member = members_->size();
                members_->push_back({level->object, level->from, from, text_.size(), without_escapes(inside)});
            }
            if (!repeated_.empty() && repeated_.front() == from) {
                repeated_ = repeated_.subspan(1);
                blame(kDuplicate, {});
            }
            blame(check_string(inside), {}); // a wrong name cannot be mended: which one would it be
            return;
        }
        blame(check_string(inside), text_.substr(from - 1, at_ - from + 1));
    }

    void end_member(Level &level) {
        if (members_ && level.member != kNone)
            (*members_)[level.member].until = at_ - 1;
        level.member = kNone;
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
        blame(check_number(screen_.numbers.back()), screen_.numbers.back());
    }

    void count() {
        if (++count_ > kMaxJsonValues)
            screen_.is_too_big = is_done_ = true;
    }

    void blame(const Trouble &trouble, std::string_view value) {
        if (trouble.code.empty() || screen_.errors.size() == JsonScreen::kMaxErrors)
            return;
        screen_.errors.push_back({path(), trouble.code, trouble.message});
        if (!value.empty())
            screen_.wrong.push_back(value);
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
    std::vector<Member> *members_;
    std::span<const std::size_t> repeated_;
    std::size_t at_ = 0;
    std::size_t objects_ = 0;
    std::size_t depth_ = 0;
    std::size_t count_ = 0;
    bool is_done_ = false;
    std::array<Level, kMaxJsonDepth> levels_{};
    JsonScreen screen_;
};

} // namespace

JsonScreen screen_json(std::string_view text, Memory memory) {
    return Screener(text, memory).run();
}

std::string mend_values(std::string_view text, const JsonScreen &screen) {
    std::string mended(text);
    for (const std::string_view value : screen.wrong) {
        const auto at = mended.begin() + (value.data() - text.data());
        std::fill_n(at, value.size(), ' ');
        std::fill_n(at, value[0] == '"' ? 2 : 1, value[0] == '"' ? '"' : '0');
    }
    return mended;
}

void drop_duplicates(std::string &text, std::vector<FieldError> &errors, Memory memory) {
    std::vector<Member> members;
    (void)Screener(text, memory, &members).run();
    const auto key = [](const Member &member) { return std::tie(member.object, member.name); };
    std::stable_sort(members.begin(), members.end(), [&](const Member &a, const Member &b) { return key(a) < key(b); });
    std::vector<const Member *> repeated;
    for (std::size_t i = 1; i < members.size(); ++i) {
        if (key(members[i]) == key(members[i - 1]))
            repeated.push_back(&members[i]);
    }
    std::sort(repeated.begin(), repeated.end(), [](const Member *a, const Member *b) { return a->from < b->from; });
    std::vector<std::size_t> places;
    places.reserve(repeated.size());
    for (const Member *member : repeated)
        places.push_back(member->name_at);
    const JsonScreen blamed = Screener(text, memory, nullptr, places).run();
    const std::size_t room = JsonScreen::kMaxErrors - std::min(errors.size(), JsonScreen::kMaxErrors);
    errors.insert(errors.end(), blamed.errors.begin(),
                  blamed.errors.begin() + static_cast<std::ptrdiff_t>(std::min(room, blamed.errors.size())));
    for (const Member *member : repeated)
        std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(member->from), member->until - member->from, ' ');
}

} // namespace relygate::core
