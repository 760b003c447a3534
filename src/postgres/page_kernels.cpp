#include "postgres/page_kernels.hpp"

#include <array>
#include <cstring>

#include "postgres/page.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace howdah::postgres {

namespace {

constexpr std::size_t kLanes = 32;
constexpr std::size_t kRowBytes = kLanes * sizeof(std::uint32_t);
constexpr std::size_t kRows = kBlockSize / kRowBytes;
constexpr std::uint32_t kPrime = 16777619;
constexpr int kShift = 17;
/// pd_checksum is the low half of the third word.
constexpr std::size_t kChecksumWord = 2;
constexpr std::uint32_t kChecksumMask = 0xFFFF0000u;

/// Where each lane starts: numbers of the format, from storage/checksum_impl.h.
alignas(32) constexpr std::array<std::uint32_t, kLanes> kStart{
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C, 0xF8D4474F, 0xE39EB970, 0x42C6AE16,
    0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2,
    0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

constexpr std::uint32_t step(std::uint32_t hash, std::uint32_t word) {
    const std::uint32_t mixed = hash ^ word;
    return (mixed * kPrime) ^ (mixed >> kShift);
}

std::uint32_t hash_page(const std::byte* page) {
    std::array<std::uint32_t, kLanes> lanes = kStart;
    std::array<std::uint32_t, kLanes> row;
    for (std::size_t number = 0; number < kRows; ++number) {
        std::memcpy(row.data(), page + number * kRowBytes, kRowBytes);
        if (number == 0) row[kChecksumWord] &= kChecksumMask;
        for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = step(lanes[lane], row[lane]);
    }
    std::uint32_t hash = 0;
    for (const std::uint32_t lane : lanes) hash ^= step(step(lane, 0), 0);
    return hash;
}

}  // namespace

void hash_pages_portable(const std::byte* pages, std::span<std::uint32_t> hashes) {
    for (std::size_t page = 0; page < hashes.size(); ++page) hashes[page] = hash_page(pages + page * kBlockSize);
}

#if defined(__x86_64__)

bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

namespace {

constexpr std::size_t kVectors = kRowBytes / sizeof(__m256i);

__attribute__((target("avx2"), always_inline)) inline __m256i step(__m256i hash, __m256i words) {
    const __m256i mixed = _mm256_xor_si256(hash, words);
    return _mm256_xor_si256(_mm256_mullo_epi32(mixed, _mm256_set1_epi32(kPrime)), _mm256_srli_epi32(mixed, kShift));
}

__attribute__((target("avx2"), always_inline)) inline __m256i words_at(const std::byte* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

__attribute__((target("avx2"), always_inline)) inline std::uint32_t fold(__m256i lanes) {
    const __m128i four = _mm_xor_si128(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    const __m128i two = _mm_xor_si128(four, _mm_unpackhi_epi64(four, four));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(two) ^ _mm_extract_epi32(two, 1));
}

/// Several pages side by side: the multiplication's latency, not its rate, bounds one page alone.
template <std::size_t kPages>
__attribute__((target("avx2"), always_inline)) inline void hash_together(const std::byte* pages, std::uint32_t* hashes) {
    const __m256i first_mask = _mm256_setr_epi32(-1, -1, static_cast<int>(kChecksumMask), -1, -1, -1, -1, -1);
    __m256i lanes[kPages][kVectors];
#pragma GCC unroll 16
    for (std::size_t page = 0; page < kPages; ++page) {
#pragma GCC unroll 16
        for (std::size_t vector = 0; vector < kVectors; ++vector) {
            const __m256i start = _mm256_load_si256(reinterpret_cast<const __m256i*>(kStart.data() + vector * 8));
            __m256i words = words_at(pages + page * kBlockSize + vector * sizeof(__m256i));
            if (vector == 0) words = _mm256_and_si256(words, first_mask);
            lanes[page][vector] = step(start, words);
        }
    }
    for (std::size_t row = 1; row < kRows; ++row) {
#pragma GCC unroll 16
        for (std::size_t page = 0; page < kPages; ++page) {
#pragma GCC unroll 16
            for (std::size_t vector = 0; vector < kVectors; ++vector)
                lanes[page][vector] =
                    step(lanes[page][vector], words_at(pages + page * kBlockSize + row * kRowBytes + vector * sizeof(__m256i)));
        }
    }
#pragma GCC unroll 16
    for (std::size_t page = 0; page < kPages; ++page) {
        __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 16
        for (std::size_t vector = 0; vector < kVectors; ++vector)
            sum = _mm256_xor_si256(sum, step(step(lanes[page][vector], _mm256_setzero_si256()), _mm256_setzero_si256()));
        hashes[page] = fold(sum);
    }
}

}  // namespace

__attribute__((target("avx2"))) void hash_pages_avx2(const std::byte* pages, std::span<std::uint32_t> hashes) {
    std::size_t page = 0;
    for (; page + 2 <= hashes.size(); page += 2) hash_together<2>(pages + page * kBlockSize, hashes.data() + page);
    if (page < hashes.size()) hash_together<1>(pages + page * kBlockSize, hashes.data() + page);
}

#else

bool cpu_has_avx2() { return false; }
void hash_pages_avx2(const std::byte* pages, std::span<std::uint32_t> hashes) { hash_pages_portable(pages, hashes); }

#endif

PageKernel fastest_page_kernel() {
    static const PageKernel kernel = cpu_has_avx2() ? hash_pages_avx2 : hash_pages_portable;
    return kernel;
}

}  // namespace howdah::postgres
