// The table of rules: one a domain of sql/types.sql, and none changes its own result or keeps silent about wild bytes.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <string>

#include "core/base/text.hpp"
#include "core/validation/input_rule.hpp"

using namespace relygate::core;

TEST(InputRule, OneForEachDomain) {
    std::ifstream file(std::string(RELYGATE_CASES) + "/../../sql/types.sql");
    const std::string sql((std::istreambuf_iterator<char>(file)), {});
    std::set<std::string> domains, rules;
    const std::regex creation(R"(CREATE DOMAIN @extschema@\.(\w+_input))");
    for (std::sregex_iterator found(sql.begin(), sql.end(), creation), end; found != end; ++found)
        domains.insert((*found)[1]);
    for (const auto &rule : input_rules())
        rules.insert(rule.name);
    EXPECT_EQ(domains, rules);
    EXPECT_EQ(find_input_rule("mobile"), nullptr);
}

TEST(InputRule, WordsAreTakenAndOthersRefusedByName) {
    for (const auto &rule : input_rules()) {
        if (rule.words.empty())
            continue;
        SCOPED_TRACE(rule.name);
        std::pmr::monotonic_buffer_resource memory;
        for (const auto word : rule.words)
            EXPECT_TRUE(rule.apply(word, {}, memory));
        const auto other = rule.apply("Checked_in", {}, memory);
        ASSERT_FALSE(other);
        EXPECT_STREQ(other.refusal().code, "unknown");
        EXPECT_NE(std::string_view(other.refusal().detail).find(rule.words.front()), std::string_view::npos);
    }
}

TEST(InputRule, SecretsAreMarked) {
    for (const auto &rule : input_rules()) {
        const std::string_view name = rule.name;
        EXPECT_EQ(rule.is_secret, name == "password_input" || name == "document_number_input") << name;
    }
}

TEST(InputRule, MomentsAndGroups) {
    std::pmr::monotonic_buffer_resource memory;
    const auto takes = [&](const char *rule, const char *text) {
        return static_cast<bool>(find_input_rule(rule)->apply(text, {}, memory));
    };
    for (const char *text : {"2027-01-31", "2028-02-29", "2027-01-31T09:30:00Z", "2027-01-31T09:30:00+05:30"})
        EXPECT_TRUE(takes("moment_input", text)) << text;
    for (const char *text : {"today", "2027-02-29", "31.01.2027", "2027-01-31T09:30:00", "infinity", ""})
        EXPECT_FALSE(takes("moment_input", text)) << text;
    EXPECT_TRUE(takes("group_size_input", "1"));
    EXPECT_TRUE(takes("group_size_input", "1000"));
    EXPECT_FALSE(takes("group_size_input", "0"));
    EXPECT_FALSE(takes("group_size_input", "1001"));
}

TEST(InputRule, SortsGoBothWays) {
    std::pmr::monotonic_buffer_resource memory;
    const auto *sort = find_input_rule("visit_sort_input");
    for (const char *word : {"requestedAt", "-requestedAt", "-checkedOutAt"})
        EXPECT_TRUE(sort->apply(word, {}, memory)) << word;
    for (const char *word :
         {"", "-", "--requestedAt", "+requestedAt", "requestedat", "requested_at", "name", " requestedAt"}) {
        const auto other = sort->apply(word, {}, memory);
        ASSERT_FALSE(other) << word;
        EXPECT_NE(std::string_view(other.refusal().detail).find("checkedOutAt."), std::string_view::npos) << word;
    }
}

// Random texts of awkward pieces through every rule: no crash, valid UTF-8 out, and rule(rule(x)) == rule(x).
TEST(InputRule, Idempotent) {
    const std::string pieces[] = {"a",
                                  "Z",
                                  "9",
                                  "+91 98450 12367",
                                  "@",
                                  ".",
                                  "-",
                                  " ",
                                  "\t",
                                  "\u00E9",
                                  "e\u0301",
                                  "\u0915\u094D\u200D",
                                  "\u0967",
                                  "\uFEFF",
                                  "\u3000",
                                  "\u212B",
                                  "\U00020BB7",
                                  "\u1E9E",
                                  "\xFF",
                                  "\xE2\x82",
                                  std::string(1, '\0'),
                                  "KA03MH4821",
                                  "x@y.in",
                                  "_",
                                  "'",
                                  "\u1100\u1161",
                                  "\u0344"};
    std::mt19937 random(15);
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t count = random() % 8; count > 0; --count)
            text += pieces[random() % std::size(pieces)];
        for (const auto &rule : input_rules()) {
            std::pmr::monotonic_buffer_resource memory;
            for (const char *country : {"IN", "DE", ""}) {
                const RuleContext context{country, random() % 2 ? "employee_id" : ""};
                const auto once = rule.apply(text, context, memory);
                if (!once) {
                    ASSERT_EQ(once.refusal().status, 400) << rule.name;
                    continue;
                }
                ASSERT_TRUE(is_valid_utf8(once.value())) << rule.name << ": " << text;
                const auto twice = rule.apply(once.value(), context, memory);
                ASSERT_TRUE(twice) << rule.name << ": " << text;
                ASSERT_EQ(twice.value(), once.value()) << rule.name << ": " << text;
            }
        }
    }
}
