#include "backup/inspect.hpp"

#include <fmt/core.h>

#include <array>
#include <cstring>

#include "archive/trailer.hpp"
#include "base/file.hpp"
#include "postgres/page.hpp"
#include "repository/object.hpp"
#include "repository/pack_generations.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using repository::kFrameBytes;
using repository::WalTrailer;

constexpr std::size_t kMostProblems = 1000;

std::string wrong_checksum(const postgres::BadPage& page) {
    if (page.expected == page.found) return "its header says that it is new and its bytes are not all zero";
    return fmt::format("its checksum is {:#06x} and its bytes give {:#06x}", page.found, page.expected);
}

/// "block 17" or "blocks 16 to 31" of a relation file, else "bytes 0 to 8191".
std::string stretch(const StoredFiles::File& file, std::uint64_t offset, std::uint64_t length) {
    if (!file.pages) return fmt::format("bytes {} to {}", offset, offset + length - 1);
    const std::uint64_t first = file.first_block + offset / kBlockSize, last = file.first_block + (offset + length - 1) / kBlockSize;
    return first == last ? fmt::format("block {}", first) : fmt::format("blocks {} to {}", first, last);
}

template <typename Value>
std::string differ(const char* what, const Value& walked, const Value& stored) {
    return walked == stored ? std::string() : fmt::format("{} {}, its trailer says {}", what, walked, stored);
}

/// What a walk over the records tells otherwise than the trailer. A trailer in doubt was made by a walk that ended early, and a newer
/// program may come further.
std::string compare(const WalTrailer& walked, const WalTrailer& stored) {
    using base::text;
    if (!stored.doubt.empty()) return {};
    if (!walked.doubt.empty()) return "its records cannot be walked: " + walked.doubt;
    const auto time = [](const std::optional<base::Timestamp>& when) { return when ? text(*when) : std::string("none"); };
    for (const auto& difference : {differ("its segment begins at", text(walked.begin), text(stored.begin)),
                                   differ("its server's version is", walked.server_major, stored.server_major),
                                   differ("its first record begins at", text(walked.first_record), text(stored.first_record)),
                                   differ("its records end at", text(walked.end_of_records), text(stored.end_of_records)),
                                   differ("its number of records is", walked.records, stored.records),
                                   differ("its number of commits is", walked.commits, stored.commits),
                                   differ("its first commit was at", time(walked.first_commit_time), time(stored.first_commit_time)),
                                   differ("its last commit was at", time(walked.last_commit_time), time(stored.last_commit_time)),
                                   differ("its lowest transaction is", walked.lowest_xid, stored.lowest_xid),
                                   differ("its highest transaction is", walked.highest_xid, stored.highest_xid),
                                   differ("its number of restore points is", walked.restore_points.size(), stored.restore_points.size())})
        if (!difference.empty()) return difference;
    return {};
}

}  // namespace

/// One pack's frames. A page may begin in one frame and end in the next, so the end of the last frame seen is kept.
class BackupInspector::Visit final : public repository::PackVisit {
public:
    Visit(BackupInspector& inspector, std::string object) : inspector_(inspector), object_(std::move(object)) {}

    void frame(std::uint32_t number, std::span<const std::byte> plain) override {
        for (const StoredFiles::Part& part : inspector_.files_.parts(object_, number))
            if (part.file->pages && part.position < plain.size()) look_at(number, plain, part);
        const std::size_t kept = std::min<std::size_t>(plain.size(), kBlockSize);
        std::memcpy(end_.data() + (kBlockSize - kept), plain.data() + (plain.size() - kept), kept);
        last_ = number;
    }

private:
    void look_at(std::uint32_t number, std::span<const std::byte> plain, const StoredFiles::Part& part) {
        auto bytes = plain.subspan(part.position, std::min<std::size_t>(part.length, plain.size() - part.position));
        std::uint64_t offset = part.offset;
        if (const std::size_t before = offset % kBlockSize; before != 0) {
            const std::size_t rest = std::min(kBlockSize - before, bytes.size());
            if (part.continued && last_ + 1 == number && rest == kBlockSize - before) {
                std::array<std::byte, kBlockSize> page;
                std::memcpy(page.data(), end_.data() + (kBlockSize - before), before);
                std::memcpy(page.data() + before, bytes.data(), rest);
                check(page, number - 1, static_cast<std::uint32_t>(kFrameBytes - before), offset - before, *part.file);
            }
            bytes = bytes.subspan(rest);
            offset += rest;
        }
        const auto position = static_cast<std::uint32_t>(part.position + (offset - part.offset));
        check(bytes.first(bytes.size() / kBlockSize * kBlockSize), number, position, offset, *part.file);
    }

