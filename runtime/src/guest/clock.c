/* The virtual counter and timer (Arm ARM DDI 0487, D12): one-shot deadlines, and how late they arrive. */
#include "guest.h"

#define SAMPLES 50
#define PERIOD_US 2000

static u64 taken, lateness_sum, lateness_min, lateness_max, period;

u64 now(void)
{
    isb();
    return READ_SYSREG(cntvct_el0);
}

u64 nanoseconds(u64 ticks)
{
    u64 hz = READ_SYSREG(cntfrq_el0);
    return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

void timer_after_us(u64 microseconds)
{
    WRITE_SYSREG(cntv_cval_el0, now() + microseconds * READ_SYSREG(cntfrq_el0) / 1000000);
    WRITE_SYSREG(cntv_ctl_el0, 1);
    isb();
}

void timer_interrupt(void)
{
    u64 late = now() - READ_SYSREG(cntv_cval_el0);
    taken++;
    lateness_sum += late;
    lateness_min = late < lateness_min ? late : lateness_min;
    lateness_max = late > lateness_max ? late : lateness_max;
    if (period) {
        timer_after_us(period);
    } else {
        WRITE_SYSREG(cntv_ctl_el0, 2);
        isb();
    }
}

void measure_timer(void)
{
    taken = lateness_sum = lateness_max = 0;
    lateness_min = ~0UL;
    for (u64 i = 0; i < SAMPLES; i++) {
        timer_after_us(PERIOD_US);
        mask_irqs();
        while (taken == i) {
            wfi();
            unmask_irqs();
            isb();
            mask_irqs();
        }
        unmask_irqs();
    }
    print("timer: %lu interrupts every %lu us, late by %lu / %lu / %lu ns (least / mean / most)\n", taken,
            (u64) PERIOD_US, nanoseconds(lateness_min), nanoseconds(lateness_sum / taken), nanoseconds(lateness_max));
}

/* Ten interrupts a second from now on: what the command "ticks" counts. */
void timer_keep_ticking(void)
{
    period = 100000;
    timer_after_us(period);
}

u64 ticks_taken(void)
{
    return taken;
}
