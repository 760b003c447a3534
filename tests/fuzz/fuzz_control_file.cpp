#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/failure.hpp"
#include "postgres/control_file.hpp"
#include "postgres/crc32c.hpp"

/// A pg_control, once as it is and once with its checksum made right, so that its fields are reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::byte> bytes(size);
    if (size != 0) std::memcpy(bytes.data(), data, size);
    for (const std::size_t sum_at : {0u, 288u, 292u}) {
        if (sum_at != 0 && size >= sum_at + 4) {
            const std::uint32_t sum = howdah::postgres::crc32c(std::span(bytes).first(sum_at));
            std::memcpy(bytes.data() + sum_at, &sum, sizeof sum);
        }
        try {
            (void)howdah::postgres::parse_control_file(bytes);
        } catch (const howdah::base::Failure&) {
        }
    }
    return 0;
}