    void check(std::span<const std::byte> pages, std::uint32_t frame, std::uint32_t position, std::uint64_t offset,
               const StoredFiles::File& file) {
        if (pages.empty()) return;
        const auto first = file.first_block + static_cast<std::uint32_t>(offset / kBlockSize);
        wrong_.clear();
        postgres::check_pages(pages, first, wrong_);
        inspector_.pages_.fetch_add(pages.size() / kBlockSize, std::memory_order_relaxed);
        for (const postgres::BadPage& page : wrong_) {
            const auto at = position + (page.block - first) * static_cast<std::uint32_t>(kBlockSize);
            if (!inspector_.files_.recorded_bad(object_, frame, at))
                inspector_.add({object_, frame, at, static_cast<std::uint32_t>(kBlockSize)}, wrong_checksum(page));
        }
    }

    BackupInspector& inspector_;
    std::string object_;
    std::array<std::byte, kBlockSize> end_{};
    std::uint32_t last_ = 0xFFFFFFF0u;
    std::vector<postgres::BadPage> wrong_;
};

BackupInspector::BackupInspector(const repository::Repository& repository, const std::string& cluster,
                                 const base::Cancellation& cancellation)
    : repository_(repository), cancellation_(cancellation), files_(repository, cluster, cancellation), passed_over_(files_.passed_over()) {}

std::unique_ptr<repository::PackVisit> BackupInspector::visit_pack(const std::string& object) {
    return std::make_unique<Visit>(*this, repository::first_generation(object));
}

void BackupInspector::add(const StoredFiles::Place& place, const std::string& what) {
    const std::lock_guard lock(mutex_);
    found_.emplace(place, what);
}

void BackupInspector::lost(const std::string& object, std::uint32_t frame, std::uint32_t position, std::uint32_t length,
                           const std::string& what) {
    add({repository::first_generation(object), frame, position, length}, "cannot be had: " + what);
}

std::string BackupInspector::segment(const std::string& name, std::span<const std::byte> bytes, const WalTrailer& trailer) {
    try {
        const auto checked = archive::check_segment(name, bytes, bytes.size(), trailer.system_identifier);
        return compare(archive::make_trailer(name, checked, bytes), trailer);
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        return failure.what();
    }
}

void BackupInspector::check_split_pages(const repository::Share& share) {
    for (const StoredFiles::SplitPage& split : files_.split_pages()) {
        cancellation_.check("checking pages");
        const auto& first = split.extents[split.extents.front().pack.empty() && split.extents.size() > 1];
        const auto object = first.pack.empty() ? std::string() : split.area.pack(first.pack);
        if (!share.takes(object, first.frame) || files_.recorded_bad(*split.file, split.block)) continue;
        std::vector<postgres::BadPage> wrong;
        try {
            const auto page = repository::read_bytes(repository_, split.area, split.extents, kBlockSize);
            postgres::check_pages(base::as_bytes(page), split.block, wrong);
            ++pages_;
        } catch (const base::Cancelled&) {
            throw;
        } catch (const base::Failure& failure) {
            if (failure.kind() != base::FailureKind::operation) throw;
            passed_over_.insert(failure.what());
        }
        for (const auto& page : wrong)
            add({object, first.frame, first.position, static_cast<std::uint32_t>(first.length)}, wrong_checksum(page));
    }
}

std::vector<std::string> BackupInspector::problems() {
    std::set<StoredFiles::Place> places;
    for (const auto& [place, what] : found_) places.insert(place);
    std::map<std::string, std::set<std::string>> backups;  ///< By sentence.
    std::size_t left_out = 0;
    passed_over_.merge(files_.find_sufferers(
        places,
        [&](const StoredFiles::Place& place, const std::string& backup, const StoredFiles::File& file, std::uint64_t offset,
            std::uint64_t length) {
            const auto sentence = fmt::format("{} {}: {}", file.path, stretch(file, offset, length), found_.at(place));
            if (backups.size() < kMostProblems || backups.contains(sentence))
                backups[sentence].insert(backup);
            else
                ++left_out;
        },
        cancellation_));
    std::vector<std::string> problems;
    for (const auto& [sentence, ids] : backups) {
        std::string list;
        for (const auto& id : ids) list += (list.empty() ? "" : ", ") + id;
        problems.push_back(fmt::format("backup {}: {}", list, sentence));
    }
    if (left_out > 0) problems.push_back(fmt::format("and {} more places of files", left_out));
    return problems;
}

}  // namespace howdah::backup
