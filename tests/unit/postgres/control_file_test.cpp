#include "postgres/control_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "base/file.hpp"
#include "postgres/crc32c.hpp"
#include "real_server.hpp"

namespace howdah::postgres {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(HOWDAH_SOURCE_DIR) / "tests/unit/postgres/fixtures";

ControlFile parse(const std::string& content) { return parse_control_file(base::as_bytes(content)); }

void expect_refused(const std::string& content, const std::string& part) {
    try {
        parse(content);
        FAIL() << "not refused: " << part;
    } catch (const base::Failure& failure) {
        EXPECT_EQ(base::FailureKind::operation, failure.kind());
        EXPECT_NE(std::string::npos, std::string(failure.what()).find(part)) << failure.what();
        EXPECT_FALSE(failure.hint().empty());
    }
}

/// Control files recorded from fresh clusters of each major (initdb --wal-segsize=1, 1 MiB segments).
TEST(ControlFile, RecordedOfEveryMajor) {
    for (const int major : {14, 15, 16, 17, 18}) {
        const ControlFile control = parse(base::read_file(kFixtures / ("pg_control_" + std::to_string(major))));
        EXPECT_EQ(major, control.major);
        EXPECT_EQ(ClusterState::shut_down, control.state);
        EXPECT_EQ(8192u, control.block_size);
        EXPECT_EQ(131072u, control.segment_blocks);
        EXPECT_EQ(1u << 20, control.wal_segment_size);
        EXPECT_EQ(1u, control.timeline.value);
        EXPECT_EQ(100, control.max_connections);
        EXPECT_EQ(8, control.max_worker_processes);
        EXPECT_EQ(10, control.max_wal_senders);
        EXPECT_EQ(0, control.max_prepared_transactions);
        EXPECT_EQ(64, control.max_locks_per_transaction);
        EXPECT_EQ(1, control.wal_level);
        EXPECT_EQ(1u, control.data_checksum_version);
        EXPECT_EQ(control.checkpoint, control.redo);
        EXPECT_TRUE(control.full_page_writes);
    }
}

/// No 13 was at hand to record from: the file is that of 15, whose layout 13 shares, with 13's catalog version and its checksum.
TEST(ControlFile, ThirteenIsRefusedByName) {
    expect_refused(base::read_file(kFixtures / "pg_control_13"),
                   "PostgreSQL 13 is not supported: pg_control version 1300, catalog version 202007201");
}

TEST(ControlFile, OlderAndUnknownVersionsAreRefused) {
    std::string content = base::read_file(kFixtures / "pg_control_15");
    const auto with = [&](std::uint32_t control, std::uint32_t catalog) {
        std::memcpy(content.data() + 8, &control, 4);
        std::memcpy(content.data() + 12, &catalog, 4);
        const std::uint32_t sum = crc32c(base::as_bytes(content).first(288));
        std::memcpy(content.data() + 288, &sum, 4);
        return content;
    };
    expect_refused(with(1201, 201909212), "PostgreSQL 12 is not supported");
    expect_refused(with(960, 201608131), "PostgreSQL 9.6 is not supported");
    expect_refused(with(1902, 202605131), "unknown version: 1902");
    expect_refused(with(1300, 202209062), "no released version: pg_control version 1300, catalog version 202209062");
    expect_refused(with(1700, 202307071), "no released version");
    EXPECT_EQ(16, parse(with(1300, 202307071)).major);
}

TEST(ControlFile, EveryDamagedByteIsSeen) {
    const std::string good = base::read_file(kFixtures / "pg_control_18");
    for (std::size_t at = 0; at < 296; ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        EXPECT_THROW(parse(bad), base::Failure) << at;
    }
    std::string bad = good;
    bad[100] = static_cast<char>(bad[100] ^ 1);
    expect_refused(bad, "pg_control is damaged");
    for (const std::size_t size : {0u, 4u, 16u, 292u, 295u}) expect_refused(good.substr(0, size), "too short");
    EXPECT_EQ(18, parse(good.substr(0, 296)).major);
}

TEST(ControlFile, AgreesWithTheServer) {
    const testing::RealServer server(
        4, {{"max_connections", "37"}, {"max_locks_per_transaction", "71"}, {"max_wal_senders", "7"}, {"wal_level", "logical"}});
    server.sql("checkpoint");
    std::string bytes;
    const ControlFile control = read_control_file(server.data(), &bytes);
    EXPECT_EQ(8192u, bytes.size());
    EXPECT_EQ(server.major(), control.major);
    EXPECT_EQ(ClusterState::in_production, control.state);
    EXPECT_EQ(std::to_string(control.system_identifier.value) + "|" + std::to_string(control.catalog_version) + "\n",
              server.sql("select system_identifier, catalog_version_no from pg_control_system()"));
    EXPECT_EQ(
        base::text(control.checkpoint) + "|" + base::text(control.redo) + "|1|1|t|" +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(control.checkpoint_time.time_since_epoch()).count()) + "\n",
        server.sql(
            "select checkpoint_lsn, redo_lsn, timeline_id, prev_timeline_id, full_page_writes, extract(epoch from checkpoint_time)::bigint "
            "from pg_control_checkpoint()"));
    EXPECT_EQ(37, control.max_connections);
    EXPECT_EQ(10, control.max_prepared_transactions);
    EXPECT_EQ(71, control.max_locks_per_transaction);
    EXPECT_EQ(7, control.max_wal_senders);
    EXPECT_EQ(2, control.wal_level);
    EXPECT_TRUE(control.track_commit_timestamp);
    EXPECT_EQ(4u << 20, control.wal_segment_size);
    EXPECT_EQ(1u, control.data_checksum_version);
}

TEST(ControlFile, TornReadIsRepeated) {
    const base::TemporaryDirectory folder("howdah-control-");
    std::filesystem::create_directory(folder.path() / "global");
    const auto file = base::File::open(folder.path() / "global/pg_control", O_RDWR | O_CREAT);
    const auto write = [&](const std::string& content) { file.write_at(base::as_bytes(content), 0); };
    const std::string good = base::read_file(kFixtures / "pg_control_15");
    std::string torn = good;
    torn[40] = static_cast<char>(torn[40] ^ 1);
    write(torn);
    EXPECT_THROW(read_control_file(folder.path()), base::Failure);
    const std::jthread writer([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            write(torn);
            write(good);
        }
    });
    EXPECT_EQ(15, read_control_file(folder.path()).major);
}

/// A server that rewrites its file again and again, each time other bytes: whatever is read, it is one of the whole ones.
TEST(Trap, T13_control_crc) {
    const base::TemporaryDirectory folder("howdah-control-");
    std::filesystem::create_directory(folder.path() / "global");
    const auto file = base::File::open(folder.path() / "global/pg_control", O_RDWR | O_CREAT);
    const std::string good = base::read_file(kFixtures / "pg_control_15");
    std::string torn = good;
    torn[40] = static_cast<char>(torn[40] ^ 1);
    file.write_at(base::as_bytes(torn), 0);
    const std::jthread writer([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            file.write_at(base::as_bytes(torn), 0);
            file.write_at(base::as_bytes(good), 0);
        }
    });
    for (int reading = 0; reading < 200; ++reading) {
        std::string bytes;
        read_control_file(folder.path(), &bytes);
        ASSERT_TRUE(bytes == good) << "a torn pg_control was taken, reading " << reading;
    }
}

}  // namespace
}  // namespace howdah::postgres
