#include "archive/filler.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "archive/pg_wal.hpp"
#include "archive/segment_check.hpp"
#include "archive/unfinished.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

namespace {

constexpr std::uint32_t kFramesARequest = 64;
constexpr const char* kTwoHistories =
    "the server was taken back to an earlier state and wrote other WAL under the same names, or two servers archive under one name: "
    "nothing is copied; a full backup under a cluster name of its own begins anew";

base::Timeline timeline_of(const std::string& name) { return {static_cast<std::uint32_t>(std::stoul(name.substr(0, 8), nullptr, 16))}; }

bool is_history(const std::string& name) { return postgres::classify_wal_file(name) == WalFileKind::history; }

}  // namespace

bool copy_segment(const WalArchive& from, WalArchive& to, const std::string& name, repository::SealContext& context) {
    if (from.area().system() != to.area().system())
        throw Failure(FailureKind::operation,
                      fmt::format("WAL of system identifier {} cannot be copied to that of {}", base::text(from.area().system()),
                                  base::text(to.area().system())),
                      "each server's WAL stays its own");
    const auto reader = from.open_segment(name);
    if (!reader) return false;
    const auto& directory = reader->directory();
    std::uint64_t size = 0;
    for (const auto& frame : directory)
        if (frame.frame_class == repository::FrameClass::data) size += frame.plain_bytes;
    if (directory.empty()) throw Failure(FailureKind::operation, fmt::format("{} is damaged: it is empty", from.area().wal(name)), "");
    std::vector<std::byte> plain;
    reader->read_frame(0, context, plain);
    check_segment(name, plain, size, to.area().system());
    const auto& repository = to.repository();
    repository::ObjectWriter writer(repository.store(), repository.key(), context, repository::Kind::wal, to.area().wal(name));
    const auto frames = static_cast<std::uint32_t>(directory.size());
    for (std::uint32_t first = 0; first < frames; first += kFramesARequest)
        reader->read_opened(first, std::min(kFramesARequest, frames - first), context,
                            [&](std::uint32_t number, std::span<const std::byte> opened) { writer.add_opened(directory[number], opened); });
    if (writer.commit() == storage::Created::yes) return true;
    const auto bytes = from.get(name, context);
    if (!bytes) return false;
    to.confirm_same(name, *bytes, context);
    return true;
}

Filler::Filler(std::vector<WalArchive*> archives, fs::path data_directory, std::uint64_t segment_size)
    : archives_(std::move(archives)),
      data_directory_(std::move(data_directory)),
      segment_size_(segment_size),
      pusher_(data_directory_ / "pg_wal") {}

FilledFrom Filler::fill(WalArchive& to, const std::string& name, PushWorker& worker) {
    if (fill_from_pg_wal(to, name, worker)) return FilledFrom::pg_wal;
    std::exception_ptr outage;
    for (const WalArchive* from : archives_) {
        if (from == &to) continue;
        try {
            if (fill_from(*from, to, name, worker)) return FilledFrom::archive;
        } catch (const Different&) {
            throw;
        } catch (const Failure& failure) {
            base::log_debug("{} is not taken from repository {}: {}", name, from->repository().name(), failure.what());
            if (!outage) outage = std::current_exception();
        }
    }
    if (outage) std::rethrow_exception(outage);
    return FilledFrom::nowhere;
}

bool Filler::fill_from_pg_wal(WalArchive& to, const std::string& name, PushWorker& worker) {
    if (data_directory_.empty()) return false;
    std::error_code error;
    const fs::path path = data_directory_ / "pg_wal" / name;
    if (!fs::exists(path, error)) return false;
    const auto segment = postgres::parse_segment_name(name, segment_size_);
    if (segment && !segment_complete(data_directory_, *segment, segment_size_)) return false;
    try {
        pusher_.push(name, worker, to);
        return true;
    } catch (const base::SystemFailure&) {
        if (fs::exists(path, error)) throw;  // Else the server removed it just now.
        return false;
    }
}

