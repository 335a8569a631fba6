// From members to arguments: every wrong member is named, at its path, and once; nothing is guessed.
#include "core/route/binding.hpp"
#include "core/route/cursor.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

using namespace relygate::core;

namespace {

Outcome<std::string_view> short_text(std::string_view text, const RuleContext &context, Memory) {
    if (text.empty())
        return Refusal{.status = 400, .code = "empty", .message = "is empty"};
    return context.country == "IN" ? text : text.substr(0, 1);
}

Outcome<std::string_view> up_to_ten(std::string_view digits, const RuleContext &, Memory) {
    if (digits.size() > 1 && digits != "10")
        return Refusal{.status = 400, .code = "range", .message = "is more than ten"};
    return digits;
}

Outcome<std::string_view> by_type(std::string_view number, const RuleContext &context, Memory) {
    if (context.document_type != "pan")
        return Refusal{.status = 400, .code = "document_type", .message = "needs its type"};
    return number;
}

const InputRule kText{"label_input", short_text, {}};
const InputRule kSize{"group_size_input", up_to_ten, {}};
const InputRule kType{"document_type_input", short_text, {}};
const InputRule kNumber{"document_number_input", by_type, {}};

// create_visit in small: an inline visitor or a known one.
const Parameter kVisit[] = {
    {.name = "visitor__first_name",
     .member = "visitor.firstName",
     .rule = &kText,
     .has_default = true,
     .is_required = true},
    {.name = "visitor__document_no", .member = "visitor.documentNo", .rule = &kNumber, .has_default = true},
    {.name = "visitor__document_type", .member = "visitor.documentType", .rule = &kType, .has_default = true},
    {.name = "visitor_id", .member = "visitorId", .kind = ValueKind::uuid, .has_default = true},
    {.name = "purpose", .member = "purpose", .rule = &kText, .has_default = true},
    {.name = "purpose_id", .member = "purposeId", .kind = ValueKind::uuid, .has_default = true},
    {.name = "group_size", .member = "groupSize", .kind = ValueKind::int4, .rule = &kSize, .has_default = true},
    {.name = "is_vip", .member = "isVip", .kind = ValueKind::boolean, .has_default = true},
    {.name = "day", .member = "day", .kind = ValueKind::date, .has_default = true},
    {.name = "at", .member = "at", .kind = ValueKind::timestamptz, .has_default = true},
    {.name = "tags", .member = "tags", .kind = ValueKind::text_array, .has_default = true},
    {.name = "ids", .member = "ids", .kind = ValueKind::uuid_array, .has_default = true},
    {.name = "given", .member = "given", .kind = ValueKind::text_array, .has_default = true, .is_filled = true},
};
enum At {
    first_name,
    document_no,
    document_type,
    visitor_id,
    purpose,
    purpose_id,
    group_size,
    is_vip,
    day,
    at,
    tags,
    ids
};

const std::string_view kVisitor[] = {"visitor", "visitorId"}, kPurpose[] = {"purpose", "purposeId"};
const Alternatives kOneOf[] = {kVisitor, kPurpose};
constexpr const char *kId = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
constexpr const char *kOther = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c";

class BindingTest : public testing::Test {
  protected:
    BindingRequest visit(std::string_view body) {
        BindingRequest request{};
        request.parameters = kVisit;
        request.one_of = kOneOf;
        request.body = body;
        request.country = "IN";
        request.tenant = kId;
        return request;
    }

    // Field to code.
    std::map<std::string, std::string> errors(const BindingRequest &request) {
        std::map<std::string, std::string> result;
        for (const FieldError &error : bind(request, memory_).errors) {
            EXPECT_FALSE(error.message.empty());
            EXPECT_TRUE(result.emplace(error.field, error.code).second) << "twice: " << error.field;
        }
        return result;
    }

