#include "storage/store.hpp"

#include <fmt/core.h>

#include "base/file.hpp"
#include "storage/directory_store.hpp"

namespace howdah::storage {

using base::Failure;
using base::FailureKind;

Created Store::put(const std::string& name, std::span<const std::byte> bytes) {
    auto writer = create(name);
    writer->append(bytes);
    return writer->commit();
}

std::optional<std::string> Store::get(const std::string& name, base::Bytes limit) {
    const auto reader = open(name);
    if (!reader) return std::nullopt;
    const std::uint64_t size = reader->size();
    if (size > limit.count) {
        throw Failure(FailureKind::operation,
                      fmt::format("object {} in {} is too large: {} bytes, at most {} expected", name, location(), size, limit.count),
                      "it was changed by something else; run howdah backup verify");
    }
    std::string bytes(size, '\0');
    reader->read(std::as_writable_bytes(std::span(bytes)), 0);
    return bytes;
}

std::unique_ptr<Store> open_store(const std::string& url, bool create) {
    constexpr std::string_view file = "file://";
    if (url.starts_with(file)) {
        const std::filesystem::path path = url.substr(file.size());
        if (!path.is_absolute())
            throw Failure(FailureKind::configuration, fmt::format("repository URL needs an absolute path: {}", url),
                          "write it as file:///var/lib/howdah/repository");
        return open_directory_store(path.lexically_normal(), create);
    }
    for (const std::string_view later : {"s3://", "azure://", "gs://"}) {
        if (url.starts_with(later))
            throw Failure(FailureKind::configuration, fmt::format("object stores are not supported by this version: {}", url),
                          "use a file:// URL");
    }
    throw Failure(FailureKind::configuration, fmt::format("repository URL is not understood: {}", url),
                  "write it as file:///var/lib/howdah/repository");
}

}  // namespace howdah::storage
