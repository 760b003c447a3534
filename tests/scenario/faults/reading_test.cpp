// The commands that only look, with one call of the store failing: none says that all is well, or tells of less than there is, when it
// could not read.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "ground.hpp"
#include "sweep.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Without what changes from one moment to the next.
json steady(json document) {
    for (const char* name : {"age_seconds"}) document.erase(name);
    if (document.contains("wal"))
        for (const char* name : {"oldest_ready_seconds", "current_lsn", "lag_bytes", "bytes_per_second", "disk_free_bytes",
                                 "until_full_seconds", "last_archived_time", "last_archived"})
            document["wal"].erase(name);
    return document;
}

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) names.insert(entry.path().lexically_relative(folder).string());
    return names;
}

class FaultyReading : public testing::Test {
protected:
    FaultyReading() : place_("reading") { place_.reset(); }

    void sweep_reading(const std::string& operation, std::vector<std::string> words, unsigned points = 24) {
        words.insert(words.begin(), {"--output", "json"});
        const auto told = steady(json::parse(place_.plain(words)));
        const auto names = names_in(place_.repository());
        sweep({.operation = operation,
               .prepare = [] {},
               .run = [&](const Fault& fault) { return place_.run(words, fault); },
               .judge =
                   [&](const Ended& run) {
                       if (run.succeeded()) {
                           EXPECT_EQ(steady(json::parse(run.output)), told);
                       }
                       EXPECT_EQ(names_in(place_.repository()), names);
                   },
               .points = points});
        EXPECT_EQ(steady(json::parse(place_.plain(words))), told);
    }

    /// A probe's answer: 0 only when all was looked at.
    void sweep_probe(const std::string& operation, std::vector<std::string> words, unsigned points = 16) {
        words.insert(words.begin(), {"--output", "nagios"});
        sweep({.operation = operation,
               .prepare = [] {},
               .run = [&](const Fault& fault) { return place_.run(words, fault); },
               .judge =
                   [&](const Ended& run) {
                       EXPECT_LE(run.exit_code, 3);
                       EXPECT_EQ(run.succeeded(), run.output.starts_with("OK")) << "probes read the exit code";
                   },
               .points = points});
    }

    Place place_;
};

/// Backup status complains when the server has written much that is archived nowhere, as it has after sweeps of backups.
class NewServer {
protected:
    NewServer() { renew_server(); }
};
class FaultyStatus : NewServer, public FaultyReading {};

TEST_F(FaultyReading, BackupList) { sweep_reading("backup list", {"backup", "list"}); }
TEST_F(FaultyReading, BackupShow) { sweep_reading("backup show", {"backup", "show", listed(place_).front()}, 16); }
TEST_F(FaultyStatus, BackupStatus) { sweep_reading("backup status", {"backup", "status"}); }
TEST_F(FaultyReading, BackupVerify) { sweep_reading("backup verify", {"backup", "verify", "--jobs", "1"}, 40); }
TEST_F(FaultyReading, BackupVerifyFull) { sweep_reading("backup verify --full", {"backup", "verify", "--full", "--jobs", "1"}, 40); }
TEST_F(FaultyReading, BackupVerifySample) {
    sweep_reading("backup verify --sample", {"backup", "verify", "--sample", "40%", "--seed", "7", "--jobs", "2"}, 40);
}
TEST_F(FaultyReading, RepoCheck) { sweep_reading("repo check", {"repo", "check"}, 32); }
TEST_F(FaultyReading, RepoInfo) { sweep_reading("repo info", {"repo", "info"}); }
TEST_F(FaultyReading, WalStatus) { sweep_reading("wal status", {"wal", "status"}); }
TEST_F(FaultyStatus, Probes) {
    sweep_probe("backup status, as a probe", {"backup", "status"});
    sweep_probe("backup verify, as a probe", {"backup", "verify"});
    sweep_probe("repo check, as a probe", {"repo", "check"});
    sweep_probe("wal status, as a probe", {"wal", "status"});
}
TEST_F(FaultyReading, DryRuns) {
    sweep_reading("backup run --dry-run", {"backup", "run", "--type", "incr", "--dry-run"}, 16);
    sweep_reading("repo gc --dry-run", {"repo", "gc", "--grace", "0", "--dry-run"}, 24);
    sweep_reading("wal summarize --dry-run", {"wal", "summarize", "--dry-run"}, 16);
    sweep_reading("restore --dry-run", {"restore", "--into", place_.restored().string(), "--dry-run"}, 16);
    EXPECT_FALSE(fs::exists(place_.restored()));
}

}  // namespace
}  // namespace howdah::tests
