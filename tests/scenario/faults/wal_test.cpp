// `wal push`, `wal fetch` and `wal summarize`, with one call of the store failing: a segment is archived whole or not at all, what is there
// is never called absent, what is delivered is right, and doing it again is right.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "archive/summaries.hpp"
#include "archive/wal_archive.hpp"
#include "base/file.hpp"
#include "ground.hpp"
#include "postgres/control_file.hpp"
#include "sweep.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHistory = "00000002.history";
constexpr int kFetchFailed = 126;

/// The stopped server of a second timeline: nothing of its first segments and history is archived, all of it is ready.
class FaultyWal : public testing::Test {
protected:
    FaultyWal() : place_("wal") {
        place_.reset();
        place_.plain({"restore", "--into", data().string(), "--latest"});
        {
            auto server = shared_server().start_restored(data());
            auto session = open_session(server);
            session.query("CREATE TABLE log AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 4000) g");
            for (int i = 0; i < 4; ++i) {
                session.query("INSERT INTO log SELECT g, md5(g::text) FROM generate_series(1, 3000) g");
                segments_.push_back(session.value("SELECT pg_walfile_name(pg_switch_wal())"));
            }
            server.stop();
        }
        for (const auto& name : segments_) make_ready(name);
        make_ready(kHistory);
        give_to_server(data());
    }

    fs::path data() const { return place_.folder() / "data"; }
    fs::path file(const std::string& name) const { return data() / "pg_wal" / name; }
    void make_ready(const std::string& name) const { base::write_file_durably(data() / "pg_wal/archive_status" / (name + ".ready"), ""); }

    /// As the server calls it: in the data directory.
    Ended run(const std::vector<std::string>& words, const Fault& fault = {}) const {
        std::vector<std::string> all{"--config", shared_server().config_file().string(), "wal"};
        all.insert(all.end(), words.begin(), words.end());
        auto surroundings = place_.environment();
        surroundings["HOWDAH_WAL_FETCH_AHEAD"] = std::to_string(fetch_ahead_);
        return run_inside(all, surroundings, data(), fault);
    }
    Ended push(const std::string& name, const Fault& fault = {}) const { return run({"push", file(name).string()}, fault); }

    std::vector<std::string> everything() const {
        auto names = segments_;
        names.emplace_back(kHistory);
        return names;
    }

    /// Whether the archive holds the file; if so it must be these bytes.
    bool archived(const std::string& name) const {
        const auto repository = repository::Repository::open(place_.repository_config());
        const archive::WalArchive archive(repository, {"main", postgres::read_control_file(data()).system_identifier});
        repository::SealContext context;
        const auto bytes = archive.get(name, context);
        if (bytes) {
            EXPECT_TRUE(base::as_text(*bytes) == base::read_file(file(name))) << name;
        }
        return bytes.has_value();
    }

    void judge_push(const Ended& run) const {
        EXPECT_LE(run.exit_code, 6) << "the server's archiver would end";
        for (const auto& name : everything()) {
            const bool there = archived(name);
            if (run.succeeded() && (name == segments_.front() || name == kHistory)) {
                EXPECT_TRUE(there) << name;
            }
        }
        // The server calls for each, in order, until it is told that it is done.
        for (const auto& name : segments_) {
            const auto again = push(name);
            EXPECT_EQ(again.exit_code, 0) << name << again.errors;
            EXPECT_TRUE(archived(name)) << name;
        }
        EXPECT_TRUE(archived(kHistory));
    }

    fs::path fetched() const { return place_.folder() / "fetched"; }
    Ended fetch(const std::string& name, const Fault& fault = {}) const {
        fs::remove(fetched());
        return run({"fetch", name, fetched().string(), "--wait", "0s"}, fault);
    }

    /// Of a file that is archived.
    void judge_fetch(const Ended& run, const std::string& name) const {
        EXPECT_TRUE(run.exit_code == 0 || run.exit_code == kFetchFailed) << "what is there was called absent";
        if (run.succeeded()) {
            EXPECT_TRUE(base::read_file(fetched()) == base::read_file(file(name)));
        }
    }

    void sweep_fetch(const std::string& operation, const std::vector<std::string>& names) {
        for (const auto& name : segments_) ASSERT_EQ(push(name).exit_code, 0);
        sweep({.operation = operation,
               .prepare = [&] { fs::remove_all(place_.state()); },
               .run = [&](const Fault& fault) { return fetch(names.front(), fault); },
               .judge =
                   [&](const Ended& run) {
                       judge_fetch(run, names.front());
                       // Those after it too: the look-ahead may have put them aside.
                       for (const auto& name : names) {
                           const auto again = fetch(name);
                           EXPECT_EQ(again.exit_code, 0) << name << again.errors;
                           judge_fetch(again, name);
                       }
                   },
               .other_exit_code = kFetchFailed});
    }

    void sweep_absent(const std::string& operation, const std::string& name) {
        sweep({.operation = operation,
               .prepare = [&] { fs::remove_all(place_.state()); },
               .run = [&](const Fault& fault) { return fetch(name, fault); },
               .judge =
                   [&](const Ended& run) {
                       EXPECT_TRUE(run.exit_code == 1 || run.exit_code == kFetchFailed);
                       EXPECT_FALSE(fs::exists(fetched()));
                       EXPECT_EQ(fetch(name).exit_code, 1);
                   },
               .other_exit_code = kFetchFailed});
    }

