#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "repository/byte_order.hpp"
#include "repository/damage.hpp"
#include "repository/object.hpp"
#include "repository/seal_context.hpp"
#include "repository/varint.hpp"

namespace howdah::repository {

namespace {

constexpr std::size_t kTailBytes = 64u << 10;  ///< Read at once from the end: small objects and most directories whole.
constexpr std::size_t kBatchBytes = 4u << 20;  ///< Stored bytes of neighbouring frames fetched by one ranged get.

struct Footer {
    std::uint64_t directory_offset = 0;
    std::uint32_t directory_stored = 0, directory_plain = 0;
};

Footer parse_footer(std::span<const std::byte> bytes, std::uint64_t size, const std::string& name) {
    Footer footer{load_number<std::uint64_t>(bytes.data()), load_number<std::uint32_t>(bytes.data() + 8),
                  load_number<std::uint32_t>(bytes.data() + 12)};
    if (std::memcmp(bytes.data() + 24, "HOWDAHEN", 8) != 0) throw_damaged(name, "its end is not an object's");
    if (load_number<std::uint64_t>(bytes.data() + 16) != size)
        throw_damaged(name, fmt::format("its length is {} bytes, not the one it was written with", size));
    const std::uint64_t room = size - kHeaderBytes - kFooterBytes;
    if (footer.directory_stored < kTagBytes || footer.directory_stored > room ||
        footer.directory_offset != size - kFooterBytes - footer.directory_stored)
        throw_damaged(name, "its end names no directory");
    if (footer.directory_plain > kLargestDirectory || footer.directory_stored > 2 * kLargestDirectory)
        throw_damaged(name, fmt::format("its directory is too large: {} bytes", footer.directory_plain));
    return footer;
}

void check_header(const Header& header, const DataKey& key, Kind kind, const std::string& name) {
    Header expected{};
    std::memcpy(expected.data(), "HOWDAH", 6);
    store_number<std::uint16_t>(expected.data() + 6, kFormat);
    if (std::memcmp(header.data(), expected.data(), 6) != 0) throw_damaged(name, "its beginning is not an object's");
    if (std::memcmp(header.data() + 6, expected.data() + 6, 2) != 0)
        throw_damaged(name, fmt::format("its format is {}, this program reads {}", load_number<std::uint16_t>(header.data() + 6), kFormat));
    if (header[8] != static_cast<std::byte>(kind)) throw_damaged(name, fmt::format("it is no {}", word(kind)));
    if (header[9] != static_cast<std::byte>(key.sealing())) throw_damaged(name, "it is not sealed as this repository is");
    if (std::memcmp(header.data() + 10, expected.data() + 10, 6) != 0) throw_damaged(name, "its beginning is not an object's");
}

FrameEntry parse_entry(Decoder& decoder, std::uint64_t offset) {
    FrameEntry entry{.offset = offset};
    entry.stored_bytes = static_cast<std::uint32_t>(decoder.varint(2 * kLargestFrame, "a frame's stored length"));
    entry.plain_bytes = static_cast<std::uint32_t>(decoder.varint(kLargestFrame, "a frame's length"));
    const std::uint8_t codec = decoder.byte(), frame_class = decoder.byte();
    if (codec > 2 || frame_class > 3) decoder.fail("a frame's codec or class is unknown");
    entry.codec = static_cast<Codec>(codec);
    entry.frame_class = static_cast<FrameClass>(frame_class);
    if (entry.stored_bytes < kTagBytes) decoder.fail("a frame is shorter than its tag");
    if (entry.frame_class == FrameClass::data && entry.plain_bytes > kFrameBytes) decoder.fail("a data frame is too large");
    if (entry.codec == Codec::stored && entry.stored_bytes - kTagBytes != entry.plain_bytes)
        decoder.fail("a stored frame's lengths differ");
    return entry;
}

std::vector<FrameEntry> parse_directory(std::string_view bytes, std::uint64_t end, const std::string& name) {
    Decoder decoder(bytes, name);
    std::vector<FrameEntry> entries;
    entries.reserve(decoder.count(4, "its frame count"));
    std::uint64_t offset = kHeaderBytes;
    for (std::size_t left = entries.capacity(); left > 0; --left) {
        entries.push_back(parse_entry(decoder, offset));
        offset += entries.back().stored_bytes;
    }
    decoder.finish();
    if (offset != end) throw_damaged(name, "its frames do not fill it");
    return entries;
}

}  // namespace

struct ObjectReader::Impl {
    Impl(std::unique_ptr<storage::Reader> source, const DataKey& key, Kind kind, std::string object_name)
        : reader(std::move(source)), name(std::move(object_name)) {
        const std::uint64_t size = reader->size();
        if (size < kHeaderBytes + kTagBytes + kFooterBytes) throw_damaged(name, fmt::format("it has only {} bytes", size));
        std::vector<std::byte> tail(std::min<std::uint64_t>(size, kTailBytes));
        reader->read(tail, size - tail.size());
        const Footer footer = parse_footer(std::span(tail).last(kFooterBytes), size, name);
        if (const std::size_t needed = footer.directory_stored + kFooterBytes; needed > tail.size()) {
            tail.resize(needed);
            reader->read(tail, size - needed);
        }
        Header header;
        if (tail.size() == size)
            std::copy_n(tail.begin(), kHeaderBytes, header.begin());
        else
            reader->read(header, 0);
        check_header(header, key, kind, name);
        seal = std::make_unique<ObjectSeal>(key, kind, header, name);
        read_directory(std::span(tail).last(footer.directory_stored + kFooterBytes).first(footer.directory_stored), footer);
        if (tail.size() == size) whole = std::move(tail);
    }

