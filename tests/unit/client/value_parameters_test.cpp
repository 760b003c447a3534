#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "howdah/classify.hpp"
#include "howdah/parameters.hpp"
#include "howdah/rows.hpp"
#include "made_rows.hpp"
#include "support/allocations/allocations.hpp"

namespace howdah {
namespace {

using namespace std::chrono_literals;

/// What was wrong, with the rules that hold for all such errors.
std::string error_of(const ParameterList& list) {
    if (!list.error()) return "nothing";
    EXPECT_EQ(list.error()->phase(), Phase::encode);
    EXPECT_EQ(list.error()->cause(), Cause::usage);
    EXPECT_EQ(list.error()->outcome(), Outcome::not_sent);
    EXPECT_FALSE(list.error()->hint().empty());
    return list.error()->message();
}

TEST(Parameters, TextIsReferencedAndEndsInAZero) {
    const std::string text = "some text";
    const char* literal = "literal";
    const Parameters parameters(text, literal, std::string_view(text).substr(0, 4), "array");
    ASSERT_EQ(parameters.size(), 4U);
    EXPECT_EQ(parameters.values()[0], text.c_str());
    EXPECT_EQ(parameters.values()[1], literal);
    EXPECT_STREQ(parameters.values()[2], "some");
    EXPECT_STREQ(parameters.values()[3], "array");
    for (std::size_t at = 0; at < parameters.size(); ++at) {
        EXPECT_EQ(parameters.types()[at], 0U);
        EXPECT_EQ(parameters.formats()[at], 0);
    }
}

TEST(Parameters, NumbersGoInNetworkOrderWithTheirType) {
    const Parameters parameters(std::int32_t{-2}, std::int64_t{0x0102030405060708}, std::int16_t{258}, true, 1.0);
    EXPECT_EQ(std::string_view(parameters.values()[0], 4), "\xff\xff\xff\xfe");
    EXPECT_EQ(std::string_view(parameters.values()[1], 8), "\1\2\3\4\5\6\7\10");
    EXPECT_EQ(std::string_view(parameters.values()[2], 2), "\1\2");
    EXPECT_EQ(std::string_view(parameters.values()[3], 1), "\1");
    EXPECT_EQ(std::string_view(parameters.values()[4], 8), std::string_view("\x3f\xf0\0\0\0\0\0\0", 8));
    const std::array<std::uint32_t, 5> types{type::kInt4, type::kInt8, type::kInt2, type::kBool, type::kFloat8};
    for (std::size_t at = 0; at < types.size(); ++at) EXPECT_EQ(parameters.types()[at], types[at]);
}

TEST(Parameters, NullHasTheTypeOfWhatItIsNot) {
    const Parameters parameters(std::nullopt, std::optional<int>(), std::optional<std::string>(), std::optional<int>(7));
    EXPECT_EQ(parameters.values()[0], nullptr);
    EXPECT_EQ(parameters.values()[1], nullptr);
    EXPECT_EQ(parameters.types()[1], type::kInt4);
    EXPECT_EQ(parameters.types()[2], 0U);
    EXPECT_NE(parameters.values()[3], nullptr);
}

TEST(Parameters, WhatCannotBeSentIsNamedByItsNumber) {
    EXPECT_EQ(error_of(Parameters(1, std::string("a\0b", 3))),
              "parameter $2: text holds a zero byte, which no text of the server can: at byte 1");
    EXPECT_EQ(error_of(Parameters(std::string_view("\0", 1))),
              "parameter $1: text holds a zero byte, which no text of the server can: at byte 0");
    EXPECT_EQ(error_of(Parameters(Json{std::string("{}\0", 3)})),
              "parameter $1: text holds a zero byte, which no text of the server can: at byte 2");
    EXPECT_EQ(error_of(Parameters(static_cast<const char*>(nullptr))), "parameter $1: text is expected: a null pointer");
    EXPECT_EQ(error_of(Parameters(1, 2, std::vector<std::string>{"a", std::string("\0", 1)})),
              "parameter $3: element 2: text holds a zero byte, which no text of the server can: at byte 0");
    // The first of several is told; all values keep their numbers.
    const Parameters several(std::string(1, '\0'), 5, static_cast<const char*>(nullptr));
    EXPECT_EQ(several.size(), 3U);
    EXPECT_EQ(error_of(several).substr(0, 13), "parameter $1:");
    EXPECT_EQ(classify(*several.error()).verdict, (Verdict{Retry::never, Vote::none, Fate::keep}));
}

TEST(Parameters, MomentsTheServerHasNotAreErrors) {
    EXPECT_EQ(error_of(Parameters(Timestamp(-210'866'803'200'000'000us))), "nothing");
    EXPECT_NE(error_of(Parameters(Timestamp(-210'866'803'200'000'001us))), "nothing");
    EXPECT_EQ(error_of(Parameters(Timestamp(Timestamp::max() - 1us))), "nothing");
    EXPECT_NE(error_of(Parameters(Timestamp(Timestamp::min() + 1us))), "nothing");
    EXPECT_EQ(error_of(Parameters(kForever, kBeginning, kLocalForever, kLocalBeginning, kLastDate, kFirstDate)), "nothing");
    EXPECT_EQ(error_of(Parameters(std::chrono::sys_seconds(1s), std::chrono::sys_time<std::chrono::nanoseconds>(1ns))), "nothing");
    EXPECT_NE(error_of(Parameters(std::chrono::sys_seconds::max())), "nothing");
    EXPECT_NE(error_of(Parameters(std::chrono::sys_time<std::chrono::hours>::min())), "nothing");
    EXPECT_EQ(error_of(Parameters(Date(std::chrono::days(-2'440'588)), Date(std::chrono::days(2'145'042'905)))), "nothing");
    EXPECT_NE(error_of(Parameters(Date(std::chrono::days(-2'440'589)))), "nothing");
    EXPECT_NE(error_of(Parameters(Date(std::chrono::days(2'145'042'906)))), "nothing");
    EXPECT_NE(error_of(Parameters(Date(Date::min() + std::chrono::days(1)))), "nothing");
}

TEST(Parameters, SixteenAndMoreAndLongOnesKeepTheirValues) {
    Parameters parameters;
    for (int number = 0; number < 300; ++number) {
        parameters.add(number);
        parameters.add(std::string_view(std::to_string(number) + std::string(static_cast<std::size_t>(number), 'x')));
    }
    ASSERT_EQ(parameters.size(), 600U);
    for (int number = 0; number < 300; ++number) {
        const auto at = static_cast<std::size_t>(2 * number);
        EXPECT_EQ(decode<int>(tests::made_binary_cell(type::kInt4, {parameters.values()[at], 4})).value(), number);
        EXPECT_EQ(parameters.values()[at + 1], std::to_string(number) + std::string(static_cast<std::size_t>(number), 'x'));
        EXPECT_EQ(parameters.formats()[at], 1);
        EXPECT_EQ(parameters.formats()[at + 1], 0);
    }
}

TEST(Parameters, MoreThanTheProtocolCountsAreAnError) {
    Parameters parameters;
    for (int number = 0; number < 65'535; ++number) parameters.add(true);
    EXPECT_EQ(error_of(parameters), "nothing");
    parameters.add(true);
    EXPECT_NE(error_of(parameters), "nothing");
}

TEST(Parameters, ArraysAreBinaryWhenTheirElementsAre) {
    const std::vector<std::int16_t> numbers{1, 2};
    const Parameters parameters(numbers, std::vector<std::string>{"a\"b\\", "NULL", ""}, std::vector<std::optional<int>>{std::nullopt},
                                std::vector<Uuid>(), std::span<const std::int16_t>(numbers));
    EXPECT_EQ(parameters.types()[0], type::array_of(type::kInt2));
    EXPECT_EQ(std::string_view(parameters.values()[0], static_cast<std::size_t>(parameters.lengths()[0])),
              std::string_view("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\2\0\0\0\1\0\0\0\2\0\1\0\0\0\2\0\2", 32));
    EXPECT_STREQ(parameters.values()[1], R"({"a\"b\\","NULL",""})");
    EXPECT_EQ(parameters.types()[1], 0U);
    EXPECT_STREQ(parameters.values()[2], "{NULL}");
    EXPECT_STREQ(parameters.values()[3], "{}");
    EXPECT_EQ(parameters.types()[3], type::array_of(type::kUuid));
    EXPECT_EQ(parameters.lengths()[4], parameters.lengths()[0]);
}

TEST(Values, AnOrdinaryCallAllocatesNothing) {
    const std::string text(1000, 'x');
    const std::vector<std::byte> bytes(1000);
    const Rows rows = tests::made_rows({{"id", type::kInt8}, {"name"}, {"at", type::kTimestamptz}, {"ok", type::kBool}, {"u", type::kUuid}},
                                       {{"17", "Ann", "2024-02-29 12:34:56+00", "t", "6c8f8b0e-1234-4000-8000-0123456789ab"}});
    const Uuid uuid{};
    std::int64_t sum = 0;
    const std::size_t before = tests::allocations();
    for (int call = 0; call < 1000; ++call) {
        const Parameters parameters(call, std::int64_t{5}, 1.5, true, text, "literal", std::string_view("a short text"), bytes, uuid,
                                    Timestamp(1s), Date(), std::optional<int>(), std::nullopt);
        sum += static_cast<std::int64_t>(parameters.size());
        for (const Row row : rows) {
            sum += row.get<std::int64_t>("id").value();
            sum += static_cast<std::int64_t>(row.get<std::string_view>(1)->size());
            sum += row.get<Timestamp>("at")->time_since_epoch().count() % 2;
            sum += row.get<bool>(3).value() ? 1 : 0;
            sum += std::to_integer<int>(row.get<Uuid>(4)->bytes[0]);
            sum +=
                static_cast<std::int64_t>(std::get<1>(row.as<std::tuple<int, std::string_view, Timestamp, bool, Uuid>>().value()).size());
        }
    }
    EXPECT_EQ(tests::allocations(), before);
    EXPECT_GT(sum, 0);
}

}  // namespace
}  // namespace howdah
