/*
 * Stage 1 (Arm ARM DDI 0487, D8): identity map, 4 KiB granule, 39-bit addresses. Devices in one 1 GiB block, the first
 * GiB of RAM in 2 MiB blocks with 4 KiB pages under the image (code read only, data never executed), the rest of RAM in
 * 1 GiB blocks. All above is left out: the command "fault" goes there.
 */
#include "guest.h"

#define ENTRIES 512
#define VALID_TABLE 3UL
#define VALID_BLOCK 1UL
#define VALID_PAGE 3UL
#define ATTR_DEVICE (0UL << 2)
#define ATTR_NORMAL (1UL << 2)
#define READ_ONLY (2UL << 6)
#define INNER_SHAREABLE (3UL << 8)
#define ACCESSED (1UL << 10)
#define PXN (1UL << 53)
#define UXN (1UL << 54)
#define NEVER_EXECUTE (PXN | UXN)
#define NORMAL_DATA (ATTR_NORMAL | INNER_SHAREABLE | ACCESSED | NEVER_EXECUTE)
#define NORMAL_CODE (ATTR_NORMAL | INNER_SHAREABLE | ACCESSED | READ_ONLY | UXN)

/* T0SZ 25 (39 bits), write-back inner shareable walks, no TTBR1 walks, 40-bit physical addresses. */
#define TCR (25UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 1UL << 23 | 2UL << 32)
#define MAIR 0xff00UL

static u64 level1[ENTRIES] __attribute__((aligned(4096)));
static u64 level2[ENTRIES] __attribute__((aligned(4096)));
static u64 level3[ENTRIES] __attribute__((aligned(4096)));
static u64 touched_from, touched_pages;

void mmu_build(u64 ram_size)
{
    u64 image_block = (u64) image_start & ~(2 * MIB - 1);
    level1[0] = ATTR_DEVICE | ACCESSED | NEVER_EXECUTE | VALID_BLOCK;
    level1[1] = (u64) level2 | VALID_TABLE;
    for (u64 at = 0; at < ENTRIES && at * 2 * MIB < ram_size; at++) {
        level2[at] = (RAM_BASE + at * 2 * MIB) | NORMAL_DATA | VALID_BLOCK;
    }
    for (u64 gib = 1; gib * 1024 * MIB < ram_size; gib++) {
        level1[1 + gib] = (RAM_BASE + gib * 1024 * MIB) | NORMAL_DATA | VALID_BLOCK;
    }
    for (u64 page = 0; page < ENTRIES; page++) {
        u64 address = image_block + page * PAGE;
        int code = address >= (u64) image_start && address < (u64) text_end;
        level3[page] = address | (code ? NORMAL_CODE : NORMAL_DATA) | VALID_PAGE;
    }
    level2[(image_block - RAM_BASE) / (2 * MIB)] = (u64) level3 | VALID_TABLE;
    dsb();
}

void mmu_on(void)
{
    enable_mmu((u64) level1, TCR, MAIR);
}

/* Writes to each page once, then reads all back: the first pass pays for demand paging, the second does not. */
void measure_paging(u64 ram_size, u64 dtb, u64 dtb_size)
{
    u64 start = ((u64) image_end + 2 * MIB - 1) & ~(2 * MIB - 1);
    u64 end = RAM_BASE + ram_size;
    if (dtb >= start && dtb < end) {
        u64 behind = (dtb + dtb_size + 2 * MIB - 1) & ~(2 * MIB - 1);
        if (dtb - start >= 64 * MIB || dtb - start >= end - behind) {
            end = dtb & ~(PAGE - 1);
        } else {
            start = behind;
        }
    }
    u64 pages = start < end ? (end - start) / PAGE : 0;
    pages = pages > 64 * MIB / PAGE ? 64 * MIB / PAGE : pages;
    if (pages == 0) {
        print("paging: no free memory to touch\n");
        return;
    }
    u64 t0 = now();
    for (u64 i = 0; i < pages; i++) {
        *(volatile u64 *) (start + i * PAGE) = i ^ start;
    }
    u64 t1 = now();
    u64 wrong = 0;
    for (u64 i = 0; i < pages; i++) {
        wrong += *(volatile u64 *) (start + i * PAGE) != (i ^ start);
    }
    u64 t2 = now();
    touched_from = start;
    touched_pages = pages;
    print("paging: %lu MiB touched, first touch %lu ns a page, again %lu ns, %lu wrong\n", pages * PAGE / MIB,
            nanoseconds(t1 - t0) / pages, nanoseconds(t2 - t1) / pages, wrong);
}

void print_memory(u64 ram_size)
{
    print("RAM     0x%lx..0x%lx, %lu MiB\n", (u64) RAM_BASE, RAM_BASE + ram_size - 1, ram_size / MIB);
    print("image   0x%lx..0x%lx, code up to 0x%lx read only\n", (u64) image_start, (u64) image_end - 1,
            (u64) text_end - 1);
    print("touched 0x%lx, %lu pages\n", touched_from, touched_pages);
    print("SCTLR_EL1 0x%lx, TCR_EL1 0x%lx, TTBR0_EL1 0x%lx\n", READ_SYSREG(sctlr_el1), READ_SYSREG(tcr_el1),
            READ_SYSREG(ttbr0_el1));
}
