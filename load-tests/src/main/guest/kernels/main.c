/*
 * Asks for kernels on the serial port: prints their names, one a line, and "ready"; then each byte received, 'A' plus the
 * number of a kernel, runs that kernel once and answers "done CHECKSUM"; 'q' powers off. The host measures.
 */
#include "platform.h"

#define UART 0x09000000ul
#define PAGES (64ul << 20 >> 12)

u8 arena[ARENA_BYTES] __attribute__((aligned(4096)));
u8 stack[65536] __attribute__((aligned(16)));
__asm__(".globl stack_end\n.set stack_end, stack + 65536\n");
static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[PAGES] __attribute__((aligned(4096)));

void power_off(void);

/* 1 GiB of devices as a block, 64 MiB of RAM as pages. */
u64 *make_tables(void)
{
    level1[0] = 0x0060000000000401ul;
    level1[1] = (u64)level2 | 3;
    for (u64 i = 0; i < PAGES; i++)
        level3[i] = (0x40000000ul + (i << 12)) | 0x707;
    for (u64 i = 0; i < PAGES / 512; i++)
        level2[i] = (u64)(level3 + 512 * i) | 3;
    return level1;
}

static void put(char c)
{
    while (*(volatile u32 *)(UART + 0x18) & 0x20)
        ;
    *(volatile u32 *)UART = c;
}

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

static u8 get(void)
{
    while (*(volatile u32 *)(UART + 0x18) & 0x10)
        ;
    return *(volatile u32 *)UART;
}

void unexpected(void)
{
    print("unexpected exception\n");
    power_off();
}

void kernels(void)
{
    const kernel *all[64];
    int count = 0;
    /* enable, transmit, receive */
    *(volatile u32 *)(UART + 0x30) = 0x301;
    for (const kernel *each = integer_kernels; each->name; each++)
        all[count++] = each;
    for (const kernel *each = fp_kernels; each->name; each++)
        all[count++] = each;
    for (int i = 0; i < count; i++) {
        print(all[i]->name);
        put('\n');
    }
    print("ready\n");
    for (;;) {
        int number = get() - 'A';
        if (number < 0 || number >= count)
            power_off();
        u64 checksum = all[number]->run();
        print("done ");
        for (int shift = 60; shift >= 0; shift -= 4)
            put("0123456789abcdef"[checksum >> shift & 15]);
        put('\n');
    }
}
