#include "postgres/wal_name.hpp"

#include <gtest/gtest.h>

namespace howdah::postgres {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

TEST(WalName, NamesOfEverySegmentSize) {
    for (std::uint64_t size = kMiB; size <= 1024 * kMiB; size *= 2) {
        for (const std::uint64_t lsn : {std::uint64_t{0}, size, size * 3 + 5, (std::uint64_t{1} << 32) - 1, std::uint64_t{1} << 32,
                                        std::uint64_t{0xA5} << 32 | 0xF3000028, ~std::uint64_t{0}}) {
            const WalSegment segment = segment_at({7}, {lsn}, size);
            EXPECT_LE(segment.begin(size).value, lsn);
            EXPECT_GE(segment.end(size).value - 1, lsn);
            const auto parsed = parse_segment_name(segment.name(size), size);
            ASSERT_TRUE(parsed) << segment.name(size) << " of " << size;
            EXPECT_EQ(segment, *parsed);
        }
    }
}

TEST(WalName, AsPostgresqlWritesThem) {
    EXPECT_EQ("000000010000000A000000F3", segment_at({1}, {0xAF3000028}, 16 * kMiB).name(16 * kMiB));
    EXPECT_EQ("000000010000000A00000F30", segment_at({1}, {0xAF3000028}, kMiB).name(kMiB));
    EXPECT_EQ("000000010000000A00000003", segment_at({1}, {0xAF3000028}, 1024 * kMiB).name(1024 * kMiB));
    EXPECT_EQ("0000000100000001000000FF", segment_at({1}, {0x1FFFFFFFF}, 16 * kMiB).name(16 * kMiB));
    EXPECT_EQ("000000010000000200000000", segment_at({1}, {0x1FFFFFFFF}, 16 * kMiB).next().name(16 * kMiB));
    EXPECT_EQ("0000001A.history", history_name({26}));
}

TEST(WalName, NumberMustFitTheSize) {
    EXPECT_TRUE(parse_segment_name("0000000100000000000000FF", 16 * kMiB));
    EXPECT_FALSE(parse_segment_name("000000010000000000000100", 16 * kMiB));
    EXPECT_TRUE(parse_segment_name("000000010000000000000100", kMiB));
    EXPECT_FALSE(parse_segment_name("000000010000000000000004", 1024 * kMiB));
    EXPECT_FALSE(parse_segment_name("000000000000000000000001", 16 * kMiB));
}

TEST(WalName, Kinds) {
    EXPECT_EQ(WalFileKind::segment, classify_wal_file("000000010000000A000000F3"));
    EXPECT_EQ(WalFileKind::partial, classify_wal_file("000000010000000A000000F3.partial"));
    EXPECT_EQ(WalFileKind::history, classify_wal_file("00000002.history"));
    EXPECT_EQ(WalFileKind::backup_label, classify_wal_file("000000010000000A000000F3.00000028.backup"));
    for (const char* other : {"", "archive_status", "000000010000000a000000f3", "000000010000000A000000F", "000000010000000A000000F3x",
                              "000000010000000A000000F3.ready", "0000002.history", "00000002.history.tmp", "RECOVERYHISTORY",
                              "000000010000000A000000F3.0000028.backup", "../00000010000000A000000F3"})
        EXPECT_EQ(WalFileKind::other, classify_wal_file(other)) << other;
}

}  // namespace
}  // namespace howdah::postgres
