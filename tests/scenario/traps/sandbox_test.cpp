// T16 and the sandbox: a copy started beside the live cluster changes nothing of it.
#include "fixture.hpp"

namespace howdah::tests {
namespace {

TEST(Trap, T16_sandbox_tablespaces) {
    ProtectedServer protectee;
    const auto live = make_tablespace(protectee, "early", "far");
    protectee.howdah_ok({"backup", "run"});
    const auto before = contents(live);
    const auto into = protectee.workspace() / "sandbox";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--sandbox"});
    {
        auto sandbox = protectee.start_restored(into);
        EXPECT_EQ(count_of(sandbox, "far"), "5000");
        open_session(sandbox).script("DELETE FROM far; DROP TABLE far");
        open_session(sandbox).query("CHECKPOINT");
    }
    EXPECT_TRUE(contents(live) == before) << "the live tablespace was changed";
    EXPECT_EQ(count_of(protectee.server(), "far"), "5000");
}

TEST(Trap, T16_replayed_tablespaces) {
    ProtectedServer protectee;
    make_shop(protectee, 1000);
    protectee.howdah_ok({"backup", "run"});
    const auto live = make_tablespace(protectee, "late", "far");
    protectee.archive_everything();
    protectee.session().query("CHECKPOINT");
    const auto before = contents(live);

    const auto into = protectee.workspace() / "sandbox";
    const auto result = protectee.howdah({"restore", "--into", into.string(), "--sandbox"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("outside this restore"), std::string::npos) << result.errors;
    EXPECT_FALSE(std::filesystem::exists(into));
    if (result.exit_code == 0) {
        auto sandbox = protectee.start_restored(into);
        open_session(sandbox).script("DELETE FROM far");
        open_session(sandbox).query("CHECKPOINT");
    }
    EXPECT_TRUE(contents(live) == before) << "the live tablespace was changed";
    EXPECT_EQ(count_of(protectee.server(), "far"), "5000");
}

TEST(Trap, sandbox_settings) {
    ProtectedServer protectee;
    auto session = protectee.session();
    session.script("ALTER SYSTEM SET listen_addresses = '127.0.0.1'");
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "sandbox";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end", "--sandbox"});
    auto sandbox = protectee.start_restored(into);
    auto inside = open_session(sandbox);
    for (const char* name : {"listen_addresses", "primary_conninfo", "shared_preload_libraries"})
        EXPECT_EQ(inside.value(std::string("SELECT setting FROM pg_settings WHERE name = '") + name + "'"), "") << name;
    EXPECT_EQ(inside.value("SHOW archive_mode"), "off");
    EXPECT_EQ(inside.value("SHOW max_logical_replication_workers"), "0");
    EXPECT_EQ(objects_named(protectee, "00000002.history").size(), 0u) << "the sandbox archived into the live cluster's repository";
}

}  // namespace
}  // namespace howdah::tests
