#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "repository/share.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::repository {

/// Looks at one pack's data frames, in rising order, some of them only when a share is looked at. One thread.
class PackVisit {
public:
    virtual ~PackVisit() = default;
    /// Plain bytes that agree with their block hashes.
    virtual void frame(std::uint32_t number, std::span<const std::byte> plain) = 0;
};

/// What a verification that looks into objects asks about the bytes it unpacked, as this folder does not know what they mean. Called by
/// several threads. What it finds is its own to keep.
class Inspector {
public:
    virtual ~Inspector() = default;
    virtual std::unique_ptr<PackVisit> visit_pack(const std::string& object) = 0;
    /// Plain bytes [position, position + length) of a pack's frame cannot be had, or are not what was stored. The object's damage is told.
    virtual void lost(const std::string& object, std::uint32_t frame, std::uint32_t position, std::uint32_t length,
                      const std::string& what) = 0;
    /// A whole WAL segment with its trailer. What does not fit; empty when all does.
    virtual std::string segment(const std::string& name, std::span<const std::byte> bytes, const WalTrailer& trailer) = 0;
};

/// Frames of packs and WAL segments.
struct InspectedFigures {
    std::atomic<std::uint64_t> frames{0}, frames_total{0};
    std::atomic<std::uint64_t> bytes{0}, bytes_total{0};  ///< Stored.
};

/// How to look into objects: which frames, and who judges what they hold. A WAL segment is taken whole or not at all.
struct Inspection {
    Share share;
    Inspector& inspector;
    InspectedFigures figures;
};

}  // namespace howdah::repository
