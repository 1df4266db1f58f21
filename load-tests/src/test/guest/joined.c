/*
 * A guest that is never quiet: two vCPUs write to page after page, send and receive messages and ring doorbells to the
 * VM it is joined to, and print. The command line says how many rounds it lives, 0 for ever. MMU off, interrupts masked.
 * Loaded 512 KiB into RAM, x0 = device tree (Linux Documentation/arch/arm64/booting.rst).
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define UART 0x09000000UL
#define RAM 0x40000000UL
#define STACKS (RAM + 0x100000)
#define STACK_SIZE 0x4000
/* 128 pages of each vCPU that hold MARK at their start: nobody may find it when the VM is gone. */
#define PAGES (RAM + 0x140000)
#define PAGES_COUNT 128
#define PAGE 4096UL
#define MARK 0xb5297a4d68e31da4UL

#define BELL_SEND 0xC6008012UL
#define BELL_RECEIVE 0xC6008013UL
#define QUEUE_SEND 0xC600801BUL
#define QUEUE_RECEIVE 0xC600801CUL
#define CPU_ON 0xC4000003UL
#define SYSTEM_OFF 0x84000008UL

#define FDT_MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

__asm__(
    "    .pushsection .head, \"ax\"\n"
    "    .global image_start\n"
    "image_start:\n"
    "    movz x1, #0x4010, lsl #16\n"
    "    add  sp, x1, #0x4000\n"
    "    bl   first_main\n"
    "    b    .\n"
    "    .global secondary_entry\n"
    "secondary_entry:\n"
    "    movz x1, #0x4010, lsl #16\n"
    "    add  sp, x1, #0x8000\n"
    "    bl   secondary_main\n"
    "    b    .\n"
    "    .popsection\n");
void secondary_entry(void);

#pragma GCC visibility push(hidden)

/* What the device tree says; in RAM behind the image, written before the second vCPU runs. */
struct links { u64 tx, rx, ring, bell, rounds; };
#define LINKS ((volatile struct links *) (STACKS - PAGE))

static u64 call(u64 function, u64 a, u64 b, u64 c, u64 d)
{
    register u64 x0 __asm__("x0") = function;
    register u64 x1 __asm__("x1") = a;
    register u64 x2 __asm__("x2") = b;
    register u64 x3 __asm__("x3") = c;
    register u64 x4 __asm__("x4") = d;
    register u64 x5 __asm__("x5") = 0;
    register u64 x6 __asm__("x6") = 0;
    register u64 x7 __asm__("x7") = 0;
    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
                     :: "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    return x0;
}

static u32 be32(u64 at)
{
    return __builtin_bswap32(*(volatile u32 *) at);
}

static u64 be64(u64 at)
{
    return (u64) be32(at) << 32 | be32(at + 4);
}

static int starts_with(u64 text, const char *prefix)
{
    const char *s = (const char *) text;
    while (*prefix && *s == *prefix) {
        s++;
        prefix++;
    }
    return !*prefix;
}

static u64 text_words(u64 text)
{
    u64 length = 0;
    while (((volatile u8 *) text)[length]) {
        length++;
    }
    return (length + 4) & ~3UL;
}

static u64 number(u64 text)
{
    u64 value = 0;
    for (; *(volatile u8 *) text; text++) {
        u8 digit = *(volatile u8 *) text - '0';
        value = digit < 10 ? value * 10 + digit : 0;
    }
    return value;
}

static void property(u64 node, u64 name, u64 value)
{
    if (starts_with(name, "bootargs")) {
        LINKS->rounds = number(value);
    } else if (starts_with(name, "reg") && starts_with(node, "link@")) {
        LINKS->tx = be64(value);
        LINKS->rx = be64(value + 8);
    } else if (starts_with(name, "reg") && starts_with(node, "ring@")) {
        LINKS->ring = be64(value);
    } else if (starts_with(name, "reg") && starts_with(node, "bell@")) {
        LINKS->bell = be64(value);
    }
}

static void read_tree(u64 dtb)
{
    if (be32(dtb) != FDT_MAGIC) {
        return;
    }
    u64 at = dtb + be32(dtb + 8);
    u64 strings = dtb + be32(dtb + 12);
    u64 end = at + be32(dtb + 36);
    u64 node = at;
    while (at < end) {
        u32 token = be32(at);
        at += 4;
        if (token == BEGIN_NODE) {
            node = at;
            at += text_words(at);
        } else if (token == PROP) {
            property(node, strings + be32(at + 4), at + 8);
            at += 8 + ((be32(at) + 3) & ~3UL);
        } else if (token != NOP && token != END_NODE) {
            break;
        }
    }
}

static void live(u64 cpu)
{
    u64 pages = PAGES + cpu * PAGES_COUNT * PAGE;
    for (u64 round = 0; LINKS->rounds == 0 || round < LINKS->rounds; round++) {
        volatile u64 *page = (volatile u64 *) (pages + round % PAGES_COUNT * PAGE);
        page[0] = MARK;
        page[1] = round;
        if (cpu == 0) {
            call(QUEUE_SEND, LINKS->tx, 16, (u64) page, 0);
            call(QUEUE_RECEIVE, LINKS->rx, (u64) page + 64, 512, 0);
        }
        call(BELL_SEND, LINKS->ring, 1UL << round % 64, 0, 0);
        call(BELL_RECEIVE, LINKS->bell, ~0UL, 0, 0);
        *(volatile u8 *) UART = cpu == 0 ? '.' : ',';
        __asm__ volatile("wfe");
    }
}

void secondary_main(void)
{
    live(1);
    for (;;) {
        __asm__ volatile("wfi");
    }
}

void first_main(u64 dtb)
{
    read_tree(dtb);
    call(CPU_ON, 1, (u64) secondary_entry, 0, 0);
    live(0);
    call(SYSTEM_OFF, 0, 0, 0, 0);
    for (;;) {
    }
}
