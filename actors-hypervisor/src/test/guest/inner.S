// The guest that a guest makes: it stops in every way that vcpu_run reports, in a fixed order, and shows what it saw by
// stores to the device page whose address it gets in x0. x1 selects what it does. The MMU is off. Its maker knows the
// order; see the script that drives it.

        .arch   armv8-a
        .equ    DISTRIBUTOR, 0x08000000
        .equ    REDISTRIBUTOR, 0x080a0000
        .equ    INTERRUPT, 32
        .equ    PRIVATE, 0x50000000     // a private range of two pages
        .equ    SHOW, 8                 // offset in the device page

        .text
start:  mov     x20, x0
        adr     x9, vectors
        msr     vbar_el1, x9
        cmp     x1, #1
        b.eq    system_off
        cmp     x1, #2
        b.eq    cpu_off
        cmp     x1, #3
        b.eq    loop_of_aborts
        cmp     x1, #4
        b.eq    power_off

        // device accesses: what the device answers arrives extended, stores show the whole register
        ldr     w1, [x20]
        str     x1, [x20, #SHOW]
        ldrsb   x1, [x20, #16]
        str     x1, [x20, #SHOW]
        strb    w1, [x20, #17]
        // a device load that is to be repeated, and one that is answered with an abort
        ldrh    w1, [x20, #18]
        ldr     x1, [x20, #32]
        // page faults: a load that is repeated, one without syndrome, one that becomes an abort, a fetch
        ldr     x21, =PRIVATE
        ldr     x1, [x21]
        str     x1, [x20, #SHOW]
        ldp     x2, x3, [x20]
        add     x21, x21, #0x1000
        str     x1, [x21]
        blr     x21

        // a sleep of each kind, ended by an interrupt
        bl      interrupts
        wfi
        bl      acknowledge
        ldr     x0, =0x84000001         // CPU_SUSPEND, standby
        mov     x1, #1
        hvc     #0
        str     x0, [x20, #SHOW]
        bl      acknowledge
        ldr     x0, =0xc4000001         // CPU_SUSPEND, power-down
        ldr     x1, =0x00010001
        adr     x2, woken
        ldr     x3, =0x123456789abcdef0
        smc     #0
        str     x0, [x20, #SHOW]        // not reached
woken:  str     x0, [x20, #SHOW]
        adr     x2, vectors
        msr     vbar_el1, x2
        bl      acknowledge
        // power state coordination
        ldr     x0, =0x84000000
        hvc     #0
        str     x0, [x20, #SHOW]
        ldr     x0, =0xc4000012         // SYSTEM_RESET2
        ldr     x1, =0x80000005
        ldr     x2, =0xfedcba9876543210
        hvc     #0
        b       .

system_off:
        ldr     x0, =0x84000008
        hvc     #0
        b       .
cpu_off:
        ldr     x0, =0x84000002
        hvc     #0
        b       .
loop_of_aborts:
        ldr     x2, =0x60000000         // nothing there
        msr     vbar_el1, x2
        isb
        br      x2
power_off:
        mov     x22, x2                 // a capability to itself
        mov     x0, x22
        mov     x1, #1                  // the last
        hvc     #0x6039
        str     x0, [x20, #SHOW]
        mov     x0, x22
        mov     x1, #0
        hvc     #0x6039
        b       .

interrupts:
        ldr     x1, =REDISTRIBUTOR
        str     wzr, [x1, #0x14]
        ldr     x1, =DISTRIBUTOR
        mov     w2, #0x12
        str     w2, [x1]
        mov     w2, #(1 << (INTERRUPT % 32))
        str     w2, [x1, #(0x80 + 4 * (INTERRUPT / 32))]
        mov     w2, #0x80
        strb    w2, [x1, #(0x400 + INTERRUPT)]
        mov     w2, #(2 << (2 * (INTERRUPT % 16)))
        str     w2, [x1, #(0xc00 + 4 * (INTERRUPT / 16))]
        mov     x3, #(0x6000 + 8 * INTERRUPT)
        str     xzr, [x1, x3]
        mov     w2, #(1 << (INTERRUPT % 32))
        str     w2, [x1, #(0x100 + 4 * (INTERRUPT / 32))]
        mov     x2, #7
        msr     s3_0_c12_c12_5, x2      // ICC_SRE_EL1
        mov     x2, #0xf0
        msr     s3_0_c4_c6_0, x2        // ICC_PMR_EL1
        mov     x2, #1
        msr     s3_0_c12_c12_7, x2      // ICC_IGRPEN1_EL1
        isb
        ret
        // a power-down reset the CPU interface: enabled again before the interrupt is taken
acknowledge:
        mov     x2, #0xf0
        msr     s3_0_c4_c6_0, x2
        mov     x2, #1
        msr     s3_0_c12_c12_7, x2
        isb
        mrs     x1, s3_0_c12_c12_0      // ICC_IAR1_EL1
        str     x1, [x20, #SHOW]
        msr     s3_0_c12_c12_1, x1      // ICC_EOIR1_EL1
        isb
        ret

        // An abort: shows the syndrome and goes on behind the load or store, or at the return address of a fetch.
abort:  mrs     x1, esr_el1
        str     x1, [x20, #SHOW]
        mrs     x2, elr_el1
        lsr     x1, x1, #26
        cmp     x1, #0x21
        b.eq    1f
        add     x30, x2, #4
1:      msr     elr_el1, x30
        eret

        .balign 2048
vectors:
        .rept   4
        .balign 128
        b       .
        .endr
        .balign 128
        b       abort
        .rept   11
        .balign 128
        b       .
        .endr
        .ltorg