    std::pmr::monotonic_buffer_resource memory_;
};

using Errors = std::map<std::string, std::string>;

TEST_F(BindingTest, BindsEveryKind) {
    const std::string body =
        std::string(R"({"visitor":{"firstName":"Asha","documentNo":"7","documentType":"pan"},"purposeId":")") + kId +
        R"(","groupSize":2.0,"isVip":true,"day":"1970-01-03","at":"1970-01-01T01:00:00+01:00",)" +
        R"("tags":["a","b"],"ids":[]})";
    const Binding binding = bind(visit(body), memory_);
    EXPECT_TRUE(binding.errors.empty());
    EXPECT_EQ(binding.values[first_name].text, "Asha");
    EXPECT_EQ(binding.values[document_no].text, "7");
    EXPECT_EQ(binding.values[purpose_id].uuid, *parse_uuid(kId));
    EXPECT_EQ(binding.values[group_size].number, 2);
    EXPECT_EQ(binding.values[is_vip].number, 1);
    EXPECT_EQ(binding.values[day].number, 2);
    EXPECT_EQ(binding.values[at].number, 0);
    EXPECT_FALSE(binding.values[at].is_null);
    ASSERT_EQ(binding.values[tags].texts.size(), 2u);
    EXPECT_EQ(binding.values[tags].texts[1], "b");
    EXPECT_FALSE(binding.values[ids].is_null);
    EXPECT_TRUE(binding.values[ids].uuids.empty());
    EXPECT_TRUE(binding.values[visitor_id].is_null);
}

TEST_F(BindingTest, NamesEveryWrongMemberOnce) {
    const struct {
        const char *what, *body;
        Errors errors;
    } cases[] = {
        {"nothing", "", {{"visitor", "required"}, {"purpose", "required"}}},
        {"both of a pair",
         R"({"visitor":{"firstName":"A"},"visitorId":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","purpose":"x"})",
         {{"visitorId", "conflict"}}},
        {"null is absent",
         R"({"visitor":{"firstName":null},"purpose":"x","purposeId":null})",
         {{"visitor.firstName", "required"}}},
        {"object without its needed member", R"({"visitor":{},"purpose":"x"})", {{"visitor.firstName", "required"}}},
        {"known visitor needs no name", R"({"visitorId":"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","purpose":"x"})", {}},
        {"wrong is not absent too",
         R"({"visitor":{"firstName":""},"purpose":"","groupSize":11})",
         {{"visitor.firstName", "empty"}, {"purpose", "empty"}, {"groupSize", "range"}}},
        {"types",
         R"({"visitor":"Asha","purpose":7,"groupSize":"2","isVip":"true","tags":"a","ids":[1]})",
         {{"visitor", "type"},
          {"purpose", "type"},
          {"groupSize", "type"},
          {"isVip", "type"},
          {"tags", "type"},
          {"ids", "type"}}},
        {"unknown",
         R"({"visitor":{"firstName":"A","isActive":false},"purpose":"x","tenant_id":"t","given":["a"]})",
         {{"visitor.isActive", "unknown"}, {"tenant_id", "unknown"}, {"given", "unknown"}}},
        {"an unknown null is absent", R"({"visitor":{"firstName":"A","photo":null},"purpose":"x","gate":null})", {}},
        {"other spellings",
         R"({"visitor":{"first_name":"A"},"purpose":"x"})",
         {{"visitor.first_name", "unknown"}, {"visitor.firstName", "required"}}},
        {"document without a type",
         R"({"visitor":{"firstName":"A","documentNo":"7"},"purpose":"x"})",
         {{"visitor.documentNo", "document_type"}}},
        {"words for days",
         R"({"visitor":{"firstName":"A"},"purpose":"x","day":"tomorrow","at":"2027-02-01T10:00:00"})",
         {{"day", "invalid"}, {"at", "invalid"}}},
        {"no whole number",
         R"({"visitor":{"firstName":"A"},"purpose":"x","groupSize":2.5})",
         {{"groupSize", "invalid"}}},
        {"given twice",
         R"({"visitor":{"firstName":"A","firstName":"B"},"purpose":"x"})",
         {{"visitor.firstName", "duplicate"}}},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.what);
        EXPECT_EQ(errors(visit(c.body)), c.errors);
    }
}

