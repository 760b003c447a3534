#include "repository/pack_generations.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.hpp"
#include "repository/damage.hpp"

namespace howdah::repository {

namespace {

constexpr std::size_t kHashBytes = 8;

bool contains(const FrameSet& frames, std::size_t frame) { return frame < frames.size() && frames[frame]; }

/// None when the object is not there any more.
std::optional<ObjectReader> open_object(const Repository& repository, const std::string& object) {
    auto source = repository.store().open(object);
    if (!source) return std::nullopt;
    return ObjectReader(std::move(source), repository.key(), Kind::pack, object);
}

bool holds(const ObjectReader& reader, const FrameSet& needed) {
    const auto& directory = reader.directory();
    for (std::size_t frame = 0; frame < needed.size(); ++frame)
        if (needed[frame] &&
            (frame >= directory.size() || directory[frame].frame_class != FrameClass::data || directory[frame].plain_bytes == 0))
            return false;
    return true;
}

/// The block hashes of the frames that stay.
std::vector<std::byte> kept_hashes(const ObjectReader& reader, std::uint32_t frames, const FrameSet& needed, SealContext& context,
                                   const std::string& object) {
    const auto& directory = reader.directory();
    std::vector<std::byte> all, kept;
    reader.read_frames(frames, static_cast<std::uint32_t>(directory.size()) - frames, context,
                       [&](std::uint32_t, std::span<const std::byte> plain) { all.insert(all.end(), plain.begin(), plain.end()); });
    std::size_t at = 0;
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
        const std::size_t bytes = (directory[frame].plain_bytes + kHashedBlockBytes - 1) / kHashedBlockBytes * kHashBytes;
        if (at + bytes > all.size()) throw_damaged(object, "it has not as many block hashes as blocks");
        if (contains(needed, frame))
            kept.insert(kept.end(), all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at + bytes));
        at += bytes;
    }
    return kept;
}

std::uint32_t data_frames(const ObjectReader& reader) {
    const auto& directory = reader.directory();
    return static_cast<std::uint32_t>(
        std::ranges::find_if(directory, [](const FrameEntry& frame) { return frame.frame_class != FrameClass::data; }) - directory.begin());
}

}  // namespace

std::string pack_object(const ClusterArea& area, const std::string& id, unsigned generation) {
    return generation == 0 ? area.pack(id) : fmt::format("{}.{:02}", area.pack(id), generation);
}

std::string first_generation(const std::string& object) {
    const auto name = parse_object_name(object);
    return name && name->kind == Kind::pack && name->generation > 0 ? name->area->pack(name->last) : object;
}

std::optional<PackSource> open_generation(const Repository& repository, const ClusterArea& area, const PackId& id) {
    // A generation is removed only when the next one is there, so that going upwards misses none.
    for (unsigned generation = 0; generation <= kMostGenerations; ++generation) {
        std::string object = pack_object(area, id.text(), generation);
        if (auto source = repository.store().open(object)) return PackSource{std::move(object), std::move(source)};
    }
    return std::nullopt;
}

std::map<std::string, Generations> group_packs(const std::vector<Candidate>& candidates) {
    std::map<std::string, Generations> packs;
    for (const Candidate& candidate : candidates)
        if (candidate.name.kind == Kind::pack) packs[candidate.name.area->pack(candidate.name.last)].push_back(candidate);
    for (auto& [name, generations] : packs)
        std::ranges::sort(generations, {}, [](const Candidate& candidate) { return candidate.name.generation; });
    return packs;
}

std::optional<std::string> kept_generation(const Repository& repository, const Generations& generations, const FrameSet& needed) {
    if (generations.size() == 1) return generations.front().object.name;
    for (auto generation = generations.rbegin(); generation != generations.rend(); ++generation) {
        const auto reader = open_object(repository, generation->object.name);
        if (reader && holds(*reader, needed)) return generation->object.name;
    }
    for (const Candidate& generation : generations)
        if (repository.store().exists(generation.object.name)) return generation.object.name;
    return std::nullopt;
}

std::set<std::string> replaced_generations(const Repository& repository, const std::vector<Candidate>& candidates, const Marked& needed) {
    std::set<std::string> replaced;
    for (const auto& [name, generations] : group_packs(candidates)) {
        const auto frames = needed.frames.find(name);
        if (generations.size() == 1 || frames == needed.frames.end()) continue;
        const auto kept = kept_generation(repository, generations, frames->second);
        for (const Candidate& generation : generations)
            if (kept && generation.object.name != *kept) replaced.insert(generation.object.name);
    }
    return replaced;
}

bool may_share(const Repository& repository, const ClusterArea& area, const PackId& id, const FrameSet& frames,
               const std::set<std::string>& doomed) {
    if (!doomed.contains(area.pack(id))) return true;
    for (unsigned generation = 1; generation <= kMostGenerations; ++generation) {
        const std::string object = pack_object(area, id.text(), generation);
        if (doomed.contains(object)) continue;
        const auto reader = open_object(repository, object);
        if (reader && holds(*reader, frames)) return true;
    }
    return false;
}

Compaction measure_pack(const ObjectReader& reader, const FrameSet& needed) {
    Compaction found;
    const std::uint32_t frames = data_frames(reader);
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
        const FrameEntry& entry = reader.directory()[frame];
        if (entry.plain_bytes == 0) continue;
        found.stored += entry.stored_bytes;
        if (contains(needed, frame)) found.live += entry.stored_bytes;
    }
    return found;
}

std::optional<Candidate> write_next_generation(const Repository& repository, const Candidate& pack, const ObjectReader& reader,
                                               const FrameSet& needed, SealContext& context) {
    Candidate next = pack;
    ++next.name.generation;
    next.object.name = pack_object(*pack.name.area, pack.name.last, next.name.generation);
    const std::uint32_t frames = data_frames(reader);
    ObjectWriter writer(repository.store(), repository.key(), context, Kind::pack, next.object.name);
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
        if (contains(needed, frame))
            reader.read_opened(frame, 1, context, [&](std::uint32_t number, std::span<const std::byte> opened) {
                writer.add_opened(reader.directory()[number], opened);
            });
        else
            writer.add_opened({.codec = Codec::stored, .frame_class = FrameClass::data}, {});
    }
    writer.add_frame(kept_hashes(reader, frames, needed, context, pack.object.name), FrameClass::block_hashes);
    if (writer.commit() == storage::Created::exists) return std::nullopt;
    base::fault_point("gc.pack_rewritten");
    auto source = repository.store().open(next.object.name);
    if (!source) throw_damaged(next.object.name, "it is missing");
    next.object.size = {source->size()};
    next.object.modified = repository.store().now();
    const ObjectReader written(std::move(source), repository.key(), Kind::pack, next.object.name);
    written.authenticate(context);
    if (!holds(written, needed)) throw_damaged(next.object.name, "it does not hold what was written");
    return next;
}

}  // namespace howdah::repository
