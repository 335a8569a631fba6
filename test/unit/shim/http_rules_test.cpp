// Heads as views, good ones and bad ones; what libmicrohttpd does with bytes is tested over sockets (test/http).
#include "shim/http_rules.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace relygate::shim {
namespace {

RawHead head_of(const std::vector<HeaderField> &fields, std::string_view version = "HTTP/1.1",
                std::string_view target = "/live") {
    return {"GET", target, version, fields, 0};
}

TEST(HttpRules, TakesWhatIsRight) {
    const std::vector<std::vector<HeaderField>> heads = {
        {{"Host", "x"}},
        {{"host", "x:3000"}, {"Content-Length", "0"}},
        {{"HOST", "[::1]:3000"}, {"Transfer-Encoding", "Chunked"}},
        {{"Host", "x"}, {"X-Odd!#$%&'*+-.^_`|~", "\t caf\xc3\xa9 \x80"}},
    };
    for (const auto &fields : heads)
        EXPECT_FALSE(check_head(head_of(fields)).refusal) << fields.back().name;
    EXPECT_FALSE(check_head(head_of({}, "HTTP/1.0")).refusal);
}

TEST(HttpRules, RefusesWhatTwoReadersCouldReadInTwoWays) {
    struct Case {
        std::vector<HeaderField> fields;
        int status;
    };
    const std::vector<Case> cases = {
        {{}, 400},
        {{{"Host", ""}}, 400},
        {{{"Host", "a"}, {"Host", "b"}}, 400},
        {{{"Host", "a b"}}, 400},
        {{{"Host", "a,b"}}, 400},
        {{{"Host", "user@a"}}, 400},
        {{{"Host", "x"}, {"Content-Length", "1"}, {"Content-Length", "1"}}, 400},
        {{{"Host", "x"}, {"Content-Length", "+1"}}, 400},
        {{{"Host", "x"}, {"Content-Length", "-1"}}, 400},
        {{{"Host", "x"}, {"Content-Length", "1,1"}}, 400},
        {{{"Host", "x"}, {"Content-Length", ""}}, 400},
        {{{"Host", "x"}, {"Content-Length", "99999999999999999999"}}, 400},
        {{{"Host", "x"}, {"Content-Length", "0"}, {"Transfer-Encoding", "chunked"}}, 400},
        {{{"Host", "x"}, {"Transfer-Encoding", "gzip, chunked"}}, 400},
        {{{"Host", "x"}, {"Transfer-Encoding", "identity"}}, 400},
        {{{"Host", "x"}, {"Transfer-Encoding", "chunked;q=1"}}, 400},
        {{{"Host", "x"}, {"Authorization", "a"}, {"authorization", "b"}}, 400},
        {{{"Host", "x"}, {"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}, 400},
        {{{"Host", "x"}, {"Content-Length ", "1"}}, 400},
        {{{"Host", "x"}, {"", "1"}}, 400},
        {{{"Host", "x"}, {"X-A", "b\rc"}}, 400},
        {{{"Host", "x"}, {"X-A", "b\x7f"}}, 400},
        {{{"Host", "x"}, {"X-A", std::string_view("b\0c", 3)}}, 400},
    };
    for (const auto &[fields, status] : cases) {
        const auto refusal = check_head(head_of(fields)).refusal;
        ASSERT_TRUE(refusal) << (fields.empty() ? "no field" : fields.back().name) << ": "
                             << (fields.empty() ? "" : fields.back().value);
        EXPECT_EQ(refusal->status, status);
    }
    const std::vector<HeaderField> good{{"Host", "x"}};
    for (const auto *version : {"", "HTTP/0.9", "HTTP/2.0", "http/1.1"})
        EXPECT_EQ(check_head(head_of(good, version)).refusal->status, 505) << version;
    for (const auto *target : {"/a b", "/a#b", "/\xc3\xa9", "/a\x7f"})
        EXPECT_EQ(check_head(head_of(good, "HTTP/1.1", target)).refusal->status, 400) << target;
}

TEST(HttpRules, FactsAreThereForARefusedHeadToo) {
    const std::vector<HeaderField> fields{
        {"Origin", "https://a"}, {"X-Request-Id", " abc-1 "}, {"Expect", "100-continue"}};
    const auto check = check_head(head_of(fields));
    ASSERT_TRUE(check.refusal);
    EXPECT_EQ(check.facts.origin, "https://a");
    EXPECT_EQ(check.facts.request_id, "abc-1");
    EXPECT_TRUE(check.facts.expects_continue);
}

TEST(HttpRules, RequestIdsAreBounded) {
    EXPECT_TRUE(is_request_id("0192f3a4-0000-7000-8000-000000000000"));
    EXPECT_TRUE(is_request_id(std::string(100, 'a')));
    EXPECT_FALSE(is_request_id(std::string(101, 'a')));
    for (const auto *bad : {"", "a b", "a\nb", "a\"b", "caf\xc3\xa9", "a/b"})
        EXPECT_FALSE(is_request_id(bad)) << bad;
}

TEST(HttpRules, Paths) {
    for (const auto *good : {"/", "/a", "/a%2Fb", "/%C3%A9", "//a", "/a/../b"})
        EXPECT_FALSE(check_path(good)) << good;
    for (const auto *bad : {"", "a", "*", "http://x/a", "/%", "/%4", "/%zz", "/%00", "/a%00b"})
        EXPECT_TRUE(check_path(bad)) << bad;
}

TEST(HttpRules, BodyTypes) {
    const auto status = [](std::string_view type, std::string_view encoding = {}) {
        HeadFacts facts;
        facts.content_type = type;
        facts.content_encoding = encoding;
        const auto refusal = check_body_type(facts);
        return refusal ? refusal->status : 0;
    };
    for (const auto *good : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                             "application/json ;charset=\"UTF-8\"", "application/json; profile=x"})
        EXPECT_EQ(status(good), 0) << good;
    for (const auto *bad :
         {"", "text/plain", "application/jsonp", "application/json, text/plain", "application/json; charset=latin1",
          "application/json; charset=", "application/json; charset=utf-8; charset=latin1"})
        EXPECT_EQ(status(bad), 415) << bad;
    EXPECT_EQ(status("application/json", "identity"), 0);
    EXPECT_EQ(status("application/json", "gzip"), 415);
    EXPECT_EQ(status("application/json", ""), 415);
}

// The buffer as 0.9.75 leaves it: NUL in place of colons and line ends.
class Buffer {
  public:
    explicit Buffer(std::string text) : text_(std::move(text)) {}
    RawHead head(std::size_t size) {
        std::vector<HeaderField> &fields = fields_;
        fields.clear();
        const char *at = text_.data() + kLine;
        while (at < text_.data() + size - 2) {
            const std::string_view name = at;
            const char *value = at + name.size() + 1;
            while (*value == ' ')
                value++;
            fields.push_back({name, value});
            at = value + fields.back().value.size() + 2;
        }
        return {std::string_view(text_.data(), 3), "/", std::string_view(text_.data() + 6, 8), fields, size};
    }
    std::vector<HeaderField> fields_;

  private:
    static constexpr std::size_t kLine = 16; // GET / HTTP/1.1 and its line end
    std::string text_;
};

TEST(HttpRules, EveryLineMustFollowTheOneBefore) {
    using namespace std::string_literals;
    const auto text = "GET\0/\0HTTP/1.1\0\0Host\0 x\0\0X-A\0b\0\0\0\0"s;
    Buffer buffer(text);
    auto head = buffer.head(text.size());
    ASSERT_EQ(head.fields.size(), 2U);
    EXPECT_TRUE(is_whole(head));
    EXPECT_FALSE(check_head(head).refusal);

    const std::string folded = "b c"; // a folded value was put elsewhere
    buffer.fields_[0].value = folded;
    EXPECT_FALSE(is_whole(head));

    head = buffer.head(text.size());
    head.size_in_place++; // the last line was longer than its value: it was cut at a NUL
    EXPECT_FALSE(is_whole(head));
    EXPECT_TRUE(check_head(head).refusal);

    head = buffer.head(text.size());
    head.target = ""; // it was longer than what is left of it: it was cut at a NUL
    EXPECT_FALSE(is_whole(head));
    EXPECT_TRUE(check_head(head).refusal);
}

TEST(HttpRules, MemoryOfAHeadCountsWhatTheLibraryAllocates) {
    EXPECT_EQ(count_arguments("/api/x"), 0U);
    EXPECT_EQ(count_arguments("/api/x?"), 1U);
    EXPECT_EQ(count_arguments("/api/a&b?c&d&e"), 3U);
    const std::vector<HeaderField> fields{{"Host", "x"}, {"cookie", "a=b; c=d"}};
    const RawHead head{"GET", "/api/x?a&b", "HTTP/1.1", fields};
    // Two headers, two arguments, two cookies; and the cookies' copy with its end.
    EXPECT_EQ(memory_taken(head, 100), 100 + 6 * 64 + 9U);
}

} // namespace
} // namespace relygate::shim
