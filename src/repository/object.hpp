#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "repository/sealing.hpp"
#include "storage/store.hpp"

namespace howdah::repository {

inline constexpr std::size_t kFrameBytes = 256 * 1024;  ///< Plain bytes of a full data frame; larger falls out of the L2 cache.
inline constexpr std::size_t kHashedBlockBytes = 8192;  ///< What one of a pack's block hashes covers; a frame's last may cover less.
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kHeaderBytes = 48;
inline constexpr std::size_t kFooterBytes = 32;

/// What a frame's plain bytes are.
/// `summary` is reserved for a WAL segment's block summary, which the next version of the program writes.
enum class FrameClass : std::uint8_t { data = 0, block_hashes = 1, trailer = 2, summary = 3 };
enum class Codec : std::uint8_t { stored = 0, zstd = 1, lz4 = 2 };

/// A frame as the object's directory lists it.
struct FrameEntry {
    std::uint64_t offset = 0;        ///< In the object; the sum of what comes before.
    std::uint32_t stored_bytes = 0;  ///< With the tag.
    std::uint32_t plain_bytes = 0;
    Codec codec = Codec::zstd;
    FrameClass frame_class = FrameClass::data;
};

/// Compressor, cipher and buffers of one worker; reused for all its objects. Not thread-safe: one for each thread.
class SealContext {
public:
    explicit SealContext(int compression_level = 1);
    ~SealContext();
    SealContext(SealContext&&) noexcept;
    struct Impl;
    Impl& impl() { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

/// A frame that was compressed once, to be sealed into several objects by ObjectWriter::add_opened.
struct CompressedFrame {
    FrameEntry entry;                  ///< Codec, class and plain size; place and stored size are each object's own.
    std::span<const std::byte> bytes;  ///< In the buffer, or the plain bytes themselves where compression does not shrink them.
};
/// As ObjectWriter::add_frame compresses it. `buffer` is kept for the next frame.
CompressedFrame compress_frame(SealContext& context, std::span<const std::byte> plain, FrameClass frame_class,
                               std::vector<std::byte>& buffer);

/// Writes one sealed object frame by frame: header, frames, directory, footer. Each frame is compressed (kept as it is when that does
/// not shrink it), sealed under the object's own key and handed to the store at once.
class ObjectWriter {
public:
    ObjectWriter(storage::Store& store, const DataKey& key, SealContext& context, Kind kind, std::string name);
    ~ObjectWriter();
    ObjectWriter(ObjectWriter&&) noexcept;

    /// Appends a frame that was opened elsewhere, as compressed as it is.
    void add_opened(const FrameEntry& entry, std::span<const std::byte> opened);
    /// Appends a frame and returns its number.
    std::uint32_t add_frame(std::span<const std::byte> plain, FrameClass frame_class = FrameClass::data);
    /// Writes directory and footer and makes the object durable. After `exists` nothing changed.
    storage::Created commit();
    /// The first half of commit(): writes directory and footer and hands over the store's writer, whose commit() does the waiting and
    /// may run in another thread.
    std::unique_ptr<storage::Writer> close();
    std::uint64_t stored_bytes() const;
    std::uint32_t frames() const;
    const std::string& name() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads a sealed object. The constructor reads header, footer and directory and authenticates them; damage is Failure(operation)
/// "object NAME is damaged: what". read_frame may be called from several threads with different contexts.
class ObjectReader {
public:
    ObjectReader(std::unique_ptr<storage::Reader> reader, const DataKey& key, Kind kind, std::string name);
    ~ObjectReader();
    ObjectReader(ObjectReader&&) noexcept;

    const std::vector<FrameEntry>& directory() const;
    std::uint64_t stored_bytes() const;
    /// Authenticates, then decompresses into `plain` (resized to the frame's plain bytes).
    void read_frame(std::uint32_t frame, SealContext& context, std::vector<std::byte>& plain) const;
    /// Several consecutive frames fetched by one ranged get; `visit` gets each frame's plain bytes in order.
    void read_frames(std::uint32_t first, std::uint32_t count, SealContext& context,
                     const std::function<void(std::uint32_t frame, std::span<const std::byte> plain)>& visit) const;
    /// The same for bytes as they are stored, opened and not unpacked.
    void read_opened(std::uint32_t first, std::uint32_t count, SealContext& context,
                     const std::function<void(std::uint32_t frame, std::span<const std::byte> opened)>& visit) const;
    /// Authenticates every stored byte without decompressing.
    void authenticate(SealContext& context) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A small object of one document: all frames of class data joined. `write_document` splits at kFrameBytes.
storage::Created write_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name, std::string_view document);
/// Everything of it but the store's commit, which makes the object durable and visible.
std::unique_ptr<storage::Writer> prepare_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name,
                                                  std::string_view document);
/// None when no such object exists; damage is Failure(operation).
std::optional<std::string> read_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name);

}  // namespace howdah::repository
