// A backup is of the server whose files are copied: servers of one cluster have one system identifier, and on two hosts the same paths.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// A primary seen by a role that may not read where its data directory is, as if it were on another host where it has the same path.
class SameServer : public testing::Test {
protected:
    SameServer() {
        protectee_.session().script(
            "CREATE ROLE taker LOGIN;"
            "GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean), pg_switch_wal() TO taker");
        auto conninfo = protectee_.server().conninfo();
        protectee_.set_config("cluster.main.conninfo", "\"" + conninfo + " user=taker\"");
    }

    /// Another server on a copy of the files, a standby of the primary or on its own.
    postgres::ScratchServer copy(const std::string& name, bool standby) {
        const auto directory = protectee_.workspace() / name;
        std::vector<std::string> words{"-D", directory.string(), "-X", "stream", "-c", "fast"};
        if (standby) words.emplace_back("-R");
        const auto copied = protectee_.server().run("pg_basebackup", words);
        if (copied.exit_code != 0) throw std::runtime_error(copied.errors);
        postgres::ScratchOptions options;
        options.directory = directory;
        options.settings = {{"archive_mode", "off"}};
        options.shared_buffers = {16u << 20};
        if (standby) options.settings["primary_conninfo"] = protectee_.server().conninfo();
        return postgres::ScratchServer::adopt(options);
    }

    void expect_refused(const fs::path& data_directory, const std::string& why) {
        protectee_.set_config("cluster.main.data_directory", "\"" + data_directory.string() + "\"");
        const auto run = protectee_.howdah({"backup", "run"});
        EXPECT_EQ(run.exit_code, 3) << run.errors;
        EXPECT_NE(run.errors.find(why), std::string::npos) << run.errors;
        EXPECT_EQ(protectee_.howdah_json({"backup", "list"})["backups"].size(), 0u);
    }

    ProtectedServer protectee_;
};

TEST_F(SameServer, IsNeitherItsStandbyNorWhatBecameOfIt) {
    auto standby = copy("standby", true);
    expect_refused(standby.data_directory(), "the server there is a standby, the connected one a primary");
    const auto check = protectee_.howdah({"check"});
    EXPECT_NE(check.output.find("is not the connected server's: the server there is a standby"), std::string::npos) << check.output;
    // Promoted, it is a primary too.
    {
        postgres::Session session(standby.conninfo());
        session.query("SELECT pg_promote()");
        session.query("CHECKPOINT");
    }
    // By its start when the two are seconds apart, else by its timeline.
    expect_refused(standby.data_directory(), "is not the connected server's data directory");
    protectee_.server().restart();
    expect_refused(standby.data_directory(), "pg_control there is of timeline 2, the backup of 1");
    standby.stop();
    expect_refused(standby.data_directory(), "no server runs there");
}

/// A clone goes on by itself on the same timeline, and here further than the primary: only its checkpoints tell it.
TEST_F(SameServer, IsNotAClone) {
    auto clone = copy("clone", false);
    protectee_.server().restart();
    expect_refused(clone.data_directory(), "has no checkpoint from");
    {
        postgres::Session session(clone.conninfo());
        for (int i = 0; i < 4; ++i) session.script("SELECT pg_logical_emit_message(false, 'clone', 'x'); SELECT pg_switch_wal()");
        session.query("CHECKPOINT");
    }
    expect_refused(clone.data_directory(), "the latest checkpoint there is");
    protectee_.set_config("cluster.main.data_directory", "\"" + protectee_.server().data_directory().string() + "\"");
    protectee_.howdah_ok({"backup", "run"});
}

}  // namespace
}  // namespace howdah::tests
