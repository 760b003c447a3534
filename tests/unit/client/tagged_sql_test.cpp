#include "howdah/tagged_sql.hpp"

#include <gtest/gtest.h>

namespace howdah::tests {
namespace {

TEST(TaggedSql, TagsAreSortedAndEncoded) {
    EXPECT_EQ(tagged_sql("SELECT 1", {{"route", "/param first"}, {"controller", "order"}}),
              "SELECT 1 /*controller='order',route='%2Fparam%20first'*/");
    EXPECT_EQ(tagged_sql("SELECT 1", {{"route parameter", "a-b_c.d~e"}}), "SELECT 1 /*route%20parameter='a-b_c.d~e'*/");
}

TEST(TaggedSql, NothingGetsOutOfTheComment) {
    EXPECT_EQ(tagged_sql("SELECT 1", {{"a", "it's */ DROP TABLE x; --"}}), "SELECT 1 /*a='it%27s%20%2A%2F%20DROP%20TABLE%20x%3B%20--'*/");
    EXPECT_EQ(tagged_sql("SELECT 1", {{"*/", "\\'"}}), "SELECT 1 /*%2A%2F='%5C%27'*/");
    EXPECT_EQ(tagged_sql("SELECT 1", {{"a", "\xC3\xA4\n"}}), "SELECT 1 /*a='%C3%A4%0A'*/");
}

TEST(TaggedSql, WhatHasACommentStaysAsItIs) {
    EXPECT_EQ(tagged_sql("SELECT 1 /* mine */", {{"a", "b"}}), "SELECT 1 /* mine */");
    EXPECT_EQ(tagged_sql("SELECT 1 -- mine", {{"a", "b"}}), "SELECT 1 -- mine");
}

TEST(TaggedSql, EmptyTagsAreLeftOut) {
    EXPECT_EQ(tagged_sql("SELECT 1", {}), "SELECT 1");
    EXPECT_EQ(tagged_sql("SELECT 1", {{"a", ""}, {"", "b"}}), "SELECT 1");
    EXPECT_EQ(tagged_sql("SELECT 1", {{"a", ""}, {"c", "d"}}), "SELECT 1 /*c='d'*/");
}

}  // namespace
}  // namespace howdah::tests
