// Alignment: every kind of access at every offset of 16 bytes of normal memory, SCTLR_EL1.A clear and set. (QEMU 7.2
// does not check accesses to device memory.)
#include "guest.h"

#define SCRATCH 0x44000000UL

static u64 level1[512] __attribute__((aligned(4096)));

static void enable(u64 sctlr)
{
    static u64 level2[512] __attribute__((aligned(4096)));
    for (u64 k = 0; k < 512; k++) {
        level2[k] = (0x40000000UL + (k << 21)) | 1UL << 10 | 3UL << 8 | 1UL << 2 | 1;
    }
    level1[0] = 1UL << 10 | 1;
    level1[1] = (u64)level2 | 3;
    WRITE("sctlr_el1", 0x30d00980UL);
    WRITE("mair_el1", 0xff00);
    WRITE("tcr_el1", 25UL | 1UL << 23 | 0x3500UL);
    WRITE("ttbr0_el1", level1);
    asm volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
    WRITE("sctlr_el1", 0x30d00981UL | sctlr);
}

#define KINDS(K) \
    K(ldrb, "ldrb w2, [x0]") K(ldrh, "ldrh w2, [x0]") K(ldr_w, "ldr w2, [x0]") K(ldr_x, "ldr x2, [x0]") \
    K(strb, "strb w2, [x0]") K(strh, "strh w2, [x0]") K(str_w, "str w2, [x0]") K(str_x, "str x2, [x0]") \
    K(ldp_w, "ldp w2, w3, [x0]") K(ldp_x, "ldp x2, x3, [x0]") K(stp_w, "stp w2, w3, [x0]") \
    K(stp_x, "stp x2, x3, [x0]") K(ldpsw, "ldpsw x2, x3, [x0]") \
    K(ldxrh, "ldxrh w2, [x0]") K(ldxr, "ldxr x2, [x0]") K(ldaxp, "ldaxp x2, x3, [x0]") \
    K(ldarh, "ldarh w2, [x0]") K(ldar, "ldar x2, [x0]") K(stlr, "stlr x2, [x0]") K(stlrh, "stlrh w2, [x0]") \
    K(ldaddh, "ldaddh w2, w3, [x0]") K(ldadd, "ldadd x2, x3, [x0]") K(swp_w, "swp w2, w3, [x0]") \
    K(cas, "cas x2, x3, [x0]") K(caspw, "casp w2, w3, w4, w5, [x0]") K(casp, "casp x2, x3, x4, x5, [x0]") \
    K(ldr_h, "ldr h2, [x0]") K(ldr_s, "ldr s2, [x0]") K(ldr_d, "ldr d2, [x0]") K(ldr_q, "ldr q2, [x0]") \
    K(str_q, "str q2, [x0]") K(ldp_s, "ldp s2, s3, [x0]") K(ldp_d, "ldp d2, d3, [x0]") \
    K(ldp_q, "ldp q2, q3, [x0]") K(stp_q, "stp q2, q3, [x0]") K(ld1_b, "ld1 {v2.16b}, [x0]") \
    K(ld1_h, "ld1 {v2.8h}, [x0]") K(ld1_d, "ld1 {v2.2d}, [x0]") K(ld2_s, "ld2 {v2.4s, v3.4s}, [x0]") \
    K(st3_h, "st3 {v2.4h, v3.4h, v4.4h}, [x0]") K(ld1_lane, "ld1 {v2.s}[1], [x0]") \
    K(ld1r, "ld1r {v2.2d}, [x0]") K(st4_lane, "st4 {v2.d, v3.d, v4.d, v5.d}[0], [x0]")

#define PROBE(name, text) \
    static void name(u64 at) \
    { \
        register u64 x0 asm("x0") = at; \
        asm volatile(".arch armv8.1-a\n\t" text ::"r"(x0) : "memory", "x2", "x3", "x4", "x5"); \
    }

KINDS(PROBE)

static void kind(const char *name, void (*probe)(u64))
{
    say("%s:", name);
    u64 before = trap.count, esr = 0;
    for (u64 offset = 0; offset < 16; offset++) {
        u64 count = trap.count;
        probe(SCRATCH + 0x100 + offset);
        if (trap.count != count) {
            esr = trap.esr;
            if (trap.far != SCRATCH + 0x100 + offset) {
                say(" far %x", trap.far);
            }
        }
        say(trap.count == count ? " ." : " F");
    }
    told_all();
    say(before == trap.count ? "\n" : " %x\n", esr);
}

#define TRY(name, text) kind(#name, name);

void run(void)
{
    say("alignment\n");
    for (u64 checked = 0; checked < 2; checked++) {
        say("A %d\n", checked);
        enable(checked << 1);
        KINDS(TRY)
        asm volatile("dc zva, %0" :: "r"(SCRATCH + 0x47) : "memory");
        outcome("dc zva");
    }
    say("end\n");
}
