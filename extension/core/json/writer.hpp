// Writes JSON text. The writer keeps the commas; its caller keeps begin and end in balance. Text that is not UTF-8
// comes out with U+FFFD in place of each bad byte, control characters come out escaped: the result is always valid JSON
// in valid UTF-8.
//
// Trivially destructible, so it may live in a frame that PostgreSQL leaves by longjmp: the buffer belongs to `memory`,
// which is to be an arena (a memory context, a monotonic buffer) that frees all at once. Writing may throw
// std::bad_alloc.
#pragma once

#include "core/base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relygate::core {

class JsonWriter {
  public:
    explicit JsonWriter(Memory memory) : memory_(&memory) {}

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }

    void name(std::string_view name); // of the member whose value comes next
    void string(std::string_view text);
    void plain(std::string_view text); // a string whose caller knows that nothing in it is to be escaped
    void number(std::int64_t value);
    void boolean(bool value) { raw(value ? "true" : "false"); }
    void null() { raw("null"); }
    void raw(std::string_view json);       // a value that is JSON text already
    void laid_out(std::string_view json) { // with its own commas, up to where a value or an object begins
        append(json);
        needs_comma_ = false;
    }

    void member(std::string_view its_name, std::string_view text) {
        name(its_name);
        string(text);
    }

    std::string_view view() const { return {buffer_, size_}; }

  private:
    void open(char bracket);
    void close(char bracket);
    void separate();
    void quote(std::string_view text);
    void append(std::string_view bytes);
    char *grow(std::size_t more);

    std::pmr::memory_resource *memory_;
    char *buffer_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    bool needs_comma_ = false;
};

static_assert(std::is_trivially_destructible_v<JsonWriter>);

} // namespace relygate::core
