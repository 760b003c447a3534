// Where a restore may go, whether it fits, and where its server would listen.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

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
    // A sparse file takes its size of nothing.
    EXPECT_NO_THROW(require_room(destinations, root, [](const repository::TreeReference&) { return 1000; }));
    EXPECT_THROW(require_room(destinations, root, [](const repository::TreeReference& tree) { return tree.bytes.count; }), base::Failure);
}

TEST(Listening, IsReadAsTheServerReadsIt) {
    EXPECT_EQ(listening_of("", {}).port, 5432);
    const auto listening =
        listening_of("port = 5433\nlisten_addresses = '*'\nport=5434 # later\nunix_socket_directories = '/a, \"/b\"'\n", {});
    EXPECT_EQ(listening.port, 5434);
    EXPECT_EQ(listening.addresses, std::vector<std::string>{"*"});
    EXPECT_EQ(listening.sockets, (std::vector<fs::path>{"/a", "/b"}));
    EXPECT_EQ(listening_of("port = 5433\n", 6000).port, 6000);
    EXPECT_TRUE(listening_of("listen_addresses = ''\n", {}).addresses.empty());
    EXPECT_EQ(listening_of("listen_addresses = 'localhost, \"10.0.0.1\"'\n", {}).addresses,
              (std::vector<std::string>{"localhost", "10.0.0.1"}));
}

/// Every address in 127.0.0.0/8 is this host's.
TEST(Listening, APortTakenOnAnotherAddressIsFree) {
    const base::File other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(other.descriptor(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(other.descriptor(), 1), 0);
    ASSERT_EQ(::getsockname(other.descriptor(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const int port = ntohs(address.sin_port);
    EXPECT_NO_THROW(require_free({port, {"127.0.0.1"}, {}}));
    EXPECT_NO_THROW(require_free({port, {}, {}}));
    EXPECT_THROW(require_free({port, {"127.0.0.1", "127.0.0.2"}, {}}), base::Failure);
    EXPECT_THROW(require_free({port, {"*"}, {}}), base::Failure);
    EXPECT_THROW(require_free({port, {"0.0.0.0"}, {}}), base::Failure);
}

TEST(Room, IsUnknownWhereTheFileSystemMayCompress) {
    EXPECT_EQ(judge_room(1000, 1000, 0xEF53), Room::enough);
    EXPECT_EQ(judge_room(1001, 1000, 0xEF53), Room::too_little);
    for (const long type : {0x9123683EL, 0x2FC12FC1L, 0xCA451A4EL}) {
        EXPECT_EQ(judge_room(1000, 1000, type), Room::enough);
        EXPECT_EQ(judge_room(1001, 1000, type), Room::unknown);
    }
}

}  // namespace
}  // namespace howdah::restore
