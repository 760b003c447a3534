#include "preflight/looker.hpp"

#include <string_view>

#include "base/failure.hpp"

namespace howdah::preflight {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kStatementTimeout = 30s;

}  // namespace

Finding could_not_look(const std::string& check, const std::string& why, const std::string& hint) {
    return {check, Severity::warning, "could not look: " + why, "this was not checked",
            hint.empty() ? "remove the cause and check again" : hint};
}

Looker::Looker(const Options& options) : options_(options), session_(std::make_unique<postgres::Session>(dial({}))) {}

postgres::Session Looker::dial(const std::string& database) const {
    postgres::SessionOptions session;
    session.statement_timeout = kStatementTimeout;
    session.application_name = "howdah check";
    session.database = database;
    return postgres::Session(options_.cluster.conninfo, session, options_.cancellation);
}

postgres::Session& Looker::session() {
    if (!session_->alive()) *session_ = dial({});
    return *session_;
}

postgres::Session Looker::session_in(const std::string& database) const { return dial(database); }

const postgres::ClusterFacts& Looker::facts() {
    if (!facts_) facts_ = postgres::read_cluster_facts(session());
    return *facts_;
}

std::optional<std::string> Looker::setting(const std::string& name) {
    if (!settings_) {
        const auto rows = session().query("SELECT name, setting FROM pg_settings");
        settings_.emplace();
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (!rows.is_null(row, 1)) settings_->emplace(rows.text(row, 0), rows.text(row, 1));
    }
    const auto found = settings_->find(name);
    return found == settings_->end() ? std::nullopt : std::optional(found->second);
}

std::filesystem::path Looker::data_directory() {
    return options_.cluster.data_directory.empty() ? facts().data_directory : options_.cluster.data_directory;
}

const std::vector<DatabaseFacts>& Looker::databases() {
    if (databases_) return *databases_;
    databases_.emplace();
    const auto names =
        session().query("SELECT datname FROM pg_database WHERE datallowconn AND has_database_privilege(oid, 'CONNECT') ORDER BY datname");
    for (std::size_t row = 0; row < names.size(); ++row) {
        const std::string name(names.text(row, 0));
        look("database " + name, [&]() -> Findings {
            auto session = session_in(name);
            databases_->push_back(ask_database(session, name, thresholds().dead_rows));
            return {};
        });
    }
    return *databases_;
}

void Looker::look(const std::string& check, const std::function<Findings()>& body) {
    try {
        for (auto& finding : body()) findings_.push_back(std::move(finding));
    } catch (const base::Cancelled&) {
        throw;
    } catch (const postgres::ServerFailure& failure) {
        constexpr std::string_view kInsufficientPrivilege = "42501";
        const bool denied = failure.sqlstate() == kInsufficientPrivilege && failure.hint().empty();
        findings_.push_back(could_not_look(check, failure.what(), denied ? "GRANT pg_monitor to the role" : failure.hint()));
    } catch (const base::Failure& failure) {
        findings_.push_back(could_not_look(check, failure.what(), failure.hint()));
    } catch (const std::exception& error) {
        findings_.push_back(could_not_look(check, error.what(), {}));
    }
}

}  // namespace howdah::preflight
