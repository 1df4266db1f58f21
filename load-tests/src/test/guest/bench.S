// The guest of the hypervisor benchmarks: one image, several programs. A vCPU starts at the first byte with the address of
// its parameter block in x0, and writes times of the system counter into memory that the host reads afterwards. MMU and
// caches are on, interrupts are taken through the vectors, so a hypercall and an interrupt cost what they cost a real
// driver.
//
// Registers of the programs: x19 parameters, x20 count, x21 samples, x22..x28 their own. The interrupt handlers use
// x0..x18 (the programs keep nothing there while interrupts are open) and x26..x29.

        .arch   armv8-a

        .equ    PROGRAM, 0x00           // index into the table below
        .equ    COUNT, 0x08             // samples, messages, rings
        .equ    INNER, 0x10             // calls for each sample
        .equ    CALL, 0x18              // x0..x4 of the hypercall: function id and arguments
        .equ    CAP, 0x40               // capability to send on, or to receive from
        .equ    PEER, 0x48              // capability to answer on
        .equ    SIZE, 0x50              // bytes of a message
        .equ    SLEEP, 0x58             // wait with WFI, or spin
        .equ    BUFFER, 0x60            // where samples go
        .equ    ADDRESS, 0x68           // device address; gap that counts as a hand-over, ticks
        .equ    DONE, 0x80              // set to 1 at the end
        .equ    BEGIN, 0x88             // counter at begin and end
        .equ    END, 0x90
        .equ    ERRORS, 0x98            // what must not happen: failed calls, wrong sequence numbers
        .equ    READY, 0xa0             // the guest is about to begin

        .equ    DISTRIBUTOR, 0x08000000
        .equ    REDISTRIBUTOR, 0x080a0000
        .equ    INTERRUPT, 40           // the SPI that everything of a benchmark is bound to

        .macro  now, register
        isb
        mrs     \register, cntvct_el0
        .endm

        .text
