// Every validator case of test/cases against the rule that the binder would find, and once more on its own result: a
// rule that changes what it has accepted would store two values for one thing.
#include <gtest/gtest.h>

#include <set>

#include "core/validation/input_rule.hpp"
#include "unit/validation/cases.hpp"

using namespace relygate::core;

namespace {

void check(const std::string &file, const char *domain, std::size_t fewest) {
    const auto cases = validator_cases(file);
    ASSERT_GE(cases.size(), fewest);
    for (const auto &one : cases) {
        SCOPED_TRACE(one.id + ": " + one.why);
        const RuleContext context{one.country, one.type};
        std::set<std::string> values;
        for (const auto &text : one.texts) {
            std::pmr::monotonic_buffer_resource memory;
            const auto ruled = find_input_rule(domain)->apply(text, context, memory);
            ASSERT_EQ(static_cast<bool>(ruled), one.is_ok) << (ruled ? "taken" : ruled.refusal().message);
            if (!ruled) {
                EXPECT_EQ(ruled.refusal().status, 400);
                continue;
            }
            const std::string value(ruled.value());
            values.insert(value);
            EXPECT_TRUE(one.value.empty() || value == one.value) << value;
            const auto again = find_input_rule(domain)->apply(value, context, memory);
            ASSERT_TRUE(again);
            EXPECT_EQ(again.value(), value);
        }
        EXPECT_LE(values.size(), 1U);
    }
}

} // namespace

TEST(ValidatorCases, Mobile) {
    check("mobile", "mobile_input", 20);
}
TEST(ValidatorCases, Names) {
    check("names", "person_name_input", 23);
}
TEST(ValidatorCases, Vehicles) {
    check("vehicles", "vehicle_number_input", 17);
}
TEST(ValidatorCases, Email) {
    check("email", "email_input", 16);
}
TEST(ValidatorCases, Documents) {
    check("documents", "document_number_input", 15);
}
