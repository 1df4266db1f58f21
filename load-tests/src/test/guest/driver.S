// The guest of the driver's benchmarks: accesses that leave the guest, each timed by the system counter. Registers at the
// start: x0 what to do (0 loads, 1 stores, 2 stores and waits for the interrupt each rings), x1 how often, x2 first
// address, x3 bytes to the next, x4 where durations go (32 bits, ticks). No MMU, no exception is expected.

        .arch   armv8-a

        .equ    DONE, 0x10000           // a store here ends the benchmark
        .equ    DISTRIBUTOR, 0x08000000
        .equ    REDISTRIBUTOR, 0x080a0000
        .equ    INTERRUPT, 33

        .macro  now, register
        isb
        mrs     \register, cntvct_el0
        .endm

        .text
start:  mov     x20, x1
        mov     x21, x2
        mov     x22, x3
        mov     x23, x4
        mov     x24, x0
        bl      interrupts
        cmp     x24, #1
        b.eq    stores
        b.hi    rings

loads:  now     x1
        ldr     w3, [x21]
        now     x2
        bl      sample
        b.ne    loads
        b       done

stores: now     x1
        str     w20, [x21]
        now     x2
        bl      sample
        b.ne    stores
        b       done

rings:  now     x1
        str     w20, [x21]
1:      mrs     x3, isr_el1
        tbz     x3, #7, 1b
        now     x2
        mrs     x3, s3_0_c12_c12_0      // ICC_IAR1_EL1
        msr     s3_0_c12_c12_1, x3      // ICC_EOIR1_EL1
        isb
        bl      sample
        b.ne    rings

done:   ldr     x1, =DONE
        str     w20, [x1]
        b       .

sample: sub     x2, x2, x1
        str     w2, [x23], #4
        add     x21, x21, x22
        subs    x20, x20, #1
        ret

        // Lets the interrupt through to the CPU interface, as an edge; PSTATE.I stays set.
interrupts:
        ldr     x1, =REDISTRIBUTOR
        str     wzr, [x1, #0x14]        // GICR_WAKER: awake
        ldr     x1, =DISTRIBUTOR
        mov     w2, #0x12               // affinity routing, group 1
        str     w2, [x1]
        mov     w2, #(1 << (INTERRUPT % 32))
        str     w2, [x1, #(0x80 + 4 * (INTERRUPT / 32))]
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
