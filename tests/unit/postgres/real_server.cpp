#include "real_server.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace howdah::postgres::testing {

namespace {

const std::filesystem::path kDebian = "/usr/lib/postgresql/15/bin";

}  // namespace

std::filesystem::path programs() {
    const char* folder = std::getenv("HOWDAH_PG_BIN");
    return folder && *folder ? std::filesystem::path(folder) : kDebian;
}

std::filesystem::path client_program(const std::string& name) {
    return std::filesystem::exists(programs() / name) ? programs() / name : kDebian / name;
}

int server_major() {
    const std::string version = base::run_process_checked("version", {programs() / "postgres", "--version"}).output;
    return std::atoi(version.c_str() + version.find(") ") + 2);
}

RealServer::RealServer(unsigned segment_mib, const std::vector<std::string>& settings) {
    if (const auto user = options().user; user && ::chown(folder_.path().c_str(), user->uid, user->gid) != 0) throw std::runtime_error("chown failed");
    base::run_process_checked("initdb",
                              {programs() / "initdb", "-D", data(), "-U", "postgres", "-A", "trust", "-N", "-k", "--no-instructions", "-E", "UTF8",
                               "--locale=C", fmt::format("--wal-segsize={}", segment_mib)},
                              options());
    std::ofstream file(data() / "postgresql.auto.conf", std::ios::app);
    file << "listen_addresses = ''\nunix_socket_directories = '" << folder_.path().string()
         << "'\nmax_prepared_transactions = 10\ntrack_commit_timestamp = on\nautovacuum = off\nshared_buffers = '16MB'\nmax_wal_size = '4GB'\n";
    for (const std::string& setting : settings) file << setting << "\n";
    file.close();
    base::run_process_checked("pg_ctl start", {programs() / "pg_ctl", "-D", data(), "-w", "-s", "-l", folder_.path() / "log", "start"}, options());
    running_ = true;
}

RealServer::~RealServer() {
    try {
        stop();
    } catch (...) {
    }
}

base::ProcessOptions RealServer::options() const {
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = base::find_user("postgres");
    options.working_directory = "/";
    options.environment = {{"PGHOST", folder_.path()}, {"PGUSER", "postgres"}, {"PGDATABASE", "postgres"}};
    options.die_with_parent = false;
    return options;
}

std::filesystem::path RealServer::make_folder(const std::string& name) const {
    base::run_process_checked("mkdir", {"/bin/mkdir", folder_.path() / name}, options());
    return folder_.path() / name;
}

base::ProcessResult RealServer::run(const std::vector<std::string>& command, const std::string& input) const {
    base::ProcessOptions with_input = options();
    with_input.input = input;
    return base::run_process(command, with_input);
}

std::string RealServer::sql(const std::string& text, bool may_fail) const {
    const auto result = run({client_program("psql"), "-XAtq", "-v", may_fail ? "ON_ERROR_STOP=0" : "ON_ERROR_STOP=1", "-f", "-"}, text);
    if (result.exit_code != 0) throw std::runtime_error("psql: " + result.errors);
    return result.output;
}

void RealServer::stop() {
    if (!running_) return;
    base::run_process_checked("pg_ctl stop", {programs() / "pg_ctl", "-D", data(), "-w", "-s", "-m", "fast", "stop"}, options());
    running_ = false;
}

std::string RealServer::segment(const std::string& name) const { return base::read_file(data() / "pg_wal" / name, {2u << 30}); }

}  // namespace howdah::postgres::testing
