#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "client/values/answer.hpp"
#include "howdah/parameters.hpp"
#include "howdah/rows.hpp"
#include "postgres/scratch.hpp"

namespace howdah {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using Bytes = std::vector<std::byte>;

/// Values go to a real server and come back, in both forms of an answer, and are compared with the server's own text of them.
class ValueTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<postgres::ScratchServer>(postgres::ScratchOptions{}); }
    static void TearDownTestSuite() { server_.reset(); }
    void SetUp() override {
        handle_.reset(PQconnectdb(server_->conninfo().c_str()));
        ASSERT_EQ(PQstatus(handle_.get()), CONNECTION_OK) << PQerrorMessage(handle_.get());
        run("SET TimeZone = 'UTC'");
    }

    Rows run(const std::string& sql, const ParameterList& list = {}, bool binary = false) {
        EXPECT_FALSE(list.error()) << list.error()->message();
        PGresult* result = PQexecParams(handle_.get(), sql.c_str(), static_cast<int>(list.size()), list.types(), list.values(),
                                        list.lengths(), list.formats(), binary ? 1 : 0);
        EXPECT_TRUE(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
            << sql << ": " << PQresultErrorMessage(result);
        return rows_of(result);
    }

    /// What is sent reads as `text` in the server, and what the server has as `text` reads as the same here.
    template <typename T>
    void same(const T& value, const std::string& type, const std::string& text) {
        SCOPED_TRACE(type + " " + text);
        const Parameters sent(value);
        const Parameters shown(text);
        for (const bool binary : {false, true}) {
            SCOPED_TRACE(binary ? "binary" : "text");
            const Rows there = run("SELECT ($1::" + type + ")::text, $1::" + type, sent, binary);
            const Rows back = run("SELECT $1::" + type, shown, binary);
            ASSERT_EQ(there.size(), 1U);
            ASSERT_EQ(back.size(), 1U);
            EXPECT_EQ(there[0].get<std::string>(0).value(), text);
            check(there[0].get<T>(1), value);
            check(back[0].get<T>(0), value);
        }
    }

    /// The same, NULL by itself, and inside an array with a neighbour.
    template <typename T>
    void everywhere(const T& value, const std::string& type, const std::string& text) {
        same(value, type, text);
        same(std::optional<T>(value), type, text);
        using Many = std::vector<std::optional<T>>;
        const Parameters sent(Many{value, std::nullopt, value});
        for (const bool binary : {false, true}) {
            const Rows rows = run("SELECT a, ((a)[1])::text, a[2] IS NULL, cardinality(a), NULL::" + type + ", '{}'::" + type +
                                      "[] FROM (SELECT $1::" + type + "[]) AS t (a)",
                                  sent, binary);
            ASSERT_EQ(rows.size(), 1U);
            const auto many = rows[0].get<Many>(0);
            ASSERT_TRUE(many) << many.error().message();
            ASSERT_EQ(many->size(), 3U);
            check<std::optional<T>>((*many)[0], value);
            EXPECT_FALSE((*many)[1]);
            check<std::optional<T>>((*many)[2], value);
            EXPECT_EQ(rows[0].get<std::string>(1).value(), text);
            EXPECT_TRUE(rows[0].get<bool>(2).value());
            EXPECT_EQ(rows[0].get<int>(3).value(), 3);
            EXPECT_FALSE(rows[0].get<std::optional<T>>(4).value());
            EXPECT_TRUE(rows[0].get<std::vector<T>>(5).value().empty());
            const auto without_null = rows[0].get<std::vector<T>>(0);
            ASSERT_FALSE(without_null);
            EXPECT_NE(without_null.error().message().find("element 2 of column \"a\" in row 0 is NULL"), std::string::npos)
                << without_null.error().message();
        }
        const Rows none =
            run("SELECT $1::" + type + " IS NULL, $2::" + type + "[] = '{}'", Parameters(std::optional<T>(), std::vector<T>()));
        EXPECT_TRUE(none[0].get<bool>(0).value());
        EXPECT_TRUE(none[0].get<bool>(1).value());
    }

    template <typename T>
    static void check(const Result<T>& seen, const T& wanted) {
        ASSERT_TRUE(seen) << seen.error().message();
        if constexpr (std::is_floating_point_v<T>) {
            EXPECT_TRUE(std::isnan(wanted) ? std::isnan(*seen) : *seen == wanted && std::signbit(*seen) == std::signbit(wanted)) << *seen;
        } else if constexpr (kIsOptional<T>) {
            ASSERT_EQ(seen->has_value(), wanted.has_value());
            if (wanted) check<typename T::value_type>(**seen, *wanted);
        } else if constexpr (std::is_same_v<T, Numeric>) {
            EXPECT_EQ(seen->text(), wanted.text());
        } else {
            EXPECT_TRUE(*seen == wanted);
        }
    }

    struct Close {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };
    std::unique_ptr<PGconn, Close> handle_;
    static std::unique_ptr<postgres::ScratchServer> server_;
};
std::unique_ptr<postgres::ScratchServer> ValueTest::server_;

