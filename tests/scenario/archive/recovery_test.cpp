#include <fcntl.h>

#include <algorithm>

#include "archive/coverage.hpp"
#include "archive/push.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;

/// A server that archives for real, and copies of it that recover from the archive alone.
class Recovery : public test::ArchiveScenario {
protected:
    void begin_archiving() {
        ASSERT_NO_FATAL_FAILURE(begin(options()));
        const auto done = howdah({"wal", "setup", "--force"});
        ASSERT_EQ(done.exit_code, 0) << done.errors;
    }
    /// A base copy that asks the archive for WAL; not started.
    postgres::ScratchOptions copy(const std::string& name, const std::string& signal, const std::string& more = {}) {
        postgres::ScratchOptions scratch;
        scratch.directory = work_ / name;
        const auto result = server_->run("pg_basebackup", {"-D", scratch.directory.string(), "-X", "none", "-c", "fast", "--no-sync"});
        EXPECT_EQ(result.exit_code, 0) << result.errors;
        const std::string command =
            fmt::format("{} --config {} wal fetch %f %p --wait 0 {}", tests::howdah_program().string(), config().string(), more);
        append(scratch.directory / "postgresql.auto.conf",
               fmt::format("\nrestore_command = '{}'\nrecovery_target_timeline = 'latest'\n", command));
        append(scratch.directory / signal, "");
        return scratch;
    }
    void append(const fs::path& file, const std::string& text) {
        base::File::open(file, O_WRONLY | O_CREAT | O_APPEND).append(base::as_bytes(text));
        give(file);
    }
    static void wait_for(const postgres::ScratchServer& server, const std::string& sql) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        for (;;) {
            postgres::Session asking(server.conninfo());
            if (asking.value(sql) == "t") return;
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << sql;
            base::Cancellation().sleep(std::chrono::milliseconds(20));
        }
    }
    /// The last segment is in the archive.
    void archive_everything() {
        const std::string name = switch_segments(1)[0];
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!archived(name)) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << name;
            base::Cancellation().sleep(std::chrono::milliseconds(20));
        }
    }
};

TEST_F(Recovery, FromTheArchiveAloneAndOverATimeline) {
    ASSERT_NO_FATAL_FAILURE(begin_archiving());
    const auto first = copy("first", "recovery.signal");
    {
        postgres::Session asking = session();
        asking.query("CREATE TABLE public.t AS SELECT g AS i, repeat('x', 500) AS pad FROM generate_series(1, 20000) g");
    }
    ASSERT_NO_FATAL_FAILURE(archive_everything());
    auto restored = postgres::ScratchServer::adopt(first);
    ASSERT_NO_FATAL_FAILURE(wait_for(restored, "SELECT NOT pg_is_in_recovery()"));
    EXPECT_EQ(postgres::Session(restored.conninfo()).value("SELECT count(*) FROM public.t"), "20000");

    // The restored server is on timeline 2 now; its history and WAL go into the archive by hand, newest segment first.
    postgres::Session asking(restored.conninfo());
    asking.query("INSERT INTO public.t SELECT g, 'second' FROM generate_series(1, 1000) g");
    const std::string last = switch_segment(asking);
    EXPECT_EQ(last.substr(0, 8), "00000002");
    const auto pushed = howdah({"wal", "push", "pg_wal/" + last}, {}, first.directory);
    EXPECT_EQ(pushed.exit_code, 0) << pushed.errors;
    EXPECT_TRUE(archived("00000002.history")) << "history first";
    for (const std::string& name : ready_files(first.directory))
        EXPECT_EQ(howdah({"wal", "push", "pg_wal/" + name}, {}, first.directory).exit_code, 0);

    const auto open = repository();
    const WalArchive archive(open, area());
    const auto path = find_path(archive, {1}, archive.ranges(1u << 20).front().first.begin(1u << 20), {0}, std::nullopt, 1u << 20);
    EXPECT_EQ(path.first_missing, std::nullopt);
    ASSERT_EQ(path.legs.size(), 2u);
    EXPECT_EQ(path.segments.back().substr(0, 8), "00000002");
    const CommitSpan span = commit_span(archive, path);
    EXPECT_TRUE(span.first && span.last && *span.first < *span.last);
}

TEST_F(Recovery, AnOutageNeverPromotes) {
    ASSERT_NO_FATAL_FAILURE(begin_archiving());
    const auto copied = copy("copied", "recovery.signal");
    ASSERT_NO_FATAL_FAILURE(archive_everything());
    fs::rename(repository_folder(), work_ / "away");
    EXPECT_THROW(postgres::ScratchServer::adopt(copied), base::Failure);
    EXPECT_TRUE(fs::exists(copied.directory / "recovery.signal")) << "recovery did not end";
    EXPECT_FALSE(fs::exists(copied.directory / "pg_wal" / "00000002.history")) << "promoted";
    EXPECT_EQ(postgres::read_control_file(copied.directory).timeline.value, 1u);
    fs::rename(work_ / "away", repository_folder());
    auto restored = postgres::ScratchServer::adopt(copied);
    ASSERT_NO_FATAL_FAILURE(wait_for(restored, "SELECT NOT pg_is_in_recovery()"));
}

TEST_F(Recovery, ExitCodesOfEveryFailureAre126) {
    ASSERT_NO_FATAL_FAILURE(begin_archiving());
    const std::string name = switch_segments(1)[0];
    ASSERT_NO_FATAL_FAILURE(archive_everything());
    const fs::path to = work_ / "out";
    EXPECT_EQ(fetch(name, to).exit_code, 0);
    EXPECT_EQ(fetch("0000000100000000000000FF", to).exit_code, 1);
    EXPECT_EQ(fetch("00000009.history", to).exit_code, 1);
    const auto expect_126 = [&](const std::string& what) {
        EXPECT_EQ(fetch(name, to).exit_code, 126) << what;
        EXPECT_EQ(fetch("0000000100000000000000FF", to).exit_code, 126) << what;
    };
    fs::rename(repository_folder(), work_ / "away");
    expect_126("repository gone");
    fs::create_directory(repository_folder());
    give(repository_folder());
    expect_126("empty mount point");
    fs::remove(repository_folder());
    fs::rename(work_ / "away", repository_folder());
    fs::permissions(repository_folder(), fs::perms::none);
    expect_126("no permission");
    fs::permissions(repository_folder(), fs::perms::owner_all);
    fs::rename(work_ / "key", work_ / "key.away");
    expect_126("no key");
    fs::rename(work_ / "key.away", work_ / "key");
    EXPECT_EQ(howdah({"wal", "fetch"}).exit_code, 126) << "usage";
    EXPECT_EQ(howdah({"wal", "fetch", name, to.string(), "--no-such-option"}).exit_code, 126) << "usage";
    EXPECT_EQ(howdah({"--cluster", "other", "wal", "fetch", name, to.string(), "--wait", "0"}).exit_code, 126) << "cluster";
    EXPECT_EQ(fetch("nonsense", to).exit_code, 126);
    EXPECT_EQ(fetch(name, work_ / "no" / "such" / "folder").exit_code, 126);
    EXPECT_EQ(howdah({"wal", "fetch", name, to.string(), "--wait", "0"}, {}, work_).exit_code, 126) << "not in a data directory";
}

}  // namespace
}  // namespace howdah::archive
