/* GICv3 (Arm IHI 0069): distributor, this CPU's redistributor, and the CPU interface by system registers. */
#include "guest.h"

#define GICD_CTLR 0x0
#define GICD_ENABLE 0x13 /* ARE, EnableGrp1A, EnableGrp1 */
#define GICD_RWP (1u << 31)
#define IGROUPR 0x80
#define ISENABLER 0x100
#define IPRIORITYR 0x400
#define GICD_IROUTER 0x6000
#define GICR_TYPER 0x8
#define GICR_WAKER 0x14
#define GICR_SGI 0x10000

#define ICC_PMR "s3_0_c4_c6_0"
#define ICC_IAR1 "s3_0_c12_c12_0"
#define ICC_EOIR1 "s3_0_c12_c12_1"
#define ICC_BPR1 "s3_0_c12_c12_3"
#define ICC_CTLR "s3_0_c12_c12_4"
#define ICC_SRE "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"
#define ICC_SGI1R "s3_0_c12_c11_5"
#define WRITE_ICC(name, value) __asm__ volatile("msr " name ", %0" :: "r"((u64) (value)) : "memory")
#define READ_ICC(name) ({ u64 v_; __asm__ volatile("mrs %0, " name : "=r"(v_) :: "memory"); v_; })

#define SPURIOUS 1020

static u64 affinity(void)
{
    u64 mpidr = READ_SYSREG(mpidr_el1);
    return (mpidr & 0xffffff) | (mpidr >> 8 & 0xff000000);
}

void gic_init_distributor(void)
{
    write32(GICD_BASE + GICD_CTLR, 0);
    u64 word = UART_INTID / 32 * 4;
    write32(GICD_BASE + IGROUPR + word, ~0u);
    write32(GICD_BASE + IPRIORITYR + UART_INTID / 4 * 4, 0xa0a0a0a0);
    *(volatile u64 *) (GICD_BASE + GICD_IROUTER + UART_INTID * 8UL) = affinity();
    write32(GICD_BASE + ISENABLER + word, 1u << UART_INTID % 32);
    write32(GICD_BASE + GICD_CTLR, GICD_ENABLE);
    while (read32(GICD_BASE + GICD_CTLR) & GICD_RWP) {
    }
}

void gic_init_cpu(void)
{
    u64 frame = GICR_BASE;
    for (u32 i = 0; i < MAX_CPUS && read64(frame + GICR_TYPER) >> 32 != affinity(); i++) {
        frame += GICR_STRIDE;
    }
    write32(frame + GICR_WAKER, 0);
    while (read32(frame + GICR_WAKER) & 4) {
    }
    u64 sgi = frame + GICR_SGI;
    write32(sgi + IGROUPR, ~0u);
    write32(sgi + IPRIORITYR + SGI_MESSAGE / 4 * 4, 0xa0a0a0a0);
    write32(sgi + IPRIORITYR + TIMER_INTID / 4 * 4, 0xa0a0a0a0);
    write32(sgi + ISENABLER, 1u << SGI_MESSAGE | 1u << TIMER_INTID);
    WRITE_ICC(ICC_SRE, 7);
    isb();
    WRITE_ICC(ICC_PMR, 0xf0);
    WRITE_ICC(ICC_BPR1, 0);
    WRITE_ICC(ICC_CTLR, 0);
    WRITE_ICC(ICC_IGRPEN1, 1);
    isb();
}

void gic_send_sgi(u64 cpu)
{
    dsb();
    WRITE_ICC(ICC_SGI1R, (u64) SGI_MESSAGE << 24 | 1UL << (cpu & 15));
    isb();
}

void irq_exception(struct frame *frame)
{
    (void) frame;
    u64 intid;
    while ((intid = READ_ICC(ICC_IAR1) & 0xffffff) < SPURIOUS) {
        if (intid == TIMER_INTID) {
            timer_interrupt();
        } else if (intid == SGI_MESSAGE) {
            sgi_interrupt();
        } else if (intid == UART_INTID) {
            uart_receive();
        }
        WRITE_ICC(ICC_EOIR1, intid);
        isb();
    }
}
