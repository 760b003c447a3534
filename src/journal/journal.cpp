#include "journal/journal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "journal/chain.hpp"
#include "journal/head_file.hpp"
#include "journal/hourly.hpp"
#include "journal/schema.hpp"

namespace howdah::journal {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kWait = 2s;
constexpr std::array<const char*, 5> kWords{"running", "done", "failed", "refused", "interrupted"};

Outcome outcome_of(std::string_view word) {
    for (std::size_t i = 0; i < kWords.size(); ++i)
        if (word == kWords[i]) return static_cast<Outcome>(i);
    return Outcome::running;
}

base::Timestamp now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }
std::int64_t microseconds(base::Timestamp time) { return time.time_since_epoch().count(); }
base::Timestamp timestamp(std::int64_t value) { return base::Timestamp(std::chrono::microseconds(value)); }

std::string own_process() {
    const auto pid = ::getpid();
    return fmt::format("{}:{}:{}", base::boot_identifier(), pid, base::process_start_ticks(pid).value_or(0));
}

/// Whether the process that wrote a start on this host is still there.
bool still_runs(const std::string& process) {
    const auto first = process.find(':');
    const auto second = process.rfind(':');
    if (first == std::string::npos || second == first) return true;
    if (process.substr(0, first) != base::boot_identifier()) return false;
    const auto pid = static_cast<pid_t>(std::atol(process.substr(first + 1).c_str()));
    const auto ticks = base::process_start_ticks(pid);
    return ticks && std::to_string(*ticks) == process.substr(second + 1);
}

Row identity() {
    Row row;
    row.user = base::current_user().name;
    row.host = base::host_name();
    row.process = own_process();
    return row;
}

std::string clean_figures(const std::string& figures) {
    const auto redacted = base::redact(figures);
    const auto document = nlohmann::json::parse(redacted, nullptr, false);
    if (document.is_object()) return redacted;
    base::log_warning("figures for the journal are not a JSON object: {}; they are left out", redacted);
    return "{}";
}

void warn(const std::string& what) {
    base::log_warning("THE JOURNAL WAS NOT WRITTEN and the operation goes on without its record: {}", what);
}

/// Runs `body` and turns every failure into a warning: an operation never fails for its record.
template <typename Body>
void without_throwing(Body body) noexcept {
    try {
        try {
            body();
        } catch (const base::Failure& failure) {
            warn(failure.hint().empty() ? failure.what() : fmt::format("{} ({})", failure.what(), failure.hint()));
        } catch (const std::exception& error) {
            warn(error.what());
        }
    } catch (...) {
        // Not even the warning could be written; there is nowhere left to say so.
        return;
    }
}

/// The entry is in the chain by now: only its copy beside the database may be missing.
void remember(const std::filesystem::path& folder, const Head& head) {
    try {
        remember_head(folder, head);
    } catch (const base::Failure& failure) {
        base::log_warning("the journal's entry {} was written, but journal.head was not: {}", head.number, failure.what());
    }
}

std::uint64_t append(const std::filesystem::path& folder, Row row) {
    const auto database = open_for_append(folder, kWait);
    Transaction transaction(*database);
    close_hours(*database, now(), identity());
    const Head head = append_row(*database, row);
    transaction.commit();
    remember(folder, head);
    return head.number;
}

bool add_now(const std::filesystem::path& folder, const HourSum& sum) try {
    const auto database = open_for_append(folder, 0ms);
    // A row of the chain must not be forgotten by a power cut while journal.head remembers it, nor counts whose files go; others of the last moments may.
    const bool closing = has_past_hours(*database, sum.hour);
    PendingFold pending(folder);
    if (!closing && !pending.any()) database->leave_syncing_to_later();
    Transaction transaction(*database);
    pending.fold(*database);
    const auto head = closing ? close_hours(*database, now(), identity()) : std::nullopt;
    add_sum(*database, sum);
    transaction.commit();
    pending.remove();
    if (head) remember(folder, *head);
    return true;
} catch (const DatabaseBusy&) {
    return false;
}

Entry entry_of(const Row& start, const std::optional<Row>& end) {
    const Row& last = end ? *end : start;
    Entry entry;
    entry.number = start.number;
    entry.operation = start.operation;
    entry.cluster = start.cluster;
    entry.repository = start.repository;
    entry.start = timestamp(start.start_time);
    if (last.end_time != 0) entry.end = timestamp(last.end_time);
    entry.outcome = outcome_of(last.outcome);
    entry.user = start.user;
    entry.host = start.host;
    entry.message = last.message;
    entry.figures = last.figures;
    entry.hash = last.hash;
    if (entry.outcome == Outcome::running && start.host == base::host_name() && !still_runs(start.process)) {
        entry.outcome = Outcome::interrupted;
        entry.message = "ended without a word: killed, or the host went down";
    }
    return entry;
}

