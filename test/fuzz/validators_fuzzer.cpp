// What people type: whatever is accepted is UTF-8 without NUL, and accepted unchanged when it comes back.
#include "fuzzing.hpp"

#include "core/base/text.hpp"
#include "core/validation/email.hpp"
#include "core/validation/identity_document.hpp"
#include "core/validation/mobile.hpp"
#include "core/validation/password.hpp"
#include "core/validation/person_name.hpp"
#include "core/validation/time_zone.hpp"
#include "core/validation/vehicle_number.hpp"

using namespace relygate;

namespace {

template <typename Normalize> void check(std::string_view text, const char *what, Normalize normalize) {
    const auto once = normalize(text);
    if (!once)
        return;
    fuzz::require(core::is_valid_utf8(once.value()) && once.value().find('\0') == std::string_view::npos, what);
    const auto twice = normalize(once.value());
    fuzz::require(twice && twice.value() == once.value(), what);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    std::pmr::monotonic_buffer_resource memory;
    for (const std::string_view country : {"IN", "AE", "GB", "US", ""}) {
        check(text, "mobile", [&](std::string_view each) { return core::normalize_mobile(each, country, memory); });
        check(text, "vehicle",
              [&](std::string_view each) { return core::normalize_vehicle_number(each, country, memory); });
        for (const std::string_view type :
             {"aadhaar", "pan", "passport", "driving_license", "driving_licence", "voter_id", "other", ""})
            check(text, "document",
                  [&](std::string_view each) { return core::normalize_document_number(type, each, country, memory); });
    }
    check(text, "person name", [&](std::string_view each) { return core::normalize_person_name(each, memory); });
    check(text, "e-mail", [&](std::string_view each) { return core::normalize_email(each, memory); });
    check(text, "time zone", [&](std::string_view each) { return core::normalize_time_zone(each, memory); });
    (void)core::check_document_text(text, memory);
    (void)core::looks_like_mobile(text);
    (void)core::check_password(text, "user");
    if (core::is_valid_utf8(text)) {
        const auto folded = core::fold_search(text, memory);
        fuzz::require(core::fold_search(folded, memory) == folded, "folding twice is folding once");
    }
    return 0;
}
