#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace howdah::base {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
}

TEST(DurableWrite, ReplacesTheWholeFileAndLeavesNothingElse) {
    const TemporaryDirectory folder("file-test");
    const fs::path path = folder.path() / "fact";
    write_file_durably(path, "the first, longer text");
    write_file_durably(path, "second", 0640);
    EXPECT_EQ(read_file(path), "second");
    EXPECT_EQ(mode_of(path), 0640u);
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(DurableWrite, SetsTheModeWhateverTheUmask) {
    const TemporaryDirectory folder("file-test");
    const mode_t before = ::umask(077);
    write_file_durably(folder.path() / "open", "x", 0644);
    ::umask(before);
    EXPECT_EQ(mode_of(folder.path() / "open"), 0644u);
}

TEST(DurableWrite, KeepsTheOldFileOnAFullDisk) {
    const TemporaryDirectory folder("file-test");
    if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "only root may mount a small file system";
    const fs::path path = folder.path() / "fact";
    write_file_durably(path, "old");
    try {
        write_file_durably(path, std::string(1u << 20, 'x'), 0600, FailureKind::repository);
        ADD_FAILURE() << "one MiB fitted into 64 KiB";
    } catch (const SystemFailure& failure) {
        EXPECT_EQ(failure.error(), ENOSPC);
        EXPECT_EQ(failure.kind(), FailureKind::repository);
        EXPECT_NE(std::string(failure.what()).find(folder.path().string()), std::string::npos) << failure.what();
        EXPECT_FALSE(failure.hint().empty());
    }
    EXPECT_EQ(read_file(path), "old");
    EXPECT_EQ(entries(folder.path()), 1u);
    ::umount(folder.path().c_str());
}

TEST(DurableWrite, KeepsTheTargetThatCannotBeReplaced) {
    const TemporaryDirectory folder("file-test");
    fs::create_directories(folder.path() / "target" / "inside");
    EXPECT_THROW(write_file_durably(folder.path() / "target", "x"), SystemFailure);
    EXPECT_TRUE(fs::exists(folder.path() / "target" / "inside"));
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(File, ReportsAFullDeviceByItsPath) {
    const File full = File::open("/dev/full", O_WRONLY);
    try {
        full.append(as_bytes("x"));
        ADD_FAILURE() << "/dev/full took a byte";
    } catch (const SystemFailure& failure) {
        EXPECT_EQ(failure.error(), ENOSPC);
        EXPECT_NE(std::string(failure.what()).find("/dev/full"), std::string::npos);
    }
}

TEST(File, ReadsAtAnOffsetAndStopsAtTheEnd) {
    const TemporaryDirectory folder("file-test");
    const File file = File::open(folder.path() / "f", O_RDWR | O_CREAT);
    file.write_at(as_bytes("0123456789"), 0);
    file.write_at(as_bytes("AB"), 4);
    std::array<std::byte, 8> buffer{};
    ASSERT_EQ(file.read_at(buffer, 3), 7u);
    EXPECT_EQ(as_text(std::span(buffer).first(7)), "3AB6789");
    EXPECT_EQ(file.read_at(buffer, 10), 0u);
    EXPECT_EQ(file.size(), 10u);
}

TEST(File, MovesItsDescriptorAndClosesIt) {
    const TemporaryDirectory folder("file-test");
    File first = File::open(folder.path() / "f", O_RDWR | O_CREAT);
    const int descriptor = first.descriptor();
    {
        const File second = std::move(first);
        EXPECT_FALSE(first.is_open());
        EXPECT_EQ(second.descriptor(), descriptor);
    }
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

TEST(File, OpensOnlyWhatExists) {
    const TemporaryDirectory folder("file-test");
    EXPECT_FALSE(File::open_if_exists(folder.path() / "none", O_RDONLY));
    EXPECT_THROW(File::open_if_exists("/dev/null/none", O_RDONLY), SystemFailure);
    EXPECT_FALSE(read_file_if_exists(folder.path() / "none"));
}

TEST(ReadFile, RefusesWhatIsLargerThanTheLimit) {
    const TemporaryDirectory folder("file-test");
    write_file_durably(folder.path() / "f", "12345678");
    EXPECT_EQ(read_file(folder.path() / "f", {8}), "12345678");
    EXPECT_THROW(read_file(folder.path() / "f", {7}), Failure);
    EXPECT_THROW(read_file("/dev/zero", {100'000}), Failure);
}

TEST(ReadFile, ReadsFilesWhoseSizeTheKernelDoesNotTell) { EXPECT_NE(read_file("/proc/self/status").find("Name:"), std::string::npos); }

TEST(Directories, AreMadeWithTheirParents) {
    const TemporaryDirectory folder("file-test");
    create_directories_durably(folder.path() / "a" / "b" / "c");
    create_directories_durably(folder.path() / "a" / "b" / "c");
    create_directories_durably(folder.path() / "a" / "d/");
    EXPECT_EQ(mode_of(folder.path() / "a"), 0700u);
    EXPECT_EQ(mode_of(folder.path() / "a" / "b" / "c"), 0700u);
    EXPECT_TRUE(fs::is_directory(folder.path() / "a" / "d"));
    write_file_durably(folder.path() / "file", "");
    EXPECT_THROW(create_directories_durably(folder.path() / "file" / "x"), SystemFailure);
    EXPECT_THROW(create_directories_durably(folder.path() / "file"), SystemFailure);
}

TEST(TemporaryDirectory, GoesWithItsContentsUnlessKept) {
    fs::path gone, kept;
    const TemporaryDirectory outer("file-test");
    {
        TemporaryDirectory first("one", outer.path()), second("two", outer.path());
        gone = first.path();
        kept = second.path();
        fs::create_directories(gone / "x" / "y");
        second.keep();
        EXPECT_EQ(mode_of(gone), 0700u);
    }
    EXPECT_FALSE(fs::exists(gone));
    EXPECT_TRUE(fs::exists(kept));
}

TEST(Space, IsThatOfTheNearestExistingParent) {
    const Space space = space_of("/tmp/none/of/these/exist/");
    EXPECT_GT(space.total.count, 0u);
    EXPECT_LE(space.available, space.total);
}

}  // namespace
}  // namespace howdah::base
