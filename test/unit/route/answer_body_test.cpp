// Tables of values become the envelope of success.
#include "core/route/answer_body.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace relygate::core;

namespace {

Cell text(std::string_view value) {
    return {Cell::Kind::text, value, {}};
}
Cell plain(std::string_view value) {
    return {Cell::Kind::plain, value, {}};
}
Cell raw(std::string_view value) {
    return {Cell::Kind::raw, value, {}};
}
const Cell kNull{};

class AnswerBodyTest : public testing::Test {
  protected:
    std::string_view body(DataShape shape, const std::vector<const char *> &names, std::vector<Cell> cells,
                          const Pagination &pagination = {}) {
        columns_.clear();
        for (const char *name : names)
            columns_.push_back(column_of(name, memory_));
        cells_ = std::move(cells);
        const Table table{columns_, cells_, columns_.empty() ? 0 : cells_.size() / columns_.size(),
                          lay_out(columns_, memory_)};
        return answer_body("Done", shape, table, pagination, memory_);
    }

    std::vector<Column> columns_;
    std::vector<Cell> cells_;
    std::pmr::monotonic_buffer_resource memory_;
};

TEST_F(AnswerBodyTest, WritesNestedObjects) {
    EXPECT_EQ(
        body(DataShape::object,
             {"id", "visitor__id", "group_size", "visitor__unit__id", "visitor__first_name", "_cursor"},
             {text("1"), text("2"), raw("3"), kNull, text("A\"b"), text("hidden")}),
        R"({"responseCode":"S","responseMessage":"Done","data":{"id":"1","visitor":{"id":"2","unit":null,"firstName":"A\"b"},"groupSize":3}})");
    EXPECT_EQ(body(DataShape::object, {"host__id", "host__name", "id"}, {kNull, kNull, text("1")}),
              R"({"responseCode":"S","responseMessage":"Done","data":{"host":null,"id":"1"}})");
    EXPECT_EQ(body(DataShape::object, {"when__from", "when__to"}, {kNull, kNull}),
              R"({"responseCode":"S","responseMessage":"Done","data":{"when":{"from":null,"to":null}}})");
}

TEST_F(AnswerBodyTest, WritesPlainTextsAsTheyAre) {
    const Cell items[] = {plain("2"), plain("")};
    EXPECT_EQ(body(DataShape::object, {"host__id", "host__name", "at", "ids"},
                   {plain("1"), text("B"), plain("2026-11-25T08:00:00Z"), {Cell::Kind::array, {}, items}}),
              R"({"responseCode":"S","responseMessage":"Done","data":{"host":{"id":"1","name":"B"},)"
              R"("at":"2026-11-25T08:00:00Z","ids":["2",""]}})");
}

TEST_F(AnswerBodyTest, WritesArrays) {
    const Cell items[] = {text("a"), kNull, raw("1")};
    EXPECT_EQ(body(DataShape::object, {"tags", "none"}, {{Cell::Kind::array, {}, items}, {Cell::Kind::array, {}, {}}}),
              R"({"responseCode":"S","responseMessage":"Done","data":{"tags":["a",null,1],"none":[]}})");
}

TEST_F(AnswerBodyTest, WritesListsWithPagination) {
    EXPECT_EQ(body(DataShape::list, {"id", "_total"}, {raw("1"), raw("2"), raw("2"), raw("2")},
                   {.is_there = true, .page = 1, .page_size = 20, .total = 2, .next_cursor = {}}),
              R"({"responseCode":"S","responseMessage":"Done","data":[{"id":1},{"id":2}],)"
              R"("pagination":{"page":1,"pageSize":20,"totalItems":2,"totalIsExact":true}})");
    EXPECT_EQ(
        body(DataShape::list, {"id"}, {},
             {.is_there = true, .page = 0, .page_size = 5, .total = 0, .next_cursor = "abc"}),
        R"({"responseCode":"S","responseMessage":"Done","data":[],"pagination":{"pageSize":5,"nextCursor":"abc"}})");
    EXPECT_EQ(body(DataShape::list, {}, {},
                   {.is_there = true, .page = 1, .page_size = 20, .total = 10'001, .next_cursor = {}}),
              R"({"responseCode":"S","responseMessage":"Done","data":[],)"
              R"("pagination":{"page":1,"pageSize":20,"totalItems":10000,"totalIsExact":false}})");
}

TEST_F(AnswerBodyTest, WritesNothing) {
    EXPECT_EQ(body(DataShape::none, {"delete_site"}, {}),
              R"({"responseCode":"S","responseMessage":"Done","data":null})");
}

} // namespace
