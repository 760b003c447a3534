#include "backup/source.hpp"

#include <fmt/core.h>

#include <system_error>

#include "postgres/page.hpp"
#include "postgres/same_server.hpp"

namespace howdah::backup {

namespace {

using base::Failure;
using base::FailureKind;

std::filesystem::path find_data_directory(const base::ClusterConfig& cluster, const postgres::ClusterFacts& facts) {
    auto directory = cluster.data_directory.empty() ? facts.data_directory : cluster.data_directory;
    if (directory.empty())
        throw Failure(FailureKind::configuration, fmt::format("the data directory of cluster {} is not known", cluster.name),
                      fmt::format("set data_directory in [cluster.{}], or grant the role pg_read_all_settings so that the server tells it",
                                  cluster.name));
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error))
        throw Failure(FailureKind::configuration, fmt::format("no data directory there: {}", directory.string()),
                      "run howdah on the server's host, as the owner of the data directory, and check data_directory");
    if (!std::filesystem::exists(directory / "global/pg_control", error))
        throw Failure(FailureKind::configuration, fmt::format("not a data directory: {} has no global/pg_control", directory.string()),
                      "check data_directory, and that this user may read it");
    return directory;
}

[[noreturn]] void refuse_other_server(const std::filesystem::path& data_directory, const std::string& why) {
    throw Failure(FailureKind::configuration,
                  fmt::format("{} is not the connected server's data directory: {}", data_directory.string(), why),
                  "make conninfo and data_directory name the same server, and run howdah on its host");
}

}  // namespace

Source open_source(const base::ClusterConfig& cluster, const base::Cancellation& cancellation) {
    Source source;
    postgres::SessionOptions options;
    options.application_name = "howdah backup";
    source.conninfo = cluster.conninfo;
    source.session = std::make_unique<postgres::Session>(source.conninfo, options, cancellation);
    source.facts = postgres::read_cluster_facts(*source.session);
    source.data_directory = find_data_directory(cluster, source.facts);
    source.control = postgres::read_control_file(source.data_directory);
    if (source.control.system_identifier != source.facts.system_identifier)
        throw Failure(FailureKind::configuration,
                      fmt::format("{} belongs to another cluster: system identifier {}, the server's is {}", source.data_directory.string(),
                                  text(source.control.system_identifier), text(source.facts.system_identifier)),
                      fmt::format("make conninfo and data_directory of [cluster.{}] name the same server", cluster.name));
    std::error_code error;
    const auto& served = source.facts.data_directory;
    if (!served.empty() && std::filesystem::exists(served, error) && !std::filesystem::equivalent(served, source.data_directory, error))
        throw Failure(
            FailureKind::configuration,
            fmt::format("{} is not the running server's data directory: that is {}", source.data_directory.string(), served.string()),
            "a copy of a cluster has its system identifier too; set data_directory to the server's own");
    if (const auto why = postgres::why_not_running_on(*source.session, source.data_directory))
        refuse_other_server(source.data_directory, *why);
    return source;
}

void require_backup_possible(const Source& source) {
    const auto& facts = source.facts;
    const auto refuse = [](std::string what, std::string hint) { throw Failure(FailureKind::operation, std::move(what), std::move(hint)); };
    if (facts.version < 140000 || facts.version >= 190000)
        refuse(fmt::format("PostgreSQL {} is not supported", facts.version / 10000), "Howdah handles 14 to 18");
    if (facts.in_recovery) refuse("this server is a standby: it is in recovery", "take the backup from the primary");
    if (!facts.may_backup)
        refuse("this role may not take backups: no EXECUTE on the backup functions",
               "docs/use/rights.md lists the grants a backup role needs");
    if (source.control.block_size != postgres::kBlockSize)
        refuse(fmt::format("block size not supported: {}", source.control.block_size), "Howdah handles the default of 8192 bytes");
    if (facts.wal_level == "minimal") refuse("wal_level is minimal", "run `howdah wal setup`, then restart the server");
    if (facts.archive_mode == "off")
        refuse("archive_mode is off: WAL of the backup could be removed before it is archived",
               "run `howdah wal setup`, then restart the server");
}

void require_started_here(const Source& source, const postgres::BackupStarted& started) {
    if (const auto why = postgres::why_not_started_on(*source.session, started, source.data_directory))
        refuse_other_server(source.data_directory, *why);
}

}  // namespace howdah::backup
