#include "real_server.hpp"

#include <unistd.h>

#include <stdexcept>

#include "base/file.hpp"

namespace howdah::postgres::testing {

namespace {

ScratchOptions scratch_options(unsigned segment_mib, const std::map<std::string, std::string>& settings) {
    ScratchOptions options;
    options.wal_segment_mib = segment_mib;
    options.shared_buffers = {16u << 20};
    options.settings = {{"fsync", "off"}, {"autovacuum", "off"}, {"max_prepared_transactions", "10"}, {"track_commit_timestamp", "on"}};
    for (const auto& [name, value] : settings) options.settings[name] = value;
    return options;
}

}  // namespace

RealServer::RealServer(unsigned segment_mib, const std::map<std::string, std::string>& settings)
    : server_(scratch_options(segment_mib, settings)) {}

int RealServer::major() const { return program_version(server_.programs()); }

bool RealServer::has(const std::string& program) const { return std::filesystem::exists(server_.programs() / program); }

std::string RealServer::make_folder(const std::string& name) const {
    const auto folder = server_.workspace() / name;
    base::run_process_checked("making a folder", {"/bin/mkdir", folder.string()}, process());
    return folder.string();
}

base::ProcessOptions RealServer::process() const {
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = server_.user();
    options.environment = {{"TZ", "UTC"}};
    return options;
}

std::string RealServer::sql(const std::string& text) const {
    base::ProcessOptions options = process();
    options.input = text;
    const auto psql = (has("psql") ? server_.programs() : std::filesystem::path("/usr/lib/postgresql/15/bin")) / "psql";
    return base::run_process_checked("psql", {psql.string(), "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-", server_.conninfo()}, options)
        .output;
}

base::ProcessResult RealServer::run(const std::string& program, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (server_.programs() / program).string());
    return base::run_process(arguments, process());
}

std::string RealServer::segment(const std::string& name) const { return base::read_file(data() / "pg_wal" / name, {2u << 30}); }

}  // namespace howdah::postgres::testing
