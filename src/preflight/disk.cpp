#include "preflight/disk.hpp"

#include <fmt/core.h>

#include <cstdlib>

#include "preflight/looker.hpp"
#include "preflight/repository.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

double share(base::Bytes part, base::Bytes whole) {
    return whole.count == 0 ? 1.0 : static_cast<double>(part.count) / static_cast<double>(whole.count);
}

/// "34 % of", "12 times".
std::string multiple(double share) { return share < 2 ? text::percent(share) + " of" : fmt::format("{:.0f} times", share); }

base::Bytes size_of_tablespaces(Looker& looker, const std::string& condition) {
    const auto size = looker.session().value("SELECT coalesce(sum(pg_tablespace_size(oid)), 0) FROM pg_tablespace WHERE " + condition);
    return {static_cast<std::uint64_t>(std::strtoull(size.c_str(), nullptr, 10))};
}

std::filesystem::path data_directory_here(Looker& looker) {
    auto path = looker.data_directory();
    if (path.empty())
        throw base::Failure(base::FailureKind::operation, "the data directory is unknown", "set data_directory in the cluster's section");
    if (!std::filesystem::exists(path))
        throw base::Failure(base::FailureKind::operation, path.string() + " does not exist on this host",
                            "run howdah on the server's host");
    return path;
}

Place place_at(const std::string& check, const std::filesystem::path& path) {
    Place place;
    place.check = check;
    place.path = path.string();
    place.space = base::space_of(path);
    return place;
}

void look_at_data(Looker& looker) {
    looker.look("disk_data", [&] {
        auto place = place_at("disk_data", data_directory_here(looker));
        place.data = size_of_tablespaces(looker, "spcname IN ('pg_default', 'pg_global')");
        return Findings{judge_place(place, looker.thresholds())};
    });
    looker.look("disk_wal", [&] {
        auto place = place_at("disk_wal", data_directory_here(looker) / "pg_wal");
        if (const auto megabytes = looker.setting("max_wal_size"))
            place.need = base::Bytes{std::strtoull(megabytes->c_str(), nullptr, 10) << 20};
        place.need_for = "max_wal_size";
        return Findings{judge_place(place, looker.thresholds())};
    });
}

void look_at_tablespaces(Looker& looker) {
    std::vector<postgres::Tablespace> tablespaces;
    looker.look("disk_tablespaces", [&]() -> Findings {
        tablespaces = postgres::read_tablespaces(looker.session());
        return {};
    });
    for (const auto& tablespace : tablespaces) {
        if (tablespace.in_place || tablespace.location.empty()) continue;
        const auto check = "disk_tablespace_" + tablespace.name;
        looker.look(check, [&] {
            auto place = place_at(check, tablespace.location);
            place.data = size_of_tablespaces(looker, "oid = " + std::to_string(tablespace.oid));
            return Findings{judge_place(place, looker.thresholds())};
        });
    }
    looker.look("disk_temp", [&] {
        std::filesystem::path path;
        const auto setting = looker.setting("temp_tablespaces").value_or("");
        for (const auto& tablespace : tablespaces)
            if (!tablespace.location.empty() && setting.find(tablespace.name) != std::string::npos) path = tablespace.location;
        return Findings{judge_place(place_at("disk_temp", path.empty() ? data_directory_here(looker) : path), looker.thresholds())};
    });
}

}  // namespace

Finding judge_place(const Place& place, const Thresholds& thresholds) {
    const base::Bytes free = place.space.available;
    const double of_disk = share(free, place.space.total);
    auto value =
        fmt::format("{} free of {} ({}) at {}", base::text(free), base::text(place.space.total), text::percent(of_disk), place.path);
    if (place.data) value += fmt::format(", {} the {} of data", multiple(share(free, *place.data)), base::text(*place.data));
    const auto finding = [&](Severity severity, const std::string& what, const std::string& advice) {
        return Finding{place.check, severity, value, what, advice};
    };
    const char* enlarge = "free space on or enlarge this file system";
    if (of_disk < thresholds.very_full_disk) return finding(Severity::critical, "the file system is nearly full", enlarge);
    if (place.need && free < *place.need)
        return finding(Severity::critical, fmt::format("less is free than {} asks for: {}", place.need_for, base::text(*place.need)),
                       enlarge);
    if (place.data && share(free, *place.data) < thresholds.index_space)
        return finding(Severity::critical, fmt::format("building indexes needs {} of the data free", text::percent(thresholds.index_space)),
                       enlarge);
    if (of_disk < thresholds.full_disk)
        return finding(Severity::warning, fmt::format("less than {} of the file system is free", text::percent(thresholds.full_disk)),
                       enlarge);
    if (place.data && share(free, *place.data) < thresholds.rewrite_space)
        return finding(Severity::warning,
                       fmt::format("rewriting tables needs {} of the data free", text::percent(thresholds.rewrite_space)),
                       "enlarge this file system before VACUUM FULL, CLUSTER, partitioning or a change of a column's type");
    return finding(Severity::ok, place.data ? "enough for indexes and for rewriting tables" : "enough", {});
}

void look_at_disk(Looker& looker) {
    look_at_data(looker);
    look_at_tablespaces(looker);
    const auto folder = looker.options().repository ? repository_folder(looker.options().repository->url) : std::nullopt;
    if (!folder) return;
    looker.look("disk_repository", [&] { return Findings{judge_place(place_at("disk_repository", *folder), looker.thresholds())}; });
}

}  // namespace howdah::preflight
