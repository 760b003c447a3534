// T13 and T20 where an existing directory is brought to a backup.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <csignal>

#include "base/file.hpp"
#include "fixture.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

TEST(Trap, T13_control_removed_first) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    protectee.start_restored(into).stop();
    const auto killed =
        protectee.howdah({"restore", "--into", into.string(), "--to-backup-end", "--delta"}, {{"HOWDAH_FAULT", "restore.scattered"}});
    ASSERT_EQ(killed.exit_code, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(into / "global" / "pg_control")) << "half a restore has what a server starts with";
    EXPECT_THROW(protectee.start_restored(into), base::Failure) << "a half restore was started";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--delta"});
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "shop"), "1000");
}

/// A page that changed while size and time stayed: a copy with its times, a clock set back, a write within one tick.
TEST(Trap, T20_delta_by_bytes) {
    ProtectedServer protectee;
    const auto shop = make_shop(protectee, 5000);
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    const auto relative = shop.lexically_relative(protectee.server().data_directory());
    const auto good = base::read_file(shop);
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    struct stat live{};
    ASSERT_EQ(::stat(shop.c_str(), &live), 0);
    {
        const auto file = base::File::open(into / relative, O_RDWR);
        file.write_at(base::as_bytes("changed"), 8192 + 100);
        const std::array<timespec, 2> times{live.st_atim, live.st_mtim};
        ASSERT_EQ(::futimens(file.descriptor(), times.data()), 0);
    }
    ASSERT_NE(base::read_file(into / relative), good);
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--delta"});
    EXPECT_EQ(base::read_file(into / relative), good);
}

}  // namespace
}  // namespace howdah::tests