TEST_F(BindingTest, BodyAsAWhole) {
    for (const char *bad : {"[]", "\"Ravi\"", "{} {}", "{", "\xEF\xBB\xBF{}", "{\"groupSize\":NaN}"}) {
        SCOPED_TRACE(bad);
        const Binding binding = bind(visit(bad), memory_);
        EXPECT_TRUE(binding.body_code != nullptr);
        EXPECT_TRUE(binding.errors.empty());
        EXPECT_FALSE(binding.body_message.empty());
    }
    BindingRequest get = visit("{}");
    get.takes_body = false;
    EXPECT_STREQ(bind(get, memory_).body_code, "body");
}

TEST_F(BindingTest, TenantOfTheTokenIsPassedOver) {
    const std::string own = std::string(R"({"visitor":{"firstName":"A"},"purpose":"x","tenantId":")") + kId + "\"}";
    EXPECT_FALSE(bind(visit(own), memory_).is_foreign_tenant);
    EXPECT_EQ(errors(visit(own)), Errors{});
    for (const char *other : {"\"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c\"", "7", "\"x\""}) {
        const std::string body = std::string(R"({"tenantId":)") + other + "}";
        EXPECT_TRUE(bind(visit(body), memory_).is_foreign_tenant) << other;
    }
    BindingRequest anonymous = visit(own);
    anonymous.tenant = {};
    EXPECT_EQ(errors(anonymous), (Errors{{"tenantId", "unknown"}}));
    BindingRequest inside = visit(R"({"visitor":{"firstName":"A","tenantId":"x"},"purpose":"x"})");
    EXPECT_EQ(errors(inside), (Errors{{"visitor.tenantId", "unknown"}}));
}

TEST_F(BindingTest, PatchTellsNullFromAbsent) {
    BindingRequest request = visit(R"({"purpose":null,"tags":null,"day":"2027-01-01"})");
    request.one_of = {};
    request.keeps_null = true;
    const Binding binding = bind(request, memory_);
    EXPECT_TRUE(binding.errors.empty());
    EXPECT_TRUE(binding.values[purpose].is_given && binding.values[purpose].is_null);
    EXPECT_TRUE(binding.values[tags].is_given && binding.values[tags].is_null);
    EXPECT_TRUE(binding.values[day].is_given && !binding.values[day].is_null);
    EXPECT_FALSE(binding.values[is_vip].is_given);
    request.body = R"({"photo":null})";
    EXPECT_EQ(errors(request), (Errors{{"photo", "unknown"}}));
    request.body = R"({"visitor":{"firstName":null},"groupSize":"x"})"; // required by the route: null cannot clear it
    EXPECT_EQ(errors(request), (Errors{{"groupSize", "type"}, {"visitor.firstName", "required"}}));
    request.body = R"({"visitor":{}})";
    EXPECT_EQ(errors(request), (Errors{}));
}

TEST_F(BindingTest, PathAndQuery) {
    const Parameter parameters[] = {
        {.name = "id", .member = "id", .kind = ValueKind::uuid},
        {.name = "site_ids", .member = "siteIds", .kind = ValueKind::uuid_array, .has_default = true},
        {.name = "search", .member = "search", .has_default = true}};
    const RouteParameter path[] = {{"id", kId}};
    BindingRequest request{};
    request.parameters = parameters;
    request.path = path;
    request.takes_body = false;
    const std::string both = std::string("siteIds=") + kId + "&search=Ravi+Das%2B&siteIds=" + kOther;
    request.query = both;
    const Binding binding = bind(request, memory_);
    EXPECT_TRUE(binding.errors.empty());
    EXPECT_EQ(binding.values[0].uuid, *parse_uuid(kId));
    EXPECT_EQ(binding.values[1].uuids.size(), 2u);
    EXPECT_EQ(binding.values[2].text, "Ravi Das+");

    request.query = "search=a&search=b&siteIds=x&page=1&%zz=1&id=7";
    EXPECT_EQ(errors(request), (Errors{{"search", "duplicate"},
                                       {"siteIds", "invalid"},
                                       {"page", "unknown"},
                                       {"%zz", "escape"},
                                       {"id", "unknown"}}));
    const RouteParameter wrong[] = {{"id", "7%2Fstatus"}};
    request.path = wrong;
    request.query = {};
    EXPECT_EQ(errors(request), (Errors{{"id", "invalid"}}));
    request.takes_body = true;
    request.path = path;
    request.body = R"({"id":"7"})";
    EXPECT_EQ(errors(request), (Errors{{"id", "unknown"}}));
}

