#include "repository/object_inspection.hpp"

#include <fmt/core.h>

#include <cstring>

#include "repository/damage.hpp"

namespace howdah::repository {

namespace {

constexpr unsigned kMostFindings = 16;  ///< Of one object; more say no more.

std::size_t blocks_of(const FrameEntry& frame) { return (frame.plain_bytes + kHashedBlockBytes - 1) / kHashedBlockBytes; }

/// One pack's inspection.
class PackInspection {
public:
    PackInspection(const Repository& repository, const ObjectReader& reader, const std::string& object, SealContext& context,
                   Inspection& inspection, ObjectFacts& facts)
        : repository_(repository), reader_(reader), object_(object), context_(context), inspection_(inspection), facts_(facts) {}

    void run() {
        const auto& directory = reader_.directory();
        std::uint32_t frames = 0;
        while (frames < directory.size() && directory[frames].frame_class == FrameClass::data) {
            first_hash_.push_back(first_hash_.empty() ? 0 : first_hash_.back() + blocks_of(directory[frames - 1]));
            ++frames;
        }
        visit_ = inspection_.inspector.visit_pack(object_);
        for (std::uint32_t next = 0; next < frames && findings_ < kMostFindings;) {
            if (!inspection_.share.takes(object_, next)) {
                ++next;
                continue;
            }
            std::uint32_t end = next + 1;
            while (end < frames && inspection_.share.takes(object_, end)) ++end;
            read_hashes(frames);
            next = read(next, end);
        }
    }

private:
    /// Before the first data frame; they lie behind the last.
    void read_hashes(std::uint32_t first) {
        if (!hashes_.empty()) return;
        const auto count = static_cast<std::uint32_t>(reader_.directory().size()) - first;
        reader_.read_frames(first, count, context_, [&](std::uint32_t number, std::span<const std::byte> plain) {
            count_read(number);
            hashes_.insert(hashes_.end(), plain.begin(), plain.end());
        });
    }

    /// Reads frames [first, end), or until one fails; where to go on.
    std::uint32_t read(std::uint32_t first, std::uint32_t end) {
        std::uint32_t next = first;
        try {
            reader_.read_frames(first, end - first, context_, [&](std::uint32_t number, std::span<const std::byte> plain) {
                next = number + 1;
                count_read(number);
                if (hashes_fit(number, plain)) visit_->frame(number, plain);
            });
        } catch (const DamageFailure& failure) {
            found(failure.damage());
            inspection_.inspector.lost(object_, next, 0, reader_.directory()[next].plain_bytes, failure.damage());
            ++next;
        }
        return next;
    }

    bool hashes_fit(std::uint32_t number, std::span<const std::byte> plain) {
        bool fit = true;
        for (std::size_t at = 0; at < plain.size(); at += kHashedBlockBytes) {
            const auto block = plain.subspan(at, std::min(kHashedBlockBytes, plain.size() - at));
            const std::uint64_t hash = repository_.key().block_hash(block);
            if (std::memcmp(&hash, hashes_.data() + (first_hash_[number] + at / kHashedBlockBytes) * sizeof hash, sizeof hash) == 0)
                continue;
            const auto what = fmt::format("frame {} differs from its block hash at byte {}", number, at);
            if (fit) found(what);
            inspection_.inspector.lost(object_, number, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(block.size()), what);
            fit = false;
        }
        return fit;
    }

    void found(const std::string& what) {
        ++findings_;
        const std::lock_guard lock(facts_.mutex);
        facts_.found.push_back({object_, what});
    }

    void count_read(std::uint32_t number) {
        inspection_.figures.frames.fetch_add(1, std::memory_order_relaxed);
        inspection_.figures.bytes.fetch_add(reader_.directory()[number].stored_bytes, std::memory_order_relaxed);
    }

    const Repository& repository_;
    const ObjectReader& reader_;
    const std::string& object_;
    SealContext& context_;
    Inspection& inspection_;
    ObjectFacts& facts_;
    std::unique_ptr<PackVisit> visit_;
    std::vector<std::uint64_t> first_hash_;  ///< Of each data frame's first block.
    std::vector<std::byte> hashes_;          ///< As stored: 64-bit numbers, little-endian.
    unsigned findings_ = 0;
};

}  // namespace

void inspect_pack(const Repository& repository, const ObjectReader& reader, const std::string& object, SealContext& context,
                  Inspection& inspection, ObjectFacts& facts) {
    PackInspection(repository, reader, object, context, inspection, facts).run();
}

void inspect_segment(const ObjectReader& reader, const ObjectName& name, const std::string& object, std::uint64_t data_bytes,
                     const WalTrailer& trailer, SealContext& context, Inspection& inspection) {
    std::vector<std::byte> bytes;
    bytes.reserve(data_bytes);
    const auto frames = static_cast<std::uint32_t>(reader.directory().size());
    reader.read_frames(0, frames, context, [&](std::uint32_t number, std::span<const std::byte> plain) {
        inspection.figures.frames.fetch_add(1, std::memory_order_relaxed);
        inspection.figures.bytes.fetch_add(reader.directory()[number].stored_bytes, std::memory_order_relaxed);
        if (reader.directory()[number].frame_class == FrameClass::data) bytes.insert(bytes.end(), plain.begin(), plain.end());
    });
    if (const std::string what = inspection.inspector.segment(name.last, bytes, trailer); !what.empty()) throw_damaged(object, what);
}

void count_frames(const ObjectReader& reader, Inspection& inspection) {
    inspection.figures.frames_total.fetch_add(reader.directory().size(), std::memory_order_relaxed);
    std::uint64_t bytes = 0;
    for (const FrameEntry& frame : reader.directory()) bytes += frame.stored_bytes;
    inspection.figures.bytes_total.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace howdah::repository
