#include "archive/summaries.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/hooks.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;

std::vector<repository::SummaryName> list_summaries(const WalArchive& archive) {
    std::vector<repository::SummaryName> names;
    const std::string prefix = archive.area().summary("");
    archive.repository().store().list(prefix, [&](const storage::Listed& listed) {
        if (const auto name = repository::parse_summary_name(std::string_view(listed.name).substr(prefix.size()))) names.push_back(*name);
    });
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
    return names;
}

postgres::BlockChanges read_summary(const WalArchive& archive, const repository::SummaryName& name) {
    const std::string object = archive.area().summary(repository::text(name));
    const auto bytes =
        repository::read_document(archive.repository().store(), archive.repository().key(), repository::Kind::summary, object);
    if (!bytes) throw Failure(FailureKind::operation, fmt::format("{} was listed and is gone", object), "");
    return postgres::BlockChanges::decode(base::as_bytes(*bytes));
}

void write_summary(const WalArchive& archive, const repository::SummaryName& name, const postgres::BlockChanges& changes) {
    if (changes.doubted() || name.from >= name.to) return;
    const std::string object = archive.area().summary(repository::text(name));
    repository::write_document(archive.repository().store(), archive.repository().key(), repository::Kind::summary, object,
                               changes.encode());
    base::fault_point("repository.summary_committed");
}

}  // namespace howdah::archive
