// Where a restore may go, whether it fits, and where its server would listen.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "restore/separation.hpp"

namespace howdah::restore {
namespace {

namespace fs = std::filesystem;

TEST(Separation, RefusesFoldersInsideOneAnother) {
    const base::TemporaryDirectory folder("separation");
    const auto at = [&](const char* name) { return folder.path() / name; };
    EXPECT_NO_THROW(require_separate({at("data"), {{16400, at("data-tablespaces/16400")}, {16401, at("data2")}}}, {}));
    EXPECT_THROW(require_separate({at("data"), {{16400, at("data/space")}}}, {}), base::Failure);
    EXPECT_THROW(require_separate({at("space/data"), {{16400, at("space")}}}, {}), base::Failure);
    fs::create_directory(at("data"));
    fs::create_directory_symlink(at("data"), at("link"));
    EXPECT_THROW(require_separate({at("data"), {{16400, at("link/space")}}}, {}), base::Failure) << "a link was not followed";
}

TEST(Separation, ALostClustersOwnPlaceMayBeTheTarget) {
    const base::TemporaryDirectory folder("separation");
    const auto data = folder.path() / "data", space = folder.path() / "space";
    fs::create_directories(data / "pg_tblspc");
    fs::create_directory_symlink(space, data / "pg_tblspc/16400");
    const auto foreign = folders_of_cluster("main", data);
    EXPECT_NO_THROW(require_separate({data, {{16400, space}}}, foreign));
    EXPECT_THROW(require_separate({data / "x", {}}, foreign), base::Failure);
    EXPECT_THROW(require_separate({space / "x", {}}, foreign), base::Failure);
    EXPECT_THROW(require_separate({data, {}}, {{data, "the repository main", false}}), base::Failure);
}

}  // namespace
}  // namespace howdah::restore
