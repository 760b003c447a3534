// The server cannot be reached, refuses the login, or lacks the right: exit 4, or 1 where the server answered.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

Environment with_conninfo(const std::string& conninfo) { return {{"HOWDAH_CLUSTER_MAIN_CONNINFO", conninfo}}; }

std::string tcp(const std::string& rest) {
    return "host=127.0.0.1 port=" + std::to_string(shared_server().server().port()) + " dbname=postgres connect_timeout=5 " + rest;
}

/// What needs the server and cannot do without.
const std::vector<std::vector<std::string>> kNeedServer{
    {"backup", "run"}, {"wal", "status"}, {"wal", "setup"}, {"wal", "setup", "--undo"}, {"check"}};

TEST(ServerFailures, WrongPassword) {
    const auto passfile = fresh_path("passfile");
    base::write_file_durably(passfile, "*:*:*:clerk:wrong-one\n", 0600);
    give_to_server(passfile);
    for (const auto& words : kNeedServer) {
        auto environment = with_conninfo(tcp("user=clerk passfile='" + passfile.string() + "'"));
        expect_refused(words, {.exit_code = 4, .message = "password authentication failed", .environment = environment});
        EXPECT_EQ(run_program(words, {.environment = environment}).errors.find("wrong-one"), std::string::npos)
            << "a password in the output";
    }
}

TEST(ServerFailures, ServerDown) {
    const auto nobody = fresh_path("no-sockets");
    fs::create_directory(nobody);
    for (const auto& words : kNeedServer) {
        expect_refused(
            words,
            {.exit_code = 4, .message = "connecting to", .environment = with_conninfo("host=" + nobody.string() + " user=postgres")});
        expect_refused(
            words, {.exit_code = 4, .message = "127.0.0.1, port 1", .environment = with_conninfo("host=127.0.0.1 port=1 user=postgres")});
    }
}

TEST(ServerFailures, HostThatDoesNotExist) {
    for (const auto& words : kNeedServer)
        expect_refused(words, {.exit_code = 4,
                               .message = "nowhere.invalid",
                               .environment = with_conninfo("host=nowhere.invalid user=postgres connect_timeout=3")});
}

TEST(ServerFailures, DatabaseThatDoesNotExist) {
    auto conninfo = shared_server().server().conninfo("no_such_database");
    expect_refused({"backup", "run"}, {.exit_code = 4, .message = "no_such_database", .environment = with_conninfo(conninfo)});
}

/// A dead server is the moment when the status is needed most: it answers, and says so.
TEST(ServerFailures, StatusAnswersWithoutTheServer) {
    const auto environment = with_conninfo("host=127.0.0.1 port=1 user=postgres");
    const auto result = run_program({"--output", "json", "backup", "status"}, {.environment = environment});
    EXPECT_EQ(result.exit_code, 1) << result.errors;
    const auto document = nlohmann::json::parse(result.output);
    EXPECT_FALSE(document["server_reached"]);
    EXPECT_FALSE(document["backup"].is_null());
}

TEST(ServerFailures, RoleWithoutTheRights) {
    const auto passfile = fresh_path("passfile");
    base::write_file_durably(passfile, "*:*:*:clerk:right\n", 0600);
    give_to_server(passfile);
    const auto environment = with_conninfo(tcp("user=clerk passfile='" + passfile.string() + "'"));
    expect_refused({"backup", "run"}, {.exit_code = 1, .message = "this role may not take backups", .environment = environment});
    expect_refused({"wal", "setup"}, {.exit_code = 1, .message = "", .environment = environment});
}

TEST(ServerFailures, ThePlacesOfErrorsInOtherOutputs) {
    const auto environment = with_conninfo("host=127.0.0.1 port=1 user=postgres");
    const auto json = run_program({"backup", "run", "--output", "json"}, {.environment = environment});
    EXPECT_EQ(json.exit_code, 4);
    const auto document = nlohmann::json::parse(json.output);
    EXPECT_FALSE(document["ok"]);
    EXPECT_EQ(document["error"]["exit_code"], 4);
    EXPECT_FALSE(document["error"]["hint"].get<std::string>().empty());
    const auto probe = run_program({"check", "--output", "nagios"}, {.environment = environment});
    EXPECT_EQ(probe.exit_code, 3);
    EXPECT_TRUE(probe.output.starts_with("UNKNOWN: ")) << probe.output;
}

}  // namespace
}  // namespace howdah::tests