bool Filler::fill_from(const WalArchive& from, WalArchive& to, const std::string& name, PushWorker& worker) {
    if (!from.has(name)) return false;
    if (is_history(name)) {
        const auto text = from.history(timeline_of(name));
        if (text) to.put_history(name, *text);
        return text.has_value();
    }
    if (base::guard("T17.one_history")) require_one_history(from, to, name, worker.context);
    // One that its server never finished would be in the way of the finished one.
    if (postgres::classify_wal_file(name) == WalFileKind::segment)
        if (const auto trailer = from.trailer(name); trailer && is_unfinished(*trailer)) return false;
    return copy_segment(from, to, name, worker.context);
}

bool fill_from_others(const std::vector<base::RepositoryConfig>& others, WalArchive& to, const std::string& name,
                      std::uint64_t segment_size) {
    PushWorker worker(1);
    for (const auto& config : others) {
        if (config.name == to.repository().name()) continue;
        try {
            const auto repository = repository::Repository::open(config);
            WalArchive from(repository, to.area());
            Filler filler({&from, &to}, {}, segment_size);
            const auto timeline = timeline_of(name);
            if (timeline.value > 1 && !to.history(timeline)) filler.fill(to, postgres::history_name(timeline), worker);
            if (filler.fill(to, name, worker) == FilledFrom::nowhere) continue;
            base::log_info("{} was brought from repository {}", name, config.name);
            return true;
        } catch (const Failure& failure) {
            base::log_warning("{} is not taken from repository {}: {}", name, config.name, failure.what());
        }
    }
    return false;
}

const std::set<std::string>& Filler::names_of(const WalArchive& archive, base::Timeline timeline) {
    auto [entry, added] = names_.try_emplace({&archive, timeline});
    if (added) {
        const auto names = archive.segments(timeline);
        entry->second = {names.begin(), names.end()};
    }
    return entry->second;
}

void Filler::require_same(const WalArchive& from, const WalArchive& to, const std::string& name, repository::SealContext& context) {
    if (!same_.insert(from.repository().id() + to.repository().id() + name).second) return;
    const auto bytes = from.get(name, context);
    if (bytes && to.compare_segment(name, *bytes, context) == Compared::same) return;
    same_.erase(from.repository().id() + to.repository().id() + name);
    throw Failure(FailureKind::operation,
                  fmt::format("WAL segment {} of repository {} differs from that of repository {}", name, from.repository().name(),
                              to.repository().name()),
                  kTwoHistories);
}

void Filler::require_one_history(const WalArchive& from, const WalArchive& to, const std::string& segment,
                                 repository::SealContext& context) {
    std::lock_guard lock(mutex_);
    const base::Timeline timeline = timeline_of(segment);
    const auto theirs = from.history(timeline), own = to.history(timeline);
    if (theirs && own && *theirs != *own)
        throw Failure(FailureKind::operation,
                      fmt::format("timeline history {} of repository {} differs from that of repository {}",
                                  postgres::history_name(timeline), from.repository().name(), to.repository().name()),
                      kTwoHistories);
    const auto &there = names_of(from, timeline), &here = names_of(to, timeline);
    const auto above = std::find_if(here.lower_bound(segment), here.end(), [&](const auto& name) { return there.contains(name); });
    const auto below = std::find_if(std::make_reverse_iterator(here.lower_bound(segment)), here.rend(),
                                    [&](const auto& name) { return there.contains(name); });
    if (above == here.end() && below == here.rend() && !here.empty())
        throw Failure(FailureKind::operation,
                      fmt::format("repositories {} and {} have no WAL segment of timeline {} in common: whether they are of one history "
                                  "cannot be told",
                                  from.repository().name(), to.repository().name(), base::text(timeline)),
                      kTwoHistories);
    if (below != here.rend()) require_same(from, to, *below, context);
    if (above != here.end()) require_same(from, to, *above, context);
}

}  // namespace howdah::archive
