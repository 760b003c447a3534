// Permissions of a restored cluster are those of the cluster.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()) & 07777u; }

void expect_modes(const fs::path& data, unsigned file, unsigned folder) {
    EXPECT_EQ(mode_of(data), folder) << data;
    for (const auto& entry : fs::recursive_directory_iterator(data)) {
        if (entry.is_symlink()) continue;
        EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? folder : file) << entry.path();
    }
}

class Permissions : public testing::TestWithParam<bool> {};

TEST_P(Permissions, AreThoseOfTheCluster) {
    ProtectedServer::Options options;
    if (GetParam()) options.scratch.initdb_options = {"--allow-group-access"};
    ProtectedServer protectee(options);
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    expect_modes(into, GetParam() ? 0640 : 0600, GetParam() ? 0750 : 0700);
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SHOW data_directory_mode"), GetParam() ? "0750" : "0700");
}

INSTANTIATE_TEST_SUITE_P(GroupAccess, Permissions, testing::Bool());

}  // namespace
}  // namespace howdah::tests
