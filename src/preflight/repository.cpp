#include "preflight/repository.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "archive/coverage.hpp"
#include "archive/unfinished.hpp"
#include "archive/wal_archive.hpp"
#include "base/failure.hpp"
#include "postgres/wal_name.hpp"
#include "preflight/looker.hpp"
#include "preflight/text.hpp"
#include "repository/backups.hpp"
#include "repository/repository.hpp"

namespace howdah::preflight {

namespace {

dev_t device_of(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0)
        throw base::SystemFailure(base::FailureKind::operation, path.string() + " cannot be looked at", errno);
    return status.st_dev;
}

std::optional<repository::Repository> open(Looker& looker, Findings& findings) {
    const auto& config = *looker.options().repository;
    try {
        return repository::Repository::open(config);
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        findings.push_back({"repository", Severity::critical, failure.what(), "backups and WAL have no place to go",
                            failure.hint().empty() ? "mount or repair it, or run: howdah repo init" : failure.hint()});
        return std::nullopt;
    }
}

Findings backups(Looker& looker, const repository::Repository& repository) {
    std::vector<std::string> damaged;
    std::string id;
    std::optional<base::Timestamp> newest;
    for (const auto& backup : repository::list_backups(repository, looker.options().cluster.name)) {
        if (backup.area.system() != looker.facts().system_identifier) continue;
        if (!backup.damage.empty()) {
            damaged.push_back(backup.root.id + ": " + backup.damage);
        } else if (!newest || backup.root.stop_time > *newest) {
            newest = backup.root.stop_time;
            id = backup.root.id;
        }
    }
    std::optional<base::Duration> age;
    if (newest) age = looker.facts().now - *newest;
    Findings findings{judge_latest_backup(id, age, looker.options().backup_age)};
    if (!damaged.empty()) findings.push_back(judge_damaged(damaged));
    return findings;
}

/// Where the newest whole backup begins: older segments no longer matter to the newest moment.
std::optional<base::Lsn> newest_start(Looker& looker, const repository::Repository& repository) {
    std::optional<base::Lsn> start;
    for (const auto& backup : repository::list_backups(repository, looker.options().cluster.name))
        if (backup.area.system() == looker.facts().system_identifier && backup.damage.empty())
            start = std::max(start.value_or(base::Lsn{}), backup.root.start);
    return start;
}

Findings gaps(Looker& looker, const repository::Repository& repository) {
    const auto& facts = looker.facts();
    const archive::WalArchive archive(repository, repository::ClusterArea(looker.options().cluster.name, facts.system_identifier));
    std::vector<std::string> found;
    for (const auto& gap : archive::find_gaps(archive, facts.wal_segment_size))
        found.push_back(fmt::format("{} to {}", gap.first.name(facts.wal_segment_size), gap.last.name(facts.wal_segment_size)));
    Findings findings{judge_gaps(found)};
    if (const auto from = newest_start(looker, repository))
        for (const auto& unfinished : archive::find_unfinished(archive, facts.wal_segment_size, *from))
            findings.push_back({"wal_unfinished", Severity::critical, unfinished.segment, archive::describe(unfinished),
                                archive::unfinished_remedy(unfinished.segment)});
    return findings;
}

}  // namespace

std::optional<std::filesystem::path> repository_folder(const std::string& url) {
    constexpr std::string_view kScheme = "file://";
    if (!url.starts_with(kScheme)) return std::nullopt;
    return std::filesystem::path(url.substr(kScheme.size()));
}

Finding judge_encryption(bool encrypted) {
    if (encrypted) return {"repository_encryption", Severity::ok, "on", "whoever gets the repository cannot read it without the key", {}};
    return {"repository_encryption", Severity::warning, "off", "whoever gets the repository has the data",
            "run repo init with encryption in a new place and take a full backup there"};
}

Finding judge_key_mode(const std::filesystem::path& file, unsigned mode) {
    constexpr unsigned kOthers = 07 | 020;
    const auto value = fmt::format("{} has mode {:04o}", file.string(), mode);
    if ((mode & kOthers) != 0)
        return {"repository_key", Severity::warning, value, "other users of this host may read or replace the key",
                "run: chmod 600 " + file.string()};
    return {"repository_key", Severity::ok, value, "only its owner and group may read the key", {}};
}

Finding judge_latest_backup(const std::string& id, std::optional<base::Duration> age, base::Duration wanted) {
    if (!age) return {"latest_backup", Severity::critical, "none", "there is nothing to restore", "run: howdah backup run --type full"};
    const auto value = fmt::format("{}, {} old", id, base::text_duration(*age));
    if (*age > wanted)
        return {"latest_backup", Severity::critical, value, fmt::format("older than the objective of {}", base::text_duration(wanted)),
                "run: howdah backup run --type full, and see why the scheduled one did not"};
    return {"latest_backup", Severity::ok, value, fmt::format("within the objective of {}", base::text_duration(wanted)), {}};
}

Finding judge_damaged(const std::vector<std::string>& damaged) {
    return {"damaged_backups", Severity::critical, text::join(damaged, 3), "these backups cannot be restored",
            "run: howdah backup verify; take a full backup; look at the store's disks"};
}

Finding judge_place_of_repository(bool same_file_system, const std::string& folder) {
    if (same_file_system)
        return {"repository_place", Severity::warning, folder + " shares a file system with the data directory",
                "one failing disk takes the data and its backups", "keep the repository on another disk, better on another host"};
    return {"repository_place", Severity::ok, folder, "on another file system than the data directory", {}};
}

Finding judge_gaps(const std::vector<std::string>& gaps) {
    if (gaps.empty()) return {"wal_gaps", Severity::ok, "none", "no segment is missing between archived ones", {}};
    return {
        "wal_gaps", Severity::critical, text::join(gaps, 3), "no restore can pass a missing segment",
        "finished segments that are still in the server's pg_wal: run howdah wal push pg_wal/NAME in the data directory, as its owner; else take a full backup now"};
}

void look_at_repository(Looker& looker) {
    if (!looker.options().repository) {
        looker.look("repository", [] {
            return Findings{{"repository", Severity::warning, "none configured", "backups and WAL have no place to go",
                             "add a [repository.NAME] section and run: howdah repo init"}};
        });
        return;
    }
    std::optional<repository::Repository> repository;
    looker.look("repository", [&] {
        Findings findings;
        if (auto opened = open(looker, findings)) {
            repository.emplace(std::move(*opened));
            findings.push_back({"repository", Severity::ok, repository->store().location(), "it can be opened and its key fits", {}});
            findings.push_back(judge_encryption(repository->encrypted()));
        }
        return findings;
    });
    looker.look("repository_key", [&]() -> Findings {
        const auto& file = looker.options().repository->key_file;
        struct stat status{};
        if (file.empty() || ::stat(file.c_str(), &status) != 0) return {};
        return {judge_key_mode(file, status.st_mode & 07777u)};
    });
    looker.look("repository_place", [&]() -> Findings {
        const auto folder = repository_folder(looker.options().repository->url);
        if (!folder || !repository || looker.data_directory().empty()) return {};
        return {judge_place_of_repository(device_of(*folder) == device_of(looker.data_directory()), folder->string())};
    });
    if (!repository) return;
    looker.look("latest_backup", [&] { return backups(looker, *repository); });
    looker.look("wal_gaps", [&] { return gaps(looker, *repository); });
}

}  // namespace howdah::preflight
