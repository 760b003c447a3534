// restore --start beside the live server: the port is the backup's, which the live server has.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// Stops what --start left running.
class Started {
public:
    Started(ProtectedServer& protectee, fs::path data) : protectee_(protectee), data_(std::move(data)) {}
    ~Started() { protectee_.server().run("pg_ctl", {"stop", "-D", data_.string(), "-m", "immediate"}); }
    Started(const Started&) = delete;
    Started& operator=(const Started&) = delete;

private:
    ProtectedServer& protectee_;
    fs::path data_;
};

class StartBeside : public testing::Test {
protected:
    StartBeside() {
        auto session = protectee_.session();
        // What a copy listens on; the server itself has its port and its folder on the command line.
        session.query("ALTER SYSTEM SET unix_socket_directories = " +
                      session.quote_literal(protectee_.server().socket_directory().string()));
        session.query("ALTER SYSTEM SET listen_addresses = ''");
        session.script("CREATE TABLE shop(id int); INSERT INTO shop SELECT generate_series(1, 10)");
        protectee_.howdah_ok({"backup", "run"});
    }
    std::vector<std::string> words(const fs::path& into, const std::vector<std::string>& more) const {
        std::vector<std::string> all{"restore", "--into", into.string(), "--to-backup-end", "--start"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    ProtectedServer protectee_;
};

TEST_F(StartBeside, ATakenPortIsRefusedBeforeTheCopy) {
    const auto into = protectee_.workspace() / "restored";
    const auto refused = protectee_.howdah(words(into, {}));
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.errors.find("port 5432 of the restored server is in use"), std::string::npos) << refused.errors;
    EXPECT_NE(refused.errors.find("--port N"), std::string::npos) << refused.errors;
    EXPECT_NE(refused.errors.find("--sandbox"), std::string::npos) << refused.errors;
    EXPECT_FALSE(fs::exists(into));

    const Started started(protectee_, into);
    const auto document = protectee_.howdah_json(words(into, {"--port", "54329"}));
    EXPECT_NE(document["conninfo"].get<std::string>().find("port=54329"), std::string::npos) << document["conninfo"];
    postgres::Session session(document["conninfo"].get<std::string>() + " user=postgres");
    EXPECT_EQ(session.value("SELECT count(*) FROM public.shop"), "10");
}

TEST_F(StartBeside, AFailedStartTellsWhyAndThatTheCopyIsComplete) {
    auto session = protectee_.session();
    session.query("ALTER SYSTEM SET unix_socket_directories = '/nonexistent/folder'");
    protectee_.howdah_ok({"backup", "run"});
    const auto into = protectee_.workspace() / "restored";
    const auto failed = protectee_.howdah(words(into, {}));
    EXPECT_EQ(failed.exit_code, 1);
    for (const char* part : {"is complete, but", "could not create lock file", "pg_ctl -D "})
        EXPECT_NE(failed.errors.find(part), std::string::npos) << part << ": " << failed.errors;
    const auto journal = protectee_.howdah_ok({"--output", "json", "journal", "list"}).output;
    EXPECT_NE(journal.find("is complete, but"), std::string::npos) << journal;
    auto server = protectee_.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop"), "10");
}

}  // namespace
}  // namespace howdah::tests
