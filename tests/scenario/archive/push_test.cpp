#include "archive/push.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;

class Push : public test::ArchiveScenario {};
class PushSizes : public test::ArchiveScenario, public testing::WithParamInterface<unsigned> {};
class Trap : public test::ArchiveScenario {};

/// The fault points of wal push, from the source: a new one is tested without being listed.
std::set<std::string> fault_points() {
    std::set<std::string> found;
    const std::regex call("fault_point\\(\"(wal_push\\.[a-z_]+)\"\\)");
    for (const auto& entry : fs::directory_iterator(tests::source_folder() / "src" / "archive")) {
        std::ifstream file(entry.path());
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        for (std::sregex_iterator match(text.begin(), text.end(), call); match != std::sregex_iterator(); ++match)
            found.insert((*match)[1]);
    }
    return found;
}

TEST_P(PushSizes, BytesComeBackEqual) {
    ASSERT_NO_FATAL_FAILURE(begin(options(GetParam())));
    const auto names = switch_segments(3);
    const auto result = push(names[0]);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    for (const std::string& name : names) {
        ASSERT_NO_FATAL_FAILURE(expect_archived(name));
        const auto fetched = fetch(name, work_ / "fetched");
        EXPECT_EQ(fetched.exit_code, 0) << fetched.errors;
        EXPECT_TRUE(base::read_file(work_ / "fetched", {1u << 30}) == base::read_file(pg_wal() / name, {1u << 30}));
    }
    const auto open = repository();
    const auto trailer = WalArchive(open, area()).trailer(names[1]);
    ASSERT_TRUE(trailer);
    EXPECT_EQ(trailer->segment_size, GetParam() << 20);
    EXPECT_EQ(trailer->doubt, "");
    EXPECT_GE(trailer->commits, 1u);
    EXPECT_TRUE(trailer->switched);
}
INSTANTIATE_TEST_SUITE_P(SegmentSizes, PushSizes, testing::Values(1u, 16u, 64u));

TEST_F(Push, ReadySegmentsGoAheadAndTheirCallsAreQuick) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(5);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    for (const std::string& name : names) ASSERT_NO_FATAL_FAILURE(expect_archived(name));
    // The key away: only an acknowledgement can answer now.
    fs::rename(work_ / "key", work_ / "key.away");
    const auto acknowledged = push(names[1]);
    EXPECT_EQ(acknowledged.exit_code, 0) << acknowledged.errors;
    EXPECT_EQ(push(names[1]).exit_code, 3) << "it was taken once";
    fs::rename(work_ / "key.away", work_ / "key");
    EXPECT_EQ(push(names[1]).exit_code, 0) << "the same bytes again";
}

TEST_F(Push, AnAcknowledgementWhoseObjectIsGoneIsNotTrusted) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(3);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    ASSERT_TRUE(fs::remove(repository_folder() / area().wal(names[1]))) << "as in an older copy of the repository";
    EXPECT_EQ(push(names[1]).exit_code, 0);
    expect_archived(names[1]);
}

TEST_F(Push, AnAcknowledgementOfARewrittenFileOrAnotherRepositoryIsNotTrusted) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(3);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    const fs::path file = pg_wal() / names[1];
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::nanoseconds(1));
    fs::rename(work_ / "key", work_ / "key.away");
    EXPECT_EQ(push(names[1]).exit_code, 3);
    fs::rename(work_ / "key.away", work_ / "key");
    fs::rename(repository_folder(), work_ / "old");
    ASSERT_EQ(howdah({"repo", "init"}).exit_code, 0);
    ASSERT_EQ(push(names[2]).exit_code, 0);
    expect_archived(names[2]);
}