    Place place_;
    std::vector<std::string> segments_;
    unsigned fetch_ahead_ = 0;
};

TEST_F(FaultyWal, PushOfTheNamedOneAndThoseAhead) {
    sweep({.operation = "wal push, with history and three ahead",
           .prepare = [&] { place_.reset(); },
           .run = [&](const Fault& fault) { return push(segments_.front(), fault); },
           .judge = [&](const Ended& run) { judge_push(run); }});
}

TEST_F(FaultyWal, PushOfWhatIsArchived) {
    for (const auto& name : segments_) ASSERT_EQ(push(name).exit_code, 0);
    const auto archived = place_.folder() / "archived";
    fs::rename(place_.repository(), archived);
    sweep({.operation = "wal push of what is archived",
           .prepare = [&] { place_.reset(archived); },
           .run = [&](const Fault& fault) { return push(segments_.front(), fault); },
           .judge = [&](const Ended& run) { judge_push(run); },
           .points = 12});
}

/// An acknowledgement of a push ahead must not be believed when it cannot be checked.
TEST_F(FaultyWal, PushOfWhatWasPushedAhead) {
    sweep({.operation = "wal push, acknowledged",
           .prepare =
               [&] {
                   place_.reset();
                   EXPECT_EQ(push(segments_.front()).exit_code, 0);
               },
           .run = [&](const Fault& fault) { return push(segments_[1], fault); },
           .judge = [&](const Ended& run) { judge_push(run); },
           .points = 12});
}

TEST_F(FaultyWal, ReplacementOfAnUnfinishedCopy) {
    // The same segment as it was before its last records: the rest of its pages is empty.
    const auto& name = segments_.back();
    const auto lost = place_.folder() / "lost";
    fs::create_directories(lost / "pg_wal/archive_status");
    fs::create_directories(lost / "global");
    fs::copy_file(data() / "global/pg_control", lost / "global/pg_control");
    auto bytes = base::read_file(file(name));
    constexpr std::size_t kPages = 3 * 8192;
    std::fill(bytes.begin() + kPages, bytes.end(), '\0');
    base::write_file_durably(lost / "pg_wal" / name, bytes);
    give_to_server(lost);
    const auto unfinished = place_.folder() / "with-unfinished";
    ASSERT_EQ(push(kHistory).exit_code, 0);
    place_.plain({"wal", "push", "--unfinished", (lost / "pg_wal" / name).string()});
    fs::rename(place_.repository(), unfinished);
    const std::vector<std::string> replace{"push", "--replace-unfinished", file(name).string()};
    sweep({.operation = "wal push --replace-unfinished",
           .prepare = [&] { place_.reset(unfinished); },
           .run = [&](const Fault& fault) { return run(replace, fault); },
           .judge =
               [&](const Ended& ended) {
                   if (ended.succeeded()) {
                       EXPECT_TRUE(archived(name));
                   }
                   const auto again = run(replace);
                   EXPECT_EQ(again.exit_code, 0) << again.errors;
                   EXPECT_TRUE(archived(name));
               },
           .points = 16});
}

TEST_F(FaultyWal, Fetch) { sweep_fetch("wal fetch", {segments_.front()}); }

TEST_F(FaultyWal, FetchWithLookAhead) {
    fetch_ahead_ = 3;
    sweep_fetch("wal fetch, with look-ahead", segments_);
}

TEST_F(FaultyWal, FetchOfAHistory) { sweep_fetch("wal fetch of a history", {kHistory}); }

TEST_F(FaultyWal, FetchOfWhatIsNotThere) { sweep_absent("wal fetch of an absent segment", "0000000100000000000000FF"); }

TEST_F(FaultyWal, FetchOfAHistoryThatIsNotThere) { sweep_absent("wal fetch of an absent history", "00000003.history"); }

TEST_F(FaultyWal, Summarize) {
    const auto whole = [&] {
        const auto repository = repository::Repository::open(place_.repository_config());
        const archive::WalArchive archive(repository, {"main", postgres::read_control_file(data()).system_identifier});
        std::map<std::string, std::string> summaries;
        for (const auto& name : archive::list_summaries(archive))
            summaries.emplace(repository::text(name), archive::read_summary(archive, name).encode());
        return summaries;
    };
    place_.reset();
    const auto before = whole();
    place_.plain({"wal", "summarize"});
    const auto after = whole();
    ASSERT_GT(after.size(), before.size());
    sweep({.operation = "wal summarize",
           .prepare = [&] { place_.reset(); },
           .run = [&](const Fault& fault) { return place_.run({"wal", "summarize"}, fault); },
           .judge =
               [&](const Ended& run) {
                   EXPECT_TRUE(whole() == after || (!run.succeeded() && whole() == before));
                   place_.plain({"wal", "summarize"});
                   EXPECT_TRUE(whole() == after);
                   place_.plain({"backup", "verify"});
               }});
}

}  // namespace
}  // namespace howdah::tests
