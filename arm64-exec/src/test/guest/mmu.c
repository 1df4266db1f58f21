// Stage 1: granules, levels, sizes, permissions, access and dirty state, tags, ASIDs, AT, TLB maintenance.
#include "guest.h"

#define RAM 0x40000000UL
#define SCRATCH 0x44000000UL /* physical pages of the tests, 64 KiB apart */
#define UART_BASE 0x09000000UL
#define LOW_BASE 0x100000000UL /* virtual addresses of the tests, below */
#define HIGH_BASE 0xFFFFFF8000000000UL /* and above: the lowest of 39 bits */
#define TABLES 72
#define TABLE_BYTES 65536

#define VALID 1UL
#define ATTR(index) ((u64)(index) << 2)
#define USER (1UL << 6)
#define READ_ONLY (1UL << 7)
#define INNER (3UL << 8)
#define AF (1UL << 10)
#define NG (1UL << 11)
#define DBM (1UL << 51)
#define CONTIGUOUS (1UL << 52)
#define PXN (1UL << 53)
#define UXN (1UL << 54)
#define NORMAL (ATTR(1) | INNER | AF)
#define DEVICE (ATTR(0) | AF)

#define TCR_HA (1UL << 39)
#define TCR_HD (1UL << 40)

static u8 pool[TABLES][TABLE_BYTES] __attribute__((aligned(TABLE_BYTES)));
static int used;
/* The granule's bits: 12, 14 or 16. */
static int granule;
static u64 low_root, high_root;
static int low_bits, high_bits;

static u64 new_table(void)
{
    u64 *table = (u64 *)pool[used++];
    for (u64 k = 0; k < 1UL << (granule - 3); k++) {
        table[k] = 0;
    }
    return (u64)table;
}

static int stride(void)
{
    return granule - 3;
}

static int start_level(int bits)
{
    return 4 - (bits - granule + stride() - 1) / stride();
}

static int shift_of(int level)
{
    return granule + (3 - level) * stride();
}

/* {@return the entry of va at a level, tables made on the way with these bits in their descriptors} */
static u64 *entry(u64 va, int level, u64 table_bits)
{
    int high = va >> 63;
    int bits = high ? high_bits : low_bits;
    u64 table = high ? high_root : low_root;
    for (int at = start_level(bits);; at++) {
        u64 mask = (1UL << (at == start_level(bits) ? bits - shift_of(at) : stride())) - 1;
        u64 *slot = (u64 *)table + ((va >> shift_of(at)) & mask);
        if (at == level) {
            return slot;
        }
        if (!(*slot & 1)) {
            *slot = new_table() | 3;
        }
        *slot |= table_bits;
        table = *slot & 0x0000FFFFFFFFF000UL & ~((1UL << granule) - 1);
    }
}

static void map(u64 va, u64 pa, u64 attributes, int level)
{
    *entry(va, level, 0) = pa | attributes | (level == 3 ? 3 : 1);
}

static void flush(void)
{
    asm volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
}

static u64 tcr_of(u64 more)
{
    u64 tg0 = granule == 12 ? 0 : granule == 14 ? 2 : 1;
    u64 tg1 = granule == 12 ? 2 : granule == 14 ? 1 : 3;
    return (u64)(64 - low_bits) | (u64)(64 - high_bits) << 16 | tg0 << 14 | tg1 << 30 | 0x3500UL | 0x35000000UL | 1UL << 36
        | more;
}

/* MMU on: kernel and scratch at their physical addresses, the UART. */
static void enable(int bits_of_granule, int low, int high, u64 tcr)
{
    WRITE("sctlr_el1", 0x30d00980UL | 1UL << 23 | 1UL << 4);
    used = 0;
    granule = bits_of_granule;
    low_bits = low;
    high_bits = high;
    low_root = new_table();
    high_root = new_table();
    u64 size = 1UL << shift_of(2);
    for (u64 at = RAM; at < RAM + 0x6000000; at += size) {
        map(at, at, NORMAL | UXN, 2);
    }
    map(UART_BASE & ~(size - 1), UART_BASE & ~(size - 1), DEVICE | PXN | UXN, 2);
    WRITE("mair_el1", 0x4404FF00UL | 0xBBUL << 32);
    WRITE("tcr_el1", tcr_of(tcr));
    WRITE("ttbr0_el1", low_root);
    WRITE("ttbr1_el1", high_root);
    flush();
    WRITE("sctlr_el1", READ("sctlr_el1") | 1);
}

