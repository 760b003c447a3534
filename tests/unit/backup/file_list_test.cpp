#include "backup/file_list.hpp"

#include <gtest/gtest.h>

#include <set>

#include "backup/file_rules.hpp"
#include "backup/manifest_writer.hpp"
#include "base/failure.hpp"
#include "base/file.hpp"
#include "failing_calls.hpp"

namespace howdah::backup {
namespace {

namespace fs = std::filesystem;

class FileListTest : public testing::Test {
protected:
    FileListTest() {
        for (const char* name :
             {"PG_VERSION", "base/5/1259", "run/stats/global.tmp", "pg_stat_tmp/x", "Pg_Wal/kept", "BASE/kept", "outside/etc/kept"}) {
            fs::create_directories((data_ / name).parent_path());
            base::write_file_durably(data_ / name, "x");
        }
    }

    std::set<std::string> listed(const fs::path& statistics) const {
        std::set<std::string> paths;
        for (const auto& file : list_files(data_, 202209061, 14, 131072, statistics, {}).files)
            if (file.type == repository::EntryType::file) paths.insert(file.path);
        return paths;
    }

    base::TemporaryDirectory folder_{"howdah-list"};
    fs::path data_ = folder_.path() / "data";
};

TEST_F(FileListTest, LeavesOutTheFolderOfTemporaryStatisticsWhereverItLies) {
    for (const fs::path& named : {fs::path("run/stats"), fs::path("run/stats/"), data_ / "run" / "stats"})
        EXPECT_FALSE(listed(named).contains("run/stats/global.tmp")) << named;
    for (const fs::path& elsewhere :
         {fs::path(), fs::path("."), fs::path("/run/postgresql"), fs::path("base"), fs::path("base/5"), data_, folder_.path()}) {
        EXPECT_TRUE(listed(elsewhere).contains("run/stats/global.tmp")) << elsewhere;
        EXPECT_TRUE(listed(elsewhere).contains("base/5/1259")) << elsewhere;
    }
}

TEST_F(FileListTest, NamesAreThoseOfTheClusterLetterByLetter) {
    const auto found = listed("");
    EXPECT_FALSE(found.contains("pg_stat_tmp/x"));
    EXPECT_TRUE(found.contains("Pg_Wal/kept"));
    EXPECT_TRUE(found.contains("BASE/kept"));
}

TEST_F(FileListTest, AFailureOfTheDiskIsNoEndOfAFolder) {
    const FailingCalls failing("/base/5");
    EXPECT_THROW(listed(""), base::SystemFailure);
}

TEST_F(FileListTest, AFailureOfTheDiskIsNoVanishedLink) {
    fs::create_directories(folder_.path() / "elsewhere/PG_14_202209061");
    fs::create_directory_symlink(folder_.path() / "elsewhere", data_ / "extra");
    EXPECT_NO_THROW(listed(""));
    const FailingCalls failing("/extra");
    EXPECT_THROW(listed(""), base::SystemFailure);
}

TEST(FileRules, ATablespaceIsItsLinkAndNothingBelow) {
    EXPECT_TRUE(is_tablespace("pg_tblspc/16400"));
    for (const char* path : {"pg_tblspc", "pg_tblspc/", "pg_tblspc/x", "pg_tblspc/16400x", "pg_tblspc/16400/PG_15_202209061", "base/16400"})
        EXPECT_FALSE(is_tablespace(path)) << path;
}

TEST_F(FileListTest, AFolderOfTheDataDirectoryIsNeverTakenForWhatLiesOutside) {
    EXPECT_TRUE(listed("").contains("outside/etc/kept"));
    EXPECT_EQ(tree_root("outside/etc/kept"), "");
    EXPECT_EQ(tree_root("/etc/kept"), "/");
}

}  // namespace
}  // namespace howdah::backup
