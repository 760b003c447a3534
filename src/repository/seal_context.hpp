#pragma once

#include <openssl/evp.h>
#include <zstd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "repository/object.hpp"
#include "repository/sealing.hpp"

namespace howdah::repository {

/// The directory's frame number, whatever the number of other frames.
inline constexpr std::uint32_t kDirectoryFrame = 0xFFFFFFFFu;
inline constexpr std::uint8_t kFormat = 1;
inline constexpr std::size_t kLargestFrame = 16u << 20;      ///< Plain bytes of a frame that is not data.
inline constexpr std::size_t kLargestDirectory = 64u << 20;  ///< Plain bytes.

using Header = std::array<std::byte, kHeaderBytes>;
/// A header with a fresh salt.
Header make_header(Sealing sealing, Kind kind);

/// What is the same for all frames of one object: its key and the associated data with room for what varies. Read-only after
/// construction, so that threads share it; each SealContext keeps a copy of the last one it met.
class ObjectSeal {
public:
    ObjectSeal(const DataKey& key, Kind kind, const Header& header, const std::string& name);
    ~ObjectSeal();
    ObjectSeal(const ObjectSeal&) = delete;
    ObjectSeal& operator=(const ObjectSeal&) = delete;

    Sealing sealing() const { return sealing_; }
    std::uint64_t serial() const { return serial_; }  ///< Never the same for two seals of a process.
    const std::array<std::byte, 32>& key() const { return key_; }
    const std::vector<std::byte>& associated() const { return associated_; }

private:
    Sealing sealing_;
    std::uint64_t serial_;
    std::array<std::byte, 32> key_{};
    std::vector<std::byte> associated_;
};

/// Where a frame stands, which its tag covers.
struct FramePlace {
    std::uint32_t number = 0;
    std::uint64_t offset = 0;
};

struct SealContext::Impl {
    explicit Impl(int compression_level);

    /// Seals `bytes` in place; `tag` gets the 16 bytes that follow them in the object.
    void seal(const ObjectSeal& object, FramePlace place, std::span<std::byte> bytes, std::byte* tag);
    /// Opens `frame` (bytes and tag) in place. False when the tag does not fit; the bytes must then not be used.
    bool open(const ObjectSeal& object, FramePlace place, std::span<std::byte> frame);

    /// Compresses into `out` (at least bound() bytes); the length, which may be larger than that of `plain`.
    std::size_t compress(std::span<const std::byte> plain, std::span<std::byte> out);
    static std::size_t bound(std::size_t plain_bytes) { return ZSTD_compressBound(plain_bytes); }
    /// False unless exactly `plain.size()` bytes come out.
    bool decompress(Codec codec, std::span<const std::byte> stored, std::span<std::byte> plain);

    std::vector<std::byte> stored;  ///< Frames as they were read; opened in place.
    std::vector<std::byte> plain;   ///< One frame's plain bytes.

private:
    /// One direction's cipher with the object that it is set to.
    struct Side {
        std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher{nullptr, &EVP_CIPHER_CTX_free};
        std::uint64_t serial = 0;
        std::vector<std::byte> associated;
    };
    void turn_to(Side& side, const ObjectSeal& object, bool encrypt);
    static void place_frame(Side& side, FramePlace place, std::size_t length);

    int level_;
    Side sealing_, opening_;
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compressor_{nullptr, &ZSTD_freeCCtx};
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decompressor_{nullptr, &ZSTD_freeDCtx};
};

}  // namespace howdah::repository
