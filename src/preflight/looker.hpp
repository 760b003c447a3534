#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postgres/cluster_facts.hpp"
#include "postgres/session.hpp"
#include "preflight/databases.hpp"
#include "preflight/finding.hpp"
#include "preflight/preflight.hpp"

namespace howdah::preflight {

/// What the families share during one check: the options, one session, facts asked once, and the findings. Used by one thread.
class Looker {
public:
    /// Dials; throws as preflight::check does.
    explicit Looker(const Options& options);

    const Options& options() const { return options_; }
    const Thresholds& thresholds() const { return options_.thresholds; }

    /// The session; dialled again when a deadline or the server ended it.
    postgres::Session& session();
    /// A session of its own in another database.
    postgres::Session session_in(const std::string& database) const;
    const postgres::ClusterFacts& facts();
    /// A setting's value in the unit of pg_settings; none when it does not exist or the role may not read it.
    std::optional<std::string> setting(const std::string& name);
    /// The configured data directory, or the server's own; empty when neither is known.
    std::filesystem::path data_directory();
    /// What each database that may be connected to says; databases that could not be asked become findings once.
    const std::vector<DatabaseFacts>& databases();

    /// Runs one look. When it throws, its finding is "could not look: …" with the severity `warning`.
    void look(const std::string& check, const std::function<Findings()>& body);
    Findings take() { return std::move(findings_); }

private:
    postgres::Session dial(const std::string& database) const;

    const Options& options_;
    std::unique_ptr<postgres::Session> session_;
    std::optional<postgres::ClusterFacts> facts_;
    std::optional<std::map<std::string, std::string>> settings_;
    std::optional<std::vector<DatabaseFacts>> databases_;
    Findings findings_;
};

/// The finding of a look that failed.
Finding could_not_look(const std::string& check, const std::string& why, const std::string& hint);

}  // namespace howdah::preflight
