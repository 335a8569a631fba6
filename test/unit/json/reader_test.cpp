// What strangers send as JSON: each trouble gets its word, and its member where there is one.
#include "core/json/reader.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <jansson.h>
#include <random>
#include <string>
#include <vector>

using namespace relygate::core;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    while (times-- > 0)
        result += text;
    return result;
}

TEST(JsonReader, KeepsValuesAndTheOrderOfMembers) {
    std::pmr::monotonic_buffer_resource memory;
    std::string text =
        R"( {"z":1e2,"a":[true,null,-0.50,"\u00e9\ud83d\ude00 \/"],"o":{"in":12345678901234567890},"":{}} )";
    const JsonReading reading = read_json_object(text, memory);
    std::fill(text.begin(), text.end(), '#'); // nothing may point into it
    ASSERT_TRUE(reading.is_good()) << reading.message;
    const auto members = reading.value.members();
    ASSERT_EQ(members.size(), 4U);
    EXPECT_EQ(members[0].name, "z");
    EXPECT_EQ(members[0].value.kind, JsonValue::Kind::number);
    EXPECT_EQ(members[0].value.text, "1e2");
    const auto items = members[1].value.items();
    ASSERT_EQ(items.size(), 4U);
    EXPECT_TRUE(items[0].kind == JsonValue::Kind::boolean && items[0].truth);
    EXPECT_TRUE(items[1].is_null());
    EXPECT_EQ(items[2].text, "-0.50");
    EXPECT_EQ(items[3].text, "\xC3\xA9\xF0\x9F\x98\x80 /");
    ASSERT_NE(reading.value.find("o"), nullptr);
    EXPECT_EQ(reading.value.find("o")->find("in")->text, "12345678901234567890");
    EXPECT_TRUE(reading.value.find("")->is_object());
    EXPECT_EQ(reading.value.find("none"), nullptr);
    EXPECT_TRUE(reading.value.items().empty());
}

struct Wrong {
    std::string text;
    std::string_view code;   // of the whole, or of the member
    std::string_view fields; // paths, joined by a blank; empty: the text as a whole
};

TEST(JsonReader, NamesTheMember) {
    const Wrong kWrong[] = {
        {R"({"visitor":{"firstName":"Ra\u0000vi"}})", "nul", "visitor.firstName"},
        {"{\"a\":\"x" + std::string(1, '\0') + "\"}", "nul", "a"},
        {R"({"visitor":{"firstName":"Ravi\ud83d","mobile":"1"}})", "surrogate", "visitor.firstName"},
        {R"({"a":"\ude00"})", "surrogate", "a"},
        {R"({"a":"\ud83d\u0041"})", "surrogate", "a"},
        {R"({"a":"\ud83d\ud83d\ude00"})", "surrogate", "a"},
        {"{\"a\":{\"b\":\"Ravi\xC3(\"}}", "utf8", "a.b"},
        {"{\"a\":\"\xED\xA0\xBD\"}", "utf8", "a"},     // a surrogate in UTF-8
        {"{\"a\":\"\xC0\x80\"}", "utf8", "a"},         // overlong U+0000
        {"{\"a\":\"\xF4\x90\x80\x80\"}", "utf8", "a"}, // beyond U+10FFFF
        {"{\"a\":\"x\ny\"}", "control", "a"},
        {R"({"visitor":{"mobile":"1","mobile":"2"}})", "duplicate", "visitor.mobile"},
        {R"({"a":{"x":1},"b":[{"y":1},{"y":1,"z":[],"y":2}]})", "duplicate", "b[1].y"},
        {R"({"mobile":"1","\u006dobile":"2"})", "duplicate", "\\u006dobile"},
        {R"({"groupSize":1e131071})", "range", "groupSize"},
        {R"({"groupSize":-1E+100})", "range", "groupSize"},
        {"{\"a\":[1,2," + repeat("9", 65) + "]}", "range", "a[2]"},
        {R"({"a":"\u0000","b":{"c":"\ud800"},"d":[0,1e999]})", "nul", "a b.c d[1]"},
        {R"({"na\u0000me":1})", "nul", "na\\u0000me"},
    };
    for (const Wrong &wrong : kWrong) {
        SCOPED_TRACE(wrong.text);
        std::pmr::monotonic_buffer_resource memory;
        const JsonReading reading = read_json_object(wrong.text, memory);
        EXPECT_FALSE(reading.is_good());
        EXPECT_EQ(reading.code, nullptr) << reading.message;
        ASSERT_FALSE(reading.errors.empty());
        EXPECT_EQ(reading.errors[0].code, wrong.code);
        std::string fields;
        for (const FieldError &error : reading.errors)
            fields += (fields.empty() ? "" : " ") + std::string(error.field);
        EXPECT_EQ(fields, wrong.fields);
    }
}

