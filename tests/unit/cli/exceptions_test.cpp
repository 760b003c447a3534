#include "cli/exceptions.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

namespace howdah::cli {
namespace {

namespace fs = std::filesystem;
using base::FailureKind;

base::Config with_repository() {
    base::Config config;
    config.repositories["main"].url = "file:///srv/repository";
    return config;
}

base::Failure failure_of(const std::exception& exception) { return as_failure(exception, with_repository()); }

TEST(Exceptions, OfFilesNamePathAndReason) {
    const fs::filesystem_error error("cannot remove", "/srv/data/x", std::make_error_code(std::errc::permission_denied));
    const auto failure = failure_of(error);
    EXPECT_EQ(failure.kind(), FailureKind::operation);
    EXPECT_STREQ(failure.what(), "cannot work on /srv/data/x: Permission denied");
    EXPECT_FALSE(failure.hint().empty());
}

TEST(Exceptions, OfFilesInTheRepositoryAreItsOwn) {
    const auto code = std::make_error_code(std::errc::io_error);
    EXPECT_EQ(failure_of(fs::filesystem_error("x", "/srv/repository/wal/1", code)).kind(), FailureKind::repository);
    EXPECT_EQ(failure_of(fs::filesystem_error("x", "/srv/repository-2/wal/1", code)).kind(), FailureKind::operation);
    EXPECT_FALSE(failure_of(fs::filesystem_error("x", "/srv/repository/wal/1", code)).hint().empty());
}

TEST(Exceptions, OfARealCall) {
    try {
        static_cast<void>(fs::file_size("/nonexistent/howdah"));
        FAIL() << "there is no such file";
    } catch (const std::exception& exception) {
        EXPECT_STREQ(failure_of(exception).what(), "cannot work on /nonexistent/howdah: No such file or directory");
    }
}

TEST(Exceptions, OthersHaveAHintToo) {
    EXPECT_NE(std::string(failure_of(std::bad_alloc()).what()).find("the memory is not enough"), std::string::npos);
    const std::system_error threads(std::make_error_code(std::errc::resource_unavailable_try_again), "thread");
    EXPECT_NE(failure_of(threads).hint().find("ulimit"), std::string::npos);
    EXPECT_NE(failure_of(std::runtime_error("odd")).hint().find("fault of howdah"), std::string::npos);
    const auto same = failure_of(base::Failure(FailureKind::locked, "locked: x", "wait"));
    EXPECT_EQ(same.kind(), FailureKind::locked);
    EXPECT_EQ(same.hint(), "wait");
}

}  // namespace
}  // namespace howdah::cli
