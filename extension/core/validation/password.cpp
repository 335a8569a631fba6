// See password.hpp.
#include "core/validation/password.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace relygate::core {

namespace {

// Those that guessing lists begin with and that have all four kinds of characters; compared without regard to case.
// clang-format off
constexpr std::string_view kCommonest[] = {
    "!qaz2wsx",     "1qaz!qaz",     "1qaz@wsx",      "aa123456!",    "aa123456@",    "aa@123456",    "abc@1234",
    "abcd1234!",    "abcd@1234",    "admin123!",     "admin@123",    "admin@1234",   "changeme1!",   "changeme@123",
    "demo@123",     "guest@123",    "hello@123",     "india@123",    "letmein1!",    "letmein@123",  "login@123",
    "master@123",   "p@$$w0rd",     "p@ssw0rd",      "p@ssw0rd1",    "p@ssw0rd123",  "p@ssword1",    "p@ssword123",
    "pass@123",     "pass@1234",    "pass@word1",    "passw0rd!",    "passw0rd@1",   "password1!",   "password123!",
    "password@1",   "password@12",  "password@123",  "password@1234", "qwer1234!",   "qwerty1!",     "qwerty123!",
    "qwerty@123",   "root@123",     "secret@123",    "test1234!",    "test@123",     "test@1234",    "user@123",
    "welcome1!",    "welcome123!",  "welcome@1",     "welcome@123",  "welcome@1234", "zaq!2wsx",     "zaq1@wsx"};
// clang-format on

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

} // namespace

Outcome<std::string_view> check_password(std::string_view password, std::string_view user_name,
                                         std::size_t fewest_characters) {
    if (password.size() > kMostPasswordBytes)
        return refuse("password is longer than 1024 bytes");
    if (!is_valid_utf8(password))
        return refuse("password is not valid UTF-8");
    if (count_characters(password) < std::max(fewest_characters, kFewestPasswordCharacters))
        return refuse("password is too short",
                      "Use at least 8 characters, or more where the organisation asks for more.");
    bool has_upper = false, has_lower = false, has_digit = false, has_special = false;
    CodePoints characters(password);
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (c >= 'A' && c <= 'Z')
            has_upper = true;
        else if (c >= 'a' && c <= 'z')
            has_lower = true;
        else if (c >= '0' && c <= '9')
            has_digit = true;
        else if (is_control(c))
            return refuse("password contains a control character");
        else
            has_special = true;
    }
    if (!has_upper || !has_lower || !has_digit || !has_special)
        return refuse("password is too simple",
                      "Use upper-case and lower-case letters, digits and a special character.");
    if (equals_ignoring_case(password, user_name))
        return refuse("password is the user name");
    if (std::any_of(std::begin(kCommonest), std::end(kCommonest),
                    [&](std::string_view common) { return equals_ignoring_case(password, common); }))
        return refuse("password is one of the commonest", "Choose one that nobody else would.");
    return password;
}

} // namespace relygate::core