// All that is wrong at once; of what is right, the value beside it, with the first member of a name.
TEST(JsonReader, ReadsOnBehindWhatIsWrong) {
    const struct {
        std::string text;
        std::string_view fields;
        std::string_view members; // of the value, with the text of each
    } kTexts[] = {
        {R"({"a":"1","b":"\u0000","c":"3"})", "b", "a=1 b= c=3"},
        {R"({"a":"1","a":"2","b":"3","b":{"x":"5"},"b":4,"c":7})", "a b", "a=1 b=3 c=7"},
        {R"({"b":1e999,"a":"\ud800","a":"2","z":8})", "b a", "b=0 a= z=8"},
        {R"({"n":1,"o":{"x":"1","x":[1,2,{"y":",}"}],"y":3},"n":5,"m":6})", "o.x n", "n=1 o= m=6"},
        {R"({"\u006d":"1","m":"2","k":9})", "m", "m=1 k=9"},
        {R"({"a":1,"a":2})", "a", "a=1"},
        {R"({"a\u0000":1,"b":"2"})", "a\\u0000", ""}, // no name to go on with
        {R"({"a":"1","a":"2",})", "a", ""},           // and no JSON
        {"{\"a\":\"\xC3(\",\"b\":\"2\"}", "a", "a= b=2"},
    };
    for (const auto &[text, fields, members] : kTexts) {
        SCOPED_TRACE(text);
        std::pmr::monotonic_buffer_resource memory;
        const JsonReading reading = read_json_object(text, memory);
        EXPECT_FALSE(reading.is_good());
        EXPECT_EQ(reading.code, nullptr);
        std::string named;
        std::string last;
        for (const FieldError &error : reading.errors) {
            if (error.field != last)
                named += (named.empty() ? "" : " ") + std::string(error.field);
            last = error.field;
        }
        EXPECT_EQ(named, fields);
        std::string read;
        for (const JsonMember &member : reading.value.members())
            read += (read.empty() ? "" : " ") + std::string(member.name) + "=" + std::string(member.value.text);
        EXPECT_EQ(read, members);
    }
}

