#include "support/protected_server.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "archive/prove.hpp"
#include "archive/setup.hpp"
#include "base/file.hpp"
#include "postgres/cluster_facts.hpp"
#include "repository/repository.hpp"
#include "restore/start.hpp"
#include "support/programs.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

postgres::ScratchOptions with_archiving(postgres::ScratchOptions options) {
    options.settings.emplace("archive_mode", "on");
    options.settings.emplace("wal_level", "replica");
    options.settings.emplace("autovacuum", "off");
    options.settings.emplace("max_wal_size", "512MB");
    options.shared_buffers = {32u << 20};
    return options;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

[[noreturn]] void fail(const std::vector<std::string>& words, const base::ProcessResult& result) {
    std::string command;
    for (const auto& word : words) command += " " + word;
    throw std::runtime_error(fmt::format("howdah{} exited with {}\n{}\n{}", command, result.exit_code, result.output, result.errors));
}

}  // namespace

postgres::Session open_session(const postgres::ScratchServer& server, const std::string& database) {
    postgres::Session session(server.conninfo(database));
    session.query("SET search_path = public");
    return session;
}

ProtectedServer::ProtectedServer(Options options) : server_(with_archiving(options.scratch)) {
    const auto& user = server_.user();
    fs::copy_file(howdah_hooks_program(), binary());
    fs::permissions(binary(),
                    fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read | fs::perms::others_exec);
    const auto at = [&](const char* name) { return (workspace() / name).string(); };
    settings_ = {{"cluster.main.conninfo", quoted(server_.conninfo())},
                 {"cluster.main.data_directory", quoted(server_.data_directory().string())},
                 {"cluster.main.program_directory", quoted(server_.programs().string())},
                 {"repository.main.url", quoted("file://" + at("repository"))},
                 {"state.directory", quoted(at("state"))},
                 {"wal.fetch_wait", "\"1s\""},
                 {"log.level", "\"info\""}};
    if (options.encrypted) settings_["repository.main.key_file"] = quoted(at("repository.key"));
    write_config();
    config_ = base::load_config(config_file());
    if (::geteuid() == 0) {
        if (::chown(workspace().c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown of the workspace failed");
    }
    howdah_ok(options.encrypted ? std::vector<std::string>{"repo", "init"} : std::vector<std::string>{"repo", "init", "--no-encryption"});
    if (options.archiving) {
        auto open = session();
        open.query("ALTER SYSTEM SET archive_command = " +
                   open.quote_literal(
                       archive::archive_command({.binary = binary(), .config_file = config_file(), .cluster = "main", .force = false})));
        open.query("SELECT pg_reload_conf()");
    }
}

void ProtectedServer::write_config() const {
    std::string text;
    for (const auto& [key, value] : settings_) text += key + " = " + value + "\n";
    base::write_file_durably(config_file(), text, 0644);
}

void ProtectedServer::set_config(const std::string& key, const std::string& toml_value) {
    settings_[key] = toml_value;
    write_config();
}

base::ProcessResult ProtectedServer::howdah(const std::vector<std::string>& words, const Environment& environment,
                                            const base::Cancellation& cancellation) {
    std::vector<std::string> command{binary().string(), "--config", config_file().string()};
    command.insert(command.end(), words.begin(), words.end());
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = server_.user();
    options.environment = environment;
    options.working_directory = workspace();
    options.timeout = std::chrono::minutes(3);
    return base::run_process(command, options, cancellation);
}

base::ProcessResult ProtectedServer::howdah_ok(const std::vector<std::string>& words, const Environment& environment) {
    auto result = howdah(words, environment);
    if (result.exit_code != 0) fail(words, result);
    return result;
}

nlohmann::json ProtectedServer::howdah_json(std::vector<std::string> words, int expected, const Environment& environment) {
    words.insert(words.begin(), {"--output", "json"});
    const auto result = howdah(words, environment);
    if (result.exit_code != expected) fail(words, result);
    return nlohmann::json::parse(result.output);
}

void ProtectedServer::archive_everything() {
    const auto repository = repository::Repository::open(config_.repository());
    auto open = session();
    const auto facts = postgres::read_cluster_facts(open);
    const archive::WalArchive wal(repository, repository::ClusterArea("main", facts.system_identifier));
    archive::prove_archiving(open, wal, server_.data_directory(), std::chrono::minutes(1), {});
}

postgres::ScratchServer ProtectedServer::start_restored(const fs::path& data_directory) const {
    return restore::start_sandbox(data_directory, server_.programs(), std::chrono::minutes(2), {});
}

std::string check_restored(postgres::ScratchServer& server) {
    std::string wrong;
    const auto amcheck = server.run("pg_amcheck", {"--all", "--install-missing", "--heapallindexed"});
    if (amcheck.exit_code != 0) wrong += "pg_amcheck: " + amcheck.output + amcheck.errors;
    server.stop();
    const auto checksums = server.run("pg_checksums", {"--check", "-D", server.data_directory().string()});
    const bool off = checksums.errors.find("data checksums are not enabled") != std::string::npos;
    if (checksums.exit_code != 0 && !off) wrong += "pg_checksums: " + checksums.output + checksums.errors;
    return wrong;
}

std::string dump(postgres::ScratchServer& server, const std::string& database, const std::vector<std::string>& options) {
    std::vector<std::string> words{"--no-sync"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(database);
    const auto result = server.run("pg_dump", words);
    if (result.exit_code != 0) throw std::runtime_error("pg_dump: " + result.errors);
    std::istringstream lines(result.output);
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
        // Newer pg_dump writes a random key on these lines; sequences run up to 32 values ahead in the WAL.
        if (line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ") || line.find("pg_catalog.setval(") != std::string::npos)
            continue;
        kept += line + "\n";
    }
    return kept;
}

}  // namespace howdah::tests
