// Where a restore may go, whether it fits, and where its server would listen.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "restore/listening.hpp"
#include "restore/room.hpp"
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

TEST(Room, RefusesWhatDoesNotFit) {
    const base::TemporaryDirectory folder("room");
    const Destinations destinations{folder.path() / "data", {{16400, folder.path() / "space"}}};
    repository::Root root;
    root.trees = {{"", {}, 1, {1000}}, {"pg_tblspc/16400/PG_15_202209061/5", {}, 1, {1000}}};
    EXPECT_NO_THROW(require_room(destinations, root));
    root.trees.back().bytes = {std::uint64_t{1} << 60};
    EXPECT_THROW(require_room(destinations, root), base::Failure);
}

TEST(Listening, IsReadAsTheServerReadsIt) {
    EXPECT_EQ(listening_of("", {}).port, 5432);
    const auto listening =
        listening_of("port = 5433\nlisten_addresses = '*'\nport=5434 # later\nunix_socket_directories = '/a, \"/b\"'\n", {});
    EXPECT_EQ(listening.port, 5434);
    EXPECT_TRUE(listening.tcp);
    EXPECT_EQ(listening.sockets, (std::vector<fs::path>{"/a", "/b"}));
    EXPECT_EQ(listening_of("port = 5433\n", 6000).port, 6000);
    EXPECT_FALSE(listening_of("listen_addresses = ''\n", {}).tcp);
}

}  // namespace
}  // namespace howdah::restore
