// Random bytes, codes and digits from the server's strong source, and the keyed digest (RFC 2104) of what must be found
// again without being kept. Codes have 32 symbols, digits are drawn by rejection: no symbol is likelier than another.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

constexpr int kMostSymbols = 64;
constexpr int kMostBytes = 1024;
constexpr int kDigestSize = 32;

void check_length(int length, int most) {
    if (length < 1 || length > most)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("length must be from 1 to %d", most));
}

void fill_randomly(void *bytes, std::size_t count) {
    if (!pg_strong_random(bytes, count))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random bytes"));
}

bytea *make_bytes(int count) {
    auto *bytes = static_cast<bytea *>(palloc(VARHDRSZ + count));
    SET_VARSIZE(bytes, VARHDRSZ + count);
    return bytes;
}

} // namespace

// relygate.random_bytes(count int) bytea
RELYGATE_FUNCTION(relygate_random_bytes) {
    const int count = PG_GETARG_INT32(0);
    check_length(count, kMostBytes);
    bytea *bytes = make_bytes(count);
    fill_randomly(VARDATA(bytes), count);
    PG_RETURN_BYTEA_P(bytes);
}

// relygate.random_code(length int) text: capitals and digits without 0 O 1 I, which people mistake for each other
RELYGATE_FUNCTION(relygate_random_code) {
    constexpr char kSymbols[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    static_assert(sizeof kSymbols == 33, "32 symbols: five random bits choose one evenly");
    const int length = PG_GETARG_INT32(0);
    check_length(length, kMostSymbols);
    unsigned char random[kMostSymbols];
    fill_randomly(random, length);
    char code[kMostSymbols];
    for (int i = 0; i < length; ++i)
        code[i] = kSymbols[random[i] & 31];
    PG_RETURN_TEXT_P(make_text({code, static_cast<std::size_t>(length)}));
}

// relygate.random_digits(length int) text
RELYGATE_FUNCTION(relygate_random_digits) {
    const int length = PG_GETARG_INT32(0);
    check_length(length, kMostSymbols);
    char digits[kMostSymbols];
    int filled = 0;
    while (filled < length) {
        unsigned char random[kMostSymbols];
        fill_randomly(random, sizeof random);
        for (const unsigned char byte : random)
            if (byte < 250 && filled < length) // 250 to 255 would make 0 to 5 likelier
                digits[filled++] = static_cast<char>('0' + byte % 10);
    }
    PG_RETURN_TEXT_P(make_text({digits, static_cast<std::size_t>(length)}));
}

// relygate.hmac_sha256(secret bytea, value bytea) bytea
RELYGATE_FUNCTION(relygate_hmac_sha256) {
    const auto secret = text_view(PG_GETARG_BYTEA_PP(0));
    const auto value = text_view(PG_GETARG_BYTEA_PP(1));
    bytea *digest = make_bytes(kDigestSize);
    const auto *made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                            reinterpret_cast<const unsigned char *>(value.data()), value.size(),
                            reinterpret_cast<unsigned char *>(VARDATA(digest)), nullptr);
    if (made == nullptr)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not make a keyed digest"));
    PG_RETURN_BYTEA_P(digest);
}

} // namespace relygate::pg