class PageTest : public testing::Test {
  protected:
    Binding page(std::string_view query) {
        BindingRequest request{};
        request.parameters = kSorted;
        request.is_paged = true;
        request.takes_body = false;
        request.query = query;
        request.cursor_seal = 42;
        request.default_sort = "-madeAt";
        return bind(request, memory_);
    }

    static inline const Parameter kSorted[] = {
        {.name = "sort", .member = "sort", .has_default = true},
        {.name = "page_limit", .member = "pageLimit", .kind = ValueKind::int4, .has_default = true, .is_filled = true}};
    std::pmr::monotonic_buffer_resource memory_;
};

TEST_F(PageTest, HasBounds) {
    EXPECT_EQ(page("").page.number, 1);
    EXPECT_EQ(page("").page.size, 20);
    EXPECT_EQ(page("page=3&pageSize=100").page.size, 100);
    const struct {
        const char *query;
        std::vector<std::string> fields;
    } cases[] = {{"page=-1&pageSize=1000000", {"page", "pageSize"}},
                 {"page=0", {"page"}},
                 {"page=1.5", {"page"}},
                 {"page=&pageSize=", {"page", "pageSize"}},
                 {"pageSize=101", {"pageSize"}},
                 {"pageSize=0", {"pageSize"}},
                 {"page=1&page=2", {"page"}},
                 {"cursor=x", {"cursor"}},
                 {"pageLimit=7", {"pageLimit"}},
                 {"page=10000001", {"page"}}};
    for (const auto &c : cases) {
        SCOPED_TRACE(c.query);
        std::vector<std::string> fields;
        for (const FieldError &error : page(c.query).errors)
            fields.emplace_back(error.field);
        EXPECT_EQ(fields, c.fields);
    }
}

TEST_F(PageTest, CursorGoesRound) {
    const std::string_view key[] = {"2026-11-25 10:00:00+00", "", kId};
    const std::string cursor(make_cursor(42, "-name", key, memory_));
    const Binding binding = page("cursor=" + cursor);
    EXPECT_TRUE(binding.errors.empty());
    EXPECT_TRUE(binding.page.is_cursor);
    EXPECT_EQ(binding.page.sort, "-name");
    ASSERT_EQ(binding.page.after.size(), 3u);
    EXPECT_EQ(binding.page.after[0], key[0]);
    EXPECT_EQ(binding.page.after[1], "");
    EXPECT_EQ(binding.page.after[2], kId);
    EXPECT_TRUE(page("sort=-name&cursor=" + cursor).errors.empty());
    EXPECT_EQ(page("sort=name&cursor=" + cursor).errors.size(), 1u);
    EXPECT_EQ(page("page=1&cursor=" + cursor).errors.size(), 1u);
    EXPECT_EQ(page("cursor=" + std::string(make_cursor(43, "-name", key, memory_))).errors.size(), 1u)
        << "another list's";
    EXPECT_EQ(page("cursor=" + std::string(make_cursor(42, "-name", {}, memory_))).errors.size(), 1u) << "no key";
    EXPECT_EQ(page("").page.sort, "-madeAt") << "the default";
    EXPECT_EQ(page("cursor=" + cursor).page.sort, "-name") << "a cursor goes before the default";
}

