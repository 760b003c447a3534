#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/process.hpp"
#include "repository/initialise.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;

/// The script in Python knows the repository only from docs/internals/repository.md.
class ReferenceTest : public testing::TestWithParam<std::string> {
protected:
    ReferenceTest() {
        ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
        config.name = "main";
        config.url = "file://" + (folder.path() / "repository").native();
        if (GetParam() == "key_file") config.key_file = folder.path() / "key";
        if (GetParam() == "passphrase") config.passphrase_file = folder.path() / "phrase";
        base::write_file_durably(folder.path() / "phrase", "an elephant never forgets\n");
        initialise(config, GetParam() != "plain");
    }
    ~ReferenceTest() override { ::unsetenv("XDG_RUNTIME_DIR"); }

    base::ProcessResult script(const std::vector<std::string>& arguments) {
        std::vector<std::string> command{"python3", "-B", HOWDAH_SOURCE_DIR "/tests/reference/restore.py",
                                         (folder.path() / "repository").native()};
        if (!config.key_file.empty()) command.insert(command.end(), {"--key-file", config.key_file.native()});
        if (!config.passphrase_file.empty()) command.insert(command.end(), {"--passphrase-file", config.passphrase_file.native()});
        command.insert(command.end(), arguments.begin(), arguments.end());
        return base::run_process(command);
    }

    base::TemporaryDirectory folder{"howdah-reference"};
    base::TemporaryDirectory runtime{"howdah-reference", "/dev/shm"};
    base::RepositoryConfig config;
};
INSTANTIATE_TEST_SUITE_P(Sealings, ReferenceTest, testing::Values("key_file", "passphrase", "plain"),
                         [](const auto& sealing) { return sealing.param; });

TEST_P(ReferenceTest, RestoresWhatWeWrote) {
    if (GetParam() != "plain" && base::run_process({"python3", "-c", "import cryptography"}).exit_code != 0)
        GTEST_SKIP() << "Python's cryptography package is not installed";
    const Files files = sample_files(1);
    const Repository repository = Repository::open(config);
    write_segment(repository, 1);
    write_backup(repository, "20261121T000000Z-0001", files, {1u << 20});

    const auto listed = script({"list"});
    EXPECT_EQ(listed.exit_code, 0) << listed.errors;
    EXPECT_TRUE(listed.output.starts_with("main 20261121T000000Z-0001 full")) << listed.output;

    const fs::path target = folder.path() / "restored";
    const auto restored = script({"restore", "main", "20261121T000000Z-0001", target.native()});
    ASSERT_EQ(restored.exit_code, 0) << restored.errors;
    Files found;
    for (const auto& entry : fs::recursive_directory_iterator(target))
        if (fs::is_regular_file(entry.symlink_status())) found[fs::relative(entry.path(), target).native()] = base::read_file(entry.path());
    EXPECT_EQ(found, files);
    EXPECT_EQ(fs::read_symlink(target / "pg_wal-link"), "/somewhere/else");

    if (GetParam() == "passphrase") return;  // Unlocked twice; the rest is as with a key file, and scrypt is slow on purpose.
    const fs::path segment = folder.path() / "segment";
    ASSERT_EQ(script({"wal", "main", segment_name(1), segment.native()}).exit_code, 0);
    EXPECT_EQ(base::read_file(segment), segment_bytes(1));
    EXPECT_NE(script({"wal", "main", segment_name(9), segment.native()}).exit_code, 0);
}

}  // namespace
}  // namespace howdah::repository::test
