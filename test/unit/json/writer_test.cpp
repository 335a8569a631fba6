// Whatever goes in, valid JSON in valid UTF-8 comes out.
#include "core/json/envelope.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>

using namespace relygate::core;

namespace {

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
    std::pmr::monotonic_buffer_resource memory;
    JsonWriter json(memory);
    json.begin_object();
    json.name("empty");
    json.begin_object();
    json.end_object();
    json.name("list");
    json.begin_array();
    json.begin_array();
    json.end_array();
    json.number(std::numeric_limits<std::int64_t>::min());
    json.null();
    json.boolean(true);
    json.raw("2.50");
    json.end_array();
    json.member("text", "x");
    json.end_object();
    EXPECT_EQ(json.view(), R"({"empty":{},"list":[[],-9223372036854775808,null,true,2.50],"text":"x"})");
}

TEST(JsonWriter, EscapesWhatMustBe) {
    struct {
        std::string_view text, json;
    } const kTexts[] = {
        {"", R"("")"},
        {"a\"b\\c/", R"("a\"b\\c/")"},
        {"\n\r\t\b\x1b\x7f", R"("\n\r\t\u0008\u001b\u007f")"},
        {{"\0", 1}, R"("\u0000")"},
        {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
        {"a\xFFz\xC3", "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\""},
        {"\xED\xA0\xBD", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (const auto &[text, expected] : kTexts) {
        SCOPED_TRACE(text);
        std::pmr::monotonic_buffer_resource memory;
        JsonWriter json(memory);
        json.string(text);
        EXPECT_EQ(json.view(), expected);
    }
}

TEST(JsonWriter, IsReadBack) {
    std::mt19937 random(8259);
    for (int i = 0; i < 3000; ++i) {
        std::string text(random() % 300, '\0');
        for (char &byte : text)
            byte = static_cast<char>(1 + random() % (i % 2 ? 127 : 255));
        std::pmr::monotonic_buffer_resource memory;
        JsonWriter json(memory);
        json.string(text);
        const JsonReading reading = read_json(json.view(), memory);
        ASSERT_TRUE(reading.is_good()) << json.view();
        if (i % 2) { // ASCII comes back as it was
            ASSERT_EQ(reading.value.text, text);
        }
    }
}

TEST(Envelope, HasTheMembersOfTheApi) {
    std::pmr::monotonic_buffer_resource memory;
    const FieldError errors[] = {{"visitor.mobile", "invalid", "mobile is not valid"},
                                 {"purpose", "required", "purpose is missing"}};
    EXPECT_EQ(write_envelope({"request is not valid", "invalid", errors, "", "r-1"}, memory),
              R"({"responseCode":"E","responseMessage":"request is not valid","code":"invalid","errors":[)"
              R"({"field":"visitor.mobile","code":"invalid","message":"mobile is not valid"},)"
              R"({"field":"purpose","code":"required","message":"purpose is missing"}],"requestId":"r-1"})");
    EXPECT_EQ(write_envelope({"no", "visit_state", {}, R"({"state":"checked_out"})", "r-2"}, memory),
              R"({"responseCode":"E","responseMessage":"no","code":"visit_state","errors":[],)"
              R"("data":{"state":"checked_out"},"requestId":"r-2"})");
}

} // namespace
