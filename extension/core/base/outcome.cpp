// See outcome.hpp.
#include "core/base/outcome.hpp"

#include <cstring>

namespace relygate::core {

Refusal Refusal::with_detail(std::string_view text) const {
    Refusal result = *this;
    std::size_t size = text.size() < sizeof result.detail ? text.size() : sizeof result.detail - 1;
    while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
        --size;
    std::memcpy(result.detail, text.data(), size);
    result.detail[size] = '\0';
    return result;
}

} // namespace relygate::core
