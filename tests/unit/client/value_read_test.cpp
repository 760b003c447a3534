#include <gtest/gtest.h>

#include <string>

#include "howdah/codec.hpp"
#include "made_rows.hpp"

namespace howdah {
namespace {

using tests::made_binary_cell;
using tests::made_cell;

template <typename T>
std::string error_of(const Result<T>& result) {
    if (result) return "nothing";
    EXPECT_EQ(result.error().phase(), Phase::decode);
    EXPECT_EQ(result.error().cause(), Cause::usage);
    return result.error().message();
}

template <typename T>
Result<T> read(std::uint32_t type, std::string_view text) {
    return decode<T>(made_cell(type, text));
}

template <typename T>
Result<T> read_binary(std::uint32_t type, std::string_view bytes) {
    return decode<T>(made_binary_cell(type, bytes));
}

/// Each text is refused; the messages name column, type and value.
template <typename T>
void refuses(std::uint32_t type, std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) EXPECT_NE(error_of(read<T>(type, text)).find("column \"c\" in row 0 of type"), std::string::npos) << text;
}

template <typename T>
void refuses_binary(std::uint32_t type, std::initializer_list<std::string_view> values) {
    for (const auto bytes : values) EXPECT_NE(error_of(read_binary<T>(type, bytes)).find(": 0x"), std::string::npos) << bytes.size();
}

TEST(ReadNumbers, WhatDoesNotFitIsNamed) {
    EXPECT_EQ(error_of(read<std::int32_t>(type::kInt8, "2147483648")),
              "column \"c\" in row 0 of type int8 is not a whole number of 32 bits: 2147483648");
    EXPECT_EQ(read<std::int32_t>(type::kInt8, "2147483648").error().hint(), "read it as a longer one");
    EXPECT_EQ(read<std::int32_t>(type::kInt8, "-2147483648").value(), std::numeric_limits<std::int32_t>::min());
    refuses<std::int16_t>(type::kInt4, {"32768", "-32769"});
    refuses<std::int64_t>(type::kInt8, {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "1e3"});
    refuses_binary<std::int64_t>(type::kInt8, {"", "1234567", "123456789"});
    refuses_binary<std::int16_t>(type::kInt4, {std::string_view("\0\1\0\0", 4), "12"});
    EXPECT_EQ(read_binary<std::int64_t>(type::kOid, "\xff\xff\xff\xff").value(), 4294967295);
    EXPECT_EQ(read_binary<std::int16_t>(type::kInt4, "\xff\xff\xff\xff").value(), -1);
}

TEST(ReadNumbers, AnotherTypeIsNamed) {
    EXPECT_EQ(error_of(read<int>(type::kText, "5")), "column \"c\" in row 0 is of type text, not a whole number of 32 bits: 5");
    EXPECT_EQ(error_of(read<double>(type::kNumeric, "5")), "column \"c\" in row 0 is of type numeric, not a floating-point number: 5");
    EXPECT_EQ(error_of(read<float>(type::kFloat8, "5")).substr(0, 35), "column \"c\" in row 0 is of type floa");
    EXPECT_EQ(error_of(read<bool>(type::kInt4, "1")).substr(0, 35), "column \"c\" in row 0 is of type int4");
    EXPECT_EQ(error_of(read<Numeric>(type::kFloat8, "1")).substr(0, 35), "column \"c\" in row 0 is of type floa");
    EXPECT_EQ(error_of(read<Timestamp>(type::kTimestamp, "2024-01-01 00:00:00")),
              "column \"c\" in row 0 is of type timestamp, not a moment: 2024-01-01 00:00:00");
    EXPECT_NE(error_of(read<Date>(type::kTimestamptz, "2024-01-01 00:00:00+00")), "nothing");
    EXPECT_NE(error_of(read<Uuid>(type::kText, "6c8f8b0e-1234-4000-8000-0123456789ab")), "nothing");
    EXPECT_NE(error_of(read<std::vector<std::byte>>(type::kText, "\\x00")), "nothing");
    EXPECT_NE(error_of(read<Json>(type::kText, "{}")), "nothing");
    EXPECT_NE(error_of(read<std::vector<int>>(type::kInt4, "5")), "nothing");
    EXPECT_NE(error_of(read<std::vector<int>>(type::array_of(type::kText), "{5}")), "nothing");
    EXPECT_NE(error_of(read<int>(16402, "5")), "nothing");
}

TEST(ReadNumbers, NullIsNamedAndOptionalTakesIt) {
    Cell cell = made_cell(type::kInt4, "");
    cell.data = nullptr;
    cell.row = 3;
    EXPECT_EQ(error_of(decode<int>(cell)), "column \"c\" in row 3 is NULL");
    EXPECT_EQ(decode<std::optional<int>>(cell).value(), std::nullopt);
    EXPECT_NE(error_of(decode<std::string>(cell)), "nothing");
    EXPECT_NE(error_of(decode<std::vector<int>>(cell)), "nothing");
    EXPECT_EQ(decode<std::optional<std::vector<int>>>(cell).value(), std::nullopt);
}

TEST(ReadNumbers, BooleansAndRealsAreStrict) {
    refuses<bool>(type::kBool, {"", "true", "T", "tt", "1"});
    refuses_binary<bool>(type::kBool, {"", "\2", "t"});
    refuses<double>(type::kFloat8, {"", "nan", "inf", "infinity", "1e400", "1 ", "0x1p3", "--1"});
    refuses<float>(type::kFloat4, {"1e40", "+1"});
    refuses_binary<double>(type::kFloat8, {"1234", "123456789"});
    refuses_binary<double>(type::kFloat4, {"12345678"});
}

TEST(ReadNumbers, ExactOnesKeepTheirDigits) {
    EXPECT_EQ(read<Numeric>(type::kNumeric, "0.10")->text(), "0.10");
    refuses<Numeric>(type::kNumeric, {"", ".", "-", "1e5", "1,0", "1.2.3", "nan", "inf", " 1", "--1"});
    refuses<Numeric>(type::kNumeric, {std::string(131073, '1'), "0." + std::string(16384, '1')});
    const auto bytes = [](std::initializer_list<int> words) {
        std::string text;
        for (const int word : words) text += {static_cast<char>(word >> 8 & 0xff), static_cast<char>(word & 0xff)};
        return text;
    };
    EXPECT_EQ(read_binary<Numeric>(type::kNumeric, bytes({2, 0, 0, 2, 12, 3400}))->text(), "12.34");
    EXPECT_EQ(read_binary<Numeric>(type::kNumeric, bytes({1, -2, 0x4000, 8, 1}))->text(), "-0.00000001");
    EXPECT_EQ(read_binary<Numeric>(type::kNumeric, bytes({0, 0, 0, 3}))->text(), "0.000");
    EXPECT_EQ(read_binary<Numeric>(type::kNumeric, bytes({1, 1, 0, 0, 1}))->text(), "10000");
    EXPECT_TRUE(read_binary<Numeric>(type::kNumeric, bytes({0, 0, 0xC000, 0}))->is_nan());
    refuses_binary<Numeric>(type::kNumeric, {"", bytes({1, 0, 0, 0}), bytes({1, 0, 0, 0, 10000}), bytes({0, 0, 1, 0}),
                                             bytes({0, 0, 0, 16384}), bytes({0, 0, 0, 0, 0})});
}

TEST(Numbers, ExactOnesCompareByValue) {
    const auto number = [](std::string_view text) { return Numeric::parse(text).value(); };
    EXPECT_EQ(number("1.50"), number("1.5"));
    EXPECT_EQ(number("-0.0"), number("0"));
    EXPECT_EQ(number("+007"), number("7"));
    EXPECT_EQ(number(".5"), number("0.5"));
    EXPECT_EQ(number("100"), Numeric(100));
    EXPECT_EQ(number("NaN"), number("NaN"));
    EXPECT_FALSE(number("10") == number("1"));
    EXPECT_FALSE(number("-1") == number("1"));
    EXPECT_EQ(number("-9223372036854775808.00").integer().value(), std::numeric_limits<std::int64_t>::min());
    for (const char* text : {"9223372036854775808", "1.5", "NaN", "Infinity"}) EXPECT_FALSE(number(text).integer()) << text;
    EXPECT_EQ(Numeric::parse("1e5").error().phase(), Phase::encode);
}

TEST(ReadTexts, AnyTypeInTextFormAndTextsInBinaryForm) {
    EXPECT_EQ(read<std::string_view>(16402, "glad").value(), "glad");
    EXPECT_EQ(read<std::string>(type::kInterval, "1 day").value(), "1 day");
    EXPECT_EQ(read_binary<std::string>(type::kVarchar, "x").value(), "x");
    EXPECT_NE(error_of(read_binary<std::string>(type::kInt4, "1234")), "nothing");
    EXPECT_NE(error_of(read_binary<std::string>(16402, "glad")), "nothing");
    EXPECT_EQ(read_binary<Json>(type::kJsonb, "\1{}")->text, "{}");
    EXPECT_EQ(read_binary<Json>(type::kJson, "{}")->text, "{}");
    refuses_binary<Json>(type::kJsonb, {"", "{}", "\2{}"});
}

TEST(ReadTexts, ErrorsShortenAndEscapeTheValue) {
    const std::string message = error_of(read<int>(type::kText, "line\nwith \x01 and much more text than anybody would read"));
    EXPECT_NE(message.find(": line\\x0awith \\x01 and much more text than anyb…"), std::string::npos) << message;
    const std::string umlauts = error_of(read<int>(type::kText, "xäääääääääääääääääääääääääääääääääääää"));
    EXPECT_NE(umlauts.find("xäääääääääääääääääää…"), std::string::npos) << umlauts;
    EXPECT_EQ(error_of(read_binary<std::int64_t>(type::kInt8, "\x01\xff")),
              "column \"c\" in row 0 of type int8 is not a whole number of 64 bits: 0x01ff");
}

TEST(ReadBytes, HexAndEscapes) {
    using Bytes = std::vector<std::byte>;
    EXPECT_EQ(read<Bytes>(type::kBytea, "\\x00fF").value(), (Bytes{std::byte{0}, std::byte{255}}));
    EXPECT_EQ(read<Bytes>(type::kBytea, "a\\\\\\001").value(), (Bytes{std::byte{'a'}, std::byte{'\\'}, std::byte{1}}));
    EXPECT_TRUE(read<Bytes>(type::kBytea, "")->empty());
    EXPECT_TRUE(read_binary<Bytes>(type::kBytea, "")->empty());
    refuses<Bytes>(type::kBytea, {"\\x0", "\\xg0", "\\x00 ", "\\", "\\1", "\\12", "\\400", "\\08a"});
}

TEST(Uuids, AllFormsTheServerTakes) {
    const std::string text = "6c8f8b0e-1234-4000-8000-0123456789ab";
    for (const char* form :
         {"6c8f8b0e-1234-4000-8000-0123456789ab", "6C8F8B0E123440008000 0123456789AB", "{6c8f8b0e-1234-4000-8000-0123456789ab}",
          "6c8f-8b0e-1234-4000-8000-0123-4567-89ab", "6c8f8b0e12344000-80000123456789ab"}) {
        const bool good = std::string_view(form).find(' ') == std::string_view::npos;
        ASSERT_EQ(Uuid::parse(form).has_value(), good) << form;
        if (!good) continue;
        EXPECT_EQ(Uuid::parse(form)->text(), text);
    }
    refuses<Uuid>(type::kUuid,
                  {"", "{}", "-6c8f8b0e12344000800001234567 89ab", "6c8f8b0e1234400080000123456789a", "6c8f8b0e1234400080000123456789abc",
                   "6c8f8b0e1234400080000123456789ab-", "6c8f--8b0e1234400080000123456789ab", "6c8-f8b0e1234400080000123456789ab"});
    refuses_binary<Uuid>(type::kUuid, {"", "123456789012345", "12345678901234567"});
    EXPECT_LT(Uuid{}, Uuid::parse(text).value());
}

TEST(ReadTimes, OnlyWhatIsoWrites) {
    refuses<Date>(type::kDate, {"", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "24-01-01", "2024-1-1",
                                "2024/01/01", "01.02.2024", "2024-01-01 ", "2024-01-01 AD", "-2024-01-01", "99999999-01-01", "Infinity"});
    refuses<Timestamp>(
        type::kTimestamptz,
        {"", "2024-01-01", "2024-01-01 00:00:00", "2024-01-01T00:00:00+00", "2024-01-01 24:00:00+00", "2024-01-01 00:60:00+00",
         "2024-01-01 00:00:60+00", "2024-01-01 00:00:00.+00", "2024-01-01 00:00:00.1234567+00", "2024-01-01 00:00:00+0",
         "2024-01-01 00:00:00+16", "2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00+00:", "2024-01-01 00:00:00+00 bc",
         "294247-01-10 04:00:54.775807+00", "9999999-01-01 00:00:00+00", "9999999-01-01 00:00:00+00 BC"});
    refuses<LocalTimestamp>(type::kTimestamp, {"2024-01-01 00:00:00+00", "infinity "});
    refuses_binary<Timestamp>(type::kTimestamptz, {"", "1234567", std::string_view("\x7f\xff\xff\xff\xff\xff\xff\xfe", 8)});
    refuses_binary<Date>(type::kDate, {"", "123", "12345"});
    EXPECT_EQ(read<Timestamp>(type::kTimestamptz, "2024-02-29 12:34:56.5-03:30").value(),
              std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + std::chrono::milliseconds(((16 * 60 + 4) * 60 + 56) * 1000 + 500));
}

TEST(ReadArrays, MalformedOnesAreErrors) {
    const auto type = type::array_of(type::kInt4);
    using Many = std::vector<std::optional<int>>;
    EXPECT_EQ(read<Many>(type, "{1,NULL,-3}").value(), (Many{1, std::nullopt, -3}));
    EXPECT_EQ(read<Many>(type, "[-1:0]={1,2}").value(), (Many{1, 2}));
    EXPECT_TRUE(read<Many>(type, "{}")->empty());
    refuses<Many>(type, {"",
                         "{",
                         "}",
                         "{1",
                         "{1,",
                         "{1,}",
                         "{,1}",
                         "{1}}",
                         "{1}x",
                         "1,2",
                         "[1:2]{1}",
                         "[1:2={1}",
                         "[a]={1}",
                         "{\"1",
                         "{\"1\\",
                         "{\"1\"2}",
                         "{1\"2\"}",
                         "{{1}}",
                         "[1:1][1:1]={{1}}",
                         "{1,{2}}"});
    EXPECT_EQ(error_of(read<std::vector<int>>(type, "{1,x}")),
              "element 2 of column \"c\" in row 0 of type int4 is not a whole number of 32 bits: x");
    EXPECT_EQ(error_of(read<std::vector<int>>(type, "{{1},{2}}")),
              "column \"c\" in row 0 of type int4[] is not an array of one dimension: {{1},{2}}");
    using Texts = std::vector<std::optional<std::string>>;
    EXPECT_EQ(read<Texts>(type::array_of(type::kText), R"({"a\"\\",NULL,"NULL",x y,"{,}"})").value(),
              (Texts{"a\"\\", std::nullopt, "NULL", "x y", "{,}"}));
}

