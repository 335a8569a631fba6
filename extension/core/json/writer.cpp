// See writer.hpp.
#include "core/json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utf8proc.h>

namespace relygate::core {

namespace {

// ASCII that stands for itself: nearly all there is.
constexpr auto kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte)
        plain[byte] = byte != '"' && byte != '\\';
    return plain;
}();

} // namespace

char *JsonWriter::grow(std::size_t more) {
    if (capacity_ - size_ < more) {
        const std::size_t capacity = std::max({size_ + more, capacity_ * 2, std::size_t{256}});
        char *buffer = static_cast<char *>(memory_->allocate(capacity, 1));
        if (buffer_) {
            std::memcpy(buffer, buffer_, size_);
            memory_->deallocate(buffer_, capacity_, 1);
        }
        buffer_ = buffer;
        capacity_ = capacity;
    }
    return buffer_ + size_;
}

void JsonWriter::append(std::string_view bytes) {
    if (bytes.empty())
        return;
    std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
}

void JsonWriter::separate() {
    if (needs_comma_)
        append(",");
    needs_comma_ = true;
}

void JsonWriter::open(char bracket) {
    separate();
    append({&bracket, 1});
    needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
    append({&bracket, 1});
    needs_comma_ = true;
}

void JsonWriter::name(std::string_view name) {
    separate();
    quote(name);
    append(":");
    needs_comma_ = false;
}

void JsonWriter::string(std::string_view text) {
    separate();
    quote(text);
}

void JsonWriter::plain(std::string_view text) {
    separate();
    char *at = grow(text.size() + 2);
    *at++ = '"';
    at = std::copy(text.begin(), text.end(), at);
    *at = '"';
    size_ += text.size() + 2;
}

void JsonWriter::number(std::int64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    raw({digits, static_cast<std::size_t>(end - digits)});
}

void JsonWriter::raw(std::string_view json) {
    separate();
    append(json);
}

void JsonWriter::quote(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    grow(text.size() + 2); // for most texts at once
    append("\"");
    std::size_t plain = 0; // what lies between here and `at` goes out as it is
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (kPlain[byte]) {
            ++at;
            continue;
        }
        std::size_t size = 1;
        char escape[6] = {'\\', 0, '0', '0', 0, 0};
        std::string_view instead;
        if (byte == '"' || byte == '\\') {
            escape[1] = static_cast<char>(byte);
            instead = {escape, 2};
        } else if (byte < 0x20 || byte == 0x7f) {
            if (const char *short_form = byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : byte == '\r' ? "\\r" : nullptr) {
                instead = {short_form, 2};
            } else {
                escape[1] = 'u';
                escape[4] = kHex[byte >> 4];
                escape[5] = kHex[byte & 15];
                instead = {escape, 6};
            }
        } else if (byte >= 0x80) {
            utf8proc_int32_t character;
            const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t *>(text.data()) + at,
                                                 static_cast<utf8proc_ssize_t>(text.size() - at), &character);
            if (length > 0)
                size = static_cast<std::size_t>(length);
            else
                instead = "\xEF\xBF\xBD"; // U+FFFD
        }
        if (!instead.empty()) {
            append(text.substr(plain, at - plain));
            append(instead);
            plain = at + size;
        }
        at += size;
    }
    append(text.substr(plain));
    append("\"");
}

} // namespace relygate::core
