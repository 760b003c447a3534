#include "base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace howdah::base {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(Bytes, AreShownInBinaryUnits) {
    EXPECT_EQ(text(Bytes{0}), "0 B");
    EXPECT_EQ(text(Bytes{812}), "812 B");
    EXPECT_EQ(text(Bytes{1023}), "1023 B");
    EXPECT_EQ(text(Bytes{1024}), "1 KiB");
    EXPECT_EQ(text(Bytes{16u << 20}), "16 MiB");
    EXPECT_EQ(text(Bytes{3ull << 29}), "1.5 GiB");
    EXPECT_EQ(text(Bytes{412ull << 20}), "412 MiB");
    EXPECT_EQ(text(Bytes{(1ull << 20) - 1}), "1 MiB");
    EXPECT_EQ(text(Bytes{kMax}), "16 EiB");
}

TEST(Bytes, AreParsedStrictly) {
    EXPECT_EQ(parse_bytes("8192"), Bytes{8192});
    EXPECT_EQ(parse_bytes("512MB"), Bytes{512u << 20});
    EXPECT_EQ(parse_bytes("1 GiB"), Bytes{1u << 30});
    EXPECT_EQ(parse_bytes(" 4 kB "), Bytes{4096});
    EXPECT_EQ(parse_bytes("18446744073709551615"), Bytes{kMax});
    EXPECT_EQ(parse_bytes("16383 TiB"), Bytes{16383ull << 40});
    for (const char* wrong :
         {"", " ", "MB", "-1", "+1", "1.5GB", "1 gb", "1 XB", "1MB2", "0x10", "18446744073709551616", "16777216 TB", "9999999999999 TB"})
        EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

TEST(Lsn, IsWrittenAsPostgresqlDoes) {
    EXPECT_EQ(text(Lsn{0x3000028}), "0/3000028");
    EXPECT_EQ(text(Lsn{0x16B374D848}), "16/B374D848");
    EXPECT_EQ(parse_lsn("16/B374D848"), Lsn{0x16B374D848});
    EXPECT_EQ(parse_lsn("ffffffff/FFFFFFFF"), Lsn{kMax});
    for (const char* wrong : {"", "/", "0", "0/", "/0", "1/2/3", "100000000/0", "0/100000000", "0/-1", "0x1/0", " 0/0", "0/G"})
        EXPECT_FALSE(parse_lsn(wrong)) << wrong;
}

TEST(Numbers, AreWrittenPlainly) {
    EXPECT_EQ(text(Timeline{7}), "7");
    EXPECT_EQ(text(SystemIdentifier{kMax}), "18446744073709551615");
}

TEST(Duration, IsShownForPeople) {
    EXPECT_EQ(text_duration(0us), "0 ms");
    EXPECT_EQ(text_duration(420us), "420 us");
    EXPECT_EQ(text_duration(850ms), "850 ms");
    EXPECT_EQ(text_duration(999'600us), "1.0 s");
    EXPECT_EQ(text_duration(3400ms), "3.4 s");
    EXPECT_EQ(text_duration(59'960ms), "1 min 00 s");
    EXPECT_EQ(text_duration(125s), "2 min 05 s");
    EXPECT_EQ(text_duration(62min), "1 h 02 min");
    EXPECT_EQ(text_duration(76h), "3 d 4 h");
    EXPECT_EQ(text_duration(-90s), "-1 min 30 s");
    EXPECT_EQ(text_duration(Duration::min()).front(), '-');
}

TEST(Duration, IsParsedStrictly) {
    EXPECT_EQ(parse_duration("300"), Duration(300s));
    EXPECT_EQ(parse_duration("5min"), Duration(5min));
    EXPECT_EQ(parse_duration("1h"), Duration(1h));
    EXPECT_EQ(parse_duration("90 d"), Duration(90 * 24h));
    EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
    EXPECT_EQ(parse_duration("7us"), Duration(7us));
    for (const char* wrong :
         {"", "h", "-1s", "1.5h", "1 fortnight", "1h30min", "5 m", "9223372036855", "99999999999999999999", "106751992 d"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

Timestamp at(int year, unsigned month, unsigned day, Duration time) {
    return Timestamp(std::chrono::sys_days(std::chrono::year(year) / month / day)) + time;
}

TEST(Timestamp, IsWrittenInUtc) {
    EXPECT_EQ(text(at(2026, 11, 21, 1h + 2min + 3s)), "2026-11-21T01:02:03Z");
    EXPECT_EQ(text(at(2026, 11, 21, 1h + 2min + 3s + 456'789us)), "2026-11-21T01:02:03.456789Z");
    EXPECT_EQ(text(at(1969, 12, 31, 23h + 59min + 59s + 1us)), "1969-12-31T23:59:59.000001Z");
}

TEST(Timestamp, IsParsedWithItsOffset) {
    const Timestamp expected = at(2026, 11, 21, 2min + 3s + 500ms);
    for (const char* same :
         {"2026-11-21 01:02:03.5+01", "2026-11-21T01:02:03.5+01:00", "2026-11-20 22:32:03.500-0130", "2026-11-21T00:02:03.5Z",
          "2026-11-21t00:02:03.500000999z", "2026-11-21 05:47:03.5+05:45", "2026-11-21 00:02:03.5 +00"})
        EXPECT_EQ(parse_timestamp(same), expected) << same;
    EXPECT_EQ(parse_timestamp("2024-02-29 00:00:00Z"), at(2024, 2, 29, 0s));
}

TEST(Timestamp, IsRefusedWhenMalformedOrWithoutOffset) {
    for (const char* wrong : {"",
                              "2026-11-21",
                              "2026-11-21 01:02:03",
                              "2026-11-21 01:02Z",
                              "2026-02-29 00:00:00Z",
                              "2026-13-01 00:00:00Z",
                              "2026-00-10 00:00:00Z",
                              "2026-04-31 00:00:00Z",
                              "2026-11-21 24:00:00Z",
                              "2026-11-21 01:60:00Z",
                              "2026-11-21 01:02:60Z",
                              "2026-11-21 01:02:03.Z",
                              "2026-11-21 01:02:03+",
                              "2026-11-21 01:02:03+1",
                              "2026-11-21 01:02:03+01:",
                              "2026-11-21 01:02:03+01:60",
                              "2026-11-21 01:02:03+16",
                              "2026-11-21 01:02:03+013",
                              "2026-11-21 01:02:03Z ",
                              "2026-11-21 01:02:03Zx",
                              "26-11-21 01:02:03Z",
                              "2026/11/21 01:02:03Z",
                              "2026-11-21_01:02:03Z",
                              "yesterday"})
        EXPECT_FALSE(parse_timestamp(wrong)) << wrong;
}

TEST(Timestamp, SurvivesBeingWrittenAndRead) {
    for (const Duration time : {0us, 1us, 999'999us, 86'399'999'999us})
        EXPECT_EQ(parse_timestamp(text(at(2026, 7, 4, time))), at(2026, 7, 4, time));
}

}  // namespace
}  // namespace howdah::base
