// The primary is killed and its standby promoted, under a crowd that names both.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "ground.hpp"

namespace howdah::tests {
namespace {

using postgres::ScratchServer;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 16;

/// A standby of the server, whose commits wait for it from now on.
ScratchServer synchronous_standby(ScratchServer& primary) {
    postgres::ScratchOptions options;
    options.directory = primary.workspace() / "standby";
    const auto copied =
        primary.run("pg_basebackup", {"-D", options.directory.string(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"});
    if (copied.exit_code != 0) throw std::runtime_error("pg_basebackup: " + copied.errors);
    // The commits of the promoted one wait for nobody.
    options.settings = {{"synchronous_standby_names", ""}, {"fsync", "off"}, {"max_connections", "120"}};
    auto standby = ScratchServer::adopt(options);
    postgres::Session session(primary.conninfo());
    session.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    session.query("SELECT pg_reload_conf()");
    const bool in_step =
        eventually([&] { return session.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1"; });
    if (!in_step) throw std::runtime_error("the standby does not follow");
    return standby;
}

TEST(Promotion, LosesAndDoublesNothing) {
    auto primary = ledger_server();
    auto standby = synchronous_standby(*primary);
    auto client =
        open_client(fmt::format("host={},{} port={},{} user=app dbname=postgres target_session_attrs=read-write",
                                primary->socket_directory().string(), standby.socket_directory().string(), primary->port(), standby.port()),
                    kConnections);
    Crowd crowd(client, {.callers = callers()});
    ASSERT_TRUE(eventually([&] { return crowd.done() >= 100; }));
    primary->kill();
    const std::uint64_t before = crowd.done();
    postgres::Session session(standby.conninfo());
    session.query("SELECT pg_promote()");
    const auto promoted = steady_clock::now();
    ASSERT_TRUE(eventually([&] { return crowd.done() > before; }));
    const double seconds = std::chrono::duration<double>(steady_clock::now() - promoted).count();
    ASSERT_TRUE(eventually([&] { return crowd.done() >= before + 200; }));
    crowd.finish();
    const Judgement judgement = judge(standby.conninfo(), crowd.notes());
    EXPECT_TRUE(judgement.right()) << judgement.text();
    fmt::print("RESULT Promotion: {}\nRESULT Promotion: first good work {:.2f} s after it\n", judgement.text(), seconds);
}

}  // namespace
}  // namespace howdah::tests