static u64 page(int number)
{
    return SCRATCH + (u64)number * 65536;
}

static void fill(u64 pa, u64 value)
{
    for (int k = 0; k < 64; k++) {
        ((u8 *)pa)[k] = ((u8 *)stub)[k];
    }
    ((u8 *)pa)[100] = (u8)value;
    asm volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

static void user(const char *what, u64 stub_offset, u64 va)
{
    at_el0(LOW_BASE + 0x40000000UL + stub_offset, va, 0x5a, 0x3c0);
    brief(what);
}

static void unprivileged_load(u64 at)
{
    u64 value;
    asm volatile("ldtrb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
}

static void unprivileged_store(u64 at)
{
    asm volatile("sttrb wzr, [%0]" :: "r"(at + 200) : "memory");
}

static void probes(u64 va)
{
    load8(va + 100);
    brief("r");
    store8(va + 120, 1);
    brief("w");
    call(va);
    brief("x");
    unprivileged_load(va + 100);
    brief("tr");
    unprivileged_store(va);
    brief("tw");
    user("ur", 16, va + 100);
    user("uw", 24, va + 130);
    at_el0(va + 8, 0, 0, 0x3c0);
    brief("ux");
    asm volatile(".inst 0xd500419f" ::: "memory"); /* PAN */
    load8(va + 100);
    brief("pan r");
    store8(va + 120, 1);
    brief("pan w");
    unprivileged_load(va + 100);
    brief("pan tr");
    asm volatile(".inst 0xd500417f" ::: "memory"); /* UAO */
    unprivileged_load(va + 100);
    brief("uao tr");
    asm volatile(".inst 0xd500409f\n\t.inst 0xd500407f" ::: "memory");
    say("\n");
}

/* The code that EL0 runs, at LOW_BASE + 1 GiB. */
static void map_user_code(void)
{
    fill(page(0), 0);
    map(LOW_BASE + 0x40000000UL, page(0), NORMAL | USER | READ_ONLY | PXN, 3);
}

static void permissions(u64 sctlr)
{
    u64 va = LOW_BASE;
    fill(page(1), 1);
    map_user_code();
    for (u64 bits = 0; bits < 16; bits++) {
        u64 attributes = (bits & 3) << 6 | (bits & 4 ? PXN : 0) | (bits & 8 ? UXN : 0);
        map(va, page(1), NORMAL | attributes, 3);
        flush();
        say("ap %d pxn %d uxn %d sctlr %x: ", bits & 3, bits >> 2 & 1, bits >> 3, sctlr);
        probes(va);
    }
}

static void tables(void)
{
    static const u64 bits[] = {1UL << 59, 1UL << 60, 1UL << 61, 1UL << 62, 3UL << 61, 15UL << 59};
    static const u64 places[] = {1UL << 38, HIGH_BASE + 0x40000000UL};
    for (unsigned k = 0; k < sizeof bits / sizeof *bits; k++) {
        for (u64 hpd = 1; hpd < 3; hpd++) {
            for (u64 high = 0; high < 2; high++) {
                for (u64 ap = 0; ap < 2; ap++) {
                    enable(granule, 39, 39, hpd << 41);
                    map_user_code();
                    fill(page(1), 1);
                    u64 va = places[high];
                    entry(va, 3, k & 1 ? bits[k] : 0);
                    *entry(va, 2, 0) |= bits[k];
                    map(va, page(1), NORMAL | ap << 6, 3);
                    flush();
                    say("table bits %x hpd %x half %d ap %d: ", bits[k], hpd, high, ap);
                    probes(va);
                }
            }
        }
    }
}

static void levels(int bits)
{
    enable(granule, bits, 39, 0);
    u64 va = 1UL << (bits - 1);
    fill(page(1), 0x34);
    map(va, page(1), NORMAL, 3);
    for (int level = start_level(low_bits); level < 4; level++) {
        u64 *slot = entry(va, level, 0);
        u64 before = *slot;
        *slot = 0;
        flush();
        load8(va + 100);
        say("level %d: ", (u64)level);
        brief("invalid");
        *slot = (before & ~0x0000FFFFFFFFF000UL) | 0x100000000000UL | (level == 3 ? 3 : 3);
        flush();
        load8(va + 100);
        brief("size");
        if (level == 3) {
            *slot = (before & ~3UL) | 1 | AF;
            flush();
            load8(va + 100);
            brief("block");
        }
        *slot = before;
        say("\n");
    }
    map(va, page(1), NORMAL & ~AF, 3);
    flush();
    load8(va);
    brief("no af");
    at_el0(va + 8, 0, 0, 0x3c0);
    brief("no af x");
    map(va, page(1), NORMAL | CONTIGUOUS, 3);
    flush();
    say("contiguous %x ", load8(va + 100));
    u64 size = 1UL << shift_of(2);
    map(va + 16 * size, (SCRATCH & ~(size - 1)), NORMAL, 2);
    flush();
    u64 offset = page(1) & (size - 1);
    say("block %x ", load8(va + 16 * size + offset + 100));
    if (granule == 12) {
        map(va + 0xC0000000UL, RAM, NORMAL, 1);
        flush();
        say("1 GiB block %x ", load8(va + 0xC0000000UL + page(1) - RAM + 100));
    }
    brief("end");
    say("\n");
}

static void sizes(int most)
{
    for (int bits = 48; bits >= 64 - most; bits--) {
        enable(granule, 39, bits, 0);
        fill(page(1), bits);
        u64 lowest = -(1UL << bits);
        map(lowest, page(1), NORMAL, 3);
        u64 top = -(1UL << granule);
        map(top, page(1), NORMAL, 3);
        flush();
        say("%d bits: %d ", (u64)bits, load8(lowest + 100));
        brief("lowest");
        say("%d ", load8(top + 100));
        brief("top");
        load8(lowest - 1);
        brief("below");
        say("\n");
    }
}

static void tags(void)
{
    enable(granule, 39, 39, 0);
    u64 va = LOW_BASE;
    fill(page(1), 0x31);
    map(va, page(1), NORMAL, 3);
    map(HIGH_BASE, page(1), NORMAL, 3);
    for (u64 tbi = 0; tbi < 4; tbi++) {
        WRITE("tcr_el1", tcr_of(tbi << 37));
        flush();
        u64 value = load8((va + 100) | 0x5aUL << 56);
        say("tbi %d low %x ", tbi, value);
        outcome("");
        value = load8(((HIGH_BASE + 100) & ~(0xffUL << 56)) | 0xa5UL << 56);
        say("high %x ", value);
        outcome("");
        store8((va + 0x10000000) | 0x7UL << 56, 1);
        outcome("fault");
        call(va | 0x11UL << 56);
        outcome("call");
    }
}

/* EPD0 would take away this program's own translations. */
static void no_walks(void)
{
    enable(granule, 39, 39, 0);
    fill(page(1), 0x32);
    map(HIGH_BASE, page(1), NORMAL, 3);
    WRITE("tcr_el1", tcr_of(1UL << 23));
    flush();
    load8(HIGH_BASE + 100);
    outcome("epd1");
}

static void asids(void)
{
    enable(granule, 39, 39, 0);
    u64 va = LOW_BASE;
    fill(page(1), 1);
    fill(page(2), 2);
    u64 *slot = entry(va, 3, 0);
    map(HIGH_BASE, page(1), NORMAL | NG, 3);
    for (int a1 = 0; a1 < 2; a1++) {
        WRITE("tcr_el1", tcr_of((u64)a1 << 22));
        flush();
        say("a1 %d:", (u64)a1);
        for (u64 asid = 1; asid < 5; asid++) {
            *slot = page(1 + (asid & 1)) | NORMAL | NG | 3;
            asm volatile("dsb sy" ::: "memory");
            if (a1) {
                WRITE("ttbr1_el1", high_root | asid << 48);
            } else {
                WRITE("ttbr0_el1", low_root | asid << 48);
            }
            say(" %d", load8(va + 100));
        }
        say("\n");
        WRITE("ttbr0_el1", low_root);
        WRITE("ttbr1_el1", high_root);
        flush();
    }
    brief("asids");
    say("\n");
}

/* CnP: the tables are those of other processors, too; nothing else changes. */
static void common_tables(void)
{
    enable(granule, 39, 39, 0);
    fill(page(1), 1);
    fill(page(2), 2);
    map(LOW_BASE, page(1), NORMAL | NG, 3);
    map(HIGH_BASE, page(2), NORMAL, 3);
    for (u64 asid = 0; asid < 3; asid++) {
        WRITE("ttbr0_el1", low_root | asid << 48 | 1);
        WRITE("ttbr1_el1", high_root | 1);
        flush();
        say("cnp %x %x: %d %d ", READ("ttbr0_el1") >> 48 << 1 | (READ("ttbr0_el1") & 1), READ("ttbr1_el1") & 1,
            load8(LOW_BASE + 100), load8(HIGH_BASE + 100));
    }
    load8(LOW_BASE + 0x10000000);
    outcome("unmapped");
}

static void par(const char *what, u64 value)
{
    /* RES1 and NS are left out; Device and non-cacheable memory is outer shareable (D17.2.107), which QEMU 7.2 forgets */
    u64 attributes = value >> 56;
    u64 hidden = 1UL << 11 | 1UL << 10 | 1UL << 9;
    if (!(value & 1) && (!(attributes & 0xF0) || attributes == 0x44)) {
        hidden |= 3UL << 7;
    }
    say("%s %x ", what, value & ~hidden);
}

#define AT(operation, va) ({ asm volatile("at " operation ", %0\n\tisb" :: "r"(va) : "memory"); READ("par_el1"); })

static void address_translation(void)
{
    static const u64 kinds[] = {0, USER, READ_ONLY, USER | READ_ONLY};
    enable(granule, 39, 39, 0);
    u64 va = LOW_BASE;
    fill(page(1), 1);
    for (unsigned k = 0; k < 4; k++) {
        for (u64 attribute = 0; attribute < 5; attribute++) {
            map(va, page(1), ATTR(attribute) | ((k + attribute) & 3 ? INNER : 2UL << 8) | AF | kinds[k], 3);
            flush();
            say("at %x attr %d: ", kinds[k], attribute);
            par("e1r", AT("s1e1r", va + 0x123));
            par("e1w", AT("s1e1w", va + 0x123));
            par("e0r", AT("s1e0r", va + 0x123));
            par("e0w", AT("s1e0w", va + 0x123));
            asm volatile(".inst 0xd500419f" ::: "memory");
            asm volatile("sys #0, c7, c9, #0, %0\n\tisb" :: "r"(va) : "memory");
            par("e1rp", READ("par_el1"));
            asm volatile("sys #0, c7, c9, #1, %0\n\tisb" :: "r"(va) : "memory");
            par("e1wp", READ("par_el1"));
            asm volatile(".inst 0xd500409f" ::: "memory");
            say("\n");
        }
    }
    map(va, page(1), NORMAL & ~AF, 3);
    flush();
    par("no af", AT("s1e1r", va));
    map(va, 0, 0, 3);
    *entry(va, 3, 0) = 0;
    flush();
    par("invalid", AT("s1e1r", va));
    par("block", AT("s1e1r", page(1) + 0x345));
    par("no walk", AT("s1e1r", 0x5555UL << 40));
    say("\n");
}

#define TLBI(op1, crm, op2, operand) \
    asm volatile("dsb sy\n\tsys #" #op1 ", c8, c" #crm ", #" #op2 ", %0\n\tdsb sy\n\tisb" :: "r"(operand) : "memory")

#define FORM(name, crm, op2, operand) do { \
    for (u64 k = 0; k < count; k++) { \
        *entry(va + (k << granule), 3, 0) = page(1) | NORMAL | NG | 3; \
    } \
    flush(); \
    for (u64 k = 0; k < count; k++) { \
        load8(va + (k << granule) + 100); \
    } \
    for (u64 k = 0; k < count; k++) { \
        *entry(va + (k << granule), 3, 0) = page(2) | NORMAL | NG | 3; \
    } \
    TLBI(0, crm, op2, operand); \
    u64 sum = 0; \
    for (u64 k = 0; k < count; k++) { \
        sum += load8(va + (k << granule) + 100); \
    } \
    say("%s %d ", name, sum); \
} while (0)

static void maintenance(void)
{
    enable(granule, 39, 39, 0);
    WRITE("ttbr0_el1", low_root | 7UL << 48);
    fill(page(1), 1);
    fill(page(2), 2);
    u64 va = LOW_BASE;
    u64 count = 1;
    u64 operand = va >> 12 | 7UL << 48;
    FORM("vmalle1", 7, 0, operand);
    FORM("vae1", 7, 1, operand);
    FORM("aside1", 7, 2, operand);
    FORM("vaae1", 7, 3, operand);
    FORM("vale1", 7, 5, operand);
    FORM("vaale1", 7, 7, operand);
    FORM("vmalle1is", 3, 0, operand);
    FORM("vae1is", 3, 1, operand);
    FORM("aside1is", 3, 2, operand);
    FORM("vaae1is", 3, 3, operand);
    FORM("vale1is", 3, 5, operand);
    FORM("vaale1is", 3, 7, operand);
    FORM("vmalle1os", 1, 0, operand);
    FORM("vae1os", 1, 1, operand);
    FORM("aside1os", 1, 2, operand);
    FORM("vaae1os", 1, 3, operand);
    FORM("vale1os", 1, 5, operand);
    FORM("vaale1os", 1, 7, operand);
    say("\n");
    u64 tg = granule == 12 ? 1 : granule == 14 ? 2 : 3;
    count = 20; /* 2 * (9 + 1) pages */
    operand = 7UL << 48 | tg << 46 | 9UL << 39 | ((va >> granule) & 0x1FFFFFFFFFUL);
    FORM("rvae1", 6, 1, operand);
    FORM("rvaae1", 6, 3, operand);
    FORM("rvale1", 6, 5, operand);
    FORM("rvaale1", 6, 7, operand);
    FORM("rvae1is", 2, 1, operand);
    FORM("rvaae1is", 2, 3, operand);
    FORM("rvale1is", 2, 5, operand);
    FORM("rvaale1is", 2, 7, operand);
    FORM("rvae1os", 5, 1, operand);
    FORM("rvaae1os", 5, 3, operand);
    FORM("rvale1os", 5, 5, operand);
    FORM("rvaale1os", 5, 7, operand);
    count = 320; /* 64 * 5 pages */
    operand = 7UL << 48 | tg << 46 | 1UL << 44 | 4UL << 39 | ((va >> granule) & 0x1FFFFFFFFFUL);
    FORM("rvae1 320", 6, 1, operand);
    brief("maintenance");
    say("\n");
    /* a block in place of pages and back */
    u64 size = 1UL << shift_of(2);
    u64 other = LOW_BASE + 16 * size;
    map(other, SCRATCH & ~(size - 1), NORMAL, 2);
    flush();
    u64 at = other + (page(1) & (size - 1)) + 100;
    u64 first = load8(at);
    *entry(other, 2, 0) = 0;
    TLBI(0, 7, 1, other >> 12);
    load8(at);
    say("block %d then ", first);
    brief("unmapped");
    say("\n");
}

static void say_state(const char *what, u64 *slot)
{
    say("%s af %d ro %d ", what, *slot >> 10 & 1, *slot >> 7 & 1);
}

static void hardware_state(void)
{
    for (u64 enabled = 0; enabled < 4; enabled++) {
        enable(granule, 39, 39, enabled << 39);
        if (enabled == 2) {
            continue; /* dirty state without the access flag */
        }
        fill(page(1), 0x33);
        map_user_code();
        u64 va = LOW_BASE;
        u64 *slot = entry(va, 3, 0);
        say("ha %d hd %d: ", enabled & 1, enabled >> 1);
        map(va, page(1), NORMAL & ~AF, 3);
        flush();
        load8(va);
        brief("read");
        say_state("", slot);
        map(va, page(1), (NORMAL & ~AF) | DBM | READ_ONLY, 3);
        flush();
        load8(va);
        brief("clean read");
        say_state("", slot);
        store8(va + 120, 1);
        brief("write");
        say_state("", slot);
        store8(va + 121, 1);
        brief("again");
        map(va, page(1), NORMAL | DBM | READ_ONLY | USER, 3);
        flush();
        user("ur", 16, va + 100);
        say_state("", slot);
        user("uw", 24, va + 130);
        say_state("", slot);
        map(va, page(1), NORMAL | READ_ONLY, 3);
        flush();
        store8(va + 120, 1);
        brief("really read-only");
        say_state("", slot);
        map(va, page(1), NORMAL | DBM | READ_ONLY, 3);
        flush();
        asm volatile("mov w2, #3\n\t.arch armv8.1-a\n\tldadd w2, w2, [%0]" :: "r"(va + 64) : "x2", "memory");
        brief("ldadd");
        say_state("", slot);
        map(va, page(1), NORMAL | DBM | READ_ONLY, 3);
        flush();
        asm volatile("1: ldxr w2, [%0]\n\tstxr w3, w2, [%0]" :: "r"(va + 64) : "x2", "x3", "memory");
        brief("exclusive");
        say_state("", slot);
        u64 size = 1UL << shift_of(2);
        map(va + 16 * size, SCRATCH & ~(size - 1), (NORMAL & ~AF) | DBM | READ_ONLY, 2);
        flush();
        store8(va + 16 * size + (page(2) & (size - 1)), 1);
        brief("block");
        say_state("", entry(va + 16 * size, 2, 0));
        map(va, page(1), (NORMAL & ~AF), 3);
        flush();
        call(va);
        brief("fetch");
        say_state("", slot);
        say("\n");
    }
}

/* SCTLR.WXN: this program's own code must be read-only then. */
static void write_implies_no_execute(void)
{
    extern char text_end[];
    enable(granule, 39, 39, 0);
    u64 size = 1UL << shift_of(2);
    u64 first = (u64)vectors & ~(size - 1);
    u64 *pages = (u64 *)new_table();
    for (u64 k = 0; k < size >> granule; k++) {
        u64 at = first + (k << granule);
        pages[k] = at | NORMAL | UXN | 3 | (at >= 0x40200000UL && at < (u64)text_end ? READ_ONLY : 0);
    }
    *entry(first, 2, 0) = (u64)pages | 3;
    flush();
    WRITE("sctlr_el1", READ("sctlr_el1") | 1UL << 19);
    flush();
    permissions(1);
    WRITE("sctlr_el1", READ("sctlr_el1") & ~(1UL << 19));
    flush();
}

static void one_granule(int bits)
{
    say("granule %d\n", 1UL << bits);
    enable(bits, 39, 39, 0);
    permissions(0);
    write_implies_no_execute();
    tables();
    levels(39);
    levels(48);
    sizes(bits == 16 ? 47 : 48);
    tags();
    no_walks();
    asids();
    common_tables();
    address_translation();
    maintenance();
    hardware_state();
}

void run(void)
{
    WRITE("sctlr_el1", 0x30d00980UL | 1UL << 23 | 1UL << 4);
    RAW(".inst 0xd500409f");
    say("mmu\n");
    one_granule(12);
    one_granule(14);
    one_granule(16);
    say("end\n");
}
