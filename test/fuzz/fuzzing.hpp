// What every fuzzer needs: the input in pieces, and a check that ends the run. A fuzzer asks for what must always hold,
// not only that nothing crashes. Built with address and undefined sanitizers by `make fuzz`.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <string_view>

namespace relygate::fuzz {

inline void require(bool holds, const char *what) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t *data, std::size_t size) {
    return {reinterpret_cast<const char *>(data), size};
}

// Cuts off what stands before the next line end.
inline std::string_view next_line(std::string_view &rest) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

} // namespace relygate::fuzz
