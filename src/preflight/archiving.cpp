#include "preflight/archiving.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "archive/archiving_settings.hpp"
#include "archive/prove.hpp"
#include "preflight/looker.hpp"
#include "preflight/text.hpp"
#include "repository/repository.hpp"

namespace howdah::preflight {

namespace {

constexpr base::Duration kProofWait = std::chrono::minutes(1);

base::Duration seconds(double value) { return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(value)); }

/// Commands that say "archived" and keep nothing.
bool keeps_nothing(const std::string& command) {
    constexpr std::array<std::string_view, 6> kEmpty{":", "true", "/bin/true", "/usr/bin/true", "exit 0", "cd ."};
    const auto first = command.find_first_not_of(" \t");
    const auto last = command.find_last_not_of(" \t;");
    if (first == std::string::npos || last == std::string::npos || last < first) return false;
    return std::find(kEmpty.begin(), kEmpty.end(), std::string_view(command).substr(first, last - first + 1)) != kEmpty.end();
}

Findings settings(Looker& looker) {
    ArchivingFacts facts;
    facts.mode = looker.setting("archive_mode").value_or("off");
    facts.command = looker.setting("archive_command");
    facts.library = looker.setting("archive_library").value_or("");
    facts.restart_pending = looker.session().value("SELECT pending_restart FROM pg_settings WHERE name = 'archive_mode'") == "t";
    facts.mode_to_come = archive::read_archiving_settings(looker.session()).mode_to_come;
    return {judge_archiving(facts)};
}

Findings archiver(Looker& looker) {
    const auto rows = looker.session().query(
        "SELECT archived_count, failed_count, coalesce(last_failed_wal, ''), extract(epoch FROM clock_timestamp() - last_archived_time),"
        " extract(epoch FROM clock_timestamp() - last_failed_time) FROM pg_stat_archiver");
    ArchiverFacts facts{rows.integer(0, 0), rows.integer(0, 1), std::string(rows.text(0, 2)), {}, {}};
    if (!rows.is_null(0, 3)) facts.since_archived = seconds(rows.real(0, 3));
    if (!rows.is_null(0, 4)) facts.since_failed = seconds(rows.real(0, 4));
    return {judge_archiver(facts)};
}

Findings backlog(Looker& looker) {
    const auto rows = looker.session().query(
        "SELECT count(*), extract(epoch FROM clock_timestamp() - min(modification)) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'");
    BacklogFacts facts;
    facts.ready = static_cast<std::uint64_t>(rows.integer(0, 0));
    if (!rows.is_null(0, 1)) facts.oldest = seconds(rows.real(0, 1));
    return {judge_backlog(facts, looker.options().rpo)};
}

Findings proof(Looker& looker) {
    const auto& options = looker.options();
    if (!options.prove_archiving)
        return {{"archiving_proven", Severity::notice, "not tried", "only a switched segment that arrives proves archiving",
                 "run howdah check without --no-switch"}};
    if (!options.repository)
        return {{"archiving_proven", Severity::warning, "no repository is configured", "nothing can arrive",
                 "add a [repository.NAME] section and run: howdah repo init"}};
    try {
        const auto repository = repository::Repository::open(*options.repository);
        const archive::WalArchive archive(repository, repository::ClusterArea(options.cluster.name, looker.facts().system_identifier));
        const auto done = archive::prove_archiving(looker.session(), archive, looker.data_directory(), kProofWait, options.cancellation);
        return {{"archiving_proven",
                 Severity::ok,
                 fmt::format("{} arrived in {}", done.segment, base::text_duration(done.time)),
                 "the server's own archiver brought a switched segment into the repository",
                 {}}};
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        return {{"archiving_proven", Severity::critical, failure.what(), "no switched segment arrived in the repository",
                 failure.hint().empty() ? "run: howdah wal setup" : failure.hint()}};
    }
}

}  // namespace

Finding judge_archiving(const ArchivingFacts& facts) {
    const char* setup = "run: howdah wal setup";
    if (facts.mode == "off" && facts.restart_pending)
        return {"archiving", Severity::critical, "off until the next restart", "no WAL is kept: a restore ends at the last backup",
                "restart the server"};
    if (facts.mode == "off")
        return {"archiving", Severity::critical, "archive_mode = off", "no WAL is kept: a restore ends at the last backup", setup};
    if (facts.mode_to_come == "off" || facts.mode_to_come == "unknown")
        return {"archiving", Severity::critical,
                fmt::format("archive_mode = {}, {} after the next restart", facts.mode, facts.mode_to_come),
                "the next restart ends archiving", setup};
    if (!facts.library.empty())
        return {"archiving", Severity::notice, fmt::format("archive_mode = {}, archive_library = {}", facts.mode, facts.library),
                "another library archives; what it keeps is not known here",
                "see that its WAL reaches the repository, or run: howdah wal setup --force"};
    if (!facts.command) return could_not_look("archiving", "archive_command is hidden from this role", "GRANT pg_monitor to the role");
    const auto value =
        fmt::format("archive_mode = {}, archive_command = {}", facts.mode, facts.command->empty() ? "(empty)" : *facts.command);
    // pg_settings shows an empty command of a server without archiving as "(disabled)".
    if (facts.command->empty() || *facts.command == "(disabled)")
        return {"archiving", Severity::critical, value, "WAL piles up on the server and is kept nowhere else", setup};
    if (keeps_nothing(*facts.command))
        return {"archiving", Severity::critical, value, "this command says that WAL is archived and throws it away", setup};
    if (facts.command->find("wal push") == std::string::npos)
        return {"archiving", Severity::notice, value, "another program archives; what it keeps is not known here",
                "see that its WAL reaches the repository, or run: howdah wal setup --force"};
    return {"archiving", Severity::ok, value, "WAL goes to the repository", {}};
}

