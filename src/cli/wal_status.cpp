#include "cli/wal_status.hpp"

#include <fmt/core.h>

namespace howdah::cli {

namespace {

std::string gap_text(const archive::WalGap& gap, std::uint64_t segment_size) {
    return gap.first == gap.last ? gap.first.name(segment_size)
                                 : fmt::format("{} to {}", gap.first.name(segment_size), gap.last.name(segment_size));
}

}  // namespace

Json describe_wal_status(const archive::WalStatus& status) {
    Json wal;
    wal["ready"] = status.backlog ? Json(status.backlog->ready) : Json(nullptr);
    wal["oldest_ready_seconds"] = status.backlog ? json_seconds(status.backlog->oldest_age) : Json(nullptr);
    wal["last_archived"] = status.last_archived ? Json(*status.last_archived) : Json(nullptr);
    wal["last_archived_time"] = json_time(status.last_archived_time);
    wal["failures"] = status.failures;
    wal["archiver_fails"] = status.archiver_fails;
    wal["not_archiving"] = status.not_archiving.empty() ? Json(nullptr) : Json(status.not_archiving);
    wal["last_failed"] = status.last_failed ? Json(*status.last_failed) : Json(nullptr);
    wal["current_lsn"] = base::text(status.current);
    wal["archived_to"] = base::text(status.archived_to);
    wal["lag_bytes"] = status.lag.count;
    wal["bytes_per_second"] = status.bytes_per_second;
    wal["disk_free_bytes"] = status.wal_disk ? Json(status.wal_disk->available.count) : Json(nullptr);
    wal["until_full_seconds"] = json_seconds(status.until_full);
    wal["ranges"] = Json::array();
    for (const auto& range : status.ranges)
        wal["ranges"].push_back({{"timeline", range.first.timeline.value},
                                 {"first", range.first.name(status.segment_size)},
                                 {"last", range.last.name(status.segment_size)},
                                 {"segments", range.last.number - range.first.number + 1}});
    wal["gaps"] = Json::array();
    for (const auto& gap : status.gaps)
        wal["gaps"].push_back({{"first", gap.first.name(status.segment_size)}, {"last", gap.last.name(status.segment_size)}});
    return wal;
}

void add_wal_status(Table& table, const archive::WalStatus& status) {
    for (const auto& range : status.ranges)
        table.add({"archived", fmt::format("timeline {}: {} to {} ({} segments)", base::text(range.first.timeline),
                                           range.first.name(status.segment_size), range.last.name(status.segment_size),
                                           range.last.number - range.first.number + 1)});
    if (status.ranges.empty()) table.add({"archived", "no WAL yet"});
    for (const auto& gap : status.gaps) table.add({"gap", gap_text(gap, status.segment_size)});
    if (status.backlog)
        table.add({"waiting",
                   fmt::format("{} file(s){}", status.backlog->ready,
                               status.backlog->oldest_age ? ", the oldest for " + base::text_duration(*status.backlog->oldest_age) : "")});
    if (status.current)
        table.add({"not yet archived", fmt::format("{} (server at {}, archive to {})", base::text(status.lag), base::text(status.current),
                                                   base::text(status.archived_to))});
    if (!status.not_archiving.empty()) table.add({"archiving", status.not_archiving});
    if (status.failures)
        table.add({"failures", fmt::format("{}, the last of {}{}", status.failures, status.last_failed.value_or("unknown"),
                                           status.archiver_fails ? ": archiving fails now" : "")});
    if (status.wal_disk)
        table.add(
            {"WAL disk",
             fmt::format("{} free{}", base::text(status.wal_disk->available),
                         status.until_full ? ", full in " + base::text_duration(*status.until_full) + " if nothing were archived" : "")});
}

std::string say(const archive::RepositoryWal& wal) {
    std::string text = wal.name + ":";
    if (!wal.failure.empty()) text += " " + wal.failure + ";";
    if (wal.newest) text += " newest " + *wal.newest + ";";
    if (wal.lacking)
        text += fmt::format(" lacks {} file(s){}{};", wal.lacking, wal.oldest ? ", the oldest for " + base::text_duration(*wal.oldest) : "",
                            wal.over_limit ? ", longer than wal.backlog_limit" : "");
    if (!wal.differs.empty()) text += fmt::format(" holds another {};", wal.differs);
    if (!wal.gaps.empty()) text += fmt::format(" {} gap(s);", wal.gaps.size());
    text.pop_back();
    return text;
}

Json describe_repositories(const std::vector<archive::RepositoryWal>& repositories, std::uint64_t segment_size) {
    Json list = Json::array();
    for (const auto& each : repositories) {
        Json entry{{"name", each.name},
                   {"required", each.required},
                   {"ok", each.sound()},
                   {"failure", each.failure.empty() ? Json(nullptr) : Json(each.failure)},
                   {"newest", each.newest ? Json(*each.newest) : Json(nullptr)},
                   {"lacking", each.lacking},
                   {"oldest_lacking_seconds", json_seconds(each.oldest)},
                   {"over_limit", each.over_limit},
                   {"differs", each.differs.empty() ? Json(nullptr) : Json(each.differs)},
                   {"gaps", Json::array()}};
        for (const auto& gap : each.gaps)
            entry["gaps"].push_back({{"first", gap.first.name(segment_size)}, {"last", gap.last.name(segment_size)}});
        list.push_back(entry);
    }
    return list;
}

void add_repositories(Table& table, const std::vector<archive::RepositoryWal>& repositories, std::uint64_t segment_size) {
    for (const auto& each : repositories) {
        table.add({each.required ? "repository (required)" : "repository", say(each)});
        for (const auto& gap : each.gaps) table.add({"gap in " + each.name, gap_text(gap, segment_size)});
    }
}

}  // namespace howdah::cli
