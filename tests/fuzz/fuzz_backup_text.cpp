#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/failure.hpp"
#include "postgres/backup_label.hpp"
#include "postgres/wal_name.hpp"
#include "postgres/wal_reader.hpp"

namespace {

template <typename Parse>
void attempt(Parse parse) {
    try {
        parse();
    } catch (const howdah::base::Failure&) {
    }
}

}  // namespace

/// The texts of a backup: backup_label, tablespace_map, timeline histories and the names of WAL files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace howdah::postgres;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    attempt([&] { (void)parse_backup_label(text); });
    attempt([&] { (void)parse_timeline_history(text, {5}); });
    attempt([&] {
        const auto entries = parse_tablespace_map(text);
        const auto again = parse_tablespace_map(write_tablespace_map(entries));
        if (entries.size() != again.size()) std::abort();
        for (std::size_t number = 0; number < entries.size(); ++number)
            if (entries[number].oid != again[number].oid || entries[number].path != again[number].path) std::abort();
    });
    for (std::uint64_t segment = 1u << 20; segment <= 1u << 30; segment *= 2)
        if (const auto parsed = parse_segment_name(text, segment); parsed && parsed->name(segment) != text) std::abort();
    return 0;
}
