#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {
namespace {

std::string failure_of(const std::string& text, std::uint32_t timeline = 9) {
    try {
        parse_timeline_history(text, {timeline});
    } catch (const base::Failure& failure) {
        return failure.what();
    }
    return "none";
}

TEST(TimelineHistory, AncestorsAndItself) {
    const auto entries = parse_timeline_history(
        "# a comment\n1\t0/5000000\tno recovery target specified\n\n  \t\n2\tA/F3000028\tat restore point \"x y\"\n", {3});
    ASSERT_EQ(3u, entries.size());
    EXPECT_EQ(1u, entries[0].timeline.value);
    EXPECT_EQ(0u, entries[0].begin.value);
    EXPECT_EQ(0x5000000u, entries[0].end.value);
    EXPECT_EQ(2u, entries[1].timeline.value);
    EXPECT_EQ(entries[0].end, entries[1].begin);
    EXPECT_EQ(0xAF3000028u, entries[1].end.value);
    EXPECT_EQ(3u, entries[2].timeline.value);
    EXPECT_EQ(entries[1].end, entries[2].begin);
    EXPECT_EQ(0u, entries[2].end.value);
}

TEST(TimelineHistory, SpacesMissingReasonAndEndOfLine) {
    EXPECT_EQ(2u, parse_timeline_history(" 1   0/5000000", {2}).size());
    EXPECT_EQ(2u, parse_timeline_history("1\t0/5000000\r\n", {2}).size());
    EXPECT_EQ(1u, parse_timeline_history("", {1}).size());
}

TEST(TimelineHistory, BadLinesAreNumbered) {
    EXPECT_EQ("history of timeline 9 line 2: no timeline: \"x\"", failure_of("# c\nx\t0/28\n"));
    EXPECT_EQ("history of timeline 9 line 1: no switch point: \"\"", failure_of("1\n"));
    EXPECT_EQ("history of timeline 9 line 1: no switch point: \"0-28\"", failure_of("1\t0-28\twhy\n"));
    EXPECT_EQ("history of timeline 9 line 2: timeline 1 is out of order", failure_of("1\t0/28\n1\t0/38\n"));
    EXPECT_EQ("history of timeline 9 line 1: timeline 9 is out of order", failure_of("9\t0/28\n"));
    EXPECT_EQ("history of timeline 9 line 1: timeline 0 is out of order", failure_of("0\t0/28\n"));
    EXPECT_EQ("history of timeline 9 line 2: the switch point 0/20 is before the one above", failure_of("1\t0/28\n2\t0/20\n"));
    EXPECT_EQ("history of timeline 9 line 1: no timeline: \"99999999999\"", failure_of("99999999999\t0/28\n"));
}

}  // namespace
}  // namespace howdah::postgres