TEST_F(ValueTest, Booleans) {
    everywhere(true, "bool", "true");
    everywhere(false, "bool", "false");
}

TEST_F(ValueTest, WholeNumbers) {
    everywhere<std::int16_t>(7, "int2", "7");
    everywhere<std::int16_t>(std::numeric_limits<std::int16_t>::min(), "int2", "-32768");
    everywhere<std::int16_t>(std::numeric_limits<std::int16_t>::max(), "int2", "32767");
    everywhere<std::int32_t>(0, "int4", "0");
    everywhere<std::int32_t>(std::numeric_limits<std::int32_t>::min(), "int4", "-2147483648");
    everywhere<std::int32_t>(std::numeric_limits<std::int32_t>::max(), "int4", "2147483647");
    everywhere<std::int64_t>(-1, "int8", "-1");
    everywhere<std::int64_t>(std::numeric_limits<std::int64_t>::min(), "int8", "-9223372036854775808");
    everywhere<std::int64_t>(std::numeric_limits<std::int64_t>::max(), "int8", "9223372036854775807");
    everywhere<long long>(5, "int8", "5");
    same<std::int64_t>(4294967295, "oid", "4294967295");
    same<std::int64_t>(7, "int2", "7");
}

TEST_F(ValueTest, FloatingPointNumbers) {
    everywhere(1.5F, "float4", "1.5");
    everywhere(-0.0F, "float4", "-0");
    everywhere(std::numeric_limits<float>::max(), "float4", "3.4028235e+38");
    everywhere(std::numeric_limits<float>::denorm_min(), "float4", "1e-45");
    everywhere(std::numeric_limits<float>::quiet_NaN(), "float4", "NaN");
    everywhere(-std::numeric_limits<float>::infinity(), "float4", "-Infinity");
    everywhere(0.1, "float8", "0.1");
    everywhere(std::numeric_limits<double>::max(), "float8", "1.7976931348623157e+308");
    everywhere(std::numeric_limits<double>::denorm_min(), "float8", "5e-324");
    everywhere(std::numeric_limits<double>::quiet_NaN(), "float8", "NaN");
    everywhere(std::numeric_limits<double>::infinity(), "float8", "Infinity");
    for (const bool binary : {false, true})
        EXPECT_EQ(run("SELECT 1.1::float4", {}, binary)[0].get<double>(0).value(), static_cast<double>(1.1F));
}

TEST_F(ValueTest, ExactNumbers) {
    const std::string nines(131072, '9');
    const std::string small = "0." + std::string(16382, '0') + "1";
    for (const std::string& text :
         {std::string("0"), std::string("1.50"), std::string("-0.00001"), std::string("10000"), std::string("9999.9999"),
          std::string("100000000000000000000.000"), std::string("0.00"), std::string("NaN"), std::string("Infinity"),
          std::string("-Infinity"), std::string("-123456789012345678901234567890.123456789"), nines, small, "-" + nines + small.substr(1)})
        everywhere(Numeric::parse(text).value(), "numeric", text);
    for (const bool binary : {false, true}) EXPECT_EQ(run("SELECT -7::int4", {}, binary)[0].get<Numeric>(0)->text(), "-7");
}

