#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "repository/byte_order.hpp"
#include "repository/object.hpp"
#include "repository/seal_context.hpp"
#include "repository/varint.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::size_t kGatherBytes = 1u << 20;  ///< Sealed bytes that are handed to the store at once.

/// Bytes on their way to the store, in one buffer that is never cleared and seldom grows.
class Gather {
public:
    explicit Gather(storage::Writer& writer) : writer_(&writer) {}

    /// Room for `bytes` more, contiguous.
    std::span<std::byte> room(std::size_t bytes) {
        if (used_ >= kGatherBytes || (used_ + bytes > capacity_ && used_ + bytes > 2 * kGatherBytes)) flush();
        if (used_ + bytes > capacity_) grow(used_ + bytes);
        return {buffer_.get() + used_, bytes};
    }
    void use(std::size_t bytes) {
        used_ += bytes;
        total_ += bytes;
    }
    void add(std::span<const std::byte> bytes) {
        std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
        use(bytes.size());
    }
    void flush() {
        if (used_ > 0) writer_->append({buffer_.get(), used_});
        used_ = 0;
    }
    std::uint64_t total() const { return total_; }

private:
    void grow(std::size_t needed) {
        const std::size_t capacity =
            needed > kFrameBytes / 4 ? std::max(needed, kGatherBytes + 2 * kFrameBytes) : std::max(needed, 2 * capacity_);
        auto bigger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (used_ > 0) std::memcpy(bigger.get(), buffer_.get(), used_);
        buffer_ = std::move(bigger);
        capacity_ = capacity;
    }

    storage::Writer* writer_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t capacity_ = 0, used_ = 0;
    std::uint64_t total_ = 0;
};

void require_size(std::size_t bytes, FrameClass frame_class) {
    const std::size_t limit = frame_class == FrameClass::data ? kFrameBytes : kLargestFrame;
    if (bytes > limit)
        throw Failure(FailureKind::operation, fmt::format("a frame is too large: {} bytes, at most {}", bytes, limit),
                      "this is a fault of the program");
}

}  // namespace

CompressedFrame compress_frame(SealContext& context, std::span<const std::byte> plain, FrameClass frame_class,
                               std::vector<std::byte>& buffer) {
    require_size(plain.size(), frame_class);
    CompressedFrame frame{{.plain_bytes = static_cast<std::uint32_t>(plain.size()), .frame_class = frame_class}, plain};
    const std::size_t bound = SealContext::Impl::bound(plain.size());
    if (buffer.size() < bound) buffer.resize(bound);
    const std::size_t length = context.impl().compress(plain, std::span(buffer).first(bound));
    if (length < plain.size())
        frame.bytes = std::span(buffer).first(length);
    else
        frame.entry.codec = Codec::stored;
    return frame;
}

struct ObjectWriter::Impl {
    Impl(storage::Store& store, const DataKey& key, SealContext& seal_context, Kind kind, std::string object_name)
        : name(std::move(object_name)),
          context(&seal_context),
          header(make_header(key.sealing(), kind)),
          seal(key, kind, header, name),
          writer(store.create(name)),
          gather(*writer) {
        gather.add(header);
    }

    /// Compresses, seals and gathers one frame.
    FrameEntry put(std::uint32_t number, std::span<const std::byte> plain, FrameClass frame_class, bool may_store) {
        SealContext::Impl& engine = context->impl();
        FrameEntry entry{.offset = gather.total(), .plain_bytes = static_cast<std::uint32_t>(plain.size()), .frame_class = frame_class};
        const std::size_t bound = SealContext::Impl::bound(plain.size());
        const std::span<std::byte> room = gather.room(bound + kTagBytes);
        std::size_t length = engine.compress(plain, room.first(bound));
        if (length >= plain.size() && may_store) {
            entry.codec = Codec::stored;
            length = plain.size();
            if (length > 0) std::memcpy(room.data(), plain.data(), length);
        }
        engine.seal(seal, {number, entry.offset}, room.first(length), room.data() + length);
        gather.use(length + kTagBytes);
        entry.stored_bytes = static_cast<std::uint32_t>(length + kTagBytes);
        return entry;
    }

    void put_opened(const FrameEntry& like, std::span<const std::byte> opened) {
        FrameEntry entry = like;
        entry.offset = gather.total();
        entry.stored_bytes = static_cast<std::uint32_t>(opened.size() + kTagBytes);
        const std::span<std::byte> room = gather.room(opened.size() + kTagBytes);
        if (!opened.empty()) std::memcpy(room.data(), opened.data(), opened.size());
        const auto number = static_cast<std::uint32_t>(frames.size());
        context->impl().seal(seal, {number, entry.offset}, room.first(opened.size()), room.data() + opened.size());
        gather.use(opened.size() + kTagBytes);
        frames.push_back(entry);
    }

    void put_footer(const FrameEntry& directory) {
        std::array<std::byte, kFooterBytes> footer;
        store_number<std::uint64_t>(footer.data(), directory.offset);
        store_number<std::uint32_t>(footer.data() + 8, directory.stored_bytes);
        store_number<std::uint32_t>(footer.data() + 12, directory.plain_bytes);
        store_number<std::uint64_t>(footer.data() + 16, gather.total() + kFooterBytes);
        std::memcpy(footer.data() + 24, "HOWDAHEN", 8);
        gather.add(footer);
    }

    std::string name;
    SealContext* context;
    Header header;
    ObjectSeal seal;
    std::unique_ptr<storage::Writer> writer;
    Gather gather;
    std::vector<FrameEntry> frames;
};

ObjectWriter::ObjectWriter(storage::Store& store, const DataKey& key, SealContext& context, Kind kind, std::string name)
    : impl_(std::make_unique<Impl>(store, key, context, kind, std::move(name))) {}
ObjectWriter::~ObjectWriter() = default;
ObjectWriter::ObjectWriter(ObjectWriter&&) noexcept = default;

std::uint32_t ObjectWriter::add_frame(std::span<const std::byte> plain, FrameClass frame_class) {
    require_size(plain.size(), frame_class);
    const auto number = static_cast<std::uint32_t>(impl_->frames.size());
    impl_->frames.push_back(impl_->put(number, plain, frame_class, true));
    return number;
}

void ObjectWriter::add_opened(const FrameEntry& entry, std::span<const std::byte> opened) { impl_->put_opened(entry, opened); }

std::unique_ptr<storage::Writer> ObjectWriter::close() {
    std::string directory;
    put_varint(directory, impl_->frames.size());
    for (const FrameEntry& frame : impl_->frames) {
        put_varint(directory, frame.stored_bytes);
        put_varint(directory, frame.plain_bytes);
        directory.push_back(static_cast<char>(frame.codec));
        directory.push_back(static_cast<char>(frame.frame_class));
    }
    impl_->put_footer(impl_->put(kDirectoryFrame, std::as_bytes(std::span(directory)), FrameClass::data, false));
    impl_->gather.flush();
    return std::move(impl_->writer);
}

storage::Created ObjectWriter::commit() { return close()->commit(); }
std::uint64_t ObjectWriter::stored_bytes() const { return impl_->gather.total(); }
std::uint32_t ObjectWriter::frames() const { return static_cast<std::uint32_t>(impl_->frames.size()); }
const std::string& ObjectWriter::name() const { return impl_->name; }

}  // namespace howdah::repository
