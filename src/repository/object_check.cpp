#include "repository/object_check.hpp"

#include <fmt/core.h>

#include <bit>

#include "base/file.hpp"
#include "repository/damage.hpp"
#include "repository/manifest.hpp"
#include "repository/object_inspection.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::repository {

namespace {

void check_pack(const ObjectReader& reader, const std::string& object, ObjectFacts& facts) {
    std::vector<std::uint32_t> frames;
    std::uint64_t hashes = 0, hash_bytes = 0;
    for (const FrameEntry& frame : reader.directory()) {
        if (frame.frame_class == FrameClass::data && hash_bytes == 0) {
            frames.push_back(frame.plain_bytes);
            hashes += (frame.plain_bytes + kHashedBlockBytes - 1) / kHashedBlockBytes;
        } else if (frame.frame_class == FrameClass::block_hashes) {
            hash_bytes += frame.plain_bytes;
        } else {
            throw_damaged(object, "it holds frames that no pack has");
        }
    }
    if (hash_bytes != hashes * 8) throw_damaged(object, fmt::format("it has {} block hashes for {} blocks", hash_bytes / 8, hashes));
    const std::lock_guard lock(facts.mutex);
    facts.pack_frames[object] = std::move(frames);
}

/// The sum of the data frames, all of which are full but the last.
std::uint64_t data_bytes(const ObjectReader& reader, const std::string& object) {
    std::uint64_t sum = 0;
    for (const FrameEntry& frame : reader.directory()) {
        if (frame.frame_class != FrameClass::data) continue;
        if (sum % kFrameBytes != 0) throw_damaged(object, "a frame before its last is not full");
        sum += frame.plain_bytes;
    }
    return sum;
}

WalTrailer check_wal(const ObjectReader& reader, const ObjectName& name, const std::string& object, SealContext& context,
                     ObjectFacts& facts) {
    std::string document;
    std::uint32_t number = 0;
    std::vector<std::byte> plain;
    for (const FrameEntry& frame : reader.directory()) {
        if (frame.frame_class == FrameClass::trailer) {
            reader.read_frame(number, context, plain);
            document = base::as_text(plain);
        }
        ++number;
    }
    WalTrailer trailer = decode_wal_trailer(document, object);
    if (trailer.segment != name.last || trailer.system_identifier != name.area->system())
        throw_damaged(object, "its trailer is another segment's");
    if (!std::has_single_bit(trailer.segment_size) || trailer.segment_size < (1u << 20) || trailer.segment_size > (1u << 30))
        throw_damaged(object, fmt::format("its segment size is {}", trailer.segment_size));
    if (const std::uint64_t bytes = data_bytes(reader, object); bytes != trailer.segment_size)
        throw_damaged(object, fmt::format("it holds {} bytes of a segment of {}", bytes, trailer.segment_size));
    const std::lock_guard lock(facts.mutex);
    facts.segment_sizes[name.area->prefix()] = trailer.segment_size;
    return trailer;
}

}  // namespace

void check_object(const Repository& repository, const ObjectName& name, const std::string& object, SealContext& context, ObjectFacts& facts,
                  Inspection* inspection) {
    if (name.kind != Kind::pack && name.kind != Kind::wal) {
        const auto document = read_document(repository.store(), repository.key(), name.kind, object);
        if (!document) return;
        if (name.kind == Kind::root && decode_root(*document, object).id != name.last) throw_damaged(object, "it is another backup's root");
        if (name.kind == Kind::tree) decode_tree(*document, object);
        if (name.kind == Kind::map) decode_map(*document, object);
        return;
    }
    auto source = repository.store().open(object);
    if (!source) return;
    const ObjectReader reader(std::move(source), repository.key(), name.kind, object);
    if (inspection)
        count_frames(reader, *inspection);
    else
        reader.authenticate(context);
    if (name.kind == Kind::pack) {
        check_pack(reader, object, facts);
        if (inspection) inspect_pack(repository, reader, object, context, *inspection, facts);
    } else {
        const WalTrailer trailer = check_wal(reader, name, object, context, facts);
        if (inspection && inspection->share.takes(object, 0))
            inspect_segment(reader, name, object, trailer.segment_size, trailer, context, *inspection);
    }
}

}  // namespace howdah::repository
