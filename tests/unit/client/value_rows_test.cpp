#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

#include "howdah/rows.hpp"
#include "made_rows.hpp"

namespace shop {

struct User {
    std::int64_t id = 0;
    std::string name;
    std::optional<int> age;
};

enum class Mood { glad, sad };

}  // namespace shop

template <>
inline constexpr auto howdah::kFields<shop::User> =
    std::tuple{howdah::Field{"id", &shop::User::id}, howdah::Field{"name", &shop::User::name}, howdah::Field{"age", &shop::User::age}};

template <>
struct howdah::Codec<shop::Mood> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, shop::Mood mood) { list.add_text_copy(mood == shop::Mood::glad ? "glad" : "sad"); }
    static Result<shop::Mood> decode(const Cell& cell) {
        if (cell.bytes() == "glad") return shop::Mood::glad;
        if (cell.bytes() == "sad") return shop::Mood::sad;
        return value_error(cell, "a mood");
    }
};

namespace howdah {
namespace {

using tests::made_rows;

Rows users() {
    return made_rows({{"name"}, {"age", type::kInt4}, {"id", type::kInt8}, {"more"}},
                     {{"Ann", "41", "1", "x"}, {"Bob", std::nullopt, "2", "y"}});
}

TEST(Rows, AreIteratedAndAskedByNameAndPosition) {
    const Rows rows = users();
    EXPECT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows.columns(), 4U);
    EXPECT_EQ(rows.column_name(2), "id");
    EXPECT_EQ(rows.column_type(2), type::kInt8);
    EXPECT_EQ(rows.column_name(4), "");
    EXPECT_EQ(rows.column_type(4), 0U);
    std::string names;
    std::int64_t sum = 0;
    for (const Row row : rows) {
        names += row.get<std::string_view>("name").value();
        sum += row.get<std::int64_t>(2).value();
    }
    EXPECT_EQ(names, "AnnBob");
    EXPECT_EQ(sum, 3);
    EXPECT_EQ(rows[1].get<std::optional<int>>("age").value(), std::nullopt);
    EXPECT_EQ(rows[0].get<std::optional<int>>("age").value(), 41);
}

TEST(Rows, NoAnswerHasNoRows) {
    const Rows rows;
    EXPECT_TRUE(rows.empty());
    EXPECT_EQ(rows.columns(), 0U);
    EXPECT_EQ(rows.affected(), 0);
    EXPECT_EQ(rows.command_tag(), "");
    EXPECT_EQ(rows.begin(), rows.end());
    EXPECT_TRUE(rows.all<int>()->empty());
    EXPECT_FALSE(rows.one<int>());
    EXPECT_FALSE(rows.maybe<int>().value());
}

TEST(Rows, KeepWhatWasReadWhenMoved) {
    Rows first = users();
    const std::string_view name = first[0].get<std::string_view>("name").value();
    const Row row = first[1];
    Rows second = std::move(first);
    EXPECT_EQ(name, "Ann");
    EXPECT_EQ(row.get<std::string>("name").value(), "Bob");
    first = std::move(second);
    EXPECT_EQ(name, "Ann");
    EXPECT_EQ(first.size(), 2U);
}

TEST(Rows, BecomeStructsByName) {
    const auto all = users().all<shop::User>();
    ASSERT_TRUE(all) << all.error().message();
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].id, 1);
    EXPECT_EQ((*all)[0].name, "Ann");
    EXPECT_EQ((*all)[0].age, 41);
    EXPECT_EQ((*all)[1].age, std::nullopt);
    const auto one = users()[1].as<shop::User>();
    EXPECT_EQ(one->name, "Bob");
}

TEST(Rows, SayWhichFieldOfAStructIsWrong) {
    const auto absent = made_rows({{"id", type::kInt8}, {"Name"}}, {{"1", "x"}}).all<shop::User>();
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().message(), "there is no such column: \"name\"");
    EXPECT_EQ(absent.error().hint(), "the columns are \"id\", \"Name\"");
    const auto null =
        made_rows({{"id", type::kInt8}, {"name"}, {"age", type::kInt4}}, {{"1", "x", "5"}, {"2", std::nullopt, "5"}}).all<shop::User>();
    ASSERT_FALSE(null);
    EXPECT_EQ(null.error().message(), "column \"name\" in row 1 is NULL");
}

TEST(Rows, BecomeTuplesByPosition) {
    const Rows rows = made_rows({{"a", type::kInt4}, {"b"}}, {{"1", "x"}, {"2", std::nullopt}});
    using Pair = std::tuple<int, std::optional<std::string>>;
    const auto all = rows.all<Pair>();
    ASSERT_TRUE(all);
    EXPECT_EQ((*all)[0], Pair(1, "x"));
    EXPECT_EQ((*all)[1], Pair(2, std::nullopt));
    const auto [number, text] = rows[0].as<Pair>().value();
    EXPECT_EQ(number, 1);
    EXPECT_EQ(text, "x");
    const auto wrong = rows[0].as<std::tuple<int>>();
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message(), "the number of columns is not 1: 2");
    const auto mistyped = rows[0].as<std::tuple<int, int>>();
    ASSERT_FALSE(mistyped);
    EXPECT_EQ(mistyped.error().message(), "column \"b\" in row 0 is of type text, not a whole number of 32 bits: x");
}

TEST(Rows, OneAndMaybeCount) {
    const Rows rows = made_rows({{"a", type::kInt4}}, {{"1"}, {"2"}});
    EXPECT_EQ(rows.one<int>().error().message(), "the answer is not one row: 2 rows");
    EXPECT_FALSE(rows.maybe<int>());
    EXPECT_EQ(made_rows({{"a", type::kInt4}}, {{"7"}}).one<int>().value(), 7);
    EXPECT_EQ(made_rows({{"a", type::kInt4}}, {{"7"}}).maybe<int>().value(), 7);
    EXPECT_EQ(rows.all<int>().value(), (std::vector<int>{1, 2}));
    EXPECT_EQ(made_rows({{"a", type::kInt4}}, {{std::nullopt}}).one<std::optional<int>>().value(), std::nullopt);
}

TEST(Rows, MissingColumnsAndRowsAreErrors) {
    const Rows rows = users();
    const auto by_number = rows[0].get<int>(4);
    ASSERT_FALSE(by_number);
    EXPECT_EQ(by_number.error().message(), "there is no such column: number 4, counted from 0");
    EXPECT_EQ(by_number.error().phase(), Phase::decode);
    EXPECT_EQ(by_number.error().cause(), Cause::usage);
    EXPECT_EQ(by_number.error().outcome(), Outcome::succeeded);
    EXPECT_FALSE(rows[0].get<int>("Id"));
    EXPECT_FALSE(rows[2].get<int>(1));
    EXPECT_TRUE(rows[0].cell(99).is_null());
}

TEST(Rows, ReadTypesOfTheProgramsOwn) {
    const Rows rows = made_rows({{"a", 16402}, {"b", 16403}}, {{"sad", "{glad,NULL}"}, {"glum", "{}"}});
    EXPECT_EQ(rows[0].get<shop::Mood>("a").value(), shop::Mood::sad);
    const auto moods = rows[0].get<std::vector<std::optional<shop::Mood>>>("b").value();
    EXPECT_EQ(moods, (std::vector<std::optional<shop::Mood>>{shop::Mood::glad, std::nullopt}));
    EXPECT_EQ(rows[1].get<shop::Mood>("a").error().message(), "column \"a\" in row 1 of type number 16402 is not a mood: glum");
}

}  // namespace
}  // namespace howdah
