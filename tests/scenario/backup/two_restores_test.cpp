// Two restores into one directory at once: the second touches nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

TEST(TwoRestores, TheSecondIsRefusedWhileTheFirstIsAtWork) {
    ProtectedServer protectee;
    protectee.session().script("CREATE TABLE shop(id int); INSERT INTO shop SELECT generate_series(1, 1000)");
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    const auto pause = protectee.workspace() / "held-restore";
    const std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end"};
    auto first = std::async(std::launch::async,
                            [&] { return protectee.howdah(words, {{"HOWDAH_TEST_PAUSE", "restore.copied:" + pause.string()}}); });
    while (!fs::exists(pause)) ASSERT_NE(first.wait_for(std::chrono::milliseconds(2)), std::future_status::ready) << first.get().errors;

    const auto second = protectee.howdah(words);
    EXPECT_EQ(second.exit_code, 6) << second.errors;
    EXPECT_NE(second.errors.find("another restore is at work in " + into.string()), std::string::npos) << second.errors;
    EXPECT_EQ(protectee.howdah({"--dry-run", "restore", "--into", into.string(), "--to-backup-end"}).exit_code, 6);
    fs::remove(pause);
    const auto ended = first.get();
    EXPECT_EQ(ended.exit_code, 0) << ended.errors;
    EXPECT_EQ(protectee.howdah(words).exit_code, 1) << "a whole restore is not begun again";
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop"), "1000");
}

}  // namespace
}  // namespace howdah::tests
