// JSON in UTF-8 and nothing else.
#include "core/route/media_type.hpp"

#include <gtest/gtest.h>

using relygate::core::is_json_media_type;

namespace {

TEST(MediaType, TakesJsonInUtf8) {
    for (const char *good : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                             "application/json ; charset=\"UTF-8\"", "application/json; x=y; Charset=Utf-8"})
        EXPECT_TRUE(is_json_media_type(good)) << good;
}

TEST(MediaType, RefusesAllElse) {
    for (const char *bad : {"", "text/json", "application/jsonp", "application/json; charset=ISO-8859-1",
                            "application/json; charset=utf-8; charset=latin1", "application/json; charset",
                            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})
        EXPECT_FALSE(is_json_media_type(bad)) << bad;
}

} // namespace
