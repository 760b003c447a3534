#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/process.hpp"
#include "postgres/scratch.hpp"
#include "postgres/session.hpp"

namespace howdah::tests {

using Environment = std::map<std::string, std::string>;

/// A session whose unqualified names are those of schema public.
postgres::Session open_session(const postgres::ScratchServer& server, const std::string& database = "postgres");

/// A private server that archives through the built program into a repository of its own: what most scenarios stand on. Repository, key,
/// configuration, state directory and a copy of the program lie in the server's workspace and go with it.
class ProtectedServer {
public:
    struct Options {
        bool encrypted = true;
        bool archiving = true;  ///< archive_command is set; archive_mode is on in any case.
        postgres::ScratchOptions scratch;
    };
    ProtectedServer() : ProtectedServer(Options{}) {}
    explicit ProtectedServer(Options options);

    postgres::ScratchServer& server() { return server_; }
    postgres::Session session(const std::string& database = "postgres") const { return open_session(server_, database); }
    const base::Config& config() const { return config_; }
    std::filesystem::path workspace() const { return server_.workspace(); }
    std::filesystem::path repository() const { return workspace() / "repository"; }
    std::filesystem::path config_file() const { return workspace() / "howdah.toml"; }
    std::filesystem::path key_file() const { return workspace() / "repository.key"; }
    std::filesystem::path state() const { return workspace() / "state"; }
    std::filesystem::path binary() const { return workspace() / "howdah"; }

    /// Runs howdah-hooks with this configuration as the server's user; the words follow "--config FILE". A stop asked for is a kill -9 of
    /// its whole process group, and throws Cancelled.
    base::ProcessResult howdah(const std::vector<std::string>& words, const Environment& environment = {},
                               const base::Cancellation& cancellation = {});
    /// The same with --output json: its document. Any exit code but `expected` throws with both outputs.
    nlohmann::json howdah_json(std::vector<std::string> words, int expected = 0, const Environment& environment = {});
    /// Must exit 0; throws with both outputs otherwise.
    base::ProcessResult howdah_ok(const std::vector<std::string>& words, const Environment& environment = {});

    /// Rewrites the configuration file with other lines in a section: "{repository.main: {url: …}}" style replacement of one key.
    void set_config(const std::string& key, const std::string& toml_value);
    /// Switches the segment and waits until everything up to it is archived.
    void archive_everything();
    /// Starts a restored directory as a sandbox.
    postgres::ScratchServer start_restored(const std::filesystem::path& data_directory) const;

private:
    void write_config() const;
    postgres::ScratchServer server_;
    std::map<std::string, std::string> settings_;  ///< "cluster.main.conninfo" → TOML value.
    base::Config config_;
};

/// pg_amcheck over all databases and pg_checksums after a clean stop: what every restored cluster must pass. Returns what they said that
/// is wrong; empty is good. The server is stopped afterwards.
std::string check_restored(postgres::ScratchServer& server);

/// pg_dump of a database without the lines that differ by nature; `options` are more of pg_dump's.
std::string dump(postgres::ScratchServer& server, const std::string& database, const std::vector<std::string>& options = {});

}  // namespace howdah::tests