// Whoever makes up a cursor gets 400 before anything of it comes near PostgreSQL's input functions.
TEST_F(PageTest, CursorsAreLookedAt) {
    const auto is_taken = [&](std::string_view sort, std::initializer_list<std::string_view> key) {
        const std::string cursor(make_cursor(42, sort, {key.begin(), key.size()}, memory_));
        return page("cursor=" + cursor).errors.empty();
    };
    for (const char *sort : {"madeAt", "-madeAt"}) {
        SCOPED_TRACE(sort);
        EXPECT_TRUE(is_taken(sort, {"2026-11-25T10:00:00.123456Z", kId}));
        EXPECT_TRUE(is_taken(sort, {"", kId})) << "no time";
        for (const char *moment : {"now", "infinity", "-infinity", "epoch", "2026-11-25", "2026-11-25T10:00:00", " "})
            EXPECT_FALSE(is_taken(sort, {moment, kId})) << moment;
        EXPECT_FALSE(is_taken(sort, {kId})) << "no time at all";
        EXPECT_FALSE(is_taken(sort, {"2026-11-25T10:00:00Z", "x", kId}));
    }
    EXPECT_TRUE(is_taken("name", {"now", kId})) << "somebody may be called so";
    EXPECT_FALSE(is_taken("name", {"asha", "x"})) << "no id";
    EXPECT_FALSE(is_taken("name", {"asha", ""}));
    EXPECT_TRUE(is_taken("name", {std::string(8192, 'x'), kId}));
    EXPECT_FALSE(is_taken("name", {std::string(8193, 'x'), kId}));
}

// Ten thousand unknown members cost 320 ms, each compared with all before it, and 100 bytes of answer a piece.
TEST(Errors, AreBounded) {
    const Parameter parameters[] = {{.name = "mobile", .member = "mobile"}};
    std::string body = R"({"mobile":1)";
    for (int i = 0; i < 9'000; ++i)
        body += ",\"m" + std::to_string(i) + "\":1";
    body += "}";
    std::pmr::monotonic_buffer_resource memory;
    BindingRequest request{};
    request.parameters = parameters;
    request.body = body;
    const Binding binding = bind(request, memory);
    ASSERT_EQ(binding.errors.size(), 100U);
    EXPECT_EQ(binding.errors[0].field, "mobile");
    EXPECT_EQ(binding.errors[99].field, "m98");
}

TEST(Period, DoesNotEndBeforeItBegins) {
    const Parameter parameters[] = {
        {.name = "valid_from", .member = "validFrom", .kind = ValueKind::date, .has_default = true},
        {.name = "valid_until", .member = "validUntil", .kind = ValueKind::date, .has_default = true},
        {.name = "other_from", .member = "otherFrom", .kind = ValueKind::date, .has_default = true}};
    std::pmr::monotonic_buffer_resource memory;
    const auto fields = [&](std::string_view body) {
        BindingRequest request{};
        request.parameters = parameters;
        request.body = body;
        std::vector<std::string> result;
        for (const FieldError &error : bind(request, memory).errors)
            result.emplace_back(error.field);
        return result;
    };
    using Fields = std::vector<std::string>;
    EXPECT_EQ(fields(R"({"validFrom":"2026-11-25","validUntil":"2026-11-25"})"), Fields{});
    EXPECT_EQ(fields(R"({"validFrom":"2026-11-26","validUntil":"2026-11-25"})"), Fields{"validUntil"});
    EXPECT_EQ(fields(R"({"otherFrom":"2026-11-26","validUntil":"2026-11-25"})"), Fields{});
    EXPECT_EQ(fields(R"({"validFrom":"2026-11-26","validUntil":null})"), Fields{});
    EXPECT_EQ(fields(R"({"validFrom":"x","validUntil":"2026-11-25"})"), Fields{"validFrom"});
}

} // namespace
