// T12: what lies in a data directory and does not belong to a backup.
#include <regex>

#include "fixture.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Paths of files below a folder that match.
std::vector<std::string> files_like(const fs::path& folder, const std::string& pattern) {
    std::vector<std::string> found;
    const std::regex wanted(pattern);
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (const auto path = fs::relative(entry.path(), folder).string(); entry.is_regular_file() && std::regex_match(path, wanted))
            found.push_back(path);
    return found;
}

TEST(Trap, T12_excluded) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    auto session = protectee.session();
    session.query("SELECT pg_create_physical_replication_slot('trap', true)");
    session.script(
        "CREATE TEMP TABLE mine AS SELECT g FROM generate_series(1, 5000) g;"
        "SET work_mem = '64kB'; DECLARE held CURSOR WITH HOLD FOR SELECT repeat('x', 100) FROM generate_series(1, 20000)");
    const auto& data = protectee.server().data_directory();
    const std::vector<std::string> left_out{"pg_replslot/.+",           ".*/pgsql_tmp[0-9].*",     "base/[0-9]+/t[0-9]+_[0-9]+.*",
                                            "(.*/)?pg_internal\\.init", "postmaster\\.(pid|opts)", "pg_subtrans/.+"};
    for (const auto& pattern : left_out)
        ASSERT_FALSE(files_like(data, pattern).empty()) << pattern << ": the running server should have some";
    protectee.howdah_ok({"backup", "run"});

    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    for (const auto& pattern : left_out) EXPECT_EQ(files_like(into, pattern), std::vector<std::string>()) << pattern;
    EXPECT_TRUE(fs::is_directory(into / "pg_replslot"));
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "pg_replication_slots"), "0");
    EXPECT_EQ(count_of(server, "shop"), "1000");
}

TEST(Trap, T12_unlogged) {
    ProtectedServer protectee;
    auto session = protectee.session();
    session.script("CREATE UNLOGGED TABLE scratchpad(id int PRIMARY KEY); INSERT INTO scratchpad SELECT generate_series(1, 5000)");
    session.query("CHECKPOINT");
    const auto file = session.value("SELECT pg_relation_filepath('scratchpad')");
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "restored";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    EXPECT_FALSE(fs::exists(into / file));
    EXPECT_TRUE(fs::exists(into / (file + "_init")));
    auto server = protectee.start_restored(into);
    EXPECT_EQ(count_of(server, "scratchpad"), "0");
    open_session(server).query("INSERT INTO scratchpad VALUES (1)");
    EXPECT_EQ(count_of(server, "scratchpad"), "1");
}

}  // namespace
}  // namespace howdah::tests
