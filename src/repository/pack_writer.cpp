#include "repository/pack_writer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <optional>

#include "base/hooks.hpp"
#include "repository/extents.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::uint64_t kPackPlainBytes = 1u << 30;  ///< A pack of well compressed bytes ends here, so that its block hashes stay small.
constexpr std::size_t kCommitsInFlight = 2;          ///< Packs on their way to the disk while the worker goes on.

bool all_zero(std::span<const std::byte> bytes) {
    return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

void commit_pack(std::unique_ptr<storage::Writer> writer, const std::string& name) {
    if (writer->commit() != storage::Created::yes)
        throw Failure(FailureKind::operation, fmt::format("pack exists already: {}", name),
                      "the random source of this host repeats itself; check it");
    base::fault_point("repository.pack_committed");
}

struct FreeAligned {
    void operator()(std::byte* bytes) const { std::free(bytes); }
};
using FrameBuffer = std::unique_ptr<std::byte, FreeAligned>;

FrameBuffer new_frame_buffer() {
    FrameBuffer buffer(static_cast<std::byte*>(std::aligned_alloc(4096, kFrameBytes)));
    if (!buffer) throw std::bad_alloc();
    return buffer;
}

}  // namespace

struct PackWriter::Impl {
    Impl(const Repository& in, const ClusterArea& cluster_area, int compression_level)
        : repository(&in), area(cluster_area), context(compression_level), frame(new_frame_buffer()) {}

    void ensure_pack() {
        if (writer) return;
        id = PackId::random();
        writer.emplace(repository->store(), repository->key(), context, Kind::pack, area.pack(id));
        hashes.clear();
        plain = 0;
    }

    /// Seals one frame into the open pack and closes the pack when it is full.
    void seal(std::span<const std::byte> bytes) {
        writer->add_frame(bytes);
        plain += bytes.size();
        for (std::size_t at = 0; at < bytes.size(); at += kHashedBlockBytes)
            hashes.push_back(repository->key().block_hash(bytes.subspan(at, std::min(kHashedBlockBytes, bytes.size() - at))));
        if (writer->stored_bytes() >= kPackBytes || plain >= kPackPlainBytes) close_pack();
    }

    void flush_small() {
        if (small_used == 0) return;
        const std::span<const std::byte> bytes(small.data(), small_used);
        small_used = 0;
        seal(bytes);
    }

    /// Pages begin where a hashed block does, so that their hashes are theirs alone; what is left over is zeros.
    void begin_block() {
        const std::size_t begin = (small_used + kHashedBlockBytes - 1) / kHashedBlockBytes * kHashedBlockBytes;
        std::fill(small.begin() + static_cast<std::ptrdiff_t>(small_used), small.begin() + static_cast<std::ptrdiff_t>(begin),
                  std::byte{0});
        small_used = begin;
        if (small_used == kFrameBytes) flush_small();
    }

    void close_pack() {
        if (!writer) return;
        writer->add_frame(std::as_bytes(std::span(hashes)), FrameClass::block_hashes);
        std::string name = writer->name();
        std::unique_ptr<storage::Writer> closed = writer->close();
        closed_bytes += writer->stored_bytes();
        writer.reset();
        while (commits.size() >= kCommitsInFlight) wait_for_commit();
        commits.push_back(std::async(std::launch::async, commit_pack, std::move(closed), std::move(name)));
    }

    void wait_for_commit() {
        auto commit = std::move(commits.front());
        commits.pop_front();
        commit.get();
    }

    const Repository* repository;
    ClusterArea area;
    SealContext context;
    FrameBuffer frame;
    std::vector<std::byte> small;
    std::size_t small_used = 0;
    std::optional<ObjectWriter> writer;
    PackId id;
    std::vector<std::uint64_t> hashes;
    std::uint64_t plain = 0, closed_bytes = 0;
    std::deque<std::future<void>> commits;
};

PackWriter::PackWriter(const Repository& repository, const ClusterArea& area, int compression_level)
    : impl_(std::make_unique<Impl>(repository, area, compression_level)) {}
PackWriter::~PackWriter() = default;

std::span<std::byte> PackWriter::frame_space() { return {impl_->frame.get(), kFrameBytes}; }

void PackWriter::add_frame(std::size_t length, std::vector<Extent>& extents) {
    if (length == 0) return;
    const std::span<const std::byte> bytes = frame_space().first(length);
    if (all_zero(bytes)) return append_extent(extents, {length, {}, 0, 0});
    impl_->flush_small();
    impl_->ensure_pack();
    append_extent(extents, {length, impl_->id, impl_->writer->frames(), 0});
    impl_->seal(bytes);
}

void PackWriter::add_small(std::span<const std::byte> bytes, std::vector<Extent>& extents) {
    if (bytes.empty()) return;
    if (all_zero(bytes)) return append_extent(extents, {bytes.size(), {}, 0, 0});
    impl_->small.resize(kFrameBytes);
    if (bytes.size() % kHashedBlockBytes == 0) impl_->begin_block();
    while (!bytes.empty()) {
        impl_->ensure_pack();
        const std::size_t part = std::min(bytes.size(), kFrameBytes - impl_->small_used);
        std::memcpy(impl_->small.data() + impl_->small_used, bytes.data(), part);
        append_extent(extents, {part, impl_->id, impl_->writer->frames(), static_cast<std::uint32_t>(impl_->small_used)});
        impl_->small_used += part;
        bytes = bytes.subspan(part);
        if (impl_->small_used == kFrameBytes) impl_->flush_small();
    }
}

void PackWriter::finish() {
    impl_->flush_small();
    impl_->close_pack();
    while (!impl_->commits.empty()) impl_->wait_for_commit();
}

base::Bytes PackWriter::stored() const { return {impl_->closed_bytes + (impl_->writer ? impl_->writer->stored_bytes() : 0)}; }

}  // namespace howdah::repository