TEST_F(Push, OtherBytesUnderOneNameAreRefused) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(1);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    std::string bytes = base::read_file(pg_wal() / names[0]);
    bytes.back() = 'x';
    const fs::path copy = work_ / "data" / "pg_wal";
    fs::create_directories(copy / "archive_status");
    fs::create_directories(work_ / "data" / "global");
    fs::copy_file(data() / "global" / "pg_control", work_ / "data" / "global" / "pg_control");
    base::write_file_durably(copy / names[0], bytes);
    for (const auto& entry : fs::recursive_directory_iterator(work_ / "data")) give(entry.path());
    give(work_ / "data");
    EXPECT_EQ(howdah({"wal", "push", (copy / names[0]).string()}).exit_code, 1);
    expect_archived(names[0]);
}

TEST_F(Push, AnotherClustersSegmentIsRefused) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const postgres::ScratchServer other(options());
    postgres::Session asking(other.conninfo());
    const std::string foreign = switch_segment(asking);
    const std::string own = switch_segments(1)[0];
    const std::string name = foreign == own ? foreign : own;
    fs::rename(pg_wal() / own, work_ / "own");
    fs::copy_file(other.data_directory() / "pg_wal" / foreign, pg_wal() / foreign, fs::copy_options::overwrite_existing);
    give(pg_wal() / foreign);
    EXPECT_EQ(push(foreign).exit_code, 3);
    EXPECT_FALSE(archived(foreign));
    fs::rename(work_ / "own", pg_wal() / own);
}

TEST_F(Push, AnOutageFailsAndArchivesLater) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(2);
    fs::rename(repository_folder(), work_ / "away");
    EXPECT_EQ(push(names[0]).exit_code, 5);
    fs::rename(work_ / "away", repository_folder());
    EXPECT_EQ(push(names[0]).exit_code, 0);
    expect_archived(names[0]);
    EXPECT_EQ(howdah({"wal", "push", "pg_wal/nonsense"}).exit_code, 2);
}

TEST_F(Push, KilledAnywhereItIsRightTheNextTime) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto points = fault_points();
    ASSERT_GE(points.size(), 6u);
    unsigned killed = 0;
    for (const std::string& point : points) {
        const auto names = switch_segments(3);
        const auto result = push(names[0], {{"HOWDAH_FAULT", point}});
        if (result.exit_code == 128 + 9) ++killed;
        for (const std::string& name : names) {
            const auto again = push(name);
            ASSERT_EQ(again.exit_code, 0) << point << ": " << again.errors;
            ASSERT_NO_FATAL_FAILURE(expect_archived(name)) << point;
        }
    }
    EXPECT_GE(killed, points.size() - 2) << "after_history needs a later timeline, after_remove an unfinished copy";
}

TEST_F(Push, BackupEnsuresItsWalWithoutArchiveCommand) {
    auto scratch = options();
    scratch.settings["archive_mode"] = "off";
    ASSERT_NO_FATAL_FAILURE(begin(scratch));
    const auto names = switch_segments(4);
    const auto open = repository();
    WalArchive archive(open, area());
    const auto segment = [](const std::string& name) { return *postgres::parse_segment_name(name, 1u << 20); };
    ensure_archived(archive, data(), segment(names.front()), segment(names.back()), 1u << 20, 1, 2, {});
    for (const std::string& name : names) ASSERT_NO_FATAL_FAILURE(expect_archived(name));
    EXPECT_THROW(ensure_archived(archive, data(), {{1}, 0}, {{1}, 0}, 1u << 20, 1, 2, {}), base::Failure);
}

TEST_F(Trap, T19_finished) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    asking.query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 2000))");
    asking.query("CHECKPOINT");
    const std::string name = asking.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    push(name);
    EXPECT_FALSE(archived(name)) << "the server still writes into it";
    ASSERT_EQ(switch_segment(asking), name);
    EXPECT_EQ(push(name).exit_code, 0) << "finished now";
    expect_archived(name);
}

TEST_F(Trap, T19_durable) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(3);
    // Killed with the second segment read and not yet stored.
    EXPECT_EQ(push(names[0], {{"HOWDAH_FAULT", "wal_push.after_read#2"}}).exit_code, 128 + 9);
    EXPECT_EQ(push(names[1]).exit_code, 0);
    EXPECT_TRUE(archived(names[1]));
}

}  // namespace
}  // namespace howdah::archive