Finding judge_archive_timeout(std::chrono::seconds timeout, base::Duration rpo, const Thresholds& thresholds) {
    const auto wanted = std::chrono::duration_cast<std::chrono::seconds>(std::min(thresholds.archive_timeout, rpo)).count();
    const auto advice = fmt::format("ALTER SYSTEM SET archive_timeout = {}, then reload the server", std::max<std::int64_t>(wanted, 1));
    if (timeout.count() == 0)
        return {"archive_timeout", Severity::critical, "0 (never)",
                fmt::format("on a quiet server the newest changes stay unarchived for ever, the RPO is {}", base::text_duration(rpo)),
                advice};
    const auto value = fmt::format("{} s", timeout.count());
    if (timeout > rpo)
        return {"archive_timeout", Severity::critical, value, fmt::format("longer than the RPO of {}", base::text_duration(rpo)), advice};
    if (timeout > thresholds.archive_timeout)
        return {"archive_timeout", Severity::notice, value,
                fmt::format("within the RPO of {}, but it leaves little time to archive", base::text_duration(rpo)), advice};
    return {"archive_timeout", Severity::ok, value, fmt::format("well within the RPO of {}", base::text_duration(rpo)), {}};
}

Finding judge_archiver(const ArchiverFacts& facts) {
    const auto value = fmt::format("{} archived, {} failed", facts.archived, facts.failed);
    const bool failing = facts.since_failed && (!facts.since_archived || *facts.since_failed <= *facts.since_archived);
    if (failing)
        return {"archiver", Severity::critical,
                fmt::format("{}, {} failed {} ago", value, facts.last_failed, base::text_duration(*facts.since_failed)),
                "archiving fails now: WAL piles up and the RPO grows",
                "look into the server's log, where the command's own message stands; docs/use/wal.md says what to do"};
    if (facts.failed > 0)
        return {"archiver", Severity::notice,
                facts.since_failed ? fmt::format("{}, the last failure {} ago", value, base::text_duration(*facts.since_failed)) : value,
                "archiving failed and has recovered", "look into the server's log for the reason"};
    if (!facts.since_archived) return {"archiver", Severity::ok, value, "nothing was archived yet, nothing failed", {}};
    return {"archiver",
            Severity::ok,
            fmt::format("{}, the last {} ago", value, base::text_duration(*facts.since_archived)),
            "no archiving failed",
            {}};
}

Finding judge_backlog(const BacklogFacts& facts, base::Duration rpo) {
    if (facts.ready == 0) return {"archive_backlog", Severity::ok, "none", "no finished segment waits", {}};
    const auto value = fmt::format("{}, the oldest for {}", text::count(static_cast<std::int64_t>(facts.ready), "file"),
                                   base::text_duration(facts.oldest.value_or(base::Duration{})));
    const char* advice = "look into the server's log for failures; see whether the repository's disk and network keep up";
    if (facts.oldest && *facts.oldest > rpo)
        return {"archive_backlog", Severity::critical, value, fmt::format("waits longer than the RPO of {}", base::text_duration(rpo)),
                advice};
    if (facts.oldest && *facts.oldest > rpo / 2)
        return {"archive_backlog", Severity::warning, value, fmt::format("waits half the RPO of {} already", base::text_duration(rpo)),
                advice};
    return {"archive_backlog", Severity::ok, value, fmt::format("within the RPO of {}", base::text_duration(rpo)), {}};
}

void look_at_archiving(Looker& looker) {
    looker.look("archiving", [&] { return settings(looker); });
    looker.look("archive_timeout", [&] {
        const std::chrono::seconds timeout(std::strtoll(looker.setting("archive_timeout").value_or("0").c_str(), nullptr, 10));
        return Findings{judge_archive_timeout(timeout, looker.options().rpo, looker.thresholds())};
    });
    looker.look("archiver", [&] { return archiver(looker); });
    looker.look("archive_backlog", [&] { return backlog(looker); });
    looker.look("archiving_proven", [&] { return proof(looker); });
}

}  // namespace howdah::preflight
