#include "sample/statement.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/failure.hpp"

namespace howdah::sample {
namespace {

using Source = ParameterKind::Source;

constexpr const char* kFile =
    "-- name: order_history\n"
    "-- area: carts\n"
    "-- weight: 60\n"
    "-- kind: read\n"
    "-- param 1: orders.user_id\n"
    "-- param 2: integer 5 60\n"
    "SELECT id FROM orders\n WHERE user_id = $1 AND total > $2;\n";

TEST(Statement, ParsesHeaderAndStatement) {
    const auto statement = parse_statement("order_history", kFile);
    EXPECT_EQ(statement.name, "order_history");
    EXPECT_EQ(statement.area, "carts");
    EXPECT_EQ(statement.weight, 60u);
    EXPECT_FALSE(statement.writes);
    ASSERT_EQ(statement.parameters.size(), 2u);
    EXPECT_EQ(statement.parameters[0].source, Source::column);
    EXPECT_EQ(statement.parameters[0].table, "orders");
    EXPECT_EQ(statement.parameters[0].column, "user_id");
    EXPECT_EQ(statement.parameters[1].low, 5);
    EXPECT_EQ(statement.parameters[1].high, 60);
    EXPECT_EQ(statement.sql, "SELECT id FROM orders\n WHERE user_id = $1 AND total > $2");
}

TEST(Statement, ParsesEveryKindOfParameter) {
    EXPECT_EQ(parse_parameter("t", "word").source, Source::word);
    EXPECT_EQ(parse_parameter("t", "text").source, Source::text);
    EXPECT_EQ(parse_parameter("t", "uuid").source, Source::uuid);
    EXPECT_EQ(parse_parameter("t", "days -3 60").low, -3);
    EXPECT_EQ(parse_parameter("t", "choice a|merino wool|c").choices, (std::vector<std::string>{"a", "merino wool", "c"}));
}

TEST(Statement, RefusesAWrongHeader) {
    EXPECT_THROW(parse_statement("t", "-- name: a\n-- colour: red\nSELECT 1;\n"), base::Failure);
    EXPECT_THROW(parse_statement("t", "-- name: a\n-- kind: maybe\nSELECT 1;\n"), base::Failure);
    EXPECT_THROW(parse_statement("t", "-- name: a\n-- weight: 0\nSELECT 1;\n"), base::Failure);
    EXPECT_THROW(parse_statement("t", "-- name: a\n-- param 2: word\nSELECT 1;\n"), base::Failure);
    EXPECT_THROW(parse_statement("t", "-- name: a\n"), base::Failure);
    EXPECT_THROW(parse_statement("t", "SELECT 1;\n"), base::Failure);
}

TEST(Statement, RefusesAWrongParameter) {
    for (const char* words :
         {"", "number", "orders.", ".id", "orders .id", "integer 1", "integer 9 1", "integer a b", "choice", "word 3"}) {
        EXPECT_THROW(parse_parameter("t", words), base::Failure) << words;
    }
}

TEST(Workload, HasWeightedReadsAndWritesInEveryArea) {
    const auto statements = workload_statements();
    EXPECT_GE(statements.size(), 60u);
    std::set<std::string> names;
    std::set<std::string> areas;
    std::map<bool, unsigned> weights;
    for (const auto& statement : statements) {
        names.insert(statement.name);
        areas.insert(statement.area);
        weights[statement.writes] += statement.weight;
        for (std::size_t number = 1; number <= statement.parameters.size(); ++number) {
            EXPECT_NE(statement.sql.find("$" + std::to_string(number)), std::string::npos) << statement.name;
        }
        EXPECT_EQ(statement.sql.find("$" + std::to_string(statement.parameters.size() + 1)), std::string::npos) << statement.name;
    }
    EXPECT_EQ(names.size(), statements.size());
    EXPECT_EQ(areas.size(), 10u);
    EXPECT_GT(weights[true] * 10, weights[false]);
    EXPECT_GT(weights[false], weights[true]);
}

}  // namespace
}  // namespace howdah::sample
