// T16 and the sandbox: a copy started beside the live cluster changes nothing of it.
#include "base/file.hpp"
#include "fixture.hpp"
#include "postgres/wal_reader.hpp"

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

/// Fills the WAL with messages until the next record would begin at `goal`. False when the page's end is too near.
bool fill_wal_to(postgres::Session& session, base::Lsn goal) {
    const auto here = [&] { return base::parse_lsn(session.value("SELECT pg_current_wal_insert_lsn()"))->value; };
    const auto write = [&](std::uint64_t bytes) {
        session.query("SELECT pg_logical_emit_message(false, 'fill', repeat('x', " + std::to_string(bytes) + "))");
    };
    constexpr std::uint64_t kPage = 8192, kProbe = 1000;
    while (here() / kPage != goal.value / kPage) {
        if (here() > goal.value) return false;
        write(2000);
    }
    const auto before = here();
    write(kProbe);
    const auto took = here() - before;
    if (here() + took > goal.value) return false;
    write(kProbe + (goal.value - here() - took));
    return here() == goal.value;
}

/// What the running server's WAL says about the segment in which that LSN lies.
postgres::WalSegmentFacts walk_live(ProtectedServer& protectee, base::Lsn lsn, std::string* next = nullptr) {
    constexpr std::uint64_t kSegment = 1u << 20;
    auto segment = postgres::segment_at({1}, lsn, kSegment);
    const auto wal = protectee.server().data_directory() / "pg_wal";
    const auto bytes = base::read_file(wal / segment.name(kSegment));
    ++segment.number;
    if (next) *next = base::read_file_if_exists(wal / segment.name(kSegment)).value_or(std::string());
    return postgres::walk_segment(base::as_bytes(bytes));
}

/// Creates a tablespace whose record lies across the edge of two segments. False when something else came between.
bool create_across_an_edge(ProtectedServer& protectee, const std::string& name, const std::string& location) {
    constexpr std::uint64_t kSegment = 1u << 20, kBeforeEnd = 16;
    auto session = protectee.session();
    const auto here = [&] { return *base::parse_lsn(session.value("SELECT pg_current_wal_insert_lsn()")); };
    session.query("SET allow_in_place_tablespaces = on");
    std::uint64_t distance = 0;
    for (const char* probe : {"probe1", "probe2", "probe3"}) {
        session.query("SELECT pg_switch_wal()");
        session.query("SELECT pg_logical_emit_message(false, 'fill', 'x')");
        const auto before = here();
        session.query(std::string("CREATE TABLESPACE ") + probe + " LOCATION ''");
        const auto seen = walk_live(protectee, before).tablespaces;
        if (seen.empty()) return false;
        distance = seen.back().lsn.value - before.value;
        session.query(std::string("DROP TABLESPACE ") + probe);
    }
    const auto edge = (here().value / kSegment + 1) * kSegment;
    if (!fill_wal_to(session, {edge - kBeforeEnd - distance})) return false;
    session.query("CREATE TABLESPACE " + name + " LOCATION " + session.quote_literal(location));
    std::string next;
    auto facts = walk_live(protectee, {edge - 1}, &next);
    return facts.tail_unread && postgres::finish_cut_record(base::as_bytes(next), facts) && !facts.tablespaces.empty() &&
           facts.tablespaces.back().lsn == facts.cut_record;
}

TEST(Trap, T16_cut_records) {
    ProtectedServer::Options options;
    options.scratch.wal_segment_mib = 1;
    ProtectedServer protectee(options);
    auto session = protectee.session();
    std::string location;
    for (int attempt = 0;; ++attempt) {
        ASSERT_LT(attempt, 20) << "no attempt put the record across an edge";
        protectee.howdah_ok({"backup", "run"});
        const auto name = "far" + std::to_string(attempt);
        location = make_space(protectee, name).string();
        if (create_across_an_edge(protectee, name, location)) break;
    }
    protectee.archive_everything();
    const auto into = protectee.workspace() / "sandbox";
    const auto result = protectee.howdah({"restore", "--into", into.string(), "--sandbox"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find(location + ", outside this restore"), std::string::npos) << result.errors;
    EXPECT_FALSE(std::filesystem::exists(into));
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
