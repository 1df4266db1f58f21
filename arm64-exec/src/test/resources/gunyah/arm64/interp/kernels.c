/* Integer kernels for the interpreter's throughput. Each ends with HVC, its checksum in X0; they repeat for ever. */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

static u8 buffer[65536];

__asm__(".text\n.globl _start\n_start: mov x0, #0x100000\n mov sp, x0\n b kernels\n");

__attribute__((noinline)) static void report(u64 checksum)
{
    register u64 x0 __asm__("x0") = checksum;
    __asm__ volatile("hvc #1" : "+r"(x0) : : "memory");
}

static u32 crc(u32 value, const u8 *bytes, int count)
{
    while (count--) {
        value ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (0xEDB88320 & -(value & 1));
    }
    return value;
}

__attribute__((noinline)) static int fibonacci(int n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline)) static void sort(int *a, int left, int right)
{
    int i = left, j = right, pivot = a[(left + right) / 2];
    do {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i <= j) {
            int swap = a[i];
            a[i++] = a[j];
            a[j--] = swap;
        }
    } while (i <= j);
    if (left < j)
        sort(a, left, j);
    if (i < right)
        sort(a, i, right);
}

static u64 multiply(u64 *result, const u64 *a, int count, u64 factor)
{
    u64 carry = 0;
    for (int i = 0; i < count; i++) {
        unsigned __int128 product = (unsigned __int128)a[i] * factor + result[i] + carry;
        result[i] = (u64)product;
        carry = (u64)(product >> 64);
    }
    return carry;
}

void kernels(void)
{
    for (;;) {
        for (int i = 0; i < 65536; i++)
            buffer[i] = i * 7;
        report(crc(~0u, buffer, 65536));
        report(fibonacci(27));

        int *numbers = (int *)buffer;
        u32 random = 12345;
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 16384; i++) {
                random = random * 1664525 + 1013904223;
                numbers[i] = random >> 1;
            }
            sort(numbers, 0, 16383);
        }
        report(numbers[100]);

        u64 *words = (u64 *)buffer, sum = 0;
        for (int round = 0; round < 200; round++)
            sum += multiply(words, words + 4096, 4096, random + round);
        report(sum);

        u64 hash = 0;
        for (int round = 0; round < 20; round++)
            for (int i = 0; i < 65536; i++)
                hash = hash * 31 + buffer[i];
        report(hash);
    }
}
