// A name server that takes every question and answers none.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "ground.hpp"
#include "support/namespaces.hpp"
#include "support/silent_name_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::ptrdiff_t threads() {
    const fs::directory_iterator list("/proc/self/task");
    return std::distance(begin(list), end(list));
}

/// What went wrong with a crowd whose server's name is never found; empty when nothing did.
std::string only_a_silent_name() {
    auto client = open_client("host=db.example.com user=app dbname=postgres", 16,
                              [](ClientOptions& options) { options.endpoint.pool.dial_time = milliseconds(400); });
    Crowd crowd(client, {.callers = callers(), .call_time = milliseconds(300), .kinds = {Kind::noted, Kind::alone}});
    std::this_thread::sleep_for(milliseconds(1500));
    const auto extra = threads() - callers();
    crowd.finish();
    const auto notes = crowd.notes();
    std::string wrong;
    if (notes.empty()) wrong += "nobody called; ";
    if (!std::ranges::all_of(notes, [](const Note& note) { return note.word == Word::not_sent; })) wrong += "not all were not_sent; ";
    if (crowd.overrun() > milliseconds(50))
        wrong += fmt::format("an answer came {:.1f} ms late; ", std::chrono::duration<double, std::milli>(crowd.overrun()).count());
    if (extra > 40) wrong += fmt::format("{} threads beside the callers; ", extra);
    fmt::print("RESULT SilentNameServer: {} calls refused, latest answer {:.1f} ms after its deadline, {} threads beside the callers; {}\n",
               notes.size(), std::chrono::duration<double, std::milli>(crowd.overrun()).count(), extra,
               notes.empty() ? "" : notes.back().said);
    return wrong;
}

/// The same where a second host can be reached.
std::string a_silent_name_and_a_server(const postgres::ScratchServer& server) {
    auto client = open_client(fmt::format("host=db.example.com,{} port={},{} user=app dbname=postgres", server.socket_directory().string(),
                                          server.port(), server.port()),
                              4, [](ClientOptions& options) { options.endpoint.pool.dial_time = milliseconds(600); });
    Crowd crowd(client, {.callers = 8, .call_time = milliseconds(3000)});
    const bool works = eventually([&] { return crowd.done() >= 50; }, std::chrono::seconds(20));
    crowd.finish();
    return works ? std::string() : "the host that can be reached was not";
}

/// Runs it in a child process with a silent name server. Empty when all was well; "impossible: ..." where there are no namespaces.
std::string in_silence(const std::function<std::string()>& what, const fs::path& folder) {
    const fs::path answer = folder / "answer";
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        std::string said;
        try {
            said = enter_private_space(true);
            if (said.empty()) {
                silence_the_name_server(folder);
                said = what();
            } else {
                said = "impossible: " + said;
            }
        } catch (const std::exception& failure) {
            said = failure.what();
        }
        base::write_file_durably(answer, said);
        std::fflush(stdout);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return base::read_file_if_exists(answer).value_or(fmt::format("the child ended with status {}", status));
}

void expect_well(const std::string& said) {
    if (said.starts_with("impossible")) GTEST_SKIP() << said;
    EXPECT_EQ(said, "");
}

TEST(SilentNameServer, HoldsNobodyBeyondHisDeadline) {
    const base::TemporaryDirectory folder("howdah-names");
    expect_well(in_silence(only_a_silent_name, folder.path()));
}

TEST(SilentNameServer, LeavesTheNextHostItsShare) {
    auto server = ledger_server();
    const base::TemporaryDirectory folder("howdah-names");
    expect_well(in_silence([&] { return a_silent_name_and_a_server(*server); }, folder.path()));
    // The rows are there although the process that wrote them has gone.
    EXPECT_GE(std::stoll(postgres::Session(server->conninfo()).value("SELECT count(*) FROM public.ledger")), 1);
}

}  // namespace
}  // namespace howdah::tests
