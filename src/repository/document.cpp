#include <fmt/core.h>

#include <algorithm>

#include "base/file.hpp"
#include "repository/damage.hpp"
#include "repository/object.hpp"

namespace howdah::repository {

namespace {

constexpr std::uint64_t kLargestDocument = 1ull << 30;

}  // namespace

std::unique_ptr<storage::Writer> prepare_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name,
                                                  std::string_view document) {
    SealContext context;
    ObjectWriter writer(store, key, context, kind, name);
    std::span<const std::byte> rest = base::as_bytes(document);
    do {
        const std::size_t part = std::min(rest.size(), kFrameBytes);
        writer.add_frame(rest.first(part));
        rest = rest.subspan(part);
    } while (!rest.empty());
    return writer.close();
}

storage::Created write_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name, std::string_view document) {
    return prepare_document(store, key, kind, name, document)->commit();
}

std::optional<std::string> read_document(storage::Store& store, const DataKey& key, Kind kind, const std::string& name) {
    auto source = store.open(name);
    if (!source) return std::nullopt;
    SealContext context;
    const ObjectReader reader(std::move(source), key, kind, name);
    std::uint64_t size = 0;
    for (const FrameEntry& frame : reader.directory()) {
        if (frame.frame_class != FrameClass::data) throw_damaged(name, "it holds frames that no document has");
        size += frame.plain_bytes;
    }
    if (size > kLargestDocument) throw_damaged(name, fmt::format("its document is too large: {} bytes", size));
    std::string document;
    document.reserve(size);
    reader.read_frames(0, static_cast<std::uint32_t>(reader.directory().size()), context,
                       [&](std::uint32_t, std::span<const std::byte> plain) { document.append(base::as_text(plain)); });
    return document;
}

}  // namespace howdah::repository
