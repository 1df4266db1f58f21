/* Kernels of general registers only. */
#include "platform.h"

#define NOINLINE __attribute__((noinline))
#define ARRAY(type) ((type *)arena)

static u32 seed;

static u32 next(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed;
}

static void fill(u64 bytes)
{
    seed = 12345;
    for (u64 i = 0; i < bytes / 4; i++)
        ARRAY(u32)[i] = next();
}

static u32 ror(u32 value, int by)
{
    return value >> by | value << (32 - by);
}

static const u32 sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static NOINLINE void sha_block(u32 *state, const u32 *block)
{
    u32 w[64];
    for (int i = 0; i < 16; i++)
        w[i] = __builtin_bswap32(block[i]);
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7]
            + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
    u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        u32 t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + sha_k[i] + w[i];
        u32 t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

static u64 sha256(void)
{
    u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    fill(65536);
    for (int round = 0; round < 80; round++)
        for (int i = 0; i < 65536; i += 64)
            sha_block(state, (u32 *)(arena + i));
    return (u64)state[0] << 32 | state[7];
}

static u64 crc_bitwise(void)
{
    u32 crc = ~0u;
    fill(65536);
    for (int round = 0; round < 60; round++)
        for (int i = 0; i < 65536; i++) {
            crc ^= arena[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (0xEDB88320 & -(crc & 1));
        }
    return crc;
}

static u64 crc_instruction(void)
{
    u32 crc = ~0u;
    fill(1 << 20);
    for (int round = 0; round < 200; round++)
        for (u64 i = 0; i < 1 << 17; i++)
            __asm__("crc32x %w0, %w0, %1" : "+r"(crc) : "r"(ARRAY(u64)[i]));
    return crc;
}

static u64 bits(void)
{
    u64 sum = 0, v = 0x0123456789abcdef;
    for (u32 i = 0; i < 8000000; i++) {
        v = v * 6364136223846793005ul + 1442695040888963407ul;
        u64 reversed;
        __asm__("rbit %0, %1" : "=r"(reversed) : "r"(v));
        sum += __builtin_clzl(v | 1) + __builtin_clzl(reversed | 1);
        u64 count = v - (v >> 1 & 0x5555555555555555);
        count = (count & 0x3333333333333333) + (count >> 2 & 0x3333333333333333);
        count = ((count + (count >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
        sum ^= (reversed << 13 | v >> 51) + __builtin_bswap64(v) + count;
        sum += (s64)(v << 20) >> 44;
    }
    return sum;
}

static NOINLINE void quicksort(s32 *a, s32 left, s32 right)
{
    s32 i = left, j = right, pivot = a[(left + right) / 2];
    do {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i <= j) {
            s32 swap = a[i];
            a[i++] = a[j];
            a[j--] = swap;
        }
    } while (i <= j);
    if (left < j)
        quicksort(a, left, j);
    if (i < right)
        quicksort(a, i, right);
}

static u64 sort(void)
{
    u64 sum = 0;
    for (int round = 0; round < 5; round++) {
        fill(1 << 20);
        quicksort(ARRAY(s32), 0, (1 << 18) - 1);
        sum += ARRAY(u32)[round * 1000];
    }
    return sum;
}

static u64 matrix(void)
{
    enum { N = 128 };
    u32(*a)[N] = (void *)arena, (*b)[N] = a + N, (*c)[N] = b + N;
    fill(8 * N * N);
    for (int round = 0; round < 25; round++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                u32 sum = 0;
                for (int k = 0; k < N; k++)
                    sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
    return c[5][7] + c[100][3];
}

static u64 chase(u64 bytes, u64 steps)
{
    u64 count = bytes / 64;
    u64 *words = ARRAY(u64);
    seed = 1;
    for (u64 i = 0; i < count; i++)
        words[i * 8 + 1] = i;
    for (u64 i = count - 1; i > 0; i--) {
        u64 j = next() % i, swap = words[i * 8 + 1];
        words[i * 8 + 1] = words[j * 8 + 1];
        words[j * 8 + 1] = swap;
    }
    for (u64 i = 0; i < count; i++)
        words[words[i * 8 + 1] * 8] = (u64)(words + words[(i + 1) % count * 8 + 1] * 8);
    u64 at = (u64)words;
    while (steps--)
        at = *(u64 *)at;
    return at - (u64)words;
}

static u64 list_near(void)
{
    return chase(256 << 10, 30000000);
}

static u64 list_far(void)
{
    return chase(16 << 20, 4000000);
}

static NOINLINE void copy(u64 *to, const u64 *from, u64 words)
{
    for (u64 i = 0; i < words; i += 4) {
        u64 a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
        to[i] = a; to[i + 1] = b; to[i + 2] = c; to[i + 3] = d;
    }
}

static u64 memory_copy(void)
{
    fill(1 << 18);
    for (int round = 0; round < 1500; round++)
        copy(ARRAY(u64) + (1 << 15), ARRAY(u64), 1 << 15);
    return ARRAY(u64)[40000];
}

static NOINLINE u64 length(const char *text)
{
    const char *end = text;
    while (*end)
        end++;
    return end - text;
}

static u64 string_length(void)
{
    u64 sum = 0;
    for (u64 i = 0; i < 1 << 16; i++)
        arena[i] = 'a';
    for (int round = 0; round < 1200; round++) {
        arena[60000 + round] = 0;
        sum += length((const char *)arena);
        arena[60000 + round] = 'a';
    }
    return sum;
}

/* An interpreter of byte codes: one indirect branch a step. */
static u64 state_machine(void)
{
    enum { N = 4096 };
    u64 a = 1, b = 2, steps = 0;
    seed = 7;
    for (int i = 0; i < N; i++)
        arena[i] = next() >> 28;
    for (int round = 0; round < 5000; round++)
        for (u32 at = 0; at < N; at++, steps++)
            switch (arena[at]) {
            case 0: a += b; break;
            case 1: b ^= a; break;
            case 2: a = a << 3 | a >> 61; break;
            case 3: b -= a; break;
            case 4: a *= 3; break;
            case 5: b = ~b; break;
            case 6: a ^= b >> 7; break;
            case 7: b += 0x1234567; break;
            case 8: if (a & 1) b++; break;
            case 9: at += a >> 63; break;
            case 10: a -= b << 1; break;
            case 11: b |= 1; break;
            case 12: a &= ~2ul; break;
            case 13: b = b >> 5 | b << 59; break;
            case 14: a += steps; break;
            default: b ^= steps;
            }
    return a ^ b;
}

static NOINLINE u64 fibonacci(u32 n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u64 recursion(void)
{
    return fibonacci(34);
}

static NOINLINE u64 f0(u64 v) { return v + 3; }
static NOINLINE u64 f1(u64 v) { return v * 5; }
static NOINLINE u64 f2(u64 v) { return v ^ v >> 9; }
static NOINLINE u64 f3(u64 v) { return v - 77; }

static u64 indirect_calls(void)
{
    static u64 (*const table[4])(u64) = {f0, f1, f2, f3};
    u64 value = 1;
    seed = 3;
    for (int i = 0; i < 4096; i++)
        arena[i] = next() >> 30;
    for (int round = 0; round < 3000; round++)
        for (int i = 0; i < 4096; i++)
            value = table[arena[i]](value);
    return value;
}

static u64 multi_precision(void)
{
    u64 *words = ARRAY(u64), sum = 0;
    fill(65536);
    for (int round = 0; round < 10000; round++) {
        u64 carry = 0;
        for (int i = 0; i < 2048; i++) {
            unsigned __int128 product = (unsigned __int128)words[4096 + i] * (sum | 1) + words[i] + carry;
            words[i] = (u64)product;
            carry = (u64)(product >> 64);
        }
        sum += carry;
    }
    return sum;
}

static u64 divide(void)
{
    u64 sum = 0;
    seed = 99;
    for (int i = 0; i < 8000000; i++) {
        u64 value = (u64)next() << 20 | i, by = (next() >> 20) + 1;
        sum += value / by + value % by;
        sum += (s32)value / (s32)by;
    }
    return sum;
}

static u64 exclusives(void)
{
    u64 *counter = ARRAY(u64);
    *counter = 0;
    for (u32 i = 0; i < 15000000; i++) {
        u64 value;
        u32 failed;
        __asm__ volatile("1: ldxr %0, [%2]\n add %0, %0, %3\n stxr %w1, %0, [%2]\n cbnz %w1, 1b"
                         : "=&r"(value), "=&r"(failed) : "r"(counter), "r"((u64)i) : "memory");
    }
    return *counter;
}

static u64 lse_atomics(void)
{
    u64 *counter = ARRAY(u64), old, sum = 0;
    *counter = 0;
    for (u32 i = 0; i < 10000000; i++) {
        __asm__ volatile("ldadd %1, %0, [%2]" : "=&r"(old) : "r"((u64)i), "r"(counter) : "memory");
        sum ^= old;
        __asm__ volatile("swpal %1, %0, [%2]" : "=&r"(old) : "r"(sum), "r"(counter + 1) : "memory");
        sum += old;
    }
    return *counter + sum;
}

static u64 locks(void)
{
    u32 *lock = ARRAY(u32);
    u64 sum = 0;
    *lock = 0;
    for (u32 i = 0; i < 15000000; i++) {
        u32 expected;
        do {
            expected = 0;
            __asm__ volatile("casa %w0, %w1, [%2]" : "+r"(expected) : "r"(1), "r"(lock) : "memory");
        } while (expected);
        sum += i;
        __asm__ volatile("stlr wzr, [%0]" : : "r"(lock) : "memory");
    }
    return sum;
}

/* A string table: calls, byte loads, comparisons, linked lists. */
typedef struct node {
    struct node *next;
    u32 hash;
    u32 count;
} node;

static NOINLINE node *look_up(node **table, u32 hash, node **free)
{
    node *each = table[hash & 1023];
    while (each && each->hash != hash)
        each = each->next;
    if (!each) {
        each = (*free)++;
        each->hash = hash;
        each->count = 0;
        each->next = table[hash & 1023];
        table[hash & 1023] = each;
    }
    return each;
}

static u64 hash_table(void)
{
    node **table = ARRAY(node *), *free = (node *)(arena + 65536);
    u64 sum = 0;
    for (int i = 0; i < 1024; i++)
        table[i] = 0;
    seed = 5;
    for (int i = 0; i < 8000000; i++) {
        u32 key = next() >> 19, hash = key * 2654435761u;
        hash ^= hash >> 15;
        sum += look_up(table, hash, &free)->count++;
    }
    return sum;
}

const kernel integer_kernels[] = {
    {"sha256", sha256}, {"crc bitwise", crc_bitwise}, {"crc32x", crc_instruction}, {"bits", bits},
    {"quicksort", sort}, {"matrix", matrix}, {"list 256 KiB", list_near}, {"list 16 MiB", list_far},
    {"copy LDP", memory_copy}, {"strlen", string_length}, {"state machine", state_machine},
    {"fibonacci", recursion}, {"indirect calls", indirect_calls}, {"multi-precision", multi_precision},
    {"divide", divide}, {"LDXR/STXR", exclusives}, {"LDADD/SWPAL", lse_atomics}, {"CASA/STLR lock", locks},
    {"hash table", hash_table}, {0, 0}};