Entry entry_of(const HourSum& sum) {
    Entry entry;
    entry.operation = sum.key;
    entry.cluster = sum.cluster;
    entry.start = sum.hour;
    entry.host = base::host_name();
    entry.message = fmt::format("{} so far in this hour, {}", sum.count, base::text(sum.bytes));
    entry.figures = fmt::format(R"({{"count":{},"bytes":{}}})", sum.count, sum.bytes.count);
    return entry;
}

bool matches(const std::string& wanted, const std::string& operation) {
    return wanted.empty() || operation == wanted || operation.starts_with(wanted + " ");
}

}  // namespace

std::string word(Outcome outcome) { return kWords[static_cast<std::size_t>(outcome)]; }

struct Journal::Impl {
    std::filesystem::path folder;
};

struct Journal::Operation::Impl {
    std::filesystem::path folder;
    Row row;
    bool finished = false;
};

Journal::Journal(std::filesystem::path directory) : impl_(std::make_unique<Impl>(std::move(directory))) {}
Journal::~Journal() = default;

Journal::Operation::Operation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::Operation::Operation(Operation&&) noexcept = default;
Journal::Operation::~Operation() {
    if (impl_ && !impl_->finished) without_throwing([this] { finish(Outcome::interrupted, "ended before its work was done"); });
}

void Journal::Operation::finish(Outcome outcome, const std::string& message, const std::string& figures) {
    without_throwing([&] {
        if (impl_->finished) return;
        impl_->finished = true;
        Row& row = impl_->row;
        row.kind = "end";
        row.end_time = microseconds(now());
        row.outcome = word(outcome);
        row.message = base::redact(message);
        row.figures = clean_figures(figures);
        append(impl_->folder, row);
    });
}

Journal::Operation Journal::begin(const std::string& operation, const std::string& cluster, const std::string& repository) {
    auto impl = std::make_unique<Operation::Impl>();
    impl->folder = impl_->folder;
    without_throwing([&] {
        Row& row = impl->row;
        row = identity();
        row.kind = "start";
        row.operation = operation;
        row.cluster = cluster;
        row.repository = base::redact(repository);
        row.outcome = word(Outcome::running);
        row.figures = "{}";
        row.start_time = microseconds(now());
        row.started_by = append(impl->folder, row);
    });
    return Operation(std::move(impl));
}

void Journal::add_hourly(const std::string& key, const std::string& cluster, std::uint64_t count, base::Bytes bytes) {
    without_throwing([&] {
        const HourSum sum{key, cluster, hour_of(now()), count, bytes};
        if (!add_now(impl_->folder, sum)) keep_pending(impl_->folder, sum);
    });
}

std::vector<Entry> Journal::list(std::size_t limit, const std::string& operation) const {
    std::vector<Entry> entries;
    const auto database = open_for_reading(impl_->folder, kWait);
    if (!database) return entries;
    database->execute("BEGIN");
    for (const auto& sum : open_sums(*database))
        if (matches(operation, sum.key) && entries.size() < limit) entries.push_back(entry_of(sum));
    auto statement = database->prepare("SELECT " + row_columns("s") + ", " + row_columns("e") +
                                       " FROM entry s LEFT JOIN entry e ON e.kind = 'end' AND e.started_by = s.number AND s.kind = 'start'"
                                       " WHERE s.kind <> 'end' OR s.started_by = 0 ORDER BY s.number DESC");
    constexpr int kColumns = 15;
    while (entries.size() < limit && statement.step()) {
        const Row start = read_row(statement);
        if (!matches(operation, start.operation)) continue;
        entries.push_back(entry_of(start, statement.is_null(kColumns) ? std::nullopt : std::optional(read_row(statement, kColumns))));
    }
    return entries;
}

std::vector<std::string> Journal::verify() const {
    // The remembered head first: rows appended after it was read are ahead of it, which is no problem.
    const auto remembered = remembered_head(impl_->folder);
    const auto database = open_for_reading(impl_->folder, kWait);
    if (database) return verify_chain(*database, remembered);
    if (!remembered) return {};
    return {fmt::format("all entries were removed: {} is absent or empty, journal.head remembers entry {}",
                        database_file(impl_->folder).string(), remembered->number)};
}

}  // namespace howdah::journal
