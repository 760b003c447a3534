// A repository that goes away in the middle of a recovery ends the recovery; it never ends the WAL.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.hpp"
#include "ground.hpp"
#include "postgres/control_file.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// What the restore_command does before the real one when the segment named in `trigger` is asked for.
constexpr const char* kWrapper = R"sh(#!/bin/sh
if [ "$1" = "$(cat {0}/trigger 2>/dev/null)" ]; then
    sh {0}/accident
    rm {0}/trigger
fi
exec {1} --config {2} --cluster main wal fetch "$1" "$2"
)sh";

class RecoveryOutage : public testing::Test {
protected:
    ProtectedServer protectee{[] {
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        return options;
    }()};
    const fs::path into = protectee.workspace() / "restored";
    const fs::path script = protectee.workspace() / "restore.sh";

    void put(const fs::path& path, const std::string& text) {
        base::write_file_durably(path, text, 0755);
        base::run_process_checked("chown", {"chown", protectee.server().user().name, path.string()});
    }
    /// Segment names of the restored timeline between the backup and the end, oldest first.
    std::vector<std::string> segments() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(protectee.repository() / "cluster"))
            if (entry.path().filename().string().size() == 24 && entry.path().string().find("/wal/") != std::string::npos)
                names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }
    postgres::ScratchServer adopt() {
        postgres::ScratchOptions options;
        options.directory = into;
        options.programs = protectee.server().programs();
        return postgres::ScratchServer::adopt(options);
    }
    /// The server must end by itself, still in recovery on its timeline.
    void expect_no_promotion(const std::string& segment, const std::string& accident) {
        SCOPED_TRACE(accident);
        put(protectee.workspace() / "accident", accident);
        put(protectee.workspace() / "trigger", segment);
        std::string log;
        try {
            auto server = adopt();
            const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
            while (server.running() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
            EXPECT_FALSE(server.running()) << "it goes on although the repository is away";
            log = base::read_file(server.log_file());
            EXPECT_NE(log.find("FATAL"), std::string::npos) << log;
        } catch (const base::Failure& failure) {
            log = failure.what();
        }
        EXPECT_FALSE(fs::exists(protectee.workspace() / "trigger")) << "the accident did not happen: " << log;
        const auto control = postgres::read_control_file(into);
        EXPECT_EQ(control.timeline.value, 1u);
        EXPECT_NE(control.state, postgres::ClusterState::in_production) << log;
        EXPECT_FALSE(fs::exists(into / "pg_wal/00000002.history")) << "it promoted: " << log;
        EXPECT_TRUE(fs::exists(into / "recovery.signal"));
    }
};

TEST_F(RecoveryOutage, NeverPromotes) {
    protectee.session().script("CREATE TABLE ledger(id int)");
    protectee.howdah_ok({"backup", "run"});
    const auto before = segments().size();
    for (int i = 0; i < 12; ++i) {
        protectee.session().script("INSERT INTO ledger SELECT g FROM generate_series(1, 1000) g");
        protectee.session().query("SELECT pg_switch_wal()");
    }
    protectee.archive_everything();
    protectee.howdah_ok({"restore", "--into", into.string()});
    const auto names = segments();
    ASSERT_GT(names.size(), before + 10);

    const auto repository = protectee.repository().string();
    put(script, fmt::format(kWrapper, protectee.workspace().string(), protectee.binary().string(), protectee.config_file().string()));
    std::ofstream(into / "postgresql.auto.conf", std::ios::app) << fmt::format("restore_command = 'sh {} %f %p'\n", script.string());

    expect_no_promotion(names[before + 2], fmt::format("mv {0} {0}.away\n", repository));
    fs::rename(repository + ".away", repository);
    expect_no_promotion(names[before + 5], fmt::format("mv {0} {0}.away\nmkdir {0}\n", repository));
    fs::remove(repository);
    fs::rename(repository + ".away", repository);
    expect_no_promotion(names[before + 8], fmt::format("chmod 0 {}\n", repository));
    fs::permissions(repository, fs::perms::owner_all);

    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM ledger"), "12000");
    EXPECT_EQ(check_restored(server), "");
}

}  // namespace
}  // namespace howdah::tests
