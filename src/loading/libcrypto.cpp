#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "loading/library.hpp"

namespace {
constexpr const char* kLibrary = "libcrypto.so.3";
constexpr const char* kPackage = "libssl3";
}  // namespace

FORWARD_3(CRYPTO_memcmp)
FORWARD_3(ERR_error_string_n)
FORWARD_0(ERR_get_error)
FORWARD_4(EVP_CIPHER_CTX_ctrl)
FORWARD_1(EVP_CIPHER_CTX_free)
FORWARD_0(EVP_CIPHER_CTX_new)
FORWARD_6(EVP_CipherInit_ex)
FORWARD_3(EVP_DecodeBlock)
FORWARD_3(EVP_DecryptFinal_ex)
FORWARD_5(EVP_DecryptInit_ex)
FORWARD_5(EVP_DecryptUpdate)
FORWARD_6(EVP_Digest)
FORWARD_3(EVP_EncodeBlock)
FORWARD_3(EVP_EncryptFinal_ex)
FORWARD_5(EVP_EncryptInit_ex)
FORWARD_5(EVP_EncryptUpdate)
FORWARD_10(EVP_PBE_scrypt)
FORWARD_0(EVP_aes_256_gcm)
FORWARD_0(EVP_sha256)
FORWARD_7(HMAC)
FORWARD_2(OPENSSL_cleanse)
FORWARD_3(SHA256)