TEST_F(ValueTest, Texts) {
    for (const std::string& text : {std::string(), std::string("plain"), std::string("NULL"), std::string("null"),
                                    std::string("a,b{c}\"d\\e'f"), std::string(" spaces and\nlines\t "), std::string("Grüße, 象轿"),
                                    std::string(100'000, 'x'), std::string("{}"), std::string("[1:2]={a}")}) {
        everywhere(text, "text", text);
        same(text, "varchar", text);
        const Parameters view{std::string_view(text)};
        EXPECT_EQ(run("SELECT $1::text", view)[0].get<std::string_view>(0).value(), text);
        EXPECT_EQ(run("SELECT $1::text", Parameters(text.c_str()))[0].get<std::string_view>("text").value(), text);
    }
    run("CREATE TYPE pg_temp.mood AS ENUM ('glad', 'sad')");
    EXPECT_EQ(run("SELECT $1::pg_temp.mood", Parameters("sad"))[0].get<std::string>(0).value(), "sad");
    EXPECT_EQ(
        run("SELECT $1::pg_temp.mood[]", Parameters(std::vector<std::string>{"sad", "glad"}))[0].get<std::vector<std::string>>(0).value(),
        (std::vector<std::string>{"sad", "glad"}));
    EXPECT_EQ(run("SELECT 1 WHERE '6c8f8b0e-0000-4000-8000-00000000000a'::uuid = ANY ($1)",
                  Parameters(std::vector<std::string>{"6c8f8b0e-0000-4000-8000-00000000000A"}))
                  .size(),
              1U);
}

TEST_F(ValueTest, Bytes) {
    Bytes all(256);
    for (std::size_t at = 0; at < all.size(); ++at) all[at] = static_cast<std::byte>(at);
    everywhere(Bytes{}, "bytea", "\\x");
    everywhere(Bytes{std::byte{0}, std::byte{0xff}, std::byte{'\\'}}, "bytea", "\\x00ff5c");
    run("SET bytea_output = 'escape'");
    for (const bool binary : {false, true}) {
        const Rows rows = run("SELECT $1", Parameters(std::span<const std::byte>(all)), binary);
        EXPECT_EQ(rows[0].get<Bytes>(0).value(), all);
    }
}

TEST_F(ValueTest, Uuids) {
    const auto uuid = Uuid::parse("{6C8F8B0E-1234-4000-8000-0123456789AB}").value();
    everywhere(uuid, "uuid", "6c8f8b0e-1234-4000-8000-0123456789ab");
    everywhere(Uuid{}, "uuid", "00000000-0000-0000-0000-000000000000");
    EXPECT_EQ(uuid.text(), "6c8f8b0e-1234-4000-8000-0123456789ab");
}

TEST_F(ValueTest, Moments) {
    everywhere(Timestamp(0us), "timestamptz", "1970-01-01 00:00:00+00");
    everywhere(Timestamp(-1us), "timestamptz", "1969-12-31 23:59:59.999999+00");
    everywhere(Timestamp(1'709'210'096'120'000us), "timestamptz", "2024-02-29 12:34:56.12+00");
    everywhere(kForever, "timestamptz", "infinity");
    everywhere(kBeginning, "timestamptz", "-infinity");
    // The first moment the server has, and the last one that the C++ type has.
    everywhere(Timestamp(-210'866'803'200'000'000us), "timestamptz", "4714-11-24 00:00:00+00 BC");
    everywhere(Timestamp(9'223'372'036'854'775'806us), "timestamptz", "294247-01-10 04:00:54.775806+00");
    everywhere(Timestamp(-62'135'596'800'000'001us), "timestamptz", "0001-12-31 23:59:59.999999+00 BC");
    everywhere(LocalTimestamp(86'399'999'999us), "timestamp", "1970-01-01 23:59:59.999999");
    everywhere(kLocalForever, "timestamp", "infinity");
    everywhere(kLocalBeginning, "timestamp", "-infinity");
    for (const bool binary : {false, true}) {
        for (const std::string late : {"294247-01-10 04:00:54.775807+00", "294276-12-31 23:59:59.999999+00"}) {
            const auto beyond = run("SELECT $1::timestamptz", Parameters(late), binary)[0].get<Timestamp>(0);
            ASSERT_FALSE(beyond) << late;
            EXPECT_EQ(beyond.error().phase(), Phase::decode);
        }
    }
    const auto now = std::chrono::system_clock::now();
    EXPECT_EQ(run("SELECT $1", Parameters(now))[0].get<Timestamp>(0).value(), std::chrono::floor<microseconds>(now));
    EXPECT_EQ(run("SELECT $1", Parameters(Timestamp(1s)))[0].get<Timestamp>(0).value(), Timestamp(1s));
}

TEST_F(ValueTest, MomentsInEveryZone) {
    for (const char* zone :
         {"UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "Africa/Monrovia", "-13:45", "Europe/Berlin"}) {
        run("SELECT set_config('TimeZone', $1, false)", Parameters(zone));
        const Rows rows = run(
            "SELECT m, (extract(epoch FROM m) * 1000000)::int8 FROM generate_series(timestamptz '1700-01-01', '2100-01-01', '97 days 7:11:13.000017') m");
        ASSERT_GT(rows.size(), 1000U);
        for (const Row row : rows) EXPECT_EQ(row.get<Timestamp>(0)->time_since_epoch().count(), row.get<std::int64_t>(1).value());
    }
}

TEST_F(ValueTest, AnotherDateStyleIsAnError) {
    for (const char* style : {"SQL", "German", "Postgres"}) {
        run("SELECT set_config('DateStyle', $1, false)", Parameters(style));
        const Rows rows = run("SELECT timestamptz '2024-02-29 12:34:56', date '2024-02-03', timestamp '2024-02-03 01:02:03'");
        EXPECT_FALSE(rows[0].get<Timestamp>(0));
        EXPECT_FALSE(rows[0].get<Date>(1));
        EXPECT_FALSE(rows[0].get<LocalTimestamp>(2));
        const Rows binary = run("SELECT timestamptz '2024-02-29 12:34:56'", {}, true);
        EXPECT_EQ(binary[0].get<Timestamp>(0).value(), Timestamp(1'709'210'096s));
    }
}

TEST_F(ValueTest, Dates) {
    everywhere(Date(std::chrono::year(2024) / 2 / 29), "date", "2024-02-29");
    everywhere(Date(std::chrono::days(0)), "date", "1970-01-01");
    everywhere(Date(std::chrono::days(-2'440'588)), "date", "4714-11-24 BC");
    everywhere(Date(std::chrono::days(2'145'042'905)), "date", "5874897-12-31");
    everywhere(Date(std::chrono::year(0) / 2 / 29), "date", "0001-02-29 BC");
    everywhere(kLastDate, "date", "infinity");
    everywhere(kFirstDate, "date", "-infinity");
    const Rows rows =
        run("SELECT d::date, d::date - date '1970-01-01' FROM generate_series(timestamp '4713-01-01 BC', '9999-12-31', '37 days') d");
    ASSERT_GT(rows.size(), 100'000U);
    for (const Row row : rows) ASSERT_EQ(row.get<Date>(0)->time_since_epoch().count(), row.get<int>(1).value());
}

TEST_F(ValueTest, Documents) {
    everywhere(Json{R"({"a": [1, null, "x\"y"]})"}, "jsonb", R"({"a": [1, null, "x\"y"]})");
    everywhere(Json{"null"}, "jsonb", "null");
    for (const bool binary : {false, true}) EXPECT_EQ(run("SELECT $1::json", Parameters(Json{"[1]"}), binary)[0].get<Json>(0)->text, "[1]");
}

TEST_F(ValueTest, ArraysOfSeveralDimensionsAreErrors) {
    for (const bool binary : {false, true}) {
        const Rows rows = run("SELECT '{{1,2},{3,4}}'::int4[], '[3:4]={7,8}'::int4[], '[0:0][2:2]={{1}}'::int4[], 5", {}, binary);
        for (const std::size_t column : {0U, 2U}) {
            const auto nested = rows[0].get<std::vector<int>>(column);
            ASSERT_FALSE(nested);
            EXPECT_NE(nested.error().message().find("one dimension"), std::string::npos) << nested.error().message();
        }
        EXPECT_EQ(rows[0].get<std::vector<int>>(1).value(), (std::vector<int>{7, 8}));
        EXPECT_FALSE(rows[0].get<std::vector<int>>(3));
        EXPECT_FALSE(rows[0].get<std::vector<std::int64_t>>(0));
        EXPECT_EQ(rows[0].get<std::vector<std::int64_t>>(1).value().size(), 2U);
    }
}

TEST_F(ValueTest, ManyParametersOfManyKinds) {
    std::string sql = "SELECT ";
    Parameters parameters;
    for (int number = 1; number <= 200; ++number) {
        sql += (number == 1 ? "$" : " + $") + std::to_string(number) + "::int";
        if (number % 2 == 0) parameters.add(number);
        if (number % 2 == 1) parameters.add(std::string_view(std::to_string(number)));
    }
    EXPECT_EQ(run(sql, parameters).one<int>().value(), 20'100);
}

}  // namespace
}  // namespace howdah
