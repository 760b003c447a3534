#include "repository/crypto.hpp"

#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::repository::crypto {
namespace {

std::string bytes(std::string_view hex) {
    std::string out(hex.size() / 2, '\0');
    EXPECT_TRUE(from_hex(hex, std::as_writable_bytes(std::span(out))));
    return out;
}

std::string hkdf_hex(const std::string& secret, const std::string& salt, const std::string& info, std::size_t length) {
    std::string out(length, '\0');
    hkdf(base::as_bytes(secret), base::as_bytes(salt), info, std::as_writable_bytes(std::span(out)));
    return to_hex(base::as_bytes(out));
}

TEST(Hkdf, FitsTheVectorsOfRfc5869) {
    EXPECT_EQ(hkdf_hex(std::string(22, '\x0b'), bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9"), 42),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    EXPECT_EQ(hkdf_hex(std::string(22, '\x0b'), "", "", 42),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Scrypt, FitsTheVectorsOfRfc7914) {
    std::string out(64, '\0');
    scrypt("", {}, {16, 1, 1}, std::as_writable_bytes(std::span(out)));
    EXPECT_EQ(
        to_hex(base::as_bytes(out)),
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    scrypt("password", base::as_bytes("NaCl"), {1024, 8, 16}, std::as_writable_bytes(std::span(out)));
    EXPECT_EQ(
        to_hex(base::as_bytes(out)),
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(Scrypt, RefusesACostThatAStrangerChose) {
    Key out;
    for (const ScryptCost cost :
         {ScryptCost{0, 8, 1}, ScryptCost{3, 8, 1}, ScryptCost{1u << 30, 8, 1}, ScryptCost{1024, 0, 1}, ScryptCost{1024, 8, 1000}})
        EXPECT_THROW(scrypt("x", {}, cost, out), base::Failure);
}

TEST(Wrap, FitsTheVectorOfTheGcmSpecification) {
    Key key;
    ASSERT_TRUE(from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key));
    std::array<std::byte, 12> nonce;
    ASSERT_TRUE(from_hex("cafebabefacedbaddecaf888", nonce));
    const std::string plain =
        bytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    const std::string associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const std::string wrapped = wrap(key, nonce, associated, base::as_bytes(plain));
    EXPECT_EQ(
        to_hex(base::as_bytes(wrapped)),
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    std::string back(plain.size(), '\0');
    EXPECT_TRUE(unwrap(key, nonce, associated, base::as_bytes(wrapped), std::as_writable_bytes(std::span(back))));
    EXPECT_EQ(back, plain);
    std::string changed = wrapped;
    changed[3] = static_cast<char>(changed[3] ^ 1);
    std::string untouched(plain.size(), '.');
    EXPECT_FALSE(unwrap(key, nonce, associated, base::as_bytes(changed), std::as_writable_bytes(std::span(untouched))));
    EXPECT_FALSE(unwrap(key, nonce, "other", base::as_bytes(wrapped), std::as_writable_bytes(std::span(untouched))));
    EXPECT_EQ(untouched, std::string(plain.size(), '.'));
}

TEST(Base64, TakesTheCanonicalFormOnly) {
    Key key;
    EXPECT_TRUE(from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", key));
    EXPECT_EQ(to_hex(key).substr(0, 8), "00010203");
    for (const char* text : {"", "AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                             "!AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
        EXPECT_FALSE(from_base64(text, key)) << text;
}

}  // namespace
}  // namespace howdah::repository::crypto