start:  mov     x19, x0
        // identity map: devices in the first gigabyte, memory in the second
        adr     x1, tables
        msr     ttbr0_el1, x1
        ldr     x1, =0xff00             // attribute 0 device nGnRnE, 1 write-back
        msr     mair_el1, x1
        ldr     x1, =(32 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
        msr     tcr_el1, x1
        isb
        tlbi    vmalle1
        dsb     ish
        isb
        mrs     x1, sctlr_el1
        mov     x2, #(1 | 1 << 2 | 1 << 12)
        orr     x1, x1, x2
        msr     sctlr_el1, x1
        isb
        adr     x1, vectors
        msr     vbar_el1, x1
        bl      interrupts
        ldr     x20, [x19, #COUNT]
        ldr     x21, [x19, #BUFFER]
        mov     x1, #1
        str     x1, [x19, #READY]
        ldr     x1, [x19, #PROGRAM]
        adr     x2, programs
        ldrsw   x1, [x2, x1, lsl #2]
        add     x1, x1, x2
        blr     x1
        now     x1
        str     x1, [x19, #END]
        mov     x1, #1
        dmb     ish
        str     x1, [x19, #DONE]
1:      wfi
        b       1b

programs:
        .word   native - programs       // 0
        .word   smccc - programs        // 1
        .word   send - programs         // 2
        .word   receive - programs      // 3
        .word   ring - programs         // 4
        .word   answer - programs       // 5
        .word   hog - programs          // 6
        .word   device - programs       // 7
        .word   spin - programs         // 8
        .word   nothing - programs      // 9

        // Enables the interrupt as an edge at the first vCPU, priority 0x80.
interrupts:
        ldr     x1, =REDISTRIBUTOR
        str     wzr, [x1, #0x14]        // GICR_WAKER: awake
        ldr     x1, =DISTRIBUTOR
        mov     w2, #0x12               // affinity routing, group 1
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

        .macro  sample                  // x1 before, x2 after
        sub     x2, x2, x1
        str     w2, [x21], #4
        subs    x20, x20, #1
        .endm

        .macro  failed
        ldr     x9, [x19, #ERRORS]
        add     x9, x9, #1
        str     x9, [x19, #ERRORS]
        .endm

// 9: what a sample itself costs
nothing:
        now     x1
        str     x1, [x19, #BEGIN]
1:      now     x1
        now     x2
        sample
        b.ne    1b
        ret

// 0: hypervisor_identify by the native convention
native: now     x1
        str     x1, [x19, #BEGIN]
1:      ldr     x22, [x19, #INNER]
        now     x23
2:      hvc     #0x6000
        subs    x22, x22, #1
        b.ne    2b
        now     x2
        mov     x1, x23
        sample
        b.ne    1b
        ret

// 1: any hypercall by SMCCC
smccc:  now     x1
        str     x1, [x19, #BEGIN]
        ldp     x24, x25, [x19, #CALL]
        ldp     x26, x27, [x19, #CALL + 16]
        ldr     x28, [x19, #CALL + 32]
1:      ldr     x22, [x19, #INNER]
        now     x23
2:      mov     x0, x24
        mov     x1, x25
        mov     x2, x26
        mov     x3, x27
        mov     x4, x28
        hvc     #0
        subs    x22, x22, #1
        b.ne    2b
        now     x2
        mov     x1, x23
        sample
        b.ne    1b
        ret

// 2: sends COUNT messages with rising sequence numbers. A full queue means wait for its interrupt, as a driver does.
send:   adr     x1, on_send
        msr     tpidr_el1, x1
        ldr     x22, [x19, #CAP]
        ldr     x23, [x19, #SIZE]
        ldr     x24, [x19, #SLEEP]
        adrp    x25, message
        add     x25, x25, :lo12:message
        mov     x27, #0                 // sequence number
        now     x1
        str     x1, [x19, #BEGIN]
1:      str     x27, [x25]
        mov     x26, #0                 // a token; set by the interrupt
        mov     x0, x22
        mov     x1, x23
        mov     x2, x25
        mov     x3, #0
        mov     x4, #0
        hvc     #0x601b
        cbnz    x0, 4f
        add     x27, x27, #1
        cmp     x27, x20
        b.eq    3f
        cbnz    x1, 1b                  // another fits
2:      cbnz    x24, 5f
        msr     daifclr, #2             // spinning: the interrupt comes in between
        isb
        msr     daifset, #2
6:      cbz     x26, 2b
        b       1b
5:      cbnz    x26, 1b                 // masked: either seen here, or it ends the WFI
        wfi
        msr     daifclr, #2
        isb
        msr     daifset, #2
        b       5b
3:      ret
4:      failed                          // not even FULL: the flag said that one fits
        ret
on_send:
        mov     x26, #1
        ret

// 3: receives COUNT messages; the handler drains the queue until it is empty, as a driver does. Stores the time of every
// 64th.
receive:
        adr     x1, on_receive
        msr     tpidr_el1, x1
        ldr     x22, [x19, #CAP]
        ldr     x24, [x19, #SLEEP]
        adrp    x25, message
        add     x25, x25, :lo12:message
        mov     x27, #0                 // sequence number expected
        now     x1
        str     x1, [x19, #BEGIN]
1:      cbz     x24, 2f
        wfi
2:      msr     daifclr, #2
        isb
        msr     daifset, #2
        cmp     x27, x20
        b.lo    1b
        ret
on_receive:
1:      mov     x0, x22
        mov     x1, x25
        mov     x2, #1024
        mov     x3, #0
        hvc     #0x601c
        cbnz    x0, 3f
        ldr     x9, [x25]
        cmp     x9, x27
        b.eq    2f
        failed
2:      add     x27, x27, #1
        tst     x27, #63
        b.ne    5f
        now     x9
        str     x9, [x21], #8
5:      cbnz    x2, 1b
        ret
3:      cmp     x0, #60                 // MSGQUEUE_EMPTY is the normal end
        b.eq    4f
        failed
4:      ret

// 4: rings COUNT times; each time waits until the other guest rings back.
ring:   adr     x1, on_answered
        msr     tpidr_el1, x1
        ldr     x22, [x19, #CAP]
        ldr     x23, [x19, #PEER]
        ldr     x24, [x19, #SLEEP]
        now     x1
        str     x1, [x19, #BEGIN]
1:      mov     x26, #0
        now     x1
        str     x1, [x21], #8
        mov     x0, x22
        mov     x1, #1
        mov     x2, #0
        hvc     #0x6012
        cbz     x0, 2f
        failed
2:      cbz     x24, 3f
        cbnz    x26, 4f
        wfi
3:      msr     daifclr, #2
        isb
        msr     daifset, #2
        cbz     x26, 2b
4:      subs    x20, x20, #1
        b.ne    1b
        ret
on_answered:
        mov     x0, x23
        mov     x1, #1
        mov     x2, #0
        hvc     #0x6013
        mov     x26, #1
        ret

// 5: the other guest: notes when its handler begins, and rings back.
answer: adr     x1, on_ring
        msr     tpidr_el1, x1
        ldr     x22, [x19, #CAP]
        ldr     x23, [x19, #PEER]
        ldr     x24, [x19, #SLEEP]
        now     x1
        str     x1, [x19, #BEGIN]
1:      cbz     x24, 2f
        wfi
2:      msr     daifclr, #2
        isb
        msr     daifset, #2
        cbnz    x20, 1b
        ret
on_ring:
        str     x18, [x21], #8          // taken by the vector
        mov     x0, x23
        mov     x1, #1
        mov     x2, #0
        hvc     #0x6013
        sub     x20, x20, #1
        mov     x0, x22
        mov     x1, #1
        mov     x2, #0
        hvc     #0x6012
        ret

// 6: burns time and notes the gaps in it: last time before, first time after.
hog:    ldr     x22, [x19, #ADDRESS]
        mrs     x1, cntvct_el0
        str     x1, [x19, #BEGIN]
1:      mrs     x2, cntvct_el0
        sub     x3, x2, x1
        cmp     x3, x22
        b.hi    2f
        mov     x1, x2
        b       1b
2:      stp     x1, x2, [x21], #16
        mov     x1, x2
        subs    x20, x20, #1
        b.ne    1b
        ret

// 7: reads a register of a device in the VMMIO range
device: ldr     x22, [x19, #ADDRESS]
        now     x1
        str     x1, [x19, #BEGIN]
1:      now     x1
        ldr     x3, [x22]
        now     x2
        sample
        b.ne    1b
        ret

// 8: executes for ever, using memory
spin:
1:      ldr     x1, [x19, #SIZE]
        add     x1, x1, #1
        str     x1, [x19, #SIZE]
        b       1b

        // Interrupts only; anything else is a mistake of ours and shows as an error.
        .balign 2048
vectors:
        .rept   4
        .balign 128
        b       broken
        .endr
        .balign 128
        b       broken
        .balign 128
        now     x18
        mrs     x9, tpidr_el1
        mrs     x29, s3_0_c12_c12_0     // ICC_IAR1_EL1
        cmp     w29, #INTERRUPT
        b.ne    1f
        mov     x28, x30
        blr     x9
        mov     x30, x28
        msr     s3_0_c12_c12_1, x29     // ICC_EOIR1_EL1
1:      eret
        .rept   10
        .balign 128
        b       broken
        .endr
        .balign 128
broken: mrs     x0, esr_el1
        mrs     x1, elr_el1
        str     x0, [x19, #ERRORS]
        str     x1, [x19, #END]
        mov     x0, #2
        str     x0, [x19, #DONE]
1:      wfi
        b       1b

        .ltorg
        .balign 64
tables: .quad   0x00000000 | 1 << 54 | 1 << 53 | 1 << 10 | 0 << 2 | 1
        .quad   0x40000000 | 1 << 10 | 3 << 8 | 1 << 2 | 1
        .quad   0, 0

        // a page apart from code, so that stores do not meet decoded instructions
        .balign 4096
message:
        .space  4096
