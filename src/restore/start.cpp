#include "restore/start.hpp"

#include <fmt/core.h>

#include <chrono>
#include <sstream>
#include <vector>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/process.hpp"
#include "postgres/session.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Where a running server listens, from its postmaster.pid: port in line 4, socket folder in line 5, address in line 6.
std::string conninfo_of(const fs::path& data_directory) {
    const auto text = base::read_file_if_exists(data_directory / "postmaster.pid");
    if (!text) return {};
    std::istringstream lines(*text);
    std::string pid, directory, start, port, socket, address;
    std::getline(lines, pid);
    std::getline(lines, directory);
    std::getline(lines, start);
    std::getline(lines, port);
    std::getline(lines, socket);
    std::getline(lines, address);
    if (port.empty()) return {};
    const auto& host = !socket.empty() ? socket : address == "*" ? std::string("localhost") : address;
    return fmt::format("host={} port={} dbname=postgres", host, port);
}

bool is_end(const std::string& line) { return line.find("FATAL") != std::string::npos || line.find("PANIC") != std::string::npos; }

/// The log's lines up to the one that ended the server: the cause often stands some lines before it.
std::string last_words(const fs::path& log) {
    constexpr std::size_t kShown = 6;
    std::vector<std::string> seen;
    std::size_t end = 0;
    std::istringstream lines(base::read_file_if_exists(log).value_or(std::string()));
    for (std::string line; std::getline(lines, line);) {
        seen.push_back(line);
        if (is_end(line)) end = seen.size();
    }
    if (end == 0) end = seen.size();
    std::string text;
    for (auto i = end > kShown ? end - kShown : 0; i < end; ++i) text += "\n  " + seen[i];
    return text.empty() ? " nothing" : text;
}

bool alive(const fs::path& data_directory) {
    const auto text = base::read_file_if_exists(data_directory / "postmaster.pid");
    if (!text) return false;
    const auto pid = static_cast<pid_t>(std::strtol(text->c_str(), nullptr, 10));
    return pid > 0 && base::process_start_ticks(pid).has_value();
}

/// By then a server that pg_ctl has begun to start shows in the data directory, also on a busy machine.
constexpr std::chrono::seconds kBirth{5};

/// Asks until recovery has ended. The first answer means consistency: before it the server lets nobody in. `result.conninfo` empty: found
/// from postmaster.pid.
void await_promotion(const fs::path& data_directory, const fs::path& log, base::Duration patience, const base::Cancellation& cancellation,
                     StartResult& result, std::chrono::steady_clock::time_point start) {
    const auto given = result.conninfo;
    postgres::SessionOptions options;
    options.application_name = "howdah restore";
    bool seen = false;
    while (std::chrono::steady_clock::now() - start < patience) {
        cancellation.check("waiting for the restored server");
        try {
            result.conninfo = given.empty() ? conninfo_of(data_directory) : given;
            if (!result.conninfo.empty()) {
                postgres::Session session(result.conninfo, options, cancellation);
                if (result.seconds_to_consistent == 0) result.seconds_to_consistent = seconds_since(start);
                if (session.value("SELECT pg_is_in_recovery()") == "f") {
                    result.seconds_to_promoted = seconds_since(start);
                    return;
                }
            }
        } catch (const postgres::ServerFailure& failure) {
            if (failure.sqlstate() == "28000" || failure.sqlstate() == "28P01")
                throw Failure(FailureKind::server,
                              fmt::format("the restored server runs but does not let this user in: {}", failure.what()),
                              "it recovers by itself; check pg_hba.conf of the restored directory");
        }
        // pg_ctl returns before the server has written its postmaster.pid.
        const bool lives = alive(data_directory);
        seen = seen || lives;
        if (!lives && (seen || std::chrono::steady_clock::now() - start > kBirth))
            throw Failure(FailureKind::operation,
                          fmt::format("the restored server ended during recovery; its log ends:{}", last_words(log)),
                          fmt::format("its log is {}", log.string()));
        cancellation.sleep(20ms);
    }
    throw Failure(FailureKind::operation, fmt::format("the restored server has not ended recovery after {}", base::text_duration(patience)),
                  fmt::format("it goes on by itself; its log is {}", log.string()));
}

}  // namespace

StartResult start_restored(const fs::path& data_directory, const fs::path& programs, base::Duration patience,
                           const base::Cancellation& cancellation) {
    StartResult result;
    const auto start = std::chrono::steady_clock::now();
    const auto log = data_directory / "howdah-start.log";
    base::ProcessOptions options;
    options.die_with_parent = false;
    options.output_file = log;
    options.working_directory = data_directory;  // Relative values of hba_file and ident_file are meant from there.
    const auto started = base::run_process(
        {(programs / "pg_ctl").string(), "start", "-D", data_directory.string(), "-l", log.string(), "-W"}, options, cancellation);
    if (started.exit_code != 0)
        throw Failure(FailureKind::operation, fmt::format("the restored server did not start; its log ends:{}", last_words(log)),
                      fmt::format("its log is {}", log.string()));
    base::fault_point("restore.started");
    // pg_ctl -W returns before postmaster.pid is there.
    while (!fs::exists(data_directory / "postmaster.pid") && seconds_since(start) < 30) {
        if (last_words(log).find("FATAL") != std::string::npos) break;
        cancellation.check("waiting for the restored server");
        cancellation.sleep(10ms);
    }
    await_promotion(data_directory, log, patience, cancellation, result, start);
    return result;
}

std::map<std::string, std::string> sandbox_settings() {
    return {{"listen_addresses", ""},
            {"archive_mode", "off"},
            {"archive_command", ""},
            {"archive_cleanup_command", ""},
            {"recovery_end_command", ""},
            {"primary_conninfo", ""},
            {"primary_slot_name", ""},
            {"recovery_min_apply_delay", "0"},
            {"synchronous_standby_names", ""},
            {"max_logical_replication_workers", "0"},
            {"shared_preload_libraries", ""},
            {"session_preload_libraries", ""},
            {"local_preload_libraries", ""},
            {"logging_collector", "off"},
            {"log_destination", "stderr"},
            {"ssl", "off"},
            {"hot_standby", "on"},
            {"external_pid_file", ""}};
}

postgres::ScratchServer start_sandbox(const fs::path& data_directory, const fs::path& programs, base::Duration patience,
                                      const base::Cancellation& cancellation, StartResult* result) {
    StartResult ignored;
    auto& figures = result ? *result : ignored;
    const auto start = std::chrono::steady_clock::now();
    postgres::ScratchOptions options;
    options.directory = data_directory;
    options.programs = programs;
    if (base::guard("sandbox.settings")) options.settings = sandbox_settings();
    auto server = postgres::ScratchServer::adopt(options);
    figures.conninfo = server.conninfo();
    await_promotion(data_directory, server.log_file(), patience, cancellation, figures, start);
    return server;
}

}  // namespace howdah::restore