// Names that collide in a hash table, or are one name ten thousand times, cost no more than others.
TEST(JsonReader, ManyDuplicatesCostLittle) {
    std::string text = "{\"a\":[]";
    for (int i = 0; i < 4'000; ++i)
        text += ",\"a\":{\"b\":1}";
    text += "," + repeat("\"x\":1,", 900) + "\"y\":2}";
    std::pmr::monotonic_buffer_resource memory;
    const JsonReading reading = read_json_object(text, memory);
    EXPECT_EQ(reading.errors.size(), 100U);
    ASSERT_EQ(reading.value.members().size(), 3U);
    EXPECT_EQ(reading.value.members()[2].value.text, "2");
}

TEST(JsonReader, RefusesTheTextAsAWhole) {
    const Wrong kWrong[] = {
        {"", "json_syntax", ""},
        {"   ", "json_syntax", ""},
        {R"({"a":1} {"b":2})", "json_syntax", ""},
        {R"({"a":NaN})", "json_syntax", ""},
        {R"({"a":-Infinity})", "json_syntax", ""},
        {R"({"a":01})", "json_syntax", ""},
        {R"({"a":1.})", "json_syntax", ""},
        {R"({"a":-})", "json_syntax", ""},
        {R"({"a":1,})", "json_syntax", ""},
        {R"({'a':1})", "json_syntax", ""},
        {R"({"a":"\x"})", "json_syntax", ""},
        {R"({"a":"\u12"})", "json_syntax", ""},
        {R"({"a")", "json_syntax", ""},
        {R"({"a":"b)", "json_syntax", ""},
        {R"({"a":1}})", "json_syntax", ""},
        {R"(]]]]{"a":1})", "json_syntax", ""},
        {"{\"a\":1/* */}", "json_syntax", ""},
        {"\xEF\xBB\xBF{}", "json_bom", ""},
        {"\"Ravi\"", "json_object", ""},
        {"[1]", "json_object", ""},
        {"null", "json_object", ""},
        {"{\"a\":\xFF}", "json_utf8", ""},
        {repeat("[", 100000), "json_depth", ""},
        {R"({"purpose":)" + repeat("[", 100000), "json_depth", ""},
        {repeat("{\"a\":", 33) + "1" + repeat("}", 33), "json_depth", ""},
        {"{\"a\":[0" + repeat(",0", 20000) + "]}", "json_size", ""},
        {repeat("1 ", 20000), "json_size", ""},
    };
    for (const Wrong &wrong : kWrong) {
        SCOPED_TRACE(wrong.text.substr(0, 60));
        std::pmr::monotonic_buffer_resource memory;
        const JsonReading reading = read_json_object(wrong.text, memory);
        ASSERT_NE(reading.code, nullptr);
        EXPECT_EQ(reading.code, wrong.code) << reading.message;
        EXPECT_FALSE(reading.message.empty());
        EXPECT_TRUE(reading.errors.empty());
    }
}

TEST(JsonReader, TakesWhatIsAtItsBounds) {
    for (const std::string &text : {
             repeat("{\"a\":", 32) + "1" + repeat("}", 32),
             "{\"a\":" + repeat("9", 64) + "}",
             std::string(R"({"a":1e99,"b":-0e-99})"),
             "{\"a\":[0" + repeat(",0", 9000) + "]}",
         }) {
        SCOPED_TRACE(text.substr(0, 60));
        std::pmr::monotonic_buffer_resource memory;
        EXPECT_TRUE(read_json_object(text, memory).is_good());
    }
}

// What takes more than linear time here would not come back for minutes.
TEST(JsonReader, VastTextsAreRefused) {
    for (const std::string &text :
         {repeat("[", 10'000'000), repeat("{\"a\":", 2'000'000), "{" + repeat("\"\\u0000\",", 1'000'000)}) {
        std::pmr::monotonic_buffer_resource memory;
        EXPECT_FALSE(read_json(text, memory).is_good());
    }
}

TEST(JsonReader, CutsLongPaths) {
    std::pmr::monotonic_buffer_resource memory;
    const std::string text = "{\"" + std::string(100'000, 'x') + "\":{\"a\":\"\\u0000\"}}";
    const JsonReading reading = read_json_object(text, memory);
    ASSERT_EQ(reading.errors.size(), 1U);
    EXPECT_EQ(reading.errors[0].field.size(), 200U);
}

// The bodies of test/cases/json_bodies.jsonl that are wrong whatever the route asks for.
TEST(JsonReader, BlamesTheBodiesOfTheCases) {
    std::ifstream file(RELYGATE_CASES "/json_bodies.jsonl");
    int seen = 0;
    for (std::string line; std::getline(file, line);) {
        json_t *one = json_loads(line.c_str(), 0, nullptr);
        const std::string kind = json_string_value(json_object_get(one, "kind"));
        json_t *body = json_object_get(json_object_get(one, "input"), "body_text");
        if (body && (kind == "json.nul" || kind == "json.lone-surrogate" || kind == "json.duplicate-member" ||
                     kind == "json.big-number" || kind == "json.trailing" || kind == "json.constants" ||
                     kind == "json.not-object")) {
            SCOPED_TRACE(kind);
            std::pmr::monotonic_buffer_resource memory;
            const JsonReading reading = read_json_object(json_string_value(body), memory);
            json_t *fields = json_object_get(json_object_get(one, "expected"), "fields");
            EXPECT_FALSE(reading.is_good());
            ASSERT_EQ(reading.errors.size(), json_array_size(fields));
            for (std::size_t i = 0; i < reading.errors.size(); ++i)
                EXPECT_EQ(reading.errors[i].field, json_string_value(json_array_get(fields, i)));
            ++seen;
        }
        json_decref(one);
    }
    EXPECT_EQ(seen, 7);
}

// Whatever is done to a text: no crash, and nothing is taken that jansson refuses.
TEST(JsonReader, TakesNoMoreThanJansson) {
    const std::string seed =
        R"({"visitor":{"firstName":"Ra\u00e9\ud83d\ude00vi","n":[1,-2.50e3,{"x":null}]},"t":true,"p":"D\"q"})";
    const std::string_view alphabet = "{}[]\",:\\u0d8 \n1e.-+tfnxyz";
    std::mt19937 random(7515);
    int taken = 0;
    for (int i = 0; i < 30'000; ++i) {
        std::string text = seed;
        for (auto changes = 1 + random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % text.size();
            const char with = random() % 8 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
            switch (random() % 3) {
            case 0:
                text[at] = with;
                break;
            case 1:
                text.insert(at, 1, with);
                break;
            default:
                text.erase(at, 1 + random() % 3);
                break;
            }
        }
        std::pmr::monotonic_buffer_resource memory;
        const JsonReading reading = read_json(text, memory);
        ASSERT_TRUE(reading.is_good() || reading.code || !reading.errors.empty());
        json_t *other = json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, nullptr);
        if (reading.is_good()) {
            ASSERT_NE(other, nullptr) << text;
            ++taken;
        }
        json_decref(other);
        ASSERT_FALSE(reading.code && !reading.value.is_null());
    }
    EXPECT_GT(taken, 100);
}

// Memory that counts what it gave: a reading under any shortage throws and leaves nothing of jansson's behind (seen by
// the address sanitizer).
class Scarce final : public std::pmr::memory_resource {
  public:
    explicit Scarce(int left) : left_(left) {}

  private:
    void *do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (left_-- <= 0)
            throw std::bad_alloc();
        return arena_.allocate(bytes, alignment);
    }
    void do_deallocate(void *, std::size_t, std::size_t) override {}
    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

    int left_;
    std::pmr::monotonic_buffer_resource arena_;
};

TEST(JsonReader, SurvivesAShortageOfMemory) {
    for (int left = 0; left < 40; ++left) {
        Scarce memory(left);
        try {
            (void)read_json(R"({"a":{"b":["x","y",1,2,{"c":null}]},"d":"text"})", memory);
        } catch (const std::bad_alloc &) {
            continue;
        }
        EXPECT_GT(left, 5);
        return;
    }
    ADD_FAILURE() << "never enough";
}

} // namespace
