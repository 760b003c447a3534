#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/file.hpp"
#include "repository/initialise.hpp"
#include "repository/object.hpp"
#include "repository/pack_reader.hpp"
#include "repository/pack_writer.hpp"
#include "repository/repository.hpp"

/// The pack pipeline against the sum of its parts: what zstd 1 and AES-256-GCM cost alone on the same frames, one core each.
namespace howdah::repository {
namespace {

constexpr std::size_t kFrames = 256;  ///< 64 MiB of plain bytes.

/// Pages as a table of short rows has them: a header, line pointers, rows of text and numbers, a hole.
std::vector<std::byte> pages() {
    std::vector<std::byte> bytes(kFrames * kFrameBytes);
    std::mt19937 random(1);
    for (std::size_t page = 0; page < bytes.size(); page += 8192) {
        for (std::size_t at = 24; at < 224; at += 4) bytes[page + at] = static_cast<std::byte>(at);
        for (std::size_t at = 700; at + 128 < 8192; at += 128) {
            const auto key = static_cast<std::uint32_t>(random()), amount = static_cast<std::uint32_t>(random() % 100000);
            std::memcpy(&bytes[page + at], &key, 4);
            std::memcpy(&bytes[page + at + 40], &amount, 4);
            for (std::size_t i = 48; i < 100; ++i) bytes[page + at + i] = static_cast<std::byte>('a' + random() % 12);
        }
    }
    return bytes;
}

const std::vector<std::byte>& sample() {
    static const std::vector<std::byte> bytes = pages();
    return bytes;
}

/// Takes bytes and forgets them.
class NowhereStore final : public storage::Store {
    class NowhereWriter final : public storage::Writer {
        void append(std::span<const std::byte> bytes) override { benchmark::DoNotOptimize(bytes.data()); }
        storage::Created commit() override { return storage::Created::yes; }
    };

public:
    const std::string& location() const override { return location_; }
    std::unique_ptr<storage::Writer> create(const std::string&) override { return std::make_unique<NowhereWriter>(); }
    std::unique_ptr<storage::Reader> open(const std::string&) override { return nullptr; }
    void list(const std::string&, const std::function<void(const storage::Listed&)>&) override {}
    std::vector<std::string> list_folders(const std::string&) override { return {}; }
    bool remove(const std::string&) override { return false; }
    base::Timestamp now() override { return {}; }
    std::vector<storage::Listed> leftovers(base::Timestamp, bool) override { return {}; }

private:
    std::string location_ = "nowhere";
};

void count(benchmark::State& state) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(sample().size()));
}

struct Raw {
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> compressor{ZSTD_createCCtx(), &ZSTD_freeCCtx};
    std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    std::vector<unsigned char> out = std::vector<unsigned char>(ZSTD_compressBound(kFrameBytes));
    unsigned char key[32] = {}, nonce[12] = {}, tag[16] = {};

    std::size_t compress(std::size_t frame) {
        return ZSTD_compress2(compressor.get(), out.data(), out.size(), sample().data() + frame * kFrameBytes, kFrameBytes);
    }
    void seal(std::size_t length) {
        int done = 0;
        EVP_EncryptInit_ex(cipher.get(), nullptr, nullptr, nullptr, nonce);
        EVP_EncryptUpdate(cipher.get(), out.data(), &done, out.data(), static_cast<int>(length));
        EVP_EncryptFinal_ex(cipher.get(), out.data() + done, &done);
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, 16, tag);
    }
    Raw() {
        ZSTD_CCtx_setParameter(compressor.get(), ZSTD_c_compressionLevel, 1);
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key, nonce);
    }
};

void raw_zstd(benchmark::State& state) {
    Raw raw;
    for (auto _ : state)
        for (std::size_t i = 0; i < kFrames; ++i) benchmark::DoNotOptimize(raw.compress(i));
    count(state);
}

void raw_zstd_and_gcm(benchmark::State& state) {
    Raw raw;
    for (auto _ : state)
        for (std::size_t i = 0; i < kFrames; ++i) raw.seal(raw.compress(i));
    count(state);
}

void seal_object(benchmark::State& state) {
    NowhereStore store;
    const std::array<std::byte, 32> secret{};
    const DataKey key(state.range(0) ? Sealing::aes_256_gcm : Sealing::none, secret);
    SealContext context;
    std::uint64_t stored = 0;
    for (auto _ : state) {
        ObjectWriter writer(store, key, context, Kind::pack, "cluster/main/7301234567890123456/pack/ab/abcdefabcdefabcdefabcdefabcdefab");
        for (std::size_t i = 0; i < kFrames; ++i) writer.add_frame(std::span(sample()).subspan(i * kFrameBytes, kFrameBytes));
        writer.commit();
        stored = writer.stored_bytes();
    }
    count(state);
    state.counters["ratio"] = static_cast<double>(sample().size()) / static_cast<double>(stored);
}

/// PackWriter into a directory store, with its copy into frame_space, block hashes and durability; then reading it all back.
void pack_to_disk(benchmark::State& state) {
    const base::TemporaryDirectory folder("howdah-bench");
    base::RepositoryConfig config;
    config.name = "bench";
    config.url = "file://" + (folder.path() / "repository").native();
    config.key_file = folder.path() / "key";
    initialise(config, true);
    const Repository repository = Repository::open(config);
    const ClusterArea area("main", {1});
    const bool reading = state.range(0) != 0;
    SealContext context;
    for (auto _ : state) {
        if (reading) state.PauseTiming();
        std::vector<Extent> extents;
        PackWriter packs(repository, area, 1);
        for (std::size_t i = 0; i < kFrames; ++i) {
            std::memcpy(packs.frame_space().data(), sample().data() + i * kFrameBytes, kFrameBytes);
            packs.add_frame(kFrameBytes, extents);
        }
        packs.finish();
        if (!reading) continue;
        state.ResumeTiming();
        std::uint64_t sum = 0;
        for (const Extent& extent : extents)
            read_pieces(repository, area, extent.pack, {{extent.frame, extent.position, extent.length, 0, 0}}, context,
                        [&](std::uint32_t, std::uint64_t, std::span<const std::byte> bytes) { sum += bytes.size(); });
        if (sum != sample().size()) state.SkipWithError("bytes are missing");
    }
    count(state);
}

BENCHMARK(raw_zstd)->Unit(benchmark::kMillisecond);
BENCHMARK(raw_zstd_and_gcm)->Unit(benchmark::kMillisecond);
BENCHMARK(seal_object)->ArgName("encrypted")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(pack_to_disk)->ArgName("read")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace howdah::repository

BENCHMARK_MAIN();
