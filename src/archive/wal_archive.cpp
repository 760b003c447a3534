#include "archive/wal_archive.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>

#include "archive/put_everywhere.hpp"
#include "archive/segment_check.hpp"
#include "archive/trailer.hpp"
#include "archive/unfinished.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"

namespace howdah::archive {

namespace {

using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;
using repository::FrameClass;
using repository::Kind;
using repository::ObjectReader;

constexpr std::uint32_t kFramesARequest = 64;
constexpr const char* kTwoServers =
    "two servers archive under one cluster name, or WAL was rewritten; give each its own cluster name, never delete either";

[[noreturn]] void refuse_different(const std::string& object, const std::string& file, const std::string& hint = kTwoServers) {
    throw Different(FailureKind::operation, fmt::format("{} differs from what is archived under that name: {}", file, object), hint);
}

std::string last_word(const std::string& object) { return object.substr(object.rfind('/') + 1); }

/// Frames of class data at the beginning of an object.
std::uint32_t data_frames(const ObjectReader& object) {
    const auto& directory = object.directory();
    const auto end =
        std::find_if(directory.begin(), directory.end(), [](const auto& frame) { return frame.frame_class != FrameClass::data; });
    return static_cast<std::uint32_t>(end - directory.begin());
}

std::uint64_t plain_bytes(const ObjectReader& object, std::uint32_t frames) {
    std::uint64_t sum = 0;
    for (std::uint32_t frame = 0; frame < frames; ++frame) sum += object.directory()[frame].plain_bytes;
    return sum;
}

/// Visits the data frames in order, some MiB a request, so that a segment of 1 GiB needs no second one in memory.
void each_frame(const ObjectReader& object, std::uint32_t frames, repository::SealContext& context,
                const std::function<void(std::span<const std::byte>)>& visit) {
    for (std::uint32_t first = 0; first < frames; first += kFramesARequest)
        object.read_frames(first, std::min(kFramesARequest, frames - first), context,
                           [&](std::uint32_t, std::span<const std::byte> plain) { visit(plain); });
}

/// Compares while reading, so that the archived segment is never whole in memory a second time.
bool same_bytes(const ObjectReader& object, std::span<const std::byte> bytes, repository::SealContext& context,
                std::size_t limit = std::numeric_limits<std::size_t>::max()) {
    const std::uint32_t frames = data_frames(object);
    if (plain_bytes(object, frames) != bytes.size()) return false;
    bool same = true;
    std::size_t offset = 0;
    each_frame(object, frames, context, [&](std::span<const std::byte> plain) {
        const std::size_t count = std::min(plain.size(), limit - std::min(limit, offset));
        same = same && std::memcmp(plain.data(), bytes.data() + offset, count) == 0;
        offset += plain.size();
    });
    return same;
}

}  // namespace

std::string WalArchive::object_of(const std::string& name) const {
    switch (postgres::classify_wal_file(name)) {
        case WalFileKind::segment:
        case WalFileKind::partial: return area_.wal(name);
        case WalFileKind::history: return area_.history(name);
        default:
            throw Failure(FailureKind::usage, fmt::format("not the name of a WAL file: '{}'", name),
                          "give it as PostgreSQL's %p or %f does");
    }
}

Stored WalArchive::put_segment(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context,
                               base::Bytes* stored) {
    WalArchive* const self = this;
    const PutResult result = put_everywhere(std::span(&self, 1), name, bytes, context, stored).front();
    if (result.failure) std::rethrow_exception(result.failure);
    return result.stored;
}

Stored WalArchive::confirm_same(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context) const {
    if (!base::guard("T19.same_bytes")) return Stored::already_there;
    const Compared compared = compare_segment(name, bytes, context);
    if (compared == Compared::same) return Stored::already_there;
    if (compared == Compared::absent)
        throw Failure(FailureKind::repository, fmt::format("{} vanished while it was compared", area_.wal(name)),
                      "look at who deletes from the repository");
    refuse_segment(name, compared);
}

Compared WalArchive::compare_segment(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context) const {
    const CheckedSegment checked = check_segment(name, bytes, bytes.size(), area_.system());
    const auto there = open(object_of(name));
    if (!there) return Compared::absent;
    if (same_bytes(*there, bytes, context)) return Compared::same;
    const auto old = trailer(name);
    if (!old || !is_unfinished(*old) || make_trailer(name, checked, bytes).end_of_records <= old->end_of_records)
        return Compared::different;
    return same_bytes(*there, bytes, context, old->end_of_records.value - old->begin.value) ? Compared::unfinished_copy
                                                                                            : Compared::different;
}

void WalArchive::refuse_segment(const std::string& name, Compared compared) const {
    if (compared != Compared::unfinished_copy) refuse_different(area_.wal(name), "WAL segment " + name);
    refuse_different(
        area_.wal(name), "WAL segment " + name,
        fmt::format("the archived one was pushed before the server had finished it; in the data directory, as the server's user, run: "
                    "howdah wal push --replace-unfinished pg_wal/{}",
                    name));
}

bool WalArchive::remove_unfinished(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context) {
    return compare_segment(name, bytes, context) == Compared::unfinished_copy && repository_->store().remove(object_of(name));
}

void WalArchive::compare_history(const std::string& name, std::string_view text) const {
    const auto there = repository::read_document(repository_->store(), repository_->key(), Kind::history, area_.history(name));
    if (there && *there != text) refuse_different(area_.history(name), "timeline history " + name);
}

Stored WalArchive::put_history(const std::string& name, std::string_view text) {
    const std::string object = area_.history(name);
    storage::Store& store = repository_->store();
    // Read first: every push of a later timeline passes here, and nearly always the history is there.
    auto there = repository::read_document(store, repository_->key(), Kind::history, object);
    if (!there) {
        if (repository::write_document(store, repository_->key(), Kind::history, object, text) == storage::Created::yes)
            return Stored::added;
        there = repository::read_document(store, repository_->key(), Kind::history, object);
    }
    if (base::guard("T19.same_bytes") && (!there || *there != text)) refuse_different(object, "timeline history " + name);
    return Stored::already_there;
}

std::optional<ObjectReader> WalArchive::open(const std::string& object) const {
    if (auto reader = repository_->store().open(object)) return ObjectReader(std::move(reader), repository_->key(), Kind::wal, object);
    for (const WalArchive& other : others_)
        if (auto found = other.open(object)) return found;
    return std::nullopt;
}

bool WalArchive::has(const std::string& name) const {
    return repository_->store().exists(object_of(name)) ||
           std::any_of(others_.begin(), others_.end(), [&](const WalArchive& other) { return other.has(name); });
}

std::optional<std::vector<std::byte>> WalArchive::get(const std::string& name, repository::SealContext& context) const {
    const std::string object = object_of(name);
    if (postgres::classify_wal_file(name) == WalFileKind::history) {
        const auto text = read_history(object);
        if (!text) return std::nullopt;
        const auto bytes = base::as_bytes(*text);
        return std::vector<std::byte>(bytes.begin(), bytes.end());
    }
    const auto there = open(object);
    if (!there) return std::nullopt;
    const std::uint32_t frames = data_frames(*there);
    std::vector<std::byte> bytes;
    bytes.reserve(plain_bytes(*there, frames));
    each_frame(*there, frames, context, [&](std::span<const std::byte> plain) { bytes.insert(bytes.end(), plain.begin(), plain.end()); });
    return bytes;
}

std::optional<repository::WalTrailer> WalArchive::trailer(const std::string& segment) const {
    const std::string object = object_of(segment);
    const auto there = open(object);
    if (!there) return std::nullopt;
    const std::uint32_t frame = data_frames(*there);
    if (frame == there->directory().size() || there->directory()[frame].frame_class != FrameClass::trailer)
        throw Failure(FailureKind::operation, fmt::format("object {} is damaged: it has no trailer", object), "run howdah backup verify");
    repository::SealContext context;
    std::vector<std::byte> plain;
    there->read_frame(frame, context, plain);
    return repository::decode_wal_trailer(base::as_text(plain), object);
}

std::optional<postgres::SegmentChanges> WalArchive::changes(const std::string& segment, repository::SealContext& context) const {
    const std::string object = object_of(segment);
    {
        const auto there = open(object);
        if (!there) return std::nullopt;
        const auto& directory = there->directory();
        const auto summary =
            std::find_if(directory.begin(), directory.end(), [](const auto& frame) { return frame.frame_class == FrameClass::summary; });
        if (summary != directory.end()) {
            std::vector<std::byte> plain;
            there->read_frame(static_cast<std::uint32_t>(summary - directory.begin()), context, plain);
            return postgres::SegmentChanges::decode(plain);
        }
    }
    const auto bytes = get(segment, context);
    if (!bytes) return std::nullopt;
    return postgres::read_changes(*bytes);
}

std::vector<std::string> WalArchive::names(const std::string& prefix, WalFileKind kind) const {
    std::vector<std::string> found;
    repository_->store().list(prefix, [&](const storage::Listed& object) {
        std::string name = last_word(object.name);
        if (postgres::classify_wal_file(name) == kind) found.push_back(std::move(name));
    });
    for (const WalArchive& other : others_) {
        const auto there = other.names(prefix, kind);
        found.insert(found.end(), there.begin(), there.end());
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

std::vector<std::string> WalArchive::segments(std::optional<base::Timeline> timeline) const {
    return names(timeline ? area_.wal_prefix() + fmt::format("{:08X}/", timeline->value) : area_.wal_prefix(), WalFileKind::segment);
}

std::vector<WalRange> WalArchive::ranges(std::uint64_t segment_size) const {
    std::vector<WalRange> ranges;
    for (const std::string& name : segments()) {
        const auto segment = postgres::parse_segment_name(name, segment_size);
        if (!segment)
            throw Failure(FailureKind::operation,
                          fmt::format("archived segment {} does not fit a segment size of {} bytes", name, segment_size),
                          "the cluster's segment size is in any of its trailers");
        if (!ranges.empty() && ranges.back().last.next() == *segment)
            ranges.back().last = *segment;
        else
            ranges.push_back({*segment, *segment});
    }
    return ranges;
}

std::optional<std::uint64_t> WalArchive::segment_size() const {
    const auto archived = segments();
    if (archived.empty()) return std::nullopt;
    const auto newest = trailer(archived.back());
    if (!newest) return std::nullopt;
    return newest->segment_size;
}

std::vector<base::Timeline> WalArchive::histories() const {
    std::vector<base::Timeline> timelines;
    for (const std::string& name : names(area_.history(""), WalFileKind::history))
        timelines.push_back({static_cast<std::uint32_t>(std::stoul(name.substr(0, 8), nullptr, 16))});
    return timelines;
}

std::optional<std::string> WalArchive::history(base::Timeline timeline) const {
    return read_history(area_.history(postgres::history_name(timeline)));
}

std::optional<std::string> WalArchive::read_history(const std::string& object) const {
    auto text = repository::read_document(repository_->store(), repository_->key(), Kind::history, object);
    for (auto other = others_.begin(); !text && other != others_.end(); ++other) text = other->read_history(object);
    return text;
}

}  // namespace howdah::archive
