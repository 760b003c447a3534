#include "journal/hourly.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "journal/schema.hpp"

namespace howdah::journal {

namespace {

constexpr std::string_view kPending = "journal.pending.";

std::int64_t microseconds(base::Timestamp time) { return time.time_since_epoch().count(); }

std::optional<HourSum> parse_pending(const std::string& text) {
    const auto document = nlohmann::json::parse(text, nullptr, false);
    if (!document.is_object()) return std::nullopt;
    try {
        return HourSum{document.at("key"), document.at("cluster"),
                       base::Timestamp(std::chrono::microseconds(document.at("hour").get<std::int64_t>())),
                       document.at("count").get<std::uint64_t>(), base::Bytes{document.at("bytes").get<std::uint64_t>()}};
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

std::vector<std::filesystem::path> pending_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().filename().string().starts_with(kPending)) files.push_back(entry.path());
    return files;
}

}  // namespace

base::Timestamp hour_of(base::Timestamp time) { return std::chrono::floor<std::chrono::hours>(time); }

void add_sum(Database& database, const HourSum& sum) {
    auto statement = database.prepare(
        "INSERT INTO hourly VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (hour, key, cluster) DO UPDATE SET count = count + excluded.count, bytes = bytes + excluded.bytes");
    statement.bind(1, sum.key).bind(2, sum.cluster).bind(3, microseconds(sum.hour));
    statement.bind(4, static_cast<std::int64_t>(sum.count)).bind(5, static_cast<std::int64_t>(sum.bytes.count)).step();
}

std::vector<HourSum> open_sums(Database& database) {
    std::vector<HourSum> sums;
    auto statement = database.prepare("SELECT key, cluster, hour, count, bytes FROM hourly ORDER BY hour DESC, key, cluster");
    while (statement.step())
        sums.push_back({statement.text(0), statement.text(1), base::Timestamp(std::chrono::microseconds(statement.integer(2))),
                        static_cast<std::uint64_t>(statement.integer(3)), base::Bytes{static_cast<std::uint64_t>(statement.integer(4))}});
    return sums;
}

bool has_past_hours(Database& database, base::Timestamp hour) {
    auto statement = database.prepare("SELECT 1 FROM hourly WHERE hour < ? LIMIT 1");
    return statement.bind(1, microseconds(hour)).step();
}

std::optional<Head> close_hours(Database& database, base::Timestamp now, const Row& identity) {
    std::optional<Head> head;
    auto sums = open_sums(database);
    for (auto sum = sums.rbegin(); sum != sums.rend(); ++sum) {
        if (sum->hour >= hour_of(now)) continue;
        Row row = identity;
        row.kind = "sum";
        row.started_by = 0;
        row.operation = sum->key;
        row.cluster = sum->cluster;
        row.repository.clear();
        row.outcome = "done";
        row.start_time = microseconds(sum->hour);
        row.end_time = microseconds(sum->hour + std::chrono::hours(1));
        row.message = fmt::format("{} in one hour, {}", sum->count, base::text(sum->bytes));
        row.figures = fmt::format(R"({{"count":{},"bytes":{}}})", sum->count, sum->bytes.count);
        head = append_row(database, row);
    }
    if (head) database.prepare("DELETE FROM hourly WHERE hour < ?").bind(1, microseconds(hour_of(now))).step();
    return head;
}

void keep_pending(const std::filesystem::path& folder, const HourSum& sum) {
    const nlohmann::json document = {
        {"key", sum.key}, {"cluster", sum.cluster}, {"hour", microseconds(sum.hour)}, {"count", sum.count}, {"bytes", sum.bytes.count}};
    const auto name = base::random_hex(8);
    const auto temporary = folder / (".journal.pending." + name);
    {
        const base::File file(open_journal_file(temporary, O_RDWR));
        file.append(base::as_bytes(document.dump()));
    }
    std::filesystem::rename(temporary, folder / (std::string(kPending) + name));
}

bool PendingFold::any() const { return !pending_files(folder_).empty(); }

void PendingFold::fold(Database& database) {
    auto known = database.prepare("SELECT name FROM folded");
    std::vector<std::string> names;
    while (known.step()) names.push_back(known.text(0));
    for (const auto& name : names)
        if (!std::filesystem::exists(folder_ / name)) database.prepare("DELETE FROM folded WHERE name = ?").bind(1, name).step();
    for (const auto& path : pending_files(folder_)) {
        const auto name = path.filename().string();
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            const auto text = base::read_file_if_exists(path);
            if (!text) continue;
            if (const auto sum = parse_pending(*text))
                add_sum(database, *sum);
            else
                base::log_warning("figures kept for the journal cannot be read: {}; they are left out", path.string());
            database.prepare("INSERT INTO folded VALUES (?)").bind(1, name).step();
        }
        folded_.push_back(path);
    }
}

void PendingFold::remove() const {
    for (const auto& path : folded_) ::unlink(path.c_str());
}

}  // namespace howdah::journal