TEST(ReadArrays, MalformedBinaryOnesAreErrors) {
    const auto type = type::array_of(type::kInt4);
    const auto words = [](std::initializer_list<std::uint32_t> numbers) {
        std::string text;
        for (const std::uint32_t number : numbers)
            for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
        return text;
    };
    EXPECT_EQ(read_binary<std::vector<int>>(type, words({1, 0, 23, 2, 1, 4, 7, 4, 9})).value(), (std::vector<int>{7, 9}));
    EXPECT_TRUE(read_binary<std::vector<int>>(type, words({0, 0, 23}))->empty());
    refuses_binary<std::vector<int>>(type, {"", words({1, 0}), words({1, 0, 23}), words({1, 0, 25, 0, 1}), words({1, 0, 23, 0xffffffff, 1}),
                                            words({1, 0, 23, 1, 1}), words({1, 0, 23, 1, 1, 4}), words({1, 0, 23, 1, 1, 0xfffffffe}),
                                            words({1, 0, 23, 1, 1, 4, 7, 8}), words({1, 2, 23, 0, 1}), words({2, 0, 23, 1, 1, 1, 1, 4, 7}),
                                            words({0xffffffff, 0, 23}), words({1, 0, 23, 0x7fffffff, 1, 4, 7}), words({0, 0, 23, 0})});
}

}  // namespace
}  // namespace howdah