    void read_directory(std::span<const std::byte> stored, const Footer& footer) {
        SealContext context;
        SealContext::Impl& engine = context.impl();
        engine.stored.assign(stored.begin(), stored.end());
        if (!engine.open(*seal, {kDirectoryFrame, footer.directory_offset}, engine.stored))
            throw_damaged(name, "its directory does not authenticate");
        std::string plain(footer.directory_plain, '\0');
        const auto bytes = std::span(engine.stored).first(stored.size() - kTagBytes);
        if (!engine.decompress(Codec::zstd, bytes, std::as_writable_bytes(std::span(plain))))
            throw_damaged(name, "its directory does not unpack");
        directory = parse_directory(plain, footer.directory_offset, name);
    }

    /// The stored bytes of the frames [first, last) in the context's buffer.
    std::span<std::byte> fetch(std::uint32_t first, std::uint32_t last, SealContext::Impl& engine) const {
        const std::uint64_t begin = directory[first].offset;
        const std::uint64_t length = directory[last - 1].offset + directory[last - 1].stored_bytes - begin;
        if (engine.stored.size() < length)
            engine.stored.resize(std::max<std::uint64_t>(length, std::min<std::uint64_t>(reader->size(), kBatchBytes)));
        const std::span<std::byte> bytes = std::span(engine.stored).first(length);
        if (whole.empty())
            reader->read(bytes, begin);
        else
            std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(begin), length, bytes.begin());
        return bytes;
    }

    /// Opens a fetched frame in place.
    std::span<const std::byte> open(std::uint32_t frame, std::span<std::byte> stored, SealContext::Impl& engine) const {
        if (!engine.open(*seal, {frame, directory[frame].offset}, stored))
            throw_damaged(name, fmt::format("frame {} does not authenticate", frame));
        return stored.first(stored.size() - kTagBytes);
    }

    void unpack(std::uint32_t frame, std::span<const std::byte> opened, std::span<std::byte> plain, SealContext::Impl& engine) const {
        if (!engine.decompress(directory[frame].codec, opened, plain)) throw_damaged(name, fmt::format("frame {} does not unpack", frame));
    }

    /// Calls `visit(frame, opened bytes)` for each frame of [first, first + count), fetching neighbours together.
    template <typename Visit>
    void for_each_opened(std::uint32_t first, std::uint32_t count, SealContext::Impl& engine, const Visit& visit) const {
        if (first > directory.size() || count > directory.size() - first)
            throw_damaged(name, fmt::format("it has no frame {}: {} frames", first + count - 1, directory.size()));
        const std::uint32_t end = first + count;
        while (first < end) {
            std::uint32_t last = first + 1;
            while (last < end && directory[last].offset + directory[last].stored_bytes - directory[first].offset <= kBatchBytes) ++last;
            std::span<std::byte> bytes = fetch(first, last, engine);
            for (; first < last; ++first) {
                const std::size_t length = directory[first].stored_bytes;
                visit(first, open(first, bytes.first(length), engine));
                bytes = bytes.subspan(length);
            }
        }
    }

    std::unique_ptr<storage::Reader> reader;
    std::string name;
    std::unique_ptr<ObjectSeal> seal;
    std::vector<FrameEntry> directory;
    std::vector<std::byte> whole;  ///< All stored bytes of a small object, fetched with its end.
};

ObjectReader::ObjectReader(std::unique_ptr<storage::Reader> reader, const DataKey& key, Kind kind, std::string name)
    : impl_(std::make_unique<Impl>(std::move(reader), key, kind, std::move(name))) {}
ObjectReader::~ObjectReader() = default;
ObjectReader::ObjectReader(ObjectReader&&) noexcept = default;

const std::vector<FrameEntry>& ObjectReader::directory() const { return impl_->directory; }
std::uint64_t ObjectReader::stored_bytes() const { return impl_->reader->size(); }

void ObjectReader::read_frame(std::uint32_t frame, SealContext& context, std::vector<std::byte>& plain) const {
    SealContext::Impl& engine = context.impl();
    impl_->for_each_opened(frame, 1, engine, [&](std::uint32_t number, std::span<const std::byte> opened) {
        plain.resize(impl_->directory[number].plain_bytes);
        impl_->unpack(number, opened, plain, engine);
    });
}

void ObjectReader::read_frames(std::uint32_t first, std::uint32_t count, SealContext& context,
                               const std::function<void(std::uint32_t frame, std::span<const std::byte> plain)>& visit) const {
    SealContext::Impl& engine = context.impl();
    impl_->for_each_opened(first, count, engine, [&](std::uint32_t number, std::span<const std::byte> opened) {
        const FrameEntry& entry = impl_->directory[number];
        if (entry.codec == Codec::stored) return visit(number, opened);
        if (engine.plain.size() < entry.plain_bytes) engine.plain.resize(std::max<std::size_t>(entry.plain_bytes, kFrameBytes));
        const std::span<std::byte> plain = std::span(engine.plain).first(entry.plain_bytes);
        impl_->unpack(number, opened, plain, engine);
        visit(number, plain);
    });
}

void ObjectReader::read_opened(std::uint32_t first, std::uint32_t count, SealContext& context,
                               const std::function<void(std::uint32_t frame, std::span<const std::byte> opened)>& visit) const {
    impl_->for_each_opened(first, count, context.impl(), visit);
}

void ObjectReader::authenticate(SealContext& context) const {
    impl_->for_each_opened(0, static_cast<std::uint32_t>(impl_->directory.size()), context.impl(),
                           [](std::uint32_t, std::span<const std::byte>) {});
}

}  // namespace howdah::repository
