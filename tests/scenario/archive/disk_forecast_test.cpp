// When the WAL disk is full is told only by a rate that was measured for a while.
#include <sys/stat.h>

#include <chrono>

#include "archive/status.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace fs = std::filesystem;

namespace {

class DiskForecast : public test::ArchiveScenario {
protected:
    WalStatus look() const {
        const auto open = repository();
        postgres::Session asking = session();
        return read_wal_status(&asking, WalArchive(open, area()), data(), std::chrono::milliseconds(50), {});
    }
};

TEST_F(DiskForecast, NeedsMoreThanSeconds) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(6);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    const WalStatus young = look();
    EXPECT_GT(young.bytes_per_second, 0);
    EXPECT_FALSE(young.until_full);

    // As if archiving had stood still for 20 minutes.
    const auto before = std::chrono::file_clock::now() - std::chrono::minutes(20);
    for (const auto& mark : fs::directory_iterator(pg_wal() / "archive_status")) fs::last_write_time(mark.path(), before);
    const WalStatus old = look();
    ASSERT_TRUE(old.until_full && old.lasting_rate && old.backlog);
    EXPECT_GT(*old.lasting_rate, 3.0 * (1 << 20) / 1300);
    EXPECT_LT(*old.lasting_rate, 8.0 * (1 << 20) / 1200);
}

}  // namespace
}  // namespace howdah::archive
